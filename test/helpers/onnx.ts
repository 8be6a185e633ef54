// Four ONNX operators, written from their definitions (docs/Operators.md of ONNX, opset 13) in float64, one formula of
// the definition a line and nothing clever: Softmax, LogSoftmax, NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.

import { at } from './rows.js';

type Numbers = ArrayLike<number>;
export type Reduction = 'none' | 'mean' | 'sum';

/** Attributes and optional inputs of the two losses. */
export interface LossOptions {
  readonly reduction?: Reduction;
  readonly ignoreIndex?: number | undefined;
  readonly weights?: Numbers | undefined;
}

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
const range = (length: number) => Array.from({ length }, (_, i) => i);

/** For every index of the other axes: where the elements along the axis are. */
function lines(dims: readonly number[], axis: number): number[][] {
  const index = axis < 0 ? axis + dims.length : axis;
  const length = at(dims, index);
  const inner = product(dims.slice(index + 1));
  const outer = product(dims.slice(0, index));
  return range(outer).flatMap((o) =>
    range(inner).map((i) => range(length).map((k) => (o * length + k) * inner + i)),
  );
}

/** Softmax(input, axis) = Exp(input) / ReduceSum(Exp(input), axis, keepdims). */
export function softmax(input: Numbers, dims: readonly number[], axis = -1): Float64Array {
  return logSoftmax(input, dims, axis).map(Math.exp);
}

/** LogSoftmax(input, axis) = Log(Softmax(input, axis)). Both are the same for input minus its maximum. */
export function logSoftmax(input: Numbers, dims: readonly number[], axis = -1): Float64Array {
  const output = new Float64Array(input.length);
  for (const line of lines(dims, axis)) {
    const largest = Math.max(...line.map((index) => at(input, index)));
    const logSum = Math.log(line.reduce((sum, index) => sum + Math.exp(at(input, index) - largest), 0));
    for (const index of line) output[index] = at(input, index) - largest - logSum;
  }
  return output;
}

/**
 * loss[n][d_1]…[d_k] = −input[n][c][d_1]…[d_k] · weight[c] for c = target[n][d_1]…[d_k], or 0 where c is ignoreIndex;
 * then nothing, its sum, or the sum divided by that of the weights (each 1 if there are none).
 */
export function negativeLogLikelihoodLoss(
  input: Numbers,
  dims: readonly number[],
  target: Numbers,
  { reduction = 'mean', ignoreIndex, weights }: LossOptions = {},
): Float64Array {
  const weightOf = (c: number) => (c === ignoreIndex ? 0 : weights ? at(weights, c) : 1);
  const loss = lines(dims, 1).map((line, row) => {
    const c = at(target, row);
    return c === ignoreIndex ? 0 : -at(input, at(line, c)) * weightOf(c);
  });
  if (reduction === 'none') return Float64Array.from(loss);
  const sum = loss.reduce((a, b) => a + b, 0);
  const divisor = Array.from(target).reduce((a, c) => a + weightOf(c), 0);
  return Float64Array.of(reduction === 'mean' ? sum / divisor : sum);
}

/** l = −y[n][c]…, y = Log(Softmax(scores)) over the classes, the second axis; the second output is y. */
export function softmaxCrossEntropyLoss(
  scores: Numbers,
  dims: readonly number[],
  labels: Numbers,
  options: LossOptions = {},
): { output: Float64Array; logProb: Float64Array } {
  const logProb = logSoftmax(scores, dims, 1);
  return { output: negativeLogLikelihoodLoss(logProb, dims, labels, options), logProb };
}
