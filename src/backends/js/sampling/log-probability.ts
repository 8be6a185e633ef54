// Log-probabilities of single elements of a row, with the bits that logSoftmaxRow gives them.

import { logRelativeToTop, rowBesideTop } from '../beside-top.js';
import type { Values } from '../exp.js';
import { logNormalizer } from '../forward.js';
import { isPlain } from '../reference.js';
import { rowSum } from '../row-sum.js';
import { canonical, type Scaling, scaledDifference } from '../scaling.js';
import { noIndex } from '../tree.js';

const { fround } = Math;
const { NEGATIVE_INFINITY: negativeInfinity } = Number;

/** Makes log-probabilities of logits of a row: NaN if the row has no distribution. */
export type LogProbability = (logit: number) => number;

export function logProbabilityOf(
  values: Values,
  begin: number,
  length: number,
  scaling: Scaling,
): LogProbability {
  return scaling.isDouble
    ? ofDoubles(values, begin, length, scaling)
    : ofFloats(values, begin, length, scaling);
}

function ofFloats(values: Values, begin: number, length: number, scaling: Scaling): LogProbability {
  const row = rowSum(values, begin, length, scaling, noIndex, undefined, 0);
  if (!(row.sum > 0)) return () => Number.NaN;
  const normalizer = logNormalizer(row, row.sum, scaling);
  const high = fround(normalizer);
  const rest = fround(high - normalizer);
  if (isPlain(scaling, row.reference)) return (logit) => canonical(fround(fround(logit - high) + rest));
  const { offset } = row.reference;
  const { sign, factor } = scaling;
  const lowest = scaling.isLimit ? row.top : -scaling.largest;
  return (logit) => {
    const signed = fround(logit * sign);
    const scaled = (signed - offset) * factor;
    return signed >= lowest ? fround(fround(scaled - high) + rest) : negativeInfinity;
  };
}

function ofDoubles(values: Values, begin: number, length: number, scaling: Scaling): LogProbability {
  const { top, reference, others, topExponential } = rowBesideTop(values, begin, length, scaling);
  if (!(others + topExponential > 0)) return () => Number.NaN;
  const normalizer = logRelativeToTop(topExponential, others);
  if (isPlain(scaling, reference)) return (logit) => logit - top - normalizer;
  const { sign, factor } = scaling;
  const lowest = scaling.isLimit ? top : -scaling.largest;
  return (logit) => {
    const signed = logit * sign;
    return signed >= lowest ? 0 - (normalizer - scaledDifference(signed, top, factor)) : negativeInfinity;
  };
}
