// Cross-entropy of one row with a distribution as its target, as in native/kernels/distribution_loss.h:
// loss = Σ q_c (log Σ exp(z) − z_c), where q_c = w_c (t_c (1 − ε) + ε / K), or with a class index y,
// q_c = w_c ([c = y] (1 − ε) + ε / K). K is the number of classes that the mask keeps. The others take
// no part: q is 0 there. But a class index that the mask drops has an infinite loss.

import { normalize, product, ShiftedLogits } from './distribution.js';
import { exponential, type Values } from './exp.js';
import type { RowGradient, RowLoss } from './loss.js';
import { hasNan } from './row-sum.js';
import { fill } from './rows.js';
import { canonical, type Scaling } from './scaling.js';
import { termSum } from './tree.js';

/** The target of a row. */
export interface RowTarget {
  /** Probabilities from `begin` on; undefined with a class index. */
  readonly probabilities: Values | undefined;
  readonly begin: number;
  /** The class, or −1 with probabilities. */
  readonly index: number;
  /** One per class; undefined: 1. */
  readonly weight: Float64Array | undefined;
  readonly labelSmoothing: number;
  /** Classes that the mask drops take no part. */
  isKept(c: number): boolean;
  /** ScaledRows.zeroesEmpty. */
  readonly zeroesEmpty: boolean | undefined;
}

export function distributionLossRow(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  target: RowTarget,
  grad: RowGradient | undefined,
  gradFactor: number,
): RowLoss {
  const { probabilities, index, weight, labelSmoothing } = target;
  const shifted = new ShiftedLogits(logits, begin, length, scaling);
  let keptCount = 0;
  for (let c = 0; c < length; c++) if (target.isKept(c)) keptCount++;
  const uniform = labelSmoothing / keptCount;
  const certain = 1 - labelSmoothing;
  const spread = (c: number): number => {
    if (!target.isKept(c)) return 0;
    const q = probabilities ? (probabilities[target.begin + c] as number) * certain + uniform : uniform;
    return weight ? q * (weight[c] as number) : q;
  };
  const indexed = index < 0 ? 0 : (weight ? (weight[index] as number) : 1) * certain;

  if (keptCount === 0) return { loss: 0, logSumExp: Number.NEGATIVE_INFINITY };
  if (!shifted.isProper) {
    // Before the gradient, which may be written over the logits.
    const logSumExp = hasNan(logits, begin, length) ? Number.NaN : shifted.top;
    const loss = target.zeroesEmpty && logSumExp === Number.NEGATIVE_INFINITY ? 0 : Number.NaN;
    if (grad) fill(grad.values, grad.begin, length, loss);
    return { loss, logSumExp };
  }
  const normalizer = normalize(shifted, length);
  const spreadTotal = termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) terms[i] = spread(from + i);
  });
  const total = spreadTotal + indexed;
  const spreadDepth = termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) terms[i] = product(spread(from + i), 0 - shifted.at(from + i));
  });
  const depth = index < 0 ? spreadDepth : spreadDepth + product(indexed, 0 - shifted.at(index));
  const result = {
    loss: total * normalizer.log + depth,
    logSumExp: shifted.top * scaling.factor + normalizer.log,
  };
  if (grad) {
    const scale = total / normalizer.sum;
    const topScale = total * (normalizer.others / normalizer.sum);
    const at = (c: number, q: number): number => {
      const d = shifted.at(c);
      return canonical((d >= 0 ? total - q - topScale : exponential(d) * scale - q) * gradFactor);
    };
    const ofIndex = index < 0 ? 0 : at(index, spread(index) + indexed);
    for (let c = 0; c < length; c++) grad.values[grad.begin + c] = at(c, spread(c));
    if (index >= 0) grad.values[grad.begin + index] = ofIndex;
  }
  return result;
}
