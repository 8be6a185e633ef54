import {
  type BackwardOptions,
  backwardFunction,
  type JacobianOptions,
  jacobianFunction,
} from './backward.js';
import {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  crossEntropyFunction,
  type WithGrad,
} from './cross-entropy.js';
import { type ForwardOptions, logSumExpFunction, sameShapeFunction } from './forward.js';
import type { Kernels } from './kernels.js';
import type { IndexTarget } from './targets.js';

/**
 * The functions of this package. All take float32 arrays, row-major, work along the last axis, check everything
 * before they write anything, and give the same bits on every backend and instruction set.
 *
 * Every function throws a TypeError or RangeError with a `code`: ERR_DTYPE (not a Float32Array), ERR_SHAPE (shape and
 * lengths disagree), ERR_AXIS, ERR_TEMPERATURE (negative or NaN; 0 where there is no limit), ERR_OUT_OVERLAP (an
 * output shares part of an input's memory), ERR_DETACHED (a detached buffer or a view out of bounds), ERR_OPTION (any
 * other option).
 */
export interface SoftmaxApi {
  /**
   * softmax: p_i = exp(s·x_i / τ) / Σ_j exp(s·x_j / τ), with τ = `temperature` and s = `scale`, per row.
   *
   * @param x - logits, float32, one row or an array of the shape given in the options
   * @returns probabilities, float32, of x's shape: each in [0, 1], each row summing to 1, within 4 ULP of the exact
   * value; exactly 0 where exp(x_i − max) is below 2^−126. `options.out` if it was given.
   *
   * A row with a NaN or +Infinity, or of nothing but −Infinity, is NaN throughout. Temperature 0 gives the arg max,
   * shared equally by equal maxima; temperature Infinity shares equally among all entries above −Infinity.
   *
   * @example
   * softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2447, 0.6652]
   * softmax(logits, { shape: [64, 1000], temperature: 0.7, out: logits });
   */
  softmax(x: Float32Array, options?: ForwardOptions): Float32Array;

  /**
   * log-softmax: y_i = s·x_i / τ − log Σ_j exp(s·x_j / τ), per row.
   *
   * @param x - logits, float32, one row or an array of the shape given in the options
   * @returns log-probabilities, float32, of x's shape, within 4 ULP, or 1 ULP of the row's largest |logit|.
   * `options.out` if it was given. −Infinity stays −Infinity; NaN rows are those of softmax.
   *
   * @example
   * logSoftmax(new Float32Array([1, 2, 3])); // [-2.4076, -1.4076, -0.4076]
   */
  logSoftmax(x: Float32Array, options?: ForwardOptions): Float32Array;

  /**
   * log Σ_j exp(s·x_j / τ), per row. Temperature 0 is refused: there is no limit.
   *
   * @param x - logits, float32, one row or an array of the shape given in the options
   * @returns float32, x's shape without the axis (one element a row), with logSoftmax's accuracy. A row with a NaN
   * gives NaN, else one with +Infinity gives Infinity; an empty row or one of −Infinity gives −Infinity.
   *
   * @example
   * logSumExp(new Float32Array([1, 2, 3])); // [3.4076]
   */
  logSumExp(x: Float32Array, options?: ForwardOptions): Float32Array;

  /**
   * The gradient through softmax: dx_i = p_i (g_i − Σ_j g_j p_j) · s / τ, per row. Temperature 0 is refused.
   *
   * @param gradOutput - g = ∂L/∂p, float32, of the shape of `output`
   * @param output - p, what softmax returned with the same temperature and scale
   * @returns ∂L/∂x, float32, relative error at most 1e-6. `options.out` if it was given, which may be either input.
   *
   * @example
   * const p = softmax(x);
   * softmaxBackward(gradOutput, p);
   */
  softmaxBackward(gradOutput: Float32Array, output: Float32Array, options?: BackwardOptions): Float32Array;

  /**
   * The gradient through log-softmax: dx_i = (g_i − exp(y_i) Σ_j g_j) · s / τ, per row. Temperature 0 is refused.
   *
   * @param gradOutput - g = ∂L/∂y, float32, of the shape of `output`
   * @param output - y, what logSoftmax returned with the same temperature and scale
   * @returns ∂L/∂x, float32, relative error at most 1e-6. `options.out` if it was given, which may be either input.
   *
   * @example
   * const y = logSoftmax(x);
   * logSoftmaxBackward(gradOutput, y);
   */
  logSoftmaxBackward(gradOutput: Float32Array, output: Float32Array, options?: BackwardOptions): Float32Array;

  /**
   * The Jacobian ∂p_i/∂x_j = p_i (δ_ij − p_j) of softmax at temperature 1: diag(p) − p pᵀ, per row.
   *
   * @param output - p, what softmax returned: shape [K] or [..., K]
   * @returns float32, shape [K, K] or [..., K, K]
   *
   * @example
   * softmaxJacobian(softmax(new Float32Array([0, 0]))); // [0.25, -0.25, -0.25, 0.25]
   */
  softmaxJacobian(output: Float32Array, options?: JacobianOptions): Float32Array;

  /**
   * Cross-entropy with class indices, from logits: loss_r = log Σ_j exp(z_rj) − z_ry with z = s·logits / τ and
   * y = target[r]; with `grad`, in the same call, ∂loss/∂logits_rc = (p_rc − [c = y]) · s / τ, times 1 / count for
   * the mean. Pass logits, not probabilities. The semantics are PyTorch's `cross_entropy`.
   *
   * Both stay accurate as p_y → 1, where log Σ − z_y and p_y − 1 computed naively cancel to nothing.
   *
   * @param logits - float32, shape [C] or [..., C]
   * @param target - a class in [0, C) for each row, or `ignoreIndex`. ERR_TARGET_RANGE names the first other one.
   * @returns loss, logSumExp per row, count of rows not ignored, and grad if it was asked for. Temperature 0 is
   * refused. The mean over no rows is NaN, or 0 with `emptyMean: 'zero'`; an ignored row's gradient is 0.
   *
   * @example
   * const { loss, grad } = crossEntropy(logits, labels, { shape: [32, 10], grad: true });
   */
  crossEntropy(
    logits: Float32Array,
    target: IndexTarget,
    options: CrossEntropyOptions & { readonly reduction: 'none'; readonly grad: true | Float32Array },
  ): CrossEntropyResult<Float32Array> & WithGrad;
  crossEntropy(
    logits: Float32Array,
    target: IndexTarget,
    options: CrossEntropyOptions & { readonly reduction: 'none' },
  ): CrossEntropyResult<Float32Array>;
  crossEntropy(
    logits: Float32Array,
    target: IndexTarget,
    options: CrossEntropyOptions & {
      readonly reduction?: 'mean' | 'sum' | undefined;
      readonly grad: true | Float32Array;
    },
  ): CrossEntropyResult & WithGrad;
  crossEntropy(
    logits: Float32Array,
    target: IndexTarget,
    options?: CrossEntropyOptions & { readonly reduction?: 'mean' | 'sum' | undefined },
  ): CrossEntropyResult;
  crossEntropy(
    logits: Float32Array,
    target: IndexTarget,
    options?: CrossEntropyOptions,
  ): CrossEntropyResult<number | Float32Array>;
}

export function createApi(kernels: Kernels): SoftmaxApi {
  return {
    softmax: sameShapeFunction('softmax', kernels),
    logSoftmax: sameShapeFunction('logSoftmax', kernels),
    logSumExp: logSumExpFunction(kernels),
    softmaxBackward: backwardFunction('softmaxBackward', kernels),
    logSoftmaxBackward: backwardFunction('logSoftmaxBackward', kernels),
    softmaxJacobian: jacobianFunction(kernels),
    // One implementation for the overloads: 'none' alone gives an array.
    crossEntropy: crossEntropyFunction(kernels) as SoftmaxApi['crossEntropy'],
  };
}
