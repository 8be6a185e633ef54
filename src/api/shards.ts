// Rows of which some classes are here and others elsewhere: sums that merge.

import type { DType } from '../backends/kernels.js';
import type { IndexOutput, IndexTarget, Input, Output, Result, RowArray } from './arrays.js';
import type { LossOf, Reduction, Wanted, WantedOf } from './loss-options.js';
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

/** What partial and mergePartials make: plain numbers. docs/sharding.md has the fields. */
export type ShardState = Float64Array;

/** A state as it was made, or its bytes as they were received. */
export type GivenState = ShardState | Uint8Array;

/** Which classes of whole rows are here. */
export interface OffsetOptions {
  /** The number of the first class that is here: an integer of at least 0. Default 0. */
  readonly offset?: number | undefined;
}

/** Options of partial. */
export interface PartialOptions
  extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions,
    OffsetOptions,
    DTypeOptions<DType | undefined> {
  /** How many classes whole rows have: a state that has not all of them is then refused. */
  readonly classes?: number | undefined;
  /** For finishCrossEntropy: classes of whole rows, one per row, here or elsewhere. */
  readonly target?: IndexTarget | undefined;
  /** Rows with this target have none. Default −100. */
  readonly ignoreIndex?: number | undefined;
}

/** Options of finishSoftmax and finishLogSoftmax. Temperature, scale and emptyRow are those that the state was made with. */
export interface FinishOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    MaskOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** Options of finishCrossEntropy. */
export interface FinishCrossEntropyOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    MaskOptions,
    OffsetOptions,
    DTypeOptions<D> {
  /** Default 'mean'. */
  readonly reduction?: R | undefined;
  /** The mean over no rows: NaN as in PyTorch, or 0. Default 'nan'. */
  readonly emptyMean?: 'nan' | 'zero' | undefined;
  /** Rows with this target have no loss and no gradient, and do not count in the mean. Default −100. */
  readonly ignoreIndex?: number | undefined;
  /** true: a new array for the gradient of the logits that are here; an array: the gradient goes there, over `x` if it is that. */
  readonly grad?: Grad | undefined;
  /** What the gradient is multiplied by: ∂L/∂loss. One number, or for reduction 'none' one per row. Default 1. */
  readonly gradOutput?: number | readonly number[] | Float32Array | Float64Array | undefined;
}

/** What topK gave of a shard, along the last axis. */
export interface TopKPart {
  /** The largest logits of each row: `values: 'logits'`, which is the default. */
  readonly values: Input;
  /** Their classes, counted from the shard's first. */
  readonly indices: IndexOutput;
  /** The number of the shard's first class. Default 0. */
  readonly offset?: number | undefined;
}

/** Options of gatherTopK. */
export interface GatherTopKOptions {
  /** How many classes whole rows have. */
  readonly classes: number;
  /** Default 1. */
  readonly rows?: number | undefined;
  /** What bare Uint16Arrays of values hold. */
  readonly dtype?: DType | undefined;
}

/** What finishCrossEntropy returns: the same in every shard, but for `grad`. */
export interface FinishedCrossEntropy<X extends Input, R extends Reduction, Grad> {
  /** Of whole rows, by `reduction`. */
  readonly loss: LossOf<X, R>;
  /** log Σ exp(z) of each whole row. */
  readonly logSumExp: RowArray<X>;
  /** Rows that are not ignored. */
  readonly count: number;
  /** ∂loss/∂x, where it was asked for. */
  readonly grad: Grad;
}

/**
 * What is known of rows from some of their classes: for each the largest logit, its class and the sum of exponentials,
 * block by block. mergePartials makes the state of whole rows from those of all classes; finishLogSumExp, finishSoftmax,
 * finishLogSoftmax and finishCrossEntropy the results.
 *
 * Where each shard begins at a multiple of 4096 classes, results have the bits of one call of the whole rows; else they are
 * as exact (float32 within 4 ULP), with other bits.
 *
 * @param x - logits of the classes that are here, along `axis`: an array (one row, or of the `shape` given) or a tensor
 * @param options - `offset` (the number of the first class that is here), `classes` (of whole rows), `target` (for finishCrossEntropy), `ignoreIndex`,
 * `shape`, `axis`, `temperature`, `scale`, `mask`, `emptyRow`, `dtype` (of what bare Uint16Arrays hold)
 * @returns a Float64Array of 7 + 2 n + rows · (4 + 9 n) numbers, n about log₂ of the classes over
 * 4096, or one for each shard that does not begin at a multiple of 4096
 *
 * @throws TypeError, RangeError: what softmax throws; ERR_OPTION for an offset that is none, ERR_TARGET_RANGE,
 * ERR_SHAPE for more than 2³¹ − 1 classes
 *
 * @example
 * const states = [partial(new Float32Array([1, 2])), partial(new Float32Array([3]), { offset: 2 })];
 * finishSoftmax(new Float32Array([3]), mergePartials(states)); // [0.6652]
 */
export declare function partial(x: Input, options?: PartialOptions): ShardState;

/**
 * partial, away from the event loop.
 *
 * @param x - as partial takes it
 * @param options - those of partial, `signal`, `transfer` (of `x`)
 * @returns a promise of what partial returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * finishLogSumExp(await partialAsync(new Float32Array([1, 2]))); // [2.3133]
 */
export declare function partialAsync(x: Input, options?: PartialOptions & AsyncOptions): Promise<ShardState>;

/**
 * The state of the classes of several: in any order, and of merged states again. The same rows, with the same temperature,
 * scale and targets; no class twice. States of shards that begin at multiples of 4096 classes merge to the same numbers
 * whatever is merged first.
 *
 * @param parts - states that partial or mergePartials made, or their bytes, at least one
 * @returns a new state
 *
 * @throws TypeError, RangeError ERR_STATE: no state, or of another version, or states that do not belong together
 *
 * @example
 * const parts = [partial(new Float32Array([3]), { offset: 1 }), partial(new Float32Array([1]))];
 * finishLogSumExp(mergePartials(parts)); // [3.1269]
 */
export declare function mergePartials(parts: readonly GivenState[]): ShardState;

/**
 * log Σ_j exp(s·x_j / τ) of whole rows.
 *
 * @param state - of all classes, from 0 to the last
 * @returns one number per row, as logSumExp has it: a Float64Array for float64 logits, else a Float32Array, of 16-bit logits
 * too
 *
 * @throws TypeError, RangeError ERR_STATE: no state, or classes are missing; ERR_TEMPERATURE: temperature 0 has no limit
 *
 * @example
 * finishLogSumExp(partial(new Float32Array([1, 2, 3]))); // [3.4076]
 */
export declare function finishLogSumExp(state: GivenState): Float32Array | Float64Array;

/**
 * softmax of the logits that are here, as softmax of the whole rows has them.
 *
 * @param x - some of the logits that the state was made of, along `axis`: all of a shard, or as few as one a row. A row with a
 *   logit above the state's largest has others: its results are NaN
 * @param state - of all classes, from 0 to the last
 * @param options - `shape`, `axis`, `mask`, `dtype`, `out`
 * @returns probabilities in x's shape and container, or `out` if it was given
 *
 * @throws TypeError, RangeError: what softmax throws; ERR_STATE: no state, or classes are missing
 *
 * @example
 * finishSoftmax(new Float32Array([1, 2]), partial(new Float32Array([1, 2]))); // [0.2689, 0.7311]
 */
export declare function finishSoftmax<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, state: GivenState, options?: FinishOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * finishSoftmax, away from the event loop.
 *
 * @param x - as finishSoftmax takes it
 * @param state - as finishSoftmax takes it; copied at once
 * @param options - those of finishSoftmax, `signal`, `transfer` (of `x`)
 * @returns a promise of what finishSoftmax returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const x = new Float32Array([1, 2]);
 * await finishSoftmaxAsync(x, partial(x)); // [0.2689, 0.7311]
 */
export declare function finishSoftmaxAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  state: GivenState,
  options?: FinishOptions<Out, D> & AsyncOptions,
): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * log-softmax of the logits that are here, as logSoftmax of the whole rows has them.
 *
 * @param x - some of the logits that the state was made of, along `axis`: all of a shard, or as few as one a row. A row with a
 *   logit above the state's largest has others: its results are NaN
 * @param state - of all classes, from 0 to the last
 * @param options - `shape`, `axis`, `mask`, `dtype`, `out`
 * @returns log-probabilities in x's shape and container, or `out` if it was given
 *
 * @throws TypeError, RangeError: what logSoftmax throws; ERR_STATE: no state, or classes are missing
 *
 * @example
 * finishLogSoftmax(new Float32Array([1, 2]), partial(new Float32Array([1, 2]))); // [-1.3133, -0.3133]
 */
export declare function finishLogSoftmax<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, state: GivenState, options?: FinishOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * finishLogSoftmax, away from the event loop.
 *
 * @param x - as finishLogSoftmax takes it
 * @param state - as finishLogSoftmax takes it; copied at once
 * @param options - those of finishLogSoftmax, `signal`, `transfer` (of `x`)
 * @returns a promise of what finishLogSoftmax returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const x = new Float32Array([1, 2]);
 * await finishLogSoftmaxAsync(x, partial(x)); // [-1.3133, -0.3133]
 */
export declare function finishLogSoftmaxAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  state: GivenState,
  options?: FinishOptions<Out, D> & AsyncOptions,
): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

/**
 * crossEntropy of whole rows with class indices, and the gradient of the logits that are here.
 *
 * @param x - those that the state's part of this shard was made of. Of a row with a logit above the state's largest, which
 *   has others, the gradient is NaN but for the target's
 * @param target - classes of whole rows, one per row: those that the states were made with
 * @param state - of all classes, from 0 to the last, made with `target`
 * @param options - `offset` (as for partial, needed where `x` has not all classes), `grad`, `reduction`, `emptyMean`, `ignoreIndex`, `gradOutput`, `shape`, `axis`,
 * `mask`, `dtype`
 * @returns `loss`, `logSumExp` and `count` of the whole rows; `grad` if it was asked for: ∂loss/∂x = s/τ (p − [class is
 * the target]), in x's shape and container
 *
 * @throws TypeError, RangeError: what crossEntropy throws; ERR_STATE: no state, classes are missing, or it was made with
 * other targets or none
 *
 * @example
 * const x = new Float32Array([1, 2, 3]);
 * finishCrossEntropy(x, [2], partial(x, { target: [2] })).loss; // 0.4076
 */
export declare function finishCrossEntropy<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  target: IndexTarget,
  state: GivenState,
  options?: FinishCrossEntropyOptions<R, Grad, D>,
): FinishedCrossEntropy<X, NoInfer<R>, WantedOf<X, NoInfer<Grad>, NoInfer<D>>>;

/**
 * finishCrossEntropy, away from the event loop.
 *
 * @param x - as finishCrossEntropy takes it
 * @param target - as finishCrossEntropy takes it
 * @param state - as finishCrossEntropy takes it; copied at once
 * @param options - those of finishCrossEntropy, `signal`, `transfer` (of `x`)
 * @returns a promise of what finishCrossEntropy returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const x = new Float32Array([1, 2, 3]);
 * (await finishCrossEntropyAsync(x, [2], partial(x, { target: [2] }))).loss; // 0.4076
 */
export declare function finishCrossEntropyAsync<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  x: X,
  target: IndexTarget,
  state: GivenState,
  options?: FinishCrossEntropyOptions<R, Grad, D> & AsyncOptions,
): Promise<FinishedCrossEntropy<X, NoInfer<R>, WantedOf<X, NoInfer<Grad>, NoInfer<D>>>>;

/**
 * Whole rows with the largest logits that shards have listed by topK in their places, and −Infinity elsewhere: for topK and
 * sample. With k places, these give what they give of the logits themselves, bit for bit, where each shard has listed k (or
 * all it has): topK of up to k, and sample with `topK` of 1 to k and any of topP, minP, typicalP, temperature, seeds; but for
 * `rawLogProbs`, which are logits less finishLogSumExp.
 *
 * @param parts - `{ values, indices, offset }` of each shard, in any order
 * @param options - `classes`, `rows`, `dtype` (of what bare Uint16Arrays hold)
 * @returns rows · classes logits: a Float64Array for float64 values, else a Float32Array
 *
 * @throws TypeError, RangeError: ERR_STATE for parts that are none and a class given twice, ERR_SHAPE, ERR_DTYPE, ERR_OPTION, ERR_TARGET_RANGE for a
 * class beyond `classes`
 *
 * @example
 * const shards = [topK(new Float32Array([1, 3]), 1), { ...topK(new Float32Array([2]), 1), offset: 2 }];
 * const logits = gatherTopK(shards, { classes: 3 }); // [-Infinity, 3, 2]
 * sample(logits, { topK: 1 }).tokens; // [1]
 */
export declare function gatherTopK(
  parts: readonly TopKPart[],
  options: GatherTopKOptions,
): Float32Array | Float64Array;
