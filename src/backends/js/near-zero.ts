// log-sum-exps near 0 of float32 logits, from exponentials in float64, as in native/kernels/near_zero.h.

import type { Values } from './exp.js';
import { exponential } from './exp-double.js';
import { logOnePlusRatio, logScaled } from './log.js';
import type { Scaling } from './scaling.js';
import { BlockTree, blockSize } from './tree.js';

const nearZeroLogit = 2;
export const nearZeroResult = 0.5;

/** Exponentials in float64 of a row, or of a block of it. */
export interface NearSum {
  readonly sum: number;
  /** Of the last of the largest logits. */
  readonly largest: number;
  /** That logit, scaled. */
  readonly top: number;
}

/** Of at most a block; undefined where the log-sum-exp of its row is not near 0. */
export function nearSumOf(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
): NearSum | undefined {
  const { isDouble, isLimit, sign, factor } = scaling;
  if (isDouble || isLimit) return undefined;
  let sum = 0;
  let top = Number.NEGATIVE_INFINITY;
  let largest = 0;
  for (let i = begin; i < begin + count; i++) {
    const logit = (logits[i] as number) * sign;
    // −Infinity stays that, whatever the factor.
    if (logit === Number.NEGATIVE_INFINITY) continue;
    const z = logit * factor;
    // NaN is neither below nor above.
    if (!(z >= -nearZeroLogit && z <= nearZeroResult)) return undefined;
    const e = exponential(z);
    if (z >= top) {
      top = z;
      largest = e;
    }
    sum += e;
    if (sum > 2) return undefined;
  }
  return { sum, largest, top };
}

/** Of two neighbouring blocks: of equal largest logits the last counts. */
function join(a: NearSum | undefined, b: NearSum | undefined): NearSum | undefined {
  if (a === undefined || b === undefined) return undefined;
  const sum = a.sum + b.sum;
  if (sum > 2) return undefined;
  const { largest, top } = b.top >= a.top ? b : a;
  return { sum, largest, top };
}

/** NaN where the row's log-sum-exp is as good as it has to be. */
export function nearLogSumExp({ sum, largest, top }: NearSum): number {
  if (!(sum > 0)) return Number.NaN;
  const others = sum - largest;
  const value = others > largest ? logScaled(sum, 0) : top + logOnePlusRatio(others / largest);
  return Math.abs(value) <= nearZeroResult ? value : Number.NaN;
}

/** The same of a row. */
export function logSumExpNearZero(logits: Values, begin: number, length: number, scaling: Scaling): number {
  let total = nearSumOf(logits, begin, Math.min(length, blockSize), scaling);
  if (length > blockSize && total !== undefined) {
    const tree = new BlockTree<NearSum | undefined>(join);
    tree.push(total);
    for (let from = blockSize; from < length && total !== undefined; from += blockSize) {
      total = nearSumOf(logits, begin + from, Math.min(blockSize, length - from), scaling);
      tree.push(total);
    }
    total = total && tree.total();
  }
  return total === undefined ? Number.NaN : nearLogSumExp(total);
}
