// The largest logit of each row, as in native/kernels/arg_max.h.

import type { UnaryRows } from '../../kernels.js';
import type { Values } from '../exp.js';
import { logitReader } from '../kernels.js';
import { isKept, rangeOf } from '../rows.js';
import { signOf } from '../scaling.js';

/** The number of the first of the largest signed logits, or of the first NaN. */
function firstLargest(logits: Values, begin: number, length: number, sign: number): number {
  let [found, top] = [begin, Number.NEGATIVE_INFINITY];
  for (let i = begin; i < begin + length; i++) {
    const logit = (logits[i] as number) * sign;
    if (logit <= top) continue;
    if (Number.isNaN(logit)) return i - begin;
    top = logit;
    found = i;
  }
  return found - begin;
}

export const argMaxRows: UnaryRows = (x, out, rows) => {
  const { length, mask, multiplier } = rows;
  const reader = logitReader(x, rows);
  const sign = signOf(typeof multiplier === 'number' ? multiplier : (multiplier[0] ?? 1));
  const { begin, end } = rangeOf(rows);
  for (let r = begin; r < end; r++) {
    reader.read(r);
    let found = length === 0 ? -1 : firstLargest(reader.values, reader.begin, length, sign);
    // What the mask drops is no larger than any other.
    if (mask && (reader.values[reader.begin + found] as number) * sign === Number.NEGATIVE_INFINITY) {
      found = 0;
      while (found < length && !isKept(mask, r, found)) found++;
      if (found === length) found = -1;
    }
    out.data[r] = found;
  }
};
