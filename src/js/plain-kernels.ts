// Plain calls (kernels.ts) in JavaScript: rows of float32 where they lie. Short rows whose logits are ordinary numbers go
// through softmax here without what the rows of native/kernels/forward.h have for all others; the bits are the same.

import { type PlainKernels, smallRows } from '../kernels.js';
import { logSoftmaxBackwardRow, softmaxBackwardRow } from './backward.js';
import { factorOf, plainExponential, plainExponentials } from './exp.js';
import { logSoftmaxRow, logSumExpRow, softmaxRow } from './forward.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { crossEntropyRow } from './loss.js';
import { Reference, roundingShift64 } from './reference.js';
import { fill } from './rows.js';
import { canonical, scalingOf } from './scaling.js';
import { blockSum } from './tree.js';

/** Longer rows gain nothing here. */
const shortLength = 64;

const { LOG2E, fround } = Math;
const log2e = fround(LOG2E);

/** As in reference.ts: those of a row whose maximum is not subtracted. */
const largestReference = 1024;
const flushDepth = 87.3365447505531;

const asTheyAre = scalingOf(1, false);
const reference = new Reference();
reference.offset = 0;

/** The largest logit; NaN for a row that has a NaN, or a maximum that is subtracted or infinite. */
function ordinaryMaximum(logits: Float32Array, begin: number, end: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < end; i++) {
    const logit = logits[i] as number;
    if (logit > top) top = logit;
    else if (!(logit <= top)) return Number.NaN;
  }
  return top >= -largestReference && top <= largestReference ? top : Number.NaN;
}

/** Of a row whose maximum is ordinary. A float is below this cut where it is below the float above it. */
function measure(top: number): void {
  reference.cut = top - flushDepth;
  reference.exponent = top * log2e + roundingShift64 - roundingShift64;
}

function shortSoftmaxRow(x: Float32Array, out: Float32Array, begin: number, length: number): void {
  const end = begin + length;
  const top = ordinaryMaximum(x, begin, end);
  if (Number.isNaN(top)) {
    softmaxRow(x, begin, length, asTheyAre, out, begin);
    return;
  }
  if (length === 1) {
    out[begin] = 1;
    return;
  }
  measure(top);
  plainExponentials(x, begin, length, reference, out, begin);
  const { high, low } = factorOf(1 / blockSum(out, begin, length), false);
  for (let i = begin; i < end; i++) {
    const e = out[i] as number;
    out[i] = e * high + fround(e * low);
  }
}

const scratch = new Float32Array(shortLength);

function shortLogSoftmaxRow(x: Float32Array, out: Float32Array, begin: number, length: number): void {
  const end = begin + length;
  const top = ordinaryMaximum(x, begin, end);
  if (Number.isNaN(top)) {
    logSoftmaxRow(x, begin, length, asTheyAre, out, begin);
    return;
  }
  measure(top);
  plainExponentials(x, begin, length, reference, scratch, 0);
  const sum = blockSum(scratch, 0, length);
  const largest = plainExponential(top, reference);
  const others = sum - largest;
  const normalizer =
    others > largest ? logScaled(sum, reference.exponent - 1) : top + logOnePlusRatio(others / largest);
  // −Infinity stays what it is.
  for (let i = begin; i < end; i++) out[i] = 0 - (normalizer - (x[i] as number));
}

const batch = {
  classes: new Int32Array(smallRows),
  loss: new Float32Array(smallRows),
  logSumExp: new Float32Array(smallRows),
};
const rowGradient: { values: Float32Array; begin: number } = { values: scratch, begin: 0 };

export const jsPlainKernels: PlainKernels = {
  softmax(x, out, elements, length) {
    if (length <= shortLength)
      for (let begin = 0; begin < elements; begin += length) shortSoftmaxRow(x, out, begin, length);
    else
      for (let begin = 0; begin < elements; begin += length)
        softmaxRow(x, begin, length, asTheyAre, out, begin);
  },

  logSoftmax(x, out, elements, length) {
    if (length <= shortLength)
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
    rowGradient.values = scratch;
  },
};
