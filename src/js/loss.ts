// Cross-entropy of one row with a class index, as in native/kernels/loss.h.

import { singleExponential } from './exp.js';
import { logNormalizer, logSumExpOf, logSumExpRow } from './forward.js';
import { logOnePlusRatio } from './log.js';
import { powerOfTwo } from './reference.js';
import { type RowSum, rowSum, scaleExponentials } from './row-sum.js';
import { largestFloat, type Scaling } from './scaling.js';

const { fround } = Math;

/** Rows of a batch and where their results go. */
export interface LossRow {
  readonly logits: Float32Array;
  readonly loss: Float32Array;
  readonly logSumExp: Float32Array;
  readonly grad: Float32Array | undefined;
  readonly scaling: Scaling;
  /** Gradient of the result with respect to a row's loss, times the multiplier. */
  readonly gradFactor: number;
}

export function ignoredRow(batch: LossRow, row: number, begin: number, length: number): void {
  batch.logSumExp[row] = logSumExpRow(batch.logits, begin, length, batch.scaling);
  batch.loss[row] = 0;
  batch.grad?.fill(0, begin, begin + length);
}

function targetLoss(
  targetLogit: number,
  others: number,
  targetExponential: number,
  total: number,
  row: RowSum,
  scaling: Scaling,
): number {
  if (others <= targetExponential) return logOnePlusRatio(others / targetExponential);
  const signed = scaling.sign * targetLogit;
  if (signed < -largestFloat) return Number.POSITIVE_INFINITY;
  return logNormalizer(row, total, scaling) - (signed - row.reference.offset) * scaling.factor;
}

export function crossEntropyRow(
  batch: LossRow,
  row: number,
  begin: number,
  length: number,
  target: number,
): void {
  const { logits, grad, scaling, gradFactor } = batch;
  const targetLogit = logits[begin + target] as number;
  const sum = rowSum(logits, begin, length, scaling, begin + target, grad);
  const { reference } = sum;
  const targetExponential = singleExponential(targetLogit, scaling, reference);
  // An empty sum has no exponent of its own.
  const others =
    sum.total.sum === 0 ? 0 : sum.total.sum * powerOfTwo(sum.total.exponent - reference.exponent);
  const total = others + targetExponential;
  batch.logSumExp[row] = logSumExpOf(sum, total, scaling);
  if (!(total > 0)) {
    grad?.fill(Number.NaN, begin, begin + length);
    batch.loss[row] = Number.NaN;
    return;
  }
  if (grad) {
    scaleExponentials(logits, grad, begin, length, scaling, reference, fround(gradFactor / total));
    grad[begin + target] = 0 - gradFactor * (others / total);
  }
  batch.loss[row] = targetLoss(targetLogit, others, targetExponential, total, sum, scaling);
}
