// exp in float64, as in native/kernels/exp_double.h: for float64 logits, and for losses and gradients, where a float32
// exp would leave its rounding behind after a cancellation.

import { ln2Leading, ln2Trailing } from './log.js';
import { powerBias, powersOfTwo, roundingShift64 } from './reference.js';

const { LOG2E: log2eDouble } = Math;

/** s(r) = (exp(r) − 1 − r) / r², for |r| ≤ ln 2 / 2. */
export function expSeries(r: number): number {
  let s = 2.51003758422237e-8;
  s = s * r + 2.7620075892548164e-7;
  s = s * r + 0.0000027557268480289716;
  s = s * r + 0.00002480152132234228;
  s = s * r + 0.00019841269863040559;
  s = s * r + 0.0013888888917196736;
  s = s * r + 0.008333333333330065;
  s = s * r + 0.041666666666624164;
  s = s * r + 0.16666666666666669;
  return s * r + 0.5000000000000001;
}

/** exp(value) / 2^exponent in float64; the power is a normal double. NaN for NaN and for Infinity. */
export function doubleExponential(value: number, exponent: number): number {
  const n = value * log2eDouble + roundingShift64 - roundingShift64;
  const high = value - n * ln2Leading;
  const low = n * ln2Trailing;
  const r = high - low;
  const rest = high - r - low;
  const s = expSeries(r);
  const p = 1 + (r + (rest + r * r * s));
  return p * (powersOfTwo[(n - exponent + powerBias) | 0] as number);
}

/**
 * exp in float64; 0 below −700 and above 700, where no probability and no log-probability is. As large as V8 still
 * inlines with all that it calls: a call an element would cost more than the exponential.
 */
export function exponential(x: number): number {
  if (x < -700 || x > 700) return 0;
  return doubleExponential(x, 0);
}
