// softmax, log-softmax, log-sum-exp, entropy, divergence.

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

/** Options of softmax, logSoftmax, logSumExp and entropy. */
export interface ForwardOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/**
 * softmax: p_i = exp(s·x_i / τ) / Σ_j exp(s·x_j / τ), with τ = `temperature` and s = `scale`, along `axis`.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `shape`, `axis`, `temperature`, `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns probabilities in x's shape and container, or `out` if it was given. Each is in [0, 1], each row sums to 1.
 * float32 is within 4 ULP of the exact value; exactly 0 where exp(x_i − max) is below 2^−126.
 *
 * A row with a NaN or +Infinity, or of nothing but −Infinity, is NaN throughout. Temperature 0 gives the arg max,
 * shared equally by equal maxima; temperature Infinity shares equally among all entries above −Infinity. What the
 * mask drops is 0, also in a row that it empties; so is a row of nothing but −Infinity with `emptyRow: 'zero'`.
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_MASK, ERR_TEMPERATURE, ERR_OPTION,
 * ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_SHAPE, ERR_AXIS, ERR_TEMPERATURE, ERR_MASK, ERR_OUT_OVERLAP, ERR_OPTION: a value out of range
 *
 * @example
 * softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2447, 0.6652]
 *
 * @example
 * // Two columns, each a row problem of its own; the first is sharper.
 * const x = new Float32Array([0, 0, 1, 1]);
 * softmax(x, { shape: [2, 2], axis: 0, temperature: [0.5, 1] }); // [0.1192, 0.2689, 0.8808, 0.7311]
 *
 * @example
 * softmax(new Float32Array([1, 2, 3]), { mask: new Uint8Array([1, 1, 0]) }); // [0.2689, 0.7311, 0]
 *
 * @example
 * // Attention scores with an additive mask that left nothing of the first row.
 * const scores = new Float32Array([-Infinity, -Infinity, 1, 1]);
 * softmax(scores, { shape: [2, 2], emptyRow: 'zero' }); // [0, 0, 0.5, 0.5]
 *
 * @example
 * // A tensor in, a tensor with the same fields out. 0x3c00 is 1 in float16.
 * const x = { type: 'float16', data: new Uint16Array([0x3c00, 0x3c00]), dims: [1, 2] };
 * softmax(x, { dtype: 'float32' }); // { type: 'float32', data: [0.5, 0.5], dims: [1, 2] }
 */
export declare function softmax<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * softmax, away from the event loop.
 *
 * @param x - as softmax takes it
 * @param options - those of softmax, `signal`, `transfer` (of `x`, in whose memory the result is then)
 * @returns a promise of what softmax returns
 *
 * @throws nothing: what softmax throws, the promise is rejected with; also TypeError ERR_OPTION for an array that can't
 * be transferred
 *
 * @example
 * await softmaxAsync(new Float32Array([1, 2, 3])); // [0.0900, 0.2447, 0.6652]
 *
 * @example
 * // Nothing is copied: the logits are given up, and the result is in their memory.
 * const logits = new Float32Array(64 * 1000);
 * const p = await softmaxAsync(logits, { shape: [64, 1000], transfer: true, signal: AbortSignal.timeout(5000) });
 * [logits.length, p.length]; // [0, 64000]
 */
export declare function softmaxAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * log-softmax: y_i = s·x_i / τ − log Σ_j exp(s·x_j / τ), with τ = `temperature` and s = `scale`, along `axis`.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `shape`, `axis`, `temperature`, `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns log-probabilities in x's shape and container, or `out` if it was given. float32 is within 4 ULP, or 1 ULP
 * of the row's largest |logit|; float64 within 5 ULP, however small. −Infinity stays −Infinity, and what the mask drops
 * is −Infinity, also in a row that it empties, or that is nothing but −Infinity with `emptyRow: 'zero'`. NaN rows and
 * temperatures 0 and Infinity are those of softmax.
 *
 * @throws what softmax throws
 *
 * @example
 * logSoftmax(new Float32Array([1, 2, 3])); // [-2.4076, -1.4076, -0.4076]
 *
 * @example
 * // In place.
 * const x = new Float64Array([0, 0]);
 * logSoftmax(x, { out: x }) === x; // true
 * x; // [-0.6931, -0.6931]
 */
export declare function logSoftmax<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * logSoftmax, away from the event loop.
 *
 * @param x - as logSoftmax takes it
 * @param options - those of logSoftmax, `signal`, `transfer` (of `x`, in whose memory the result is then)
 * @returns a promise of what logSoftmax returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await logSoftmaxAsync(new Float32Array([1, 2, 3])); // [-2.4076, -1.4076, -0.4076]
 */
export declare function logSoftmaxAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * log Σ_j exp(s·x_j / τ), with τ = `temperature` and s = `scale`, along `axis`, which is dropped.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `shape`, `axis`, `temperature` (not 0: there is no limit), `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns one element per row: x's shape without the axis, in x's container, or `out` if it was given. float32 is within
 * 4 ULP, or 1 ULP of the row's largest |logit|; float64 within 5 ULP, or 5 ULP of a largest logit below 0. A row with a
 * NaN gives NaN, else one with +Infinity gives Infinity; a row of −Infinity, an empty one and one that the mask empties
 * give −Infinity, whatever `emptyRow` is.
 *
 * @throws what softmax throws, and RangeError ERR_TEMPERATURE for temperature 0
 *
 * @example
 * logSumExp(new Float32Array([1, 2, 3])); // [3.4076]
 *
 * @example
 * logSumExp({ data: new Float32Array([1, 2, 3, 1, 1, 1]), dims: [2, 3] }); // { data: [3.4076, 2.0986], dims: [2] }
 */
export declare function logSumExp<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * logSumExp, away from the event loop.
 *
 * @param x - as logSumExp takes it
 * @param options - those of logSumExp, `signal`, `transfer` (of `x`)
 * @returns a promise of what logSumExp returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await logSumExpAsync(new Float32Array([1, 2, 3])); // [3.4076]
 */
export declare function logSumExpAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * The entropy of softmax: −Σ_i p_i log p_i in nats, with p = softmax(s·x / τ), τ = `temperature` and s = `scale`, along
 * `axis`, which is dropped. From 0, where one class has all, to log K, where K classes share equally.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns one element per row: x's shape without the axis, in x's container, or `out` if it was given. float32 is
 * within 4 ULP, also where one probability is nearly 1; exponentials below 2^−126 of the largest count as 0. A row
 * with a NaN or +Infinity, or of nothing but −Infinity, gives NaN; an empty one, and one that the mask empties, gives
 * 0, as does nothing but −Infinity with `emptyRow: 'zero'`.
 *
 * @throws what softmax throws, and RangeError ERR_TEMPERATURE for temperature 0
 *
 * @example
 * entropy(new Float32Array([1, 2, 3])); // [0.8324]
 *
 * @example
 * // How sure a model is of each of two rows.
 * entropy(new Float32Array([9, 0, 0, 0, 0, 0]), { shape: [2, 3] }); // [0.0025, 1.0986]
 */
export declare function entropy<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * entropy, away from the event loop.
 *
 * @param x - as entropy takes it
 * @param options - those of entropy, `signal`, `transfer` (of `x`)
 * @returns a promise of what entropy returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await entropyAsync(new Float32Array([1, 2, 3])); // [0.8324]
 */
export declare function entropyAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * Kullback–Leibler divergence of two distributions, from logits: KL(softmax(s·p / τ) ‖ softmax(s·q / τ)) =
 * Σ P_i (log P_i − log Q_i), with τ = `temperature` and s = `scale`, one value per row along `axis`. Computed in float64
 * as Σ P_i (exp(x_i) − 1 − x_i) with x_i = log Q_i − log P_i, whose terms are not negative: it keeps its digits where P and
 * Q are nearly the same.
 *
 * @param p - logits of P, "the true one": an array (one row, or of the `shape` given) or a tensor
 * @param q - logits of Q, in p's shape
 * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns one value of at least 0 per row, in p's shape without the axis and in its container, or `out`. Infinite where Q
 * is 0 and P is not; NaN for a row without a distribution; 0 for a row that the mask empties, and with `emptyRow: 'zero'`
 * for one whose logits of P are nothing but −Infinity, unless one of Q is NaN or +Infinity.
 *
 * @throws what softmax throws; RangeError ERR_TEMPERATURE for temperature 0
 *
 * @example
 * klDivergence(new Float32Array([1, 2, 3]), new Float32Array([3, 2, 1])); // [1.1504]
 * klDivergence(new Float32Array([1, 2, 3]), new Float32Array([2, 3, 4])); // [0]
 */
export declare function klDivergence<
  P extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(p: P, q: Input, options?: ForwardOptions<Out, D>): Result<P, NoInfer<Out>, NoInfer<D>>;

/**
 * klDivergence, away from the event loop.
 *
 * @param p - as klDivergence takes it
 * @param q - as klDivergence takes it
 * @param options - those of klDivergence, `signal`, `transfer` (of `p` and `q`)
 * @returns a promise of what klDivergence returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await klDivergenceAsync(new Float32Array([1, 2, 3]), new Float32Array([3, 2, 1])); // [1.1504]
 */
export declare function klDivergenceAsync<
  P extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  p: P,
  q: Input,
  options?: ForwardOptions<Out, D> & AsyncOptions,
): Promise<Result<P, NoInfer<Out>, NoInfer<D>>>;
