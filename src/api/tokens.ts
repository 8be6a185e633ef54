// From logits to classes.

import type { DType } from '../backends/kernels.js';
import type { IndexOutput, IndexResult, IndexTarget, Input, Output, Result } from './arrays.js';
import type { NoInfer } from './no-infer.js';
import type {
  AsyncOptions,
  DTypeOptions,
  EmptyRowOptions,
  MaskOptions,
  ScalingOptions,
  ShapeOptions,
} from './options.js';

/** Options of argMax. */
export interface ArgMaxOptions<Out extends IndexOutput | undefined = IndexOutput | undefined>
  extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    DTypeOptions<DType | undefined> {
  /** Where the result goes: an Int32Array, or a tensor of one, that no input has a part of. */
  readonly out?: Out | undefined;
}

/**
 * The number of each row's largest logit, along `axis`, which is dropped: of equal ones the first. −0 and 0 are equal.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `shape`, `axis`, `temperature`, `scale`, `mask`, `emptyRow`, `dtype` (of what bare Uint16Arrays hold),
 * `out`. A temperature, 0 and Infinity too, changes no order; with a negative `scale` the smallest logit is found.
 * @returns an Int32Array of one number per row: x's shape without the axis, in x's container (of type 'int32'), or `out`
 * if it was given. A row with a NaN gives the number of the first NaN, as in NumPy and PyTorch; −Infinity is the lowest
 * value. What the mask drops is never found. −1 for a row without elements, for one that the mask empties, and with
 * `emptyRow: 'zero'` for nothing but −Infinity.
 *
 * @throws TypeError, RangeError: what softmax throws
 *
 * @example
 * argMax(new Float32Array([1, 3, 2, 3])); // [1]
 *
 * @example
 * const logits = { data: new Float32Array([1, 2, 3, 6, 5, 4]), dims: [2, 3], type: 'float32' };
 * argMax(logits); // { data: [2, 0], dims: [2], type: 'int32' }
 */
export declare function argMax<X extends Input, Out extends IndexOutput | undefined = undefined>(
  x: X,
  options?: ArgMaxOptions<Out>,
): IndexResult<X, NoInfer<Out>>;

/**
 * argMax, away from the event loop.
 *
 * @param x - as argMax takes it
 * @param options - those of argMax, `signal`, `transfer` (of `x`)
 * @returns a promise of what argMax returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await argMaxAsync(new Float32Array([1, 3, 2, 3])); // [1]
 */
export declare function argMaxAsync<X extends Input, Out extends IndexOutput | undefined = undefined>(
  x: X,
  options?: ArgMaxOptions<Out> & AsyncOptions,
): Promise<IndexResult<X, NoInfer<Out>>>;

/** Options of topK. */
export interface TopKOptions<
  Values extends Output | undefined = Output | undefined,
  Indices extends IndexOutput | undefined = IndexOutput | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    DTypeOptions<D> {
  /**
   * What `values` has. 'logits': the logits as they are given, neither scaled nor divided. 'probabilities',
   * 'logProbabilities': softmax and logSoftmax of the same options over the whole row, to the bit. Default 'logits'.
   */
  readonly values?: 'logits' | 'probabilities' | 'logProbabilities' | undefined;
  /** Where results go: nothing that x or the other has a part of. Default: new arrays. */
  readonly out?:
    | {
        /** Floats, k places along the axis. */
        readonly values?: Values | undefined;
        /** As many. */
        readonly indices?: Indices | undefined;
      }
    | undefined;
}

/** What topK returns. */
export interface TopKResult<
  X extends Input = Input,
  Values extends Output | undefined = Output | undefined,
  Indices extends IndexOutput | undefined = IndexOutput | undefined,
  D extends DType | undefined = DType | undefined,
> {
  /** Of x's shape, with k places along the axis. */
  readonly values: Result<X, Values, D>;
  /** Of the same shape: an Int32Array, or a tensor of one. */
  readonly indices: IndexResult<X, Indices>;
}

/**
 * The k largest logits of each row along `axis`, in descending order, with their numbers; of equal ones the first comes
 * first. −0 and 0 are equal. NaN is above all numbers, as in PyTorch.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param k - how many: an integer from 0 to the length of the axis
 * @param options - `values`, `shape`, `axis`, `temperature`, `scale`, `mask`, `emptyRow`, `dtype`, `out`. A temperature, 0
 * and Infinity too, changes no order; with a negative `scale` the smallest logits are found, in ascending order.
 * @returns values and indices, in x's container and with its shape, but k places along the axis. What the mask drops comes
 * after all that it keeps, in the order of the numbers: as −Infinity, or with probability 0; with `emptyRow: 'zero'` so
 * is a row of nothing but −Infinity.
 *
 * @throws TypeError ERR_K: k is no integer; RangeError ERR_K: k is below 0, or more than there are logits in a row; and
 * what softmax throws
 *
 * @example
 * topK(new Float32Array([1, 4, 2, 4, 3]), 3); // { values: [4, 4, 3], indices: [1, 3, 4] }
 *
 * @example
 * // The labels of an image, with their probabilities.
 * const logits = { data: new Float32Array([1, 2, 3, 0, 5, 0]), dims: [2, 3], type: 'float32' };
 * const { values, indices } = topK(logits, 2, { values: 'probabilities' });
 * values; // { data: [0.6652, 0.2447, 0.9867, 0.0066], dims: [2, 2], type: 'float32' }
 * indices; // { data: [2, 1, 1, 0], dims: [2, 2], type: 'int32' }
 */
export declare function topK<
  X extends Input,
  Values extends Output | undefined = undefined,
  Indices extends IndexOutput | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  k: number,
  options?: TopKOptions<Values, Indices, D>,
): TopKResult<X, NoInfer<Values>, NoInfer<Indices>, NoInfer<D>>;

/**
 * topK, away from the event loop.
 *
 * @param x - as topK takes it
 * @param k - as topK takes it
 * @param options - those of topK, `signal`, `transfer` (of `x`)
 * @returns a promise of what topK returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await topKAsync(new Float32Array([1, 4, 2, 4, 3]), 2); // { values: [4, 4], indices: [1, 3] }
 */
export declare function topKAsync<
  X extends Input,
  Values extends Output | undefined = undefined,
  Indices extends IndexOutput | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  k: number,
  options?: TopKOptions<Values, Indices, D> & AsyncOptions,
): Promise<TopKResult<X, NoInfer<Values>, NoInfer<Indices>, NoInfer<D>>>;

/** What the results of tokenLogProbs are written to: nothing that the logits, the tokens or another has a part of. */
export interface TokenLogProbsOutputs {
  /** As many as there are tokens. */
  readonly logProbs?: Output | undefined;
  /** As many as there are tokens. */
  readonly ranks?: IndexOutput | undefined;
  /** One per row. */
  readonly logSumExp?: Output | undefined;
  /** With `top` alone. */
  readonly topLogProbs?: Output | undefined;
  /** With `top` alone. */
  readonly topTokens?: IndexOutput | undefined;
}

/** Options of tokenLogProbs. */
export interface TokenLogProbsOptions<
  Out extends TokenLogProbsOutputs | undefined = TokenLogProbsOutputs | undefined,
  Top extends number | undefined = number | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    DTypeOptions<D> {
  /** How many of the most likely tokens are wanted, too: an integer from 0 to the length of the axis. Default 0. */
  readonly top?: Top | undefined;
  /** Where results go. Default: new arrays. */
  readonly out?: Out | undefined;
}

/** A result of tokenLogProbs: what was given for it, or what is made like the logits. */
type Given<Out, Name extends keyof TokenLogProbsOutputs> = Out extends { readonly [N in Name]: infer Given }
  ? Given
  : undefined;

/** What tokenLogProbs returns. */
export interface TokenLogProbsResult<
  X extends Input = Input,
  Out extends TokenLogProbsOutputs | undefined = TokenLogProbsOutputs | undefined,
  Top extends number | undefined = number | undefined,
  D extends DType | undefined = DType | undefined,
> {
  /** Of each token, with the bits of logSoftmax. */
  readonly logProbs: Result<X, Extract<Given<Out, 'logProbs'>, Output | undefined>, D>;
  /** How many logits of the row are larger than the token's: 0 for the largest, and for others equal to it. */
  readonly ranks: IndexResult<X, Extract<Given<Out, 'ranks'>, IndexOutput | undefined>>;
  /** One per row, with the bits of logSumExp. */
  readonly logSumExp: Result<X, Extract<Given<Out, 'logSumExp'>, Output | undefined>, D>;
  /** Of the most likely tokens, the first first. Only with `top`. */
  readonly topLogProbs: Top extends number
    ? Result<X, Extract<Given<Out, 'topLogProbs'>, Output | undefined>, D>
    : undefined;
  /** These tokens, as topK orders them. Only with `top`. */
  readonly topTokens: Top extends number
    ? IndexResult<X, Extract<Given<Out, 'topTokens'>, IndexOutput | undefined>>
    : undefined;
}

/**
 * The log-probabilities of chosen tokens: logProbs = s·logits_t / τ − log Σ_j exp(s·logits_j / τ), with their ranks, the
 * log-sum-exp of each row, and if `top` is given the most likely tokens, all along `axis` in one call.
 *
 * @param logits - an array (one row, or of the `shape` given) or a tensor
 * @param tokens - integers in [0, length of the axis): one for each row, an array of them or a tensor of the logits' shape
 * without the axis; or several for each, of the logits' shape with as many along the axis
 * @param options - `top`, `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `out`
 * @returns logProbs and ranks in the shape of the tokens, logSumExp without the axis, topLogProbs and topTokens with `top`
 * along it; floats of the logits' dtype or `dtype`, in their container, and Int32Arrays. A rank counts the logits that
 * are strictly larger: equal ones share it; NaN is above all numbers; with a negative `scale` the smaller ones count. A
 * token that the mask drops has −Infinity, and the number of those that it keeps for its rank.
 *
 * @throws TypeError, RangeError ERR_K: `top` is no integer, below 0 or more than there are logits in a row; RangeError
 * ERR_TARGET_RANGE: a token is no class, with its index and row; and what softmax throws; RangeError ERR_TEMPERATURE for
 * temperature 0
 *
 * @example
 * tokenLogProbs(new Float32Array([1, 2, 3]), [1]); // { logProbs: [-1.4076], ranks: [1], logSumExp: [3.4076] }
 *
 * @example
 * // What a server reports of two tokens that were chosen: their log-probabilities, and the two most likely ones.
 * const logits = new Float32Array([1, 2, 3, 4, 4, 0]);
 * const { logProbs, ranks, topTokens } = tokenLogProbs(logits, new Int32Array([0, 1]), { shape: [2, 3], top: 2 });
 * logProbs; // [-2.4076, -0.7023]
 * ranks; // [2, 0]
 * topTokens; // [2, 1, 0, 1]
 */
export declare function tokenLogProbs<
  X extends Input,
  Out extends TokenLogProbsOutputs | undefined = undefined,
  Top extends number | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  logits: X,
  tokens: IndexTarget,
  options?: TokenLogProbsOptions<Out, Top, D>,
): TokenLogProbsResult<X, NoInfer<Out>, NoInfer<Top>, NoInfer<D>>;

/**
 * tokenLogProbs, away from the event loop.
 *
 * @param logits - as tokenLogProbs takes them
 * @param tokens - as tokenLogProbs takes them; they are copied, also from shared memory
 * @param options - those of tokenLogProbs, `signal`, `transfer` (of `logits`)
 * @returns a promise of what tokenLogProbs returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await tokenLogProbsAsync(new Float32Array([1, 2, 3]), [1]); // { logProbs: [-1.4076], ranks: [1], logSumExp: [3.4076] }
 */
export declare function tokenLogProbsAsync<
  X extends Input,
  Out extends TokenLogProbsOutputs | undefined = undefined,
  Top extends number | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  logits: X,
  tokens: IndexTarget,
  options?: TokenLogProbsOptions<Out, Top, D> & AsyncOptions,
): Promise<TokenLogProbsResult<X, NoInfer<Out>, NoInfer<Top>, NoInfer<D>>>;
