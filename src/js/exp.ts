// exp measured against a reference, as in native/kernels/exp.h.
//
// fround(a * b + c) stands for a fused multiply-add. It equals one unless the double sum is inexact and lands on the
// midpoint of two floats. native/test/kernels_test.cc proves that this changes no result, by running over all
// arguments.

import { isPlain, log2e, powerBias, powersOfTwo, type Reference, roundingShift64 } from './reference.js';
import type { Scaling } from './scaling.js';

const { fround } = Math;

const ln2High = 0x162e43 / 2 ** 21;
const ln2Low = -0x105c61 / 2 ** 49;
const c6 = 0x16a499a / 2 ** 34;
const c5 = 0x1127122 / 2 ** 31;
const c4 = 0x1555aba / 2 ** 29;
const c3 = 0x1555428 / 2 ** 27;
const c2 = 0x1fffff4 / 2 ** 26;

/**
 * 2 exp(value + rest) / 2^N; value + rest is at least the cut, so that the power is a normal float.
 * `rest` is 0 for logits used as they are.
 */
function exponentialOf(value: number, rest: number, exponent: number): number {
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

/** A logit used as it is. */
export function plainExponential(logit: number, reference: Reference): number {
  if (logit < reference.cut) return 0;
  // NaN and +Infinity have no exponent to look up.
  if (!(logit < Number.POSITIVE_INFINITY)) return Number.NaN;
  return exponentialOf(logit, 0, reference.exponent);
}

/** The signed and shifted logit; `scaledValue` + `scaledRest` is its product with the multiplier, nothing lost. */
function shiftedLogit(logit: number, scaling: Scaling, reference: Reference): number {
  return fround(logit * scaling.sign - reference.offset);
}

function scaledValue(shifted: number, scaling: Scaling): number {
  return fround(shifted * scaling.high);
}

function scaledRest(shifted: number, value: number, scaling: Scaling): number {
  const error = fround(shifted * scaling.high - value);
  return fround(shifted * scaling.low + error);
}

/** A logit that is shifted or scaled. */
export function scaledExponential(logit: number, scaling: Scaling, reference: Reference): number {
  const shifted = shiftedLogit(logit, scaling, reference);
  if (shifted < reference.cut) return 0;
  const value = scaledValue(shifted, scaling);
  if (!(value < Number.POSITIVE_INFINITY)) return Number.NaN;
  return exponentialOf(value, scaledRest(shifted, value, scaling), reference.exponent);
}

/** The exponential of one logit, in the measure of a row. */
export function singleExponential(logit: number, scaling: Scaling, reference: Reference): number {
  return isPlain(scaling, reference)
    ? plainExponential(logit, reference)
    : scaledExponential(logit, scaling, reference);
}
