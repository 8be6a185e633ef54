// The largest of a row's logits, in the order of native/kernels/selection.h.

import type { RowMask } from '../../kernels.js';
import type { Values } from '../exp.js';
import { isKept } from '../rows.js';

/** NaN is above all numbers. */
export const isAbove = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** A row of logits, and what the mask keeps of it. */
export interface Row {
  readonly logits: Values;
  readonly begin: number;
  readonly length: number;
  readonly sign: number;
  readonly mask: RowMask | undefined;
  readonly row: number;
}

/** So many are kept sorted as they come; more are sorted at the end. */
const mostInserted = 4096;

/** The numbers of the k largest logits, one after another, and how many of them the mask keeps: the others come last. */
export class Largest {
  readonly indices: Int32Array;
  readonly #values: Float64Array;
  readonly #k: number;

  constructor(k: number) {
    this.#k = k;
    this.indices = new Int32Array(k);
    this.#values = new Float64Array(Math.min(k, mostInserted));
  }

  find(row: Row): number {
    const kept = this.#k > mostInserted ? this.#sort(row) : this.#insert(row);
    const { mask, length } = row;
    let count = kept;
    for (let i = 0; mask && count < this.#k && i < length; i++)
      if (!isKept(mask, row.row, i)) this.indices[count++] = i;
    return kept;
  }

  #insert({ logits, begin, length, sign, mask, row }: Row): number {
    const { indices } = this;
    const values = this.#values;
    const k = this.#k;
    let count = 0;
    let limit = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < length && k > 0; i++) {
      const logit = (logits[begin + i] as number) * sign;
      if (count === k && !(logit > limit || isAbove(logit, limit))) continue;
      if (mask && !isKept(mask, row, i)) continue;
      let [low, high] = [0, count];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (isAbove(logit, values[middle] as number)) high = middle;
        else low = middle + 1;
      }
      if (count < k) count++;
      values.copyWithin(low + 1, low, count - 1);
      indices.copyWithin(low + 1, low, count - 1);
      values[low] = logit;
      indices[low] = i;
      if (count === k) limit = values[k - 1] as number;
    }
    return count;
  }

  #sort({ logits, begin, length, sign, mask, row }: Row): number {
    const all = new Int32Array(length);
    let count = 0;
    for (let i = 0; i < length; i++) if (isKept(mask, row, i)) all[count++] = i;
    const kept = all.subarray(0, count).sort((a, b) => {
      const x = (logits[begin + a] as number) * sign;
      const y = (logits[begin + b] as number) * sign;
      return isAbove(x, y) ? -1 : isAbove(y, x) ? 1 : a - b;
    });
    const found = Math.min(count, this.#k);
    for (let i = 0; i < found; i++) this.indices[i] = kept[i] as number;
    return found;
  }
}
