// The loss cases of ONNX's backend suite (onnx/backend/test/case/node): names, sizes and attributes; and what such a
// case's inputs are drawn like: uniform in [0, 1), the first label the ignored one.

import type { LossOptions, Reduction } from './onnx.js';
import { Random } from './random.js';
import { at } from './rows.js';

type Weights = readonly number[] | 'random' | undefined;
/** Name; N, C, d1, …; reduction; weights; ignore_index. */
export type LossCase = readonly [string, readonly number[], Reduction, Weights?, (number | undefined)?];

const [a, b] = [
  [0.9, 0.7, 0.8, 0.9, 0.9],
  [0.2, 0.3, 0.6, 0.1, 0.5],
];
const d1d2 = [3, 5, 6, 6];
const d1d2d3 = [3, 5, 6, 6, 5];
const d1d2d3d4d5 = [3, 5, 6, 6, 5, 3, 4];

/** Each is run with and without its `_log_prob` output. */
export const crossEntropyCases: readonly LossCase[] = [
  ['sce_none', [3, 5], 'none'],
  ['sce_none_weights', [3, 5], 'none', a],
  ['sce_sum', [3, 5], 'sum'],
  ['sce_mean', [3, 5], 'mean'],
  ['sce_mean_3d', [3, 5, 2], 'mean'],
  ['sce_mean_weight', [3, 5], 'mean', a],
  ['sce_mean_weight_ii', [3, 5], 'mean', a, 0],
  ['sce_mean_no_weight_ii', [3, 5], 'mean', undefined, 2],
  ['sce_mean_weight_ii_3d', [3, 5, 2], 'mean', b, 1],
  ['sce_mean_no_weight_ii_3d', [3, 5, 2], 'mean', undefined, 2],
  ['sce_mean_weight_ii_4d', [3, 5, 2, 7], 'mean', b, 2],
  ['sce_mean_no_weight_ii_4d', [3, 5, 2, 7], 'mean', undefined, 2],
  ['sce_NCd1_mean_weight_negative_ii', [3, 5, 6], 'mean', 'random', -1],
  ['sce_NCd1d2d3_none_no_weight_negative_ii', d1d2d3, 'none', undefined, -5],
  ['sce_NCd1d2d3_sum_weight_high_ii', [3, 5], 'sum', 'random', 10],
  ['sce_NCd1d2d3d4d5_mean_weight', d1d2d3d4d5, 'mean', 'random'],
  ['sce_NCd1d2d3d4d5_none_no_weight', d1d2d3d4d5, 'none'],
];

export const negativeLogLikelihoodCases: readonly LossCase[] = [
  ['nllloss_NC', [3, 5], 'none'],
  ['nllloss_NCd1', [3, 5, 2], 'mean'],
  ['nllloss_NCd1_weight', [3, 5, 2], 'mean', 'random'],
  ['nllloss_NCd1_ii', [3, 5, 2], 'mean', undefined, 1],
  ['nllloss_NCd1_weight_ii', [3, 5, 2], 'mean', 'random', 1],
  ['nllloss_NCd1_mean_weight_negative_ii', [3, 5, 6], 'mean', 'random', -1],
  ['nllloss_NCd1d2', d1d2, 'none'],
  ['nllloss_NCd1d2_reduction_mean', d1d2, 'mean'],
  ['nllloss_NCd1d2_reduction_sum', d1d2, 'sum'],
  ['nllloss_NCd1d2_with_weight', d1d2, 'none', 'random'],
  ['nllloss_NCd1d2_with_weight_reduction_mean', d1d2, 'mean', 'random'],
  ['nllloss_NCd1d2_with_weight_reduction_sum', d1d2, 'sum', 'random'],
  ['nllloss_NCd1d2_with_weight_reduction_sum_ii', d1d2, 'sum', 'random', 0],
  ['nllloss_NCd1d2_no_weight_reduction_mean_ii', d1d2, 'mean', undefined, 1],
  ['nllloss_NCd1d2d3_none_no_weight_negative_ii', d1d2d3, 'none', undefined, -5],
  ['nllloss_NCd1d2d3_sum_weight_high_ii', [3, 5], 'sum', 'random', 10],
  ['nllloss_NCd1d2d3d4d5_mean_weight', d1d2d3d4d5, 'mean', 'random'],
  ['nllloss_NCd1d2d3d4d5_none_no_weight', d1d2d3d4d5, 'none'],
];

export interface LossInputs {
  readonly dims: readonly number[];
  /** N, d1, … */
  readonly labelDims: readonly number[];
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly options: Required<Pick<LossOptions, 'reduction'>> & {
    readonly ignoreIndex: number | undefined;
    readonly weights: Float32Array | undefined;
  };
}

export function inputsOf([, dims, reduction, weights, ignoreIndex]: LossCase, seed: number): LossInputs {
  const random = new Random(seed);
  const classes = at(dims, 1);
  const labelDims = dims.filter((_, axis) => axis !== 1);
  const product = (sizes: readonly number[]) => sizes.reduce((size, n) => size * n, 1);
  const x = random.uniforms(product(dims), 0, 1);
  const labels = random.classes(product(labelDims), classes);
  if (ignoreIndex !== undefined) labels[0] = ignoreIndex;
  const drawn = weights === 'random' ? random.uniforms(classes, 0, 1) : weights;
  const options = { reduction, ignoreIndex, weights: drawn && Float32Array.from(drawn) };
  return { dims, labelDims, x, labels, options };
}
