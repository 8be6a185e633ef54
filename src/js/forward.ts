// softmax, logSoftmax and logSumExp of one row, as in native/kernels/forward.h.

import { scaledRest, scaledValue, shiftedLogit, singleExponential } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { isPlain, type Reference } from './reference.js';
import { noIndex, type RowSum, rowSum, scaleExponentials } from './row-sum.js';
import { largestFloat, type Scaling } from './scaling.js';

const { fround } = Math;

export function softmaxRow(
  logits: Float32Array,
  out: Float32Array,
  begin: number,
  length: number,
  scaling: Scaling,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, out);
  if (!(row.total.sum > 0)) {
    out.fill(Number.NaN, begin, begin + length);
  } else {
    scaleExponentials(logits, out, begin, length, scaling, row.reference, fround(1 / row.total.sum));
  }
}

/**
 * log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sum` is of the whole row,
 * in the measure of row.reference. The largest logit is taken out of the sum where it outweighs the others.
 */
export function logNormalizer(row: RowSum, sum: number, scaling: Scaling): number {
  const top = singleExponential(scaling.sign * row.top, scaling, row.reference);
  const others = sum - top;
  if (others > top) return logScaled(sum, row.reference.exponent - 1);
  const shiftedTop = fround(row.top - row.reference.offset);
  return shiftedTop * scaling.factor + logOnePlusRatio(others / top);
}

export function logSumExpOf(row: RowSum, sum: number, scaling: Scaling): number {
  if (row.top === Number.POSITIVE_INFINITY) return row.hasNan ? Number.NaN : Number.POSITIVE_INFINITY;
  if (Number.isNaN(sum)) return Number.NaN;
  if (sum === 0) return Number.NEGATIVE_INFINITY;
  return row.reference.offset * scaling.factor + logNormalizer(row, sum, scaling);
}

export function logSumExpRow(logits: Float32Array, begin: number, length: number, scaling: Scaling): number {
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined);
  return logSumExpOf(row, row.total.sum, scaling);
}

function subtractNormalizer(
  logits: Float32Array,
  out: Float32Array,
  begin: number,
  end: number,
  scaling: Scaling,
  reference: Reference,
  normalizer: number,
): void {
  const high = fround(normalizer);
  const low = fround(normalizer - high);
  if (isPlain(scaling, reference)) {
    const negatedLow = fround(0 - low);
    for (let i = begin; i < end; i++) out[i] = fround((logits[i] as number) - high) + negatedLow;
    return;
  }
  // At temperature 0 every logit below the maximum has probability 0.
  const lowest = scaling.isLimit ? 0 : -largestFloat;
  for (let i = begin; i < end; i++) {
    const shifted = shiftedLogit(logits[i] as number, scaling, reference);
    const value = scaledValue(shifted, scaling);
    const rest = scaledRest(shifted, value, scaling);
    const isPossible = shifted >= lowest && value >= -largestFloat;
    out[i] = isPossible ? fround(value - high) + fround(rest - low) : Number.NEGATIVE_INFINITY;
  }
}

export function logSoftmaxRow(
  logits: Float32Array,
  out: Float32Array,
  begin: number,
  length: number,
  scaling: Scaling,
): void {
  const row = rowSum(logits, begin, length, scaling, noIndex, undefined);
  if (!(row.total.sum > 0)) {
    out.fill(Number.NaN, begin, begin + length);
    return;
  }
  const normalizer = logNormalizer(row, row.total.sum, scaling);
  subtractNormalizer(logits, out, begin, begin + length, scaling, row.reference, normalizer);
}
