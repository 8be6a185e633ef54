// The largest logit of each row, as in native/kernels/arg_max.h.

import type { Rows, UnaryRows } from '../../kernels.js';
import type { Values } from '../exp.js';
import { logitReader } from '../kernels.js';
import { isKept, rangeOf } from '../rows.js';
import { signOfRows } from './top-k.js';

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

/** Of row `r`, which has been read. */
export function rowArgMax(
  logits: Values,
  begin: number,
  r: number,
  { length, mask }: Rows,
  sign: number,
): number {
  const found = length === 0 ? -1 : firstLargest(logits, begin, length, sign);
  // What the mask drops is no larger than any other.
  if (mask === undefined || (logits[begin + found] as number) * sign !== Number.NEGATIVE_INFINITY)
    return found;
  for (let k = 0; k < length; k++) if (isKept(mask, r, k)) return k;
  return -1;
}

export const argMaxRows: UnaryRows = (x, out, rows) => {
  const reader = logitReader(x, rows);
  const sign = signOfRows(rows);
  const { begin, end } = rangeOf(rows);
  for (let r = begin; r < end; r++) {
    reader.read(r);
    out.data[r] = rowArgMax(reader.values, reader.begin, r, rows, sign);
  }
};
