// Gradients of softmax and log-softmax from their outputs, and softmax's Jacobian.

import type { DType } from '../backends/kernels.js';
import type { Input, Output, Result } from './arrays.js';
import type { NoInfer } from './no-infer.js';
import type {
  AsyncOptions,
  DTypeOptions,
  EmptyRowOptions,
  MaskOptions,
  OutOptions,
  ScalingOptions,
  ShapeOptions,
} from './options.js';

/** Options of softmaxBackward and logSoftmaxBackward. */
export interface BackwardOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** Options of softmaxJacobian. */
export interface JacobianOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/**
 * The gradient through softmax: dx_i = p_i (g_i − Σ_j g_j p_j) · s / τ, along `axis`.
 *
 * @param gradOutput - g = ∂L/∂p, of the shape of `output`
 * @param output - p, what softmax returned with the same options
 * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `out` (which may be
 * either input)
 * @returns ∂L/∂x in the container of `gradOutput`, or `out` if it was given. Relative error at most 1e-6 for float32.
 * 0 for what the mask drops; with `emptyRow: 'zero'` for a row whose p are all 0, even where g is infinite or NaN.
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_MASK, ERR_TEMPERATURE, ERR_OPTION,
 * ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_SHAPE, ERR_AXIS, ERR_TEMPERATURE, ERR_MASK, ERR_OUT_OVERLAP, ERR_OPTION: a value out of range
 *
 * @example
 * const p = softmax(new Float32Array([1, 2, 3]));
 * softmaxBackward(new Float32Array([1, 0, 0]), p); // [0.0819, -0.0220, -0.0599]
 */
export declare function softmaxBackward<
  G extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(gradOutput: G, output: Input, options?: BackwardOptions<Out, D>): Result<G, NoInfer<Out>, NoInfer<D>>;

/**
 * softmaxBackward, away from the event loop.
 *
 * @param gradOutput - as softmaxBackward takes it
 * @param output - as softmaxBackward takes it
 * @param options - those of softmaxBackward, `signal`, `transfer` (of both arrays; the result is in the memory of
 * `gradOutput` then)
 * @returns a promise of what softmaxBackward returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const p = await softmaxAsync(new Float32Array([1, 2, 3]));
 * await softmaxBackwardAsync(new Float32Array([1, 0, 0]), p); // [0.0819, -0.0220, -0.0599]
 */
export declare function softmaxBackwardAsync<
  G extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  gradOutput: G,
  output: Input,
  options?: BackwardOptions<Out, D> & AsyncOptions,
): Promise<Result<G, NoInfer<Out>, NoInfer<D>>>;

/**
 * The gradient through log-softmax: dx_i = (g_i − exp(y_i) Σ_j g_j) · s / τ, along `axis`.
 *
 * @param gradOutput - g = ∂L/∂y, of the shape of `output`
 * @param output - y, what logSoftmax returned with the same options
 * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `out` (which may be
 * either input)
 * @returns ∂L/∂x in the container of `gradOutput`, or `out` if it was given. Relative error at most 1e-6 for float32.
 * 0 for what the mask drops; with `emptyRow: 'zero'` for a row whose y are all −Infinity, even where g is infinite or
 * NaN.
 *
 * @throws what softmaxBackward throws
 *
 * @example
 * const y = logSoftmax(new Float32Array([1, 2, 3]));
 * logSoftmaxBackward(new Float32Array([1, 0, 0]), y); // [0.9100, -0.2447, -0.6652]
 */
export declare function logSoftmaxBackward<
  G extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(gradOutput: G, output: Input, options?: BackwardOptions<Out, D>): Result<G, NoInfer<Out>, NoInfer<D>>;

/**
 * logSoftmaxBackward, away from the event loop.
 *
 * @param gradOutput - as logSoftmaxBackward takes it
 * @param output - as logSoftmaxBackward takes it
 * @param options - those of logSoftmaxBackward, `signal`, `transfer` (of both arrays; the result is in the memory of
 * `gradOutput` then)
 * @returns a promise of what logSoftmaxBackward returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const y = await logSoftmaxAsync(new Float32Array([1, 2, 3]));
 * await logSoftmaxBackwardAsync(new Float32Array([1, 0, 0]), y); // [0.9100, -0.2447, -0.6652]
 */
export declare function logSoftmaxBackwardAsync<
  G extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  gradOutput: G,
  output: Input,
  options?: BackwardOptions<Out, D> & AsyncOptions,
): Promise<Result<G, NoInfer<Out>, NoInfer<D>>>;

/**
 * The Jacobian ∂p_i/∂x_j = p_i (δ_ij − p_j) of softmax at temperature 1: diag(p) − p pᵀ, per row of the last axis.
 *
 * @param output - p, what softmax returned: shape [K] or [..., K]
 * @param options - `shape`, `dtype`, `out` (which shares nothing with `output`)
 * @returns shape [K, K] or [..., K, K], in the container of `output`, or `out` if it was given
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_OPTION, ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_SHAPE, ERR_AXIS (it works along the last axis only), ERR_OUT_OVERLAP: a value out of range
 *
 * @example
 * softmaxJacobian(softmax(new Float32Array([0, 0]))); // [0.25, -0.25, -0.25, 0.25]
 */
export declare function softmaxJacobian<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(output: X, options?: JacobianOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * softmaxJacobian, away from the event loop.
 *
 * @param output - as softmaxJacobian takes it
 * @param options - those of softmaxJacobian, `signal`, `transfer` (of `output`)
 * @returns a promise of what softmaxJacobian returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await softmaxJacobianAsync(softmax(new Float32Array([0, 0]))); // [0.25, -0.25, -0.25, 0.25]
 */
export declare function softmaxJacobianAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(output: X, options?: JacobianOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;
