// Cross-entropy of one row with a class index, as in native/kernels/target_loss.h.

import { besideTop } from './beside-top.js';
import { factorOf, singleExponential, type Values } from './exp.js';
import { logNormalizer, logSumExpOf, normalizerOffset } from './forward.js';
import { logOnePlusRatio } from './log.js';
import { logSumExpNearZero } from './near-zero.js';
import { type RowSum, rowSum, scaleExponentials } from './row-sum.js';
import { fill } from './rows.js';
import { canonical, type Scaling, scaledDifference, signedLogit } from './scaling.js';

/** The results of one row. */
export interface RowLoss {
  readonly loss: number;
  readonly logSumExp: number;
}

/** Where a row's gradient goes. */
export interface RowGradient {
  readonly values: Values;
  readonly begin: number;
}

export function targetLoss(
  targetLogit: number,
  others: number,
  targetExponential: number,
  normalizer: number,
  row: RowSum,
  scaling: Scaling,
): number {
  if (others <= targetExponential) return logOnePlusRatio(others / targetExponential);
  const signed = signedLogit(targetLogit, scaling);
  if (signed < -scaling.largest) return Number.POSITIVE_INFINITY;
  return normalizer - scaledDifference(signed, normalizerOffset(row, scaling), scaling.factor);
}

/**
 * `gradFactor`: the gradient of the result with respect to this row's loss, times the class weight and the multiplier.
 * The loss is not weighted.
 */
export function crossEntropyRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  target: number,
  grad: RowGradient | undefined,
  gradFactor: number,
): RowLoss {
  const targetLogit = logits[begin + target] as number;
  // Before the exponentials, which may be kept over the logits.
  const nearZero = logSumExpNearZero(logits, begin, length, scaling);
  const sum = rowSum(logits, begin, length, scaling, begin + target, grad?.values, grad?.begin ?? 0);
  const { reference } = sum;
  const targetExponential = singleExponential(targetLogit, scaling, reference);
  const others = sum.sum;
  const total = others + targetExponential;
  const normalizer = total > 0 ? logNormalizer(sum, total, scaling) : Number.NaN;
  let logSumExp = nearZero;
  if (Number.isNaN(nearZero)) {
    // The exponentials may be over the logits; the target's is to be among them, and is written over later.
    const isKept = grad !== undefined && sum.isKept && sum.keptExponents.length === 0;
    if (isKept) grad.values[grad.begin + target] = targetExponential;
    const value = logSumExpOf(sum, total, normalizer, scaling);
    logSumExp = besideTop(logits, begin, length, scaling, sum, total, value, isKept ? grad : undefined);
  }
  if (!(total > 0)) {
    if (grad) fill(grad.values, grad.begin, length, Number.NaN);
    return { loss: Number.NaN, logSumExp };
  }
  if (grad) {
    const { values, begin: gradBegin } = grad;
    const factor = factorOf(gradFactor / total, scaling.isDouble);
    scaleExponentials(logits, begin, length, scaling, sum, values, gradBegin, factor);
    values[gradBegin + target] = canonical(0 - gradFactor * (others / total));
  }
  return { loss: targetLoss(targetLogit, others, targetExponential, normalizer, sum, scaling), logSumExp };
}
