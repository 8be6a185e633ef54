// Plain calls (kernels.ts) in JavaScript: rows of float32 where they lie. Short rows whose logits are ordinary numbers go
// through softmax here without what the rows of native/kernels/forward.h have for all others; the bits are the same.

import { type PlainKernels, smallRows } from '../kernels.js';
import { logSoftmaxBackwardRow, softmaxBackwardRow } from './backward.js';
import { floatBias, floatExponentialOf, logOfTable } from './exp.js';
import { logSoftmaxRow, logSumExpRow, softmaxRow } from './forward.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { crossEntropyRow } from './loss.js';
import { roundingShift64 } from './reference.js';
import { fill } from './rows.js';
import { canonical, scalingOf } from './scaling.js';
import { laneCount } from './tree.js';

/** Longer rows gain nothing here, and have more than one exponential a lane. */
const shortLength = laneCount;

const { LOG2E, fround } = Math;
const log2e = fround(LOG2E);

/** As in reference.ts: those of a row whose maximum is not subtracted. */
const largestReference = 1024;
const flushDepth = 87.3365447505531;

const asTheyAre = scalingOf(1, false);

// Read once: V8 knows no type for a global that a function has not read yet, and would box every number beside it.
const { NaN: nan } = Number;

/** The largest logit; NaN for a row that has a NaN, or a maximum that is subtracted or infinite. */
function ordinaryMaximum(logits: Float32Array, begin: number, end: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < end; i++) {
    const logit = logits[i] as number;
    if (logit > top) top = logit;
    else if (!(logit <= top)) return nan;
  }
  return top >= -largestReference && top <= largestReference ? top : nan;
}

/** N, which the exponentials of a row are measured against (reference.ts). */
const exponentOf = (top: number): number => top * log2e + roundingShift64 - roundingShift64;

const exponentials = new Float64Array(shortLength);

/** Of a row whose maximum is ordinary. A float is below the cut where it is below the float above it. */
function setExponentials(x: Float32Array, begin: number, length: number, top: number, bias: number): void {
  const cut = top - flushDepth;
  for (let i = 0; i < length; i++) {
    const logit = x[begin + i] as number;
    exponentials[i] = logit < cut ? 0 : floatExponentialOf(logit, bias);
  }
}

const lanes = new Float64Array(laneCount);

/** The sum of the first exponentials, two up to as many as there are lanes, in the order of tree.ts. */
function sumOf(count: number): number {
  const e = exponentials;
  if (count === 2) return (e[0] as number) + (e[1] as number);
  if (count === 3) return (e[0] as number) + (e[2] as number) + (e[1] as number);
  if (count === 4) return (e[0] as number) + (e[2] as number) + ((e[1] as number) + (e[3] as number));
  let half = 4;
  while (2 * half < count) half *= 2;
  for (let i = 0; i < half; i++)
    lanes[i] = i + half < count ? (e[i] as number) + (e[i + half] as number) : (e[i] as number);
  for (half /= 2; half >= 1; half /= 2)
    for (let i = 0; i < half; i++) lanes[i] = (lanes[i] as number) + (lanes[i + half] as number);
  return lanes[0] as number;
}

function shortSoftmaxRow(x: Float32Array, out: Float32Array, begin: number, length: number): void {
  const top = ordinaryMaximum(x, begin, begin + length);
  if (Number.isNaN(top)) {
    softmaxRow(x, begin, length, asTheyAre, out, begin);
    return;
  }
  setExponentials(x, begin, length, top, floatBias(exponentOf(top)));
  // As factorOf makes it.
  const factor = 1 / sumOf(length);
  const high = fround(factor);
  const anchor = high * 16777216;
  const low = fround(factor - high + anchor - anchor);
  for (let i = 0; i < length; i++) {
    const e = exponentials[i] as number;
    out[begin + i] = e * high + fround(e * low);
  }
}

function shortLogSoftmaxRow(x: Float32Array, out: Float32Array, begin: number, length: number): void {
  const top = ordinaryMaximum(x, begin, begin + length);
  if (Number.isNaN(top)) {
    logSoftmaxRow(x, begin, length, asTheyAre, out, begin);
    return;
  }
  const exponent = exponentOf(top);
  const bias = floatBias(exponent);
  setExponentials(x, begin, length, top, bias);
  const sum = sumOf(length);
  const largest = floatExponentialOf(top, bias);
  const others = sum - largest;
  const normalizer =
    others > largest ? logScaled(sum, exponent - 1) - logOfTable : top + logOnePlusRatio(others / largest);
  const high = fround(normalizer);
  const rest = fround(high - normalizer);
  // −Infinity stays what it is.
  for (let i = begin; i < begin + length; i++) out[i] = fround((x[i] as number) - high) + rest;
}

/** Rows of one logit have `result` where that is finite. */
function writeLone(x: Float32Array, out: Float32Array, elements: number, result: number): void {
  for (let i = 0; i < elements; i++) {
    const logit = x[i] as number;
    out[i] = logit - logit === 0 ? result : nan;
  }
}

const batch = {
  classes: new Int32Array(smallRows),
  loss: new Float64Array(smallRows),
  logSumExp: new Float32Array(smallRows),
};
const noValues = new Float32Array(0);
const rowGradient: { values: Float32Array; begin: number } = { values: noValues, begin: 0 };

export const jsPlainKernels: PlainKernels = {
  softmax(x, out, elements, length) {
    if (length === 1) writeLone(x, out, elements, 1);
    else if (length <= shortLength)
      for (let begin = 0; begin < elements; begin += length) shortSoftmaxRow(x, out, begin, length);
    else
      for (let begin = 0; begin < elements; begin += length)
        softmaxRow(x, begin, length, asTheyAre, out, begin);
  },

  logSoftmax(x, out, elements, length) {
    if (length === 1) writeLone(x, out, elements, 0);
    else if (length <= shortLength)
      for (let begin = 0; begin < elements; begin += length) shortLogSoftmaxRow(x, out, begin, length);
    else
      for (let begin = 0; begin < elements; begin += length)
        logSoftmaxRow(x, begin, length, asTheyAre, out, begin);
  },

  softmaxBackward(gradOutput, output, out, elements, length) {
    for (let begin = 0; begin < elements; begin += length)
      softmaxBackwardRow(gradOutput, begin, output, begin, length, 1, out, begin);
  },

  logSoftmaxBackward(gradOutput, output, out, elements, length) {
    for (let begin = 0; begin < elements; begin += length)
      logSoftmaxBackwardRow(gradOutput, begin, output, begin, length, 1, out, begin);
  },

  batch,

  crossEntropy(logits, grad, elements, length, gradLoss) {
    rowGradient.values = grad;
    for (let row = 0, begin = 0; begin < elements; row++, begin += length) {
      const index = batch.classes[row] as number;
      if (index < 0) {
        batch.loss[row] = 0;
        batch.logSumExp[row] = canonical(logSumExpRow(logits, begin, length, asTheyAre));
        fill(grad, begin, length, 0);
        continue;
      }
      rowGradient.begin = begin;
      const result = crossEntropyRow(logits, begin, length, asTheyAre, index, rowGradient, gradLoss);
      batch.loss[row] = canonical(result.loss);
      batch.logSumExp[row] = canonical(result.logSumExp);
    }
    rowGradient.values = noValues;
  },
};
