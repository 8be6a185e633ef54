// Plain calls of crossEntropy (fast-path.ts): float32 logits, a few rows with their classes in an Int32Array, a
// gradient, the mean or the sum.

import { type PlainKernels, type SmallBatch, smallRows } from '../backends/kernels.js';
import { newFloats } from '../problem/dtypes.js';
import type { GivenLossOptions } from '../problem/loss-options.js';
import { roundedLoss } from '../problem/reduction.js';
import { defaultIgnoreIndex } from '../problem/targets.js';
import { kindOf, rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, plainLength } from './fast-path.js';

const isPlainLoss = (options: GivenLossOptions): boolean =>
  options.labelSmoothing === 0 &&
  options.logProbs === undefined &&
  (options.reduction === undefined || options.reduction === 'mean' || options.reduction === 'sum') &&
  options.emptyMean === undefined &&
  options.gradOutput === 1 &&
  options.weight === undefined &&
  options.ignoreIndex === undefined;

/** Loads, checks and keeps the class of each row. How many are not ignored; −1 where one is none. */
function readClasses(target: Int32Array, { classes }: SmallBatch, rows: number, length: number): number {
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const value = target[row] as number;
    const isClass = value >= 0 && value < length;
    if (!isClass && value !== defaultIgnoreIndex) return -1;
    classes[row] = value;
    if (isClass) count++;
  }
  return count;
}

/** What crossEntropy returns to a plain call; undefined if it is none. */
export function fastCrossEntropy(plain: PlainKernels) {
  const { batch } = plain;
  const ofLogits = new DistinctBuffers();
  const ofTarget = new DistinctBuffers();
  return (logits: unknown, target: unknown, options: GivenLossOptions): unknown => {
    if (!isPlainLoss(options)) return undefined;
    const given = options.grad === true ? logits : options.grad;
    const length = plainLength(options, given);
    if (length === 0 || !isPlainInput(logits, given, ofLogits)) return undefined;
    const elements = rawLengthOf(logits);
    const rows = elements / length;
    const hasClasses = rows <= smallRows && kindOf(target) === 'Int32Array' && rawLengthOf(target) === rows;
    if (!hasClasses || !ofTarget.holds(target, given)) return undefined;
    const count = readClasses(target as Int32Array, batch, rows, length);
    if (count <= 0) return undefined;

    const divisor = options.reduction === 'sum' ? 1 : count;
    const logSumExp = new Float32Array(rows);
    const grad = options.grad === true ? newFloats(elements) : (given as Float32Array);
    plain.crossEntropy(logits as Float32Array, grad, elements, length, 1 / divisor);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum += roundedLoss(batch.loss[row] as number);
      logSumExp[row] = batch.logSumExp[row] as number;
    }
    return { loss: sum / divisor, logSumExp, count, grad };
  };
}
