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

const steps = 16; // in a power of two
const stepsPerUnit = steps * fround(Math.LOG2E);
const stepHigh = 0x162e43 / 2 ** 21 / steps;
const stepLow = -0x105c61 / 2 ** 49 / steps;
const c3 = 0x155559c / 2 ** 27;
const c2 = 0x100021e / 2 ** 25;

/** The floats next to c · 2^(j/16), in units of 2^−23. */
const roots = [
  0x83425a, 0x89120e, 0x8f23a0, 0x9579fa, 0x9c1828, 0xa30158, 0xaa38dc, 0xb1c22c, 0xb9a0e7, 0xc1d8d5,
  0xca6de9, 0xd36443, 0xdcc032, 0xe68634, 0xf0bafc, 0xfb6372,
];
/** log c. */
export const logOfTable = 0.025143629347889773;

/** Entry 16 m + j is 2 c · 2^(j/16) · 2^(m − 128): what exponentials of a row are multiplied by. */
const floatPowers = new Float64Array(129 * steps);
for (let i = 0; i < floatPowers.length; i++)
  floatPowers[i] =
    (roots[i % steps] as number) * (powersOfTwo[Math.floor(i / steps) - 150 + powerBias] as number);

/** Of an exponential 2 c exp(x) / 2^N: entry n + bias of those is the power. */
export const floatBias = (exponent: number): number => steps * (128 - exponent);

/** 2 c exp(r + n ln 2 / 16) / 2^N in float32, for |r| ≤ ln 2 / 32. */
function reducedExponential(r: number, n: number, bias: number): number {
  const series = fround(c3 * r + c2);
  const q = fround(fround(r * r) * series + r);
  const power = floatPowers[(n + bias) | 0] as number;
  return fround(power * q + power);
}

/** Adding and subtracting 1.5 · 2^52 rounds the exact product to an integer, as the float kernels' shift does. */
const stepOf = (value: number): number => value * stepsPerUnit + roundingShift64 - roundingShift64;

/**
 * 2 c exp(value + rest) / 2^N in float32; value + rest is at least the cut, so that the power is a normal float, or NaN,
 * or Infinity, which gives NaN.
 */
function floatExponential(value: number, rest: number, bias: number): number {
  const n = stepOf(value);
  // The first product and difference are exact in float32.
  return reducedExponential(fround(fround(value - n * stepHigh - n * stepLow) + rest), n, bias);
}

/** The same without a rest. */
export function floatExponentialOf(value: number, bias: number): number {
  const n = stepOf(value);
  return reducedExponential(fround(value - n * stepHigh - n * stepLow), n, bias);
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
 * 2 c exp(value + rest) / 2^N, or 0 where a value is below the cut. The rests are the staged ones, if there are any.
 *
 * Four at a time, step by step: their chains of operations then run side by side in the processor. The four are written
 * out as variables: arrays or calls would put them into memory.
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
    const nA = a * stepsPerUnit + roundingShift64 - roundingShift64;
    const nB = b * stepsPerUnit + roundingShift64 - roundingShift64;
    const nC = c * stepsPerUnit + roundingShift64 - roundingShift64;
    const nD = d * stepsPerUnit + roundingShift64 - roundingShift64;
    let rA = fround(a - nA * stepHigh - nA * stepLow);
    let rB = fround(b - nB * stepHigh - nB * stepLow);
    let rC = fround(c - nC * stepHigh - nC * stepLow);
    let rD = fround(d - nD * stepHigh - nD * stepLow);
    if (hasRests) {
      rA = fround(rA + (stagedRests[i] as number));
      rB = fround(rB + (stagedRests[i + 1] as number));
      rC = fround(rC + (stagedRests[i + 2] as number));
      rD = fround(rD + (stagedRests[i + 3] as number));
    }
    const seriesOfA = fround(c3 * rA + c2);
    const seriesOfB = fround(c3 * rB + c2);
    const seriesOfC = fround(c3 * rC + c2);
    const seriesOfD = fround(c3 * rD + c2);
    const qA = fround(fround(rA * rA) * seriesOfA + rA);
    const qB = fround(fround(rB * rB) * seriesOfB + rB);
    const qC = fround(fround(rC * rC) * seriesOfC + rC);
    const qD = fround(fround(rD * rD) * seriesOfD + rD);
    const powerA = floatPowers[(nA + bias) | 0] as number;
    const powerB = floatPowers[(nB + bias) | 0] as number;
    const powerC = floatPowers[(nC + bias) | 0] as number;
    const powerD = floatPowers[(nD + bias) | 0] as number;
    out[to] = powerA * qA + powerA;
    out[to + 1] = powerB * qB + powerB;
    out[to + 2] = powerC * qC + powerC;
    out[to + 3] = powerD * qD + powerD;
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
