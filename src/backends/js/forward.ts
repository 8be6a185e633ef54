// softmax, logSoftmax and logSumExp of one row, as in native/kernels/forward.h.

import { factorOf, singleExponential, type Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { logSumExpNearZero } from './near-zero.js';
import { isPlain } from './reference.js';
import { type RowSum, rowSum, scaleExponentials } from './row-sum.js';
import { fill } from './rows.js';
import type { Scaling } from './scaling.js';
import { noIndex } from './tree.js';

const { fround } = Math;
const { NEGATIVE_INFINITY: negativeInfinity } = Number;

/** The largest exponential is below this, 2 √2: a larger sum has more than one. */
const loneSumBound = 2.83;

/** `ofEmpty`: what fills a row of nothing but −Infinity. */
export function softmaxRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
  ofEmpty: number,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, out, outBegin);
  const { sum } = row;
  if (!(sum > 0)) {
    fill(out, outBegin, length, sum === 0 ? ofEmpty : Number.NaN);
    return;
  }
  const factor = factorOf(1 / sum, scaling.isDouble);
  scaleExponentials(logits, begin, length, scaling, row, out, outBegin, factor);
  // A product with the rounded 1 / sum may miss 1 where one logit alone counts; that of a float32 does not.
  if (
    scaling.isDouble &&
    sum < loneSumBound &&
    sum === singleExponential(row.top / scaling.sign, scaling, row.reference)
  )
    for (let i = outBegin; i < outBegin + length; i++) if ((out[i] as number) > 0.5) out[i] = 1;
}

/**
 * log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sum` is of the whole row,
 * in the measure of row.reference. The largest logit is taken out of the sum where it outweighs the others.
 */
export function logNormalizer(row: RowSum, sum: number, scaling: Scaling): number {
  const top = singleExponential(row.top / scaling.sign, scaling, row.reference);
  const others = sum - top;
  if (others > top) return logScaled(sum, row.reference.exponent - 1);
  return (row.top - row.reference.offset) * scaling.factor + logOnePlusRatio(others / top);
}

/** `normalizer`: logNormalizer, if the sum is above 0. */
export function logSumExpOf(row: RowSum, sum: number, normalizer: number, scaling: Scaling): number {
  if (sum > 0) return row.reference.offset * scaling.factor + normalizer;
  if (row.top === Number.POSITIVE_INFINITY) return row.hasNan ? Number.NaN : Number.POSITIVE_INFINITY;
  return sum === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
}

export function logSumExpRow(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const nearZero = logSumExpNearZero(logits, begin, length, scaling);
  if (!Number.isNaN(nearZero)) return nearZero;
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined, 0);
  const { sum } = row;
  return logSumExpOf(row, sum, sum > 0 ? logNormalizer(row, sum, scaling) : Number.NaN, scaling);
}

/** `ofEmpty`: as of softmaxRow. */
export function logSoftmaxRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
  ofEmpty: number,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined, 0);
  if (!(row.sum > 0)) {
    fill(out, outBegin, length, row.sum === 0 ? ofEmpty : Number.NaN);
    return;
  }
  const normalizer = logNormalizer(row, row.sum, scaling);
  // The other way round, and negated, so that a log-probability of 0 is +0.
  if (isPlain(scaling, row.reference)) {
    for (let i = 0; i < length; i++) out[outBegin + i] = 0 - (normalizer - (logits[begin + i] as number));
    return;
  }
  const { offset } = row.reference;
  const { isDouble, sign, factor } = scaling;
  // −Infinity, and at temperature 0 every logit below the maximum, has probability 0.
  const lowest = scaling.isLimit ? row.top : -scaling.largest;
  // scaledDifference, with what does not differ between elements taken out of the loop.
  const before = offset > 1 ? 0.5 : 1;
  const after = 1 / before;
  const subtrahend = offset * before;
  for (let i = 0; i < length; i++) {
    const product = (logits[begin + i] as number) * sign;
    const signed = isDouble ? product : fround(product);
    const scaled = (signed * before - subtrahend) * factor * after;
    out[outBegin + i] = signed >= lowest ? 0 - (normalizer - scaled) : negativeInfinity;
  }
}
