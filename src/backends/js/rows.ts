// Rows as the kernels want them: elements one after another, in the precision that they are computed in. A row that
// lies so already is used where it is; any other is gathered into scratch memory, and a result scattered from it.

import { rangeError } from '../../errors.js';
import { ElementMemory } from '../element-memory.js';
import type { Elements, RowMask, RowRange, Rows } from '../kernels.js';
import type { Values } from './exp.js';

export const isDouble = (elements: Elements): boolean => elements.dtype === 'float64';

/** Whether elements are in memory as they are computed with. */
const isComputedIn = ({ dtype }: Elements): boolean => dtype === 'float32' || dtype === 'float64';

function newValues(length: number, double: boolean): Values {
  try {
    return double ? new Float64Array(length) : new Float32Array(length);
  } catch (cause) {
    throw rangeError('ERR_SHAPE', `no memory for a row of ${length} elements`, { value: length }, cause);
  }
}

/** The rows to compute. */
export const rangeOf = ({ outer, inner, range }: Rows): RowRange => range ?? { begin: 0, end: outer * inner };

/** Whether an element of a row is kept. */
export function isKept(mask: RowMask | undefined, row: number, index: number): boolean {
  return mask === undefined || mask.data[(mask.offsets[row] as number) + index * mask.step] !== 0;
}

/** Where element k of a row is, of an array whose axis is `length` long: the next is `inner` further. */
export function placeOf({ inner }: Pick<Rows, 'inner'>, length: number, row: number, k: number): number {
  const outer = Math.floor(row / inner);
  return (outer * length + k) * inner + (row - outer * inner);
}

/**
 * The rows of an array, one at a time: read(), or start() and finish(). What the mask drops is `fill`. One class for
 * both, as the constructors of subclasses take longer: 24 ns of a call, which takes 90.
 */
export class StagedRows {
  /** After read() or start(): the row is values[begin], values[begin + 1], … */
  readonly values: Values;
  begin = 0;
  readonly #rows: Rows;
  readonly #fill: number;
  /** Where the rows come from or go; undefined: the values are the array itself. */
  readonly #memory: ElementMemory | undefined;

  constructor(elements: Elements, rows: Rows, fill: number) {
    const isDirect = rows.inner === 1 && rows.mask === undefined && isComputedIn(elements);
    this.values = isDirect ? (elements.data as Values) : newValues(rows.length, isDouble(elements));
    this.#memory = isDirect ? undefined : new ElementMemory(elements);
    this.#rows = rows;
    this.#fill = fill;
  }

  read(row: number): void {
    const { length, inner } = this.#rows;
    if (this.#memory === undefined) {
      this.begin = row * length;
      return;
    }
    const { values } = this;
    const { data, format } = this.#memory;
    let from = placeOf(this.#rows, length, row, 0);
    for (let k = 0; k < length; k++, from += inner) {
      const value = data[from] as number;
      values[k] = format === undefined ? value : format.toNumber(value);
    }
    this.#fillDropped(row);
  }

  /** Before the row's results are computed. */
  start(row: number): void {
    if (this.#memory === undefined) this.begin = row * this.#rows.length;
  }

  /** After they are. */
  finish(row: number): void {
    if (this.#memory === undefined) return;
    this.#fillDropped(row);
    const { length, inner } = this.#rows;
    const { values } = this;
    const { data, format } = this.#memory;
    let to = placeOf(this.#rows, length, row, 0);
    for (let k = 0; k < length; k++, to += inner) {
      const value = values[k] as number;
      data[to] = format === undefined ? value : format.fromNumber(value);
    }
  }

  #fillDropped(row: number): void {
    const { length, mask } = this.#rows;
    if (mask === undefined) return;
    const { data, step } = mask;
    const { values } = this;
    const fill = this.#fill;
    let at = mask.offsets[row] as number;
    for (let k = 0; k < length; k++, at += step) if (data[at] === 0) values[k] = fill;
  }
}

/** values[begin, begin + length) = value. Their own method `fill` may be a caller's. */
export function fill(values: Values, begin: number, length: number, value: number): void {
  for (let i = begin; i < begin + length; i++) values[i] = value;
}

/** Writes one element per row. */
export function resultWriter(elements: Elements): (row: number, value: number) => void {
  const memory = new ElementMemory(elements);
  return (row, value) => memory.set(row, value);
}
