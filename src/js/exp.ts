// exp measured against a reference, as in native/kernels/exp.h and exp_double.h.
//
// fround(a * b + c) stands for a fused multiply-add. It equals one unless the double sum is inexact and lands on the
// midpoint of two floats. native/test/kernels_test.cc proves that this changes no result, by running over all
// arguments.

import { ln2Leading, ln2Trailing } from './log.js';
import { isPlain, powerBias, powersOfTwo, type Reference, roundingShift64 } from './reference.js';
import { type Scaling, signedLogit } from './scaling.js';

const { fround, LOG2E: log2eDouble } = Math;

const log2e = fround(Math.LOG2E);
const ln2High = 0x162e43 / 2 ** 21;
const ln2Low = -0x105c61 / 2 ** 49;
const c6 = 0x16a499a / 2 ** 34;
const c5 = 0x1127122 / 2 ** 31;
const c4 = 0x1555aba / 2 ** 29;
const c3 = 0x1555428 / 2 ** 27;
const c2 = 0x1fffff4 / 2 ** 26;

/**
 * 2 exp(value + rest) / 2^N in float32; value + rest is at least the cut, so that the power is a normal float.
 * `rest` is 0 for logits used as they are.
 */
function floatExponential(value: number, rest: number, exponent: number): number {
  // Adding and subtracting 1.5 · 2^52 rounds the exact product to an integer, as the float kernels' shift does.
  const n = value * log2e + roundingShift64 - roundingShift64;
  const r = fround(fround(fround(value - n * ln2High) - n * ln2Low) + rest);
  let s = fround(c6 * r + c5);
  s = fround(s * r + c4);
  s = fround(s * r + c3);
  s = fround(s * r + c2);
  const p = fround(1 + fround(fround(r * r) * s + r));
  const power = n - exponent;
  return p * (powersOfTwo[power + powerBias + 1] as number);
}

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

/** exp(value) / 2^exponent in float64. `value` is no NaN, and the power a normal double. */
function doubleExponential(value: number, exponent: number): number {
  const n = value * log2eDouble + roundingShift64 - roundingShift64;
  const high = value - n * ln2Leading;
  const low = n * ln2Trailing;
  const r = high - low;
  const rest = high - r - low;
  const s = expSeries(r);
  const p = 1 + (r + (rest + r * r * s));
  return p * (powersOfTwo[n - exponent + powerBias] as number);
}

/** exp in float64; 0 below −700 and above 700, where no probability and no log-probability is. */
export function exponential(x: number): number {
  if (x < -700 || x > 700) return 0;
  return Number.isNaN(x) ? x : doubleExponential(x, 0);
}

/** A logit used as it is. */
function plainExponential(logit: number, reference: Reference): number {
  if (logit < reference.cut) return 0;
  // NaN and +Infinity have no exponent to look up.
  if (!(logit < Number.POSITIVE_INFINITY)) return Number.NaN;
  return floatExponential(logit, 0, reference.exponent);
}

/** A logit that is shifted or scaled: its product with the multiplier is value + rest, some 40 bits. */
function scaledExponential(logit: number, scaling: Scaling, reference: Reference): number {
  const shifted = fround(signedLogit(logit, scaling) - reference.offset);
  if (shifted < reference.cut) return 0;
  const value = fround(shifted * scaling.high);
  if (!(value < Number.POSITIVE_INFINITY)) return Number.NaN;
  const error = fround(shifted * scaling.high - value);
  return floatExponential(value, fround(shifted * scaling.low + error), reference.exponent);
}

/** A float64 logit. */
function scaledDoubleExponential(logit: number, scaling: Scaling, reference: Reference): number {
  const shifted = logit * scaling.sign - reference.offset;
  if (shifted < reference.cut) return 0;
  const value = shifted * scaling.high;
  if (!(value < Number.POSITIVE_INFINITY)) return Number.NaN;
  return doubleExponential(value, reference.exponent - 1);
}

/** The exponential of one logit, in the measure of a row. */
export function singleExponential(logit: number, scaling: Scaling, reference: Reference): number {
  if (scaling.isDouble) return scaledDoubleExponential(logit, scaling, reference);
  return isPlain(scaling, reference)
    ? plainExponential(logit, reference)
    : scaledExponential(logit, scaling, reference);
}

/** The elements of rows, in the precision that they are computed in. */
export type Values = Float32Array | Float64Array;

/**
 * What exponentials are multiplied by: 1 / Σ and the like. Rounding that to float32 would cost up to 1 ULP of every
 * result, so a float32 has a second part of at most 5 bits, which leaves exponential · high + exponential · low exact
 * in float64.
 */
export interface Factor {
  readonly high: number;
  /** 0 for float64. */
  readonly low: number;
}

export const one: Factor = { high: 1, low: 0 };

export function factorOf(value: number, isDouble: boolean): Factor {
  if (isDouble) return { high: value, low: 0 };
  const high = fround(value);
  if (!Number.isFinite(high)) return { high, low: 0 };
  const anchor = high * 16777216;
  return { high, low: fround(value - high + anchor - anchor) };
}

/** The exponentials of logits[begin, begin + count), times a factor, into out[outBegin, …). */
export function exponentials(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
  reference: Reference,
  out: Values,
  outBegin: number,
  { high, low }: Factor,
): void {
  if (scaling.isDouble) {
    for (let i = 0; i < count; i++)
      out[outBegin + i] = scaledDoubleExponential(logits[begin + i] as number, scaling, reference) * high;
    return;
  }
  const isAsItIs = isPlain(scaling, reference);
  for (let i = 0; i < count; i++) {
    const logit = logits[begin + i] as number;
    const e = isAsItIs ? plainExponential(logit, reference) : scaledExponential(logit, scaling, reference);
    out[outBegin + i] = e * high + fround(e * low);
  }
}
