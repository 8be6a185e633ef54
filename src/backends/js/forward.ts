// softmax, logSoftmax and logSumExp of one row, as in native/kernels/forward.h.

import { besideTop, logRelativeToTop, type RowBesideTop, rowBesideTop } from './beside-top.js';
import { factorOf, logOfTable, singleExponential, type Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { logSumExpNearZero } from './near-zero.js';
import { isPlain } from './reference.js';
import { type RowSum, rowSum, scaleExponentials } from './row-sum.js';
import { fill } from './rows.js';
import { type Scaling, scaledDifference } from './scaling.js';
import { noIndex } from './tree.js';

const { fround } = Math;
const { NEGATIVE_INFINITY: negativeInfinity } = Number;

/** The largest exponential of float64 is below this, 2 √2: a larger sum has more than one. */
export const loneSumBound = 2.83;

export function softmaxRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, out, outBegin);
  finishSoftmax(row, logits, begin, length, scaling, out, outBegin);
}

/** The softmax of a row, of some of its logits alone. */
export function someSoftmax(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  some: Values,
  count: number,
  out: Values,
  outBegin: number,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined, 0);
  finishSoftmax(row, some, 0, count, scaling, out, outBegin);
}

function finishSoftmax(
  row: RowSum,
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
): void {
  const { sum } = row;
  if (!(sum > 0)) {
    fill(out, outBegin, length, Number.NaN);
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
 * What logarithms are relative to: the offset of the exponentials, but in float64 the maximum, so that log-probabilities
 * are sums of two numbers of one sign.
 */
export const normalizerOffset = (row: RowSum, { isDouble }: Scaling): number =>
  isDouble ? row.top : row.reference.offset;

/**
 * log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sum` is of the whole row,
 * in the measure of row.reference. The largest logit is taken out of the sum where it outweighs the others.
 */
export function logNormalizer(row: RowSum, sum: number, scaling: Scaling): number {
  const top = singleExponential(row.top / scaling.sign, scaling, row.reference);
  const others = sum - top;
  if (scaling.isDouble) return logRelativeToTop(top, others);
  if (others > top) return logScaled(sum, row.reference.exponent - 1) - logOfTable;
  return (row.top - row.reference.offset) * scaling.factor + logOnePlusRatio(others / top);
}

/** `normalizer`: logNormalizer, if the sum is above 0. */
export function logSumExpOf(row: RowSum, sum: number, normalizer: number, scaling: Scaling): number {
  if (sum > 0) return normalizerOffset(row, scaling) * scaling.factor + normalizer;
  if (row.top === Number.POSITIVE_INFINITY) return row.hasNan ? Number.NaN : Number.POSITIVE_INFINITY;
  return sum === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
}

export function logSumExpRow(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const nearZero = logSumExpNearZero(logits, begin, length, scaling);
  if (!Number.isNaN(nearZero)) return nearZero;
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined, 0);
  const { sum } = row;
  const value = logSumExpOf(row, sum, sum > 0 ? logNormalizer(row, sum, scaling) : Number.NaN, scaling);
  return besideTop(logits, begin, length, scaling, row, sum, value, undefined);
}

export function finishLogSoftmaxDouble(
  row: RowBesideTop,
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
): void {
  const { top, reference, others, topExponential } = row;
  if (!(others + topExponential > 0)) {
    fill(out, outBegin, length, Number.NaN);
    return;
  }
  const normalizer = logRelativeToTop(topExponential, others);
  if (isPlain(scaling, reference)) {
    // 0 for −0, too: a shard's maximum has no sign then.
    for (let i = 0; i < length; i++)
      out[outBegin + i] = 0 - (normalizer - ((logits[begin + i] as number) - top));
    return;
  }
  const { sign, factor } = scaling;
  const lowest = scaling.isLimit ? top : -scaling.largest;
  for (let i = 0; i < length; i++) {
    const signed = (logits[begin + i] as number) * sign;
    const y = 0 - (normalizer - scaledDifference(signed, top, factor));
    out[outBegin + i] = signed >= lowest ? y : negativeInfinity;
  }
}

export function logSoftmaxRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
): void {
  someLogSoftmax(logits, begin, length, scaling, logits, begin, length, out, outBegin);
}

/** The log-softmax of a row, of some of its logits alone. */
export function someLogSoftmax(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  some: Values,
  someBegin: number,
  count: number,
  out: Values,
  outBegin: number,
): void {
  if (scaling.isDouble) {
    const row = rowBesideTop(logits, begin, length, scaling);
    finishLogSoftmaxDouble(row, some, someBegin, count, scaling, out, outBegin);
    return;
  }
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined, 0);
  finishLogSoftmax(row, some, someBegin, count, scaling, out, outBegin);
}

export function finishLogSoftmax(
  row: RowSum,
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  out: Values,
  outBegin: number,
): void {
  if (!(row.sum > 0)) {
    fill(out, outBegin, length, Number.NaN);
    return;
  }
  // As two float32 numbers (log_softmax.h).
  const normalizer = logNormalizer(row, row.sum, scaling);
  const high = fround(normalizer);
  const rest = fround(high - normalizer);
  if (isPlain(scaling, row.reference)) {
    for (let i = 0; i < length; i++) out[outBegin + i] = fround((logits[begin + i] as number) - high) + rest;
    return;
  }
  const { offset } = row.reference;
  const { sign, factor } = scaling;
  // −Infinity, and at temperature 0 every logit below the maximum, has probability 0.
  const lowest = scaling.isLimit ? row.top : -scaling.largest;
  for (let i = 0; i < length; i++) {
    const signed = fround((logits[begin + i] as number) * sign);
    const scaled = (signed - offset) * factor;
    out[outBegin + i] = signed >= lowest ? fround(scaled - high) + rest : negativeInfinity;
  }
}
