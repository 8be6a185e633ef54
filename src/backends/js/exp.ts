// exp measured against a reference, as in native/kernels/exp.h. exp-double.ts has float64's.
//
// fround(a * b + c) stands for a fused multiply-add. It equals one unless the double sum is inexact and lands on the
// midpoint of two floats. `npm run check exhaustive` shows that this changes no result, by running over all arguments
// (docs/numerics.md).

import { doubleExponential } from './exp-double.js';
import { isPlain, powerBias, powersOfTwo, type Reference, roundingShift64 } from './reference.js';
import type { Scaling } from './scaling.js';

const { fround } = Math;
const { NEGATIVE_INFINITY: negativeInfinity } = Number;

const log2e = fround(Math.LOG2E);
const ln2High = 0x162e43 / 2 ** 21;
const ln2Low = -0x105c61 / 2 ** 49;
const c6 = 0x16a499a / 2 ** 34;
const c5 = 0x1127122 / 2 ** 31;
const c4 = 0x1555aba / 2 ** 29;
const c3 = 0x1555428 / 2 ** 27;
const c2 = 0x1fffff4 / 2 ** 26;

// The first three sums of Horner's scheme lie in one binade each, whatever r: there the floats are 2^−30, 2^−28 and
// 2^−26 apart. Adding and subtracting 1.5 · 2^52 times that rounds to them, once, as a fused multiply-add does, and costs
// less than the two conversions of fround. Checked with every float r up to 0.36: the third sum is the one of fround.
const shift5 = 1.5 * 2 ** 22;
const shift4 = 1.5 * 2 ** 24;
const shift3 = 1.5 * 2 ** 26;
const shiftedC5 = c5 + shift5;
const shiftedC4 = c4 + shift4;
const shiftedC3 = c3 + shift3;

/** Of an exponential 2 exp(x) / 2^N: entry n + bias of the powers of two is 2^(n + 1 − N). */
export const floatBias = (exponent: number): number => powerBias + 1 - exponent;

/** 2 exp(r + n ln 2) / 2^N in float32, for |r| ≤ ln 2 / 2. */
function reducedExponential(r: number, n: number, bias: number): number {
  let s = c6 * r + shiftedC5 - shift5;
  s = s * r + shiftedC4 - shift4;
  s = s * r + shiftedC3 - shift3;
  s = fround(s * r + c2);
  s = fround(fround(r * r) * s + r);
  return fround((1 + s) * (powersOfTwo[(n + bias) | 0] as number));
}

/** Adding and subtracting 1.5 · 2^52 rounds the exact product to an integer, as the float kernels' shift does. */
const exponentOf = (value: number): number => value * log2e + roundingShift64 - roundingShift64;

/**
 * 2 exp(value + rest) / 2^N in float32; value + rest is at least the cut, so that the power is a normal float, or NaN,
 * or Infinity, which gives NaN.
 */
function floatExponential(value: number, rest: number, bias: number): number {
  const n = exponentOf(value);
  // The first product and difference are exact in float32.
  return reducedExponential(fround(fround(value - n * ln2High - n * ln2Low) + rest), n, bias);
}

/** The same without a rest. */
export function floatExponentialOf(value: number, bias: number): number {
  const n = exponentOf(value);
  return reducedExponential(fround(value - n * ln2High - n * ln2Low), n, bias);
}

/** A logit used as it is. */
function plainExponential(logit: number, { cut, exponent }: Reference): number {
  return logit < cut ? 0 : floatExponentialOf(logit, floatBias(exponent));
}

/** A logit that is shifted or scaled: its product with the multiplier is value + rest, some 40 bits. */
function scaledExponential(logit: number, { sign, high, low }: Scaling, reference: Reference): number {
  const shifted = fround(fround(logit * sign) - reference.offset);
  if (shifted < reference.cut) return 0;
  const value = fround(shifted * high);
  const error = fround(shifted * high - value);
  return floatExponential(value, fround(shifted * low + error), floatBias(reference.exponent));
}

/** A float64 logit. */
function scaledDoubleExponential(logit: number, scaling: Scaling, reference: Reference): number {
  const shifted = logit * scaling.sign - reference.offset;
  if (shifted < reference.cut) return 0;
  const value = shifted * scaling.high;
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

export function factorOf(value: number, isDouble: boolean): Factor {
  if (isDouble) return { high: value, low: 0 };
  const high = fround(value);
  if (!Number.isFinite(high)) return { high, low: 0 };
  const anchor = high * 16777216;
  return { high, low: fround(value - high + anchor - anchor) };
}

const stageSize = 512;
const stagedValues = new Float32Array(stageSize);
const stagedRests = new Float32Array(stageSize);

/** One at a time: what is left of floatExponentials' fours, from `begin` on. */
function singleFloatExponentials(
  values: Values,
  begin: number,
  firstRest: number,
  count: number,
  cut: number,
  bias: number,
  out: Values,
  outBegin: number,
): void {
  for (let i = 0; i < count; i++) {
    const value = values[begin + i] as number;
    const rest = firstRest < 0 ? 0 : (stagedRests[firstRest + i] as number);
    out[outBegin + i] = value < cut ? 0 : floatExponential(value, rest, bias);
  }
}

/**
 * 2 exp(value + rest) / 2^N, or 0 where a value is below the cut. The rests are the staged ones, if there are any.
 *
 * Four at a time, step by step: their chains of operations then run side by side in the processor, 4.1 ns an element
 * where one by one takes 6.3, and one by one through fround everywhere 10.7 (Zen 5). The four are written out as
 * variables: arrays or calls would put them into memory.
 */
function floatExponentials(
  values: Values,
  begin: number,
  count: number,
  hasRests: boolean,
  cut: number,
  bias: number,
  out: Values,
  outBegin: number,
): void {
  let i = 0;
  for (; i < count - 3; i += 4) {
    const from = begin + i;
    const to = outBegin + i;
    const a = values[from] as number;
    const b = values[from + 1] as number;
    const c = values[from + 2] as number;
    const d = values[from + 3] as number;
    // Something is below the cut, or NaN.
    if (!(a >= cut && b >= cut && c >= cut && d >= cut)) {
      singleFloatExponentials(values, from, hasRests ? i : -1, 4, cut, bias, out, to);
      continue;
    }
    const nA = a * log2e + roundingShift64 - roundingShift64;
    const nB = b * log2e + roundingShift64 - roundingShift64;
    const nC = c * log2e + roundingShift64 - roundingShift64;
    const nD = d * log2e + roundingShift64 - roundingShift64;
    let rA = fround(a - nA * ln2High - nA * ln2Low);
    let rB = fround(b - nB * ln2High - nB * ln2Low);
    let rC = fround(c - nC * ln2High - nC * ln2Low);
    let rD = fround(d - nD * ln2High - nD * ln2Low);
    if (hasRests) {
      rA = fround(rA + (stagedRests[i] as number));
      rB = fround(rB + (stagedRests[i + 1] as number));
      rC = fround(rC + (stagedRests[i + 2] as number));
      rD = fround(rD + (stagedRests[i + 3] as number));
    }
    let sA = c6 * rA + shiftedC5 - shift5;
    let sB = c6 * rB + shiftedC5 - shift5;
    let sC = c6 * rC + shiftedC5 - shift5;
    let sD = c6 * rD + shiftedC5 - shift5;
    sA = sA * rA + shiftedC4 - shift4;
    sB = sB * rB + shiftedC4 - shift4;
    sC = sC * rC + shiftedC4 - shift4;
    sD = sD * rD + shiftedC4 - shift4;
    sA = sA * rA + shiftedC3 - shift3;
    sB = sB * rB + shiftedC3 - shift3;
    sC = sC * rC + shiftedC3 - shift3;
    sD = sD * rD + shiftedC3 - shift3;
    sA = fround(sA * rA + c2);
    sB = fround(sB * rB + c2);
    sC = fround(sC * rC + c2);
    sD = fround(sD * rD + c2);
    sA = fround(fround(rA * rA) * sA + rA);
    sB = fround(fround(rB * rB) * sB + rB);
    sC = fround(fround(rC * rC) * sC + rC);
    sD = fround(fround(rD * rD) * sD + rD);
    out[to] = (1 + sA) * (powersOfTwo[(nA + bias) | 0] as number);
    out[to + 1] = (1 + sB) * (powersOfTwo[(nB + bias) | 0] as number);
    out[to + 2] = (1 + sC) * (powersOfTwo[(nC + bias) | 0] as number);
    out[to + 3] = (1 + sD) * (powersOfTwo[(nD + bias) | 0] as number);
  }
  if (i < count)
    singleFloatExponentials(values, begin + i, hasRests ? i : -1, count - i, cut, bias, out, outBegin + i);
}

/** The products of logits with the multiplier, −Infinity for logits below the cut. */
function stage(logits: Values, begin: number, count: number, scaling: Scaling, reference: Reference): void {
  const { sign, high, low } = scaling;
  const { offset, cut } = reference;
  for (let i = 0; i < count; i++) {
    const shifted = fround(fround((logits[begin + i] as number) * sign) - offset);
    const value = fround(shifted * high);
    stagedValues[i] = shifted < cut ? negativeInfinity : value;
    stagedRests[i] = shifted * low + fround(shifted * high - value);
  }
}

function scaledExponentials(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
  reference: Reference,
  out: Values,
  outBegin: number,
): void {
  const bias = floatBias(reference.exponent);
  for (let from = 0; from < count; from += stageSize) {
    const staged = Math.min(stageSize, count - from);
    stage(logits, begin + from, staged, scaling, reference);
    floatExponentials(stagedValues, 0, staged, true, -scaling.largest, bias, out, outBegin + from);
  }
}

/** The exponentials of logits[begin, begin + count) into out[outBegin, …), which may be the logits. */
export function exponentials(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
  reference: Reference,
  out: Values,
  outBegin: number,
): void {
  if (scaling.isDouble) {
    for (let i = 0; i < count; i++)
      out[outBegin + i] = scaledDoubleExponential(logits[begin + i] as number, scaling, reference);
  } else if (isPlain(scaling, reference)) {
    const { cut, exponent } = reference;
    floatExponentials(logits, begin, count, false, cut, floatBias(exponent), out, outBegin);
  } else {
    scaledExponentials(logits, begin, count, scaling, reference, out, outBegin);
  }
}
