// log-sum-exps near 0 of float32 logits, from exponentials in float64, as in native/kernels/near_zero.h.

import type { Values } from './exp.js';
import { exponential } from './exp-double.js';
import { logOnePlusRatio, logScaled } from './log.js';
import type { Scaling } from './scaling.js';

const nearZeroLogit = 2;
export const nearZeroResult = 0.5;

/** NaN where the row's log-sum-exp is as good as it has to be. */
export function logSumExpNearZero(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const { isDouble, isLimit, sign, factor } = scaling;
  if (isDouble || isLimit) return Number.NaN;
  let sum = 0;
  let top = Number.NEGATIVE_INFINITY;
  let topExponential = 0;
  for (let i = begin; i < begin + length; i++) {
    const logit = (logits[i] as number) * sign;
    // −Infinity stays that, whatever the factor.
    if (logit === Number.NEGATIVE_INFINITY) continue;
    const z = logit * factor;
    // NaN is neither below nor above.
    if (!(z >= -nearZeroLogit && z <= nearZeroResult)) return Number.NaN;
    const e = exponential(z);
    if (z >= top) {
      top = z;
      topExponential = e;
    }
    sum += e;
    if (sum > 2) return Number.NaN;
  }
  if (!(sum > 0)) return Number.NaN;
  const others = sum - topExponential;
  const value = others > topExponential ? logScaled(sum, 0) : top + logOnePlusRatio(others / topExponential);
  return Math.abs(value) <= nearZeroResult ? value : Number.NaN;
}
