// Cross-entropy of one row with a distribution as its target, as in native/kernels/distribution_loss.h:
// loss = Σ q_c (log Σ exp(z) − z_c), where q_c = w_c (t_c (1 − ε) + ε / K), or with a class index y,
// q_c = w_c ([c = y] (1 − ε) + ε / K). K is the number of classes that the mask keeps. The others take
// no part: q is 0 there. But a class index that the mask drops has an infinite loss.

import type { RowMask } from '../kernels.js';
import { BlockMemory, eachBlock, exponentialOf, product, ShiftedLogits } from './distribution.js';
import type { Values } from './exp.js';
import { exponential } from './exp-double.js';
import type { RowGradient, RowLoss } from './loss.js';
import { hasNan } from './row-sum.js';
import { fill, isKept } from './rows.js';
import { canonical, type Scaling } from './scaling.js';
import { BlockSums, blockSize } from './tree.js';

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
  /** Classes that it drops take no part. */
  readonly mask: RowMask | undefined;
  readonly row: number;
  /** Those that are kept. */
  readonly keptCount: number;
}

const memory = new BlockMemory();
const spread = new Float64Array(blockSize);
const terms = new Float64Array(blockSize);

/** The part of q that does not depend on the class index, of a block, into `spread`. */
function setSpread(target: RowTarget, from: number, count: number, certain: number, uniform: number): void {
  const { probabilities, begin, weight, mask, row } = target;
  if (probabilities)
    for (let i = 0; i < count; i++)
      spread[i] = (probabilities[begin + from + i] as number) * certain + uniform;
  else fill(spread, 0, count, uniform);
  if (weight)
    for (let i = 0; i < count; i++) spread[i] = (spread[i] as number) * (weight[from + i] as number);
  if (mask) for (let i = 0; i < count; i++) if (!isKept(mask, row, from + i)) spread[i] = 0;
}

/** q · (−d) of a block, into `terms`. */
function setDepths(count: number): void {
  const { d } = memory;
  for (let i = 0; i < count; i++) terms[i] = product(spread[i] as number, 0 - (d[i] as number));
}

/** ∂result/∂logit from exp(d) and q: (p Σ q − q) · factor. */
interface Gradient {
  readonly total: number;
  readonly scale: number;
  readonly topScale: number;
  readonly factor: number;
}

const gradientAt = (e: number, q: number, { total, scale, topScale, factor }: Gradient): number =>
  canonical((e >= 1 ? total - q - topScale : e * scale - q) * factor);

function writeGradients(values: Values, begin: number, count: number, gradient: Gradient): void {
  const { d, e } = memory;
  for (let i = 0; i < count; i++) {
    const exponential = exponentialOf(d[i] as number, e[i] as number);
    values[begin + i] = gradientAt(exponential, spread[i] as number, gradient);
  }
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
  const { index, weight, labelSmoothing, mask, row, keptCount } = target;
  if (keptCount === 0) return { loss: 0, logSumExp: Number.NEGATIVE_INFINITY };
  const shifted = new ShiftedLogits(logits, begin, length, scaling, memory);
  if (!shifted.isProper) {
    // Before the gradient, which may be written over the logits.
    const logSumExp = hasNan(logits, begin, length) ? Number.NaN : shifted.top;
    if (grad) fill(grad.values, grad.begin, length, Number.NaN);
    return { loss: Number.NaN, logSumExp };
  }
  const certain = 1 - labelSmoothing;
  const uniform = labelSmoothing / keptCount;
  const indexed = index < 0 ? 0 : (weight ? (weight[index] as number) : 1) * certain;
  const spreadSums = new BlockSums();
  const depthSums = new BlockSums();
  eachBlock(length, (from, count) => {
    shifted.take(from, count);
    setSpread(target, from, count, certain, uniform);
    spreadSums.add(spread, count);
    setDepths(count);
    depthSums.add(terms, count);
  });
  const normalizer = shifted.normalizer();
  const total = spreadSums.total() + indexed;
  const ofIndex = index < 0 ? 0 : shifted.at(index);
  const depth = index < 0 ? depthSums.total() : depthSums.total() + product(indexed, 0 - ofIndex);
  if (grad) {
    const scale = total / normalizer.sum;
    const topScale = total * (normalizer.others / normalizer.sum);
    const gradient: Gradient = { total, scale, topScale, factor: gradFactor };
    eachBlock(length, (from, count) => {
      shifted.takeAgain(from, count);
      if (length > blockSize) setSpread(target, from, count, certain, uniform);
      writeGradients(grad.values, grad.begin + from, count, gradient);
    });
    if (index >= 0) {
      const q = isKept(mask, row, index) ? (weight ? uniform * (weight[index] as number) : uniform) : 0;
      grad.values[grad.begin + index] = gradientAt(exponential(ofIndex), q + indexed, gradient);
    }
  }
  return {
    loss: total * normalizer.log + depth,
    logSumExp: shifted.top * scaling.factor + normalizer.log,
  };
}
