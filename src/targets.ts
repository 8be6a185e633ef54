// Class indices as a private Int32Array: what is checked here is what the kernels use, even if the caller's array
// lies in shared memory and changes meanwhile.

import { kindOf, lengthOf } from './arrays.js';
import { rangeError, shown, typeError } from './errors.js';

/** Class indices, one a row. */
export type IndexTarget =
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Int16Array
  | Int8Array
  | BigInt64Array;

const integerKinds: ReadonlySet<string | undefined> = new Set([
  'Int32Array',
  'Uint32Array',
  'Uint16Array',
  'Uint8Array',
  'Int16Array',
  'Int8Array',
  'BigInt64Array',
]);

export interface ReadTargets {
  /** A class in [0, classes), or −1 for a row to ignore. */
  readonly classes: Int32Array;
  /** Rows that are not ignored. */
  readonly count: number;
}

export function requireIndexTarget(fn: string, target: unknown): asserts target is IndexTarget {
  const kind = kindOf(target);
  if (integerKinds.has(kind)) return;
  const message = `target must be an integer array, got ${kind ?? shown(target)}`;
  throw typeError('ERR_DTYPE', message, { fn, argument: 'target', value: target });
}

export function readTargets(
  fn: string,
  target: IndexTarget,
  rows: number,
  classCount: number,
  ignoreIndex: number,
): ReadTargets {
  const length = lengthOf(fn, 'target', target);
  if (length !== rows) {
    const message = `target has ${length} elements, but the logits have ${rows} ${rows === 1 ? 'row' : 'rows'}`;
    throw rangeError('ERR_SHAPE', message, { fn, argument: 'target', value: length });
  }
  const classes = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const given = target[row] as number | bigint;
    const value = Number(given);
    if (value === ignoreIndex) {
      classes[row] = -1;
    } else if (value >= 0 && value < classCount) {
      classes[row] = value;
      count++;
    } else {
      const message = `target[${row}] = ${given} is outside [0, ${classCount})`;
      throw rangeError('ERR_TARGET_RANGE', message, {
        fn,
        argument: 'target',
        row,
        index: row,
        value: given,
      });
    }
  }
  return { classes, count };
}

/** ignoreIndex: an integer; −100 when not given, as in PyTorch. */
export function ignoreIndexOf(fn: string, ignoreIndex: unknown = -100): number {
  if (Number.isSafeInteger(ignoreIndex)) return ignoreIndex as number;
  const message = `ignoreIndex must be an integer, got ${shown(ignoreIndex)}`;
  throw typeError('ERR_OPTION', message, { fn, argument: 'ignoreIndex', value: ignoreIndex });
}
