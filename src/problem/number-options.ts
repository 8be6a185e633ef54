// Options that are numbers, one per row or one per class: private copies in float64.

import { ElementMemory } from '../backends/element-memory.js';
import type { DType } from '../backends/kernels.js';
import { formatValue, isArray, rangeError, type SoftmaxErrorCode, typeError } from '../errors.js';
import { allocateOrThrow, copyElements } from '../typed-arrays.js';
import { unfilledMemory } from '../unfilled-memory.js';
import { isHalf } from './dtypes.js';
import type { Held } from './layout-memory.js';
import { readOperand, requireOwnShape } from './tensors.js';

export interface Numbers {
  readonly values: Float64Array;
  /** What outputs must not overlap; undefined if it has no memory that they could. */
  readonly held: Held | undefined;
}

/** Whether an option is an array or a tensor of numbers, or should be; else it should be one number. */
export const isNumbers = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** An array of numbers, an array of floats or a tensor of them. Reading it may run user code (getters, proxies). */
export function readNumbers(
  argument: string,
  value: unknown,
  code: SoftmaxErrorCode,
  hint: DType | undefined,
): Numbers {
  if (isArray(value)) return { values: copyNumbers(argument, value, code), held: undefined };
  const operand = readOperand(argument, value, hint, true);
  const length = requireOwnShape(argument, operand.data, operand.tensor);
  const memory = unfilledMemory(length * Float64Array.BYTES_PER_ELEMENT);
  const values = memory ? new Float64Array(memory) : allocateOrThrow(length, () => new Float64Array(length));
  if (!isHalf(operand.dtype)) {
    // Several times as fast as the constructor, which looks at every number.
    copyElements(operand.data, values);
    return { values, held: operand };
  }
  const elements = new ElementMemory(operand);
  for (let i = 0; i < length; i++) values[i] = elements.get(i);
  return { values, held: operand };
}

function elementHint(argument: string, value: unknown): string {
  if (typeof value === 'bigint') return `; make ${argument}.map(Number)`;
  return isArray(value) ? `; make ${argument}.flat(Infinity)` : '';
}

/** A plain array of numbers as a private copy. No memory is taken before there are numbers for it: a length alone may be anything. */
export function copyNumbers(
  argument: string,
  array: readonly unknown[],
  code: SoftmaxErrorCode,
): Float64Array {
  const { length } = array;
  const values: number[] = [];
  for (let index = 0; index < length; index++) {
    const value = array[index];
    if (typeof value !== 'number') {
      const message = `${argument}[${index}] must be a number, got ${formatValue(value)}${elementHint(argument, value)}`;
      throw typeError(code, message, { argument, index, value });
    }
    values.push(value);
  }
  // By index: an array's iterator may be user code.
  const copy = allocateOrThrow(length, () => new Float64Array(length));
  for (let index = 0; index < length; index++) copy[index] = values[index] as number;
  return copy;
}

/** The one number that stands for all rows, if there is no more than one; else there must be one for each of them. */
export function oneOrPerRow(argument: string, { values }: Numbers, rows: number): number | Float64Array {
  const { length } = values;
  if (length === 1) return values[0] as number;
  if (length === rows) return values;
  const message = `${argument} has ${length} elements, but there ${rows === 1 ? 'is 1 row; give shape if there are several' : `are ${rows} rows`}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}
