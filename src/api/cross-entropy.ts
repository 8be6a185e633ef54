// Cross-entropy from logits.

import type { DType } from '../backends/kernels.js';
import type { Input, RowArray } from './arrays.js';
import type { LossOf, LossOptions, LossTarget, Reduction, Wanted, WantedOf } from './loss-options.js';
import type { NoInfer } from './no-infer.js';
import type { AsyncOptions, EmptyRowOptions, MaskOptions, ScalingOptions } from './options.js';

/** Options of crossEntropy. */
export interface CrossEntropyOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  LogProbs extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D>,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions {
  /** ε in [0, 1]: the target becomes (1 − ε) of itself and ε / C of every class. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** true: a new array for the log-probabilities; an array: they go there. ONNX calls them log_prob. */
  readonly logProbs?: LogProbs | undefined;
}

/** What crossEntropy returns. */
export interface CrossEntropyResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  LogProbs extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one per row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂logits, of the logits' shape; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /** log Σ exp(scale · logit / temperature), one per row, of ignored rows too. */
  readonly logSumExp: RowArray<X>;
  /** Rows that are not ignored. */
  readonly count: number;
  /** log-softmax of the logits, of their shape. Only if `logProbs` was given. */
  readonly logProbs: WantedOf<X, LogProbs, D>;
}

/**
 * Cross-entropy from logits, and in the same call its gradient. With z = s·logits / τ and p = softmax(z), along `axis`:
 *
 * - class index y: loss = w_y (log Σ_j exp(z_j) − z_y), ∂loss/∂logits_c = w_y (p_c − [c = y]) · s / τ;
 * - probabilities q: loss = Σ_c w_c q_c (log Σ_j exp(z_j) − z_c), ∂loss/∂logits_c = (p_c Σ_j w_j q_j − w_c q_c) · s / τ;
 * - `labelSmoothing` ε: q becomes (1 − ε) q + ε / C, a class index being the q that is 1 there.
 *
 * The mean over class indices divides by Σ w_y over the rows that are not ignored, that over probabilities by the
 * number of rows. These are the semantics of PyTorch's `cross_entropy` and of ONNX's SoftmaxCrossEntropyLoss, except
 * that their classes are on axis 1 and these, by default, on the last. Pass logits, not probabilities. Loss and
 * gradient stay accurate as p_y → 1, where log Σ − z_y and p_y − 1 computed naively cancel to nothing.
 *
 * @param logits - an array (one row, or of the `shape` given) or a tensor; classes along `axis`, by default the last
 * @param target - for each row a class in [0, C) or `ignoreIndex`: a typed or plain array of integers, or a tensor of the
 * logits' shape without the axis. Or probabilities: floats, or integers such as one-hot rows, of the logits' shape (of
 * bare Uint16Arrays `dtype` says what they hold, if that is given); they need not sum to 1.
 * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `emptyRow`, `dtype`, `weight`,
 * `ignoreIndex`, `labelSmoothing`, `reduction`, `grad`, `gradOutput`, `emptyMean`, `logProbs`
 * @returns loss, logSumExp per row, count of rows not ignored, and what was asked for with `grad` and `logProbs`. Per
 * row they are float64 for float64 logits and float32 for all others, in the container of the logits. The mean over no
 * rows is NaN, or 0 with `emptyMean: 'zero'`. An ignored row's loss and gradient are 0. A probability of 0 at a logit
 * of −Infinity contributes 0. Classes that the mask drops take no part: a class index there has an infinite loss, a
 * probability there is not counted, label smoothing spreads over the others. A row that the mask empties has loss 0,
 * logSumExp −Infinity and gradient 0, and counts; so does a row of nothing but −Infinity with `emptyRow: 'zero'`, which
 * is NaN without it.
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_MASK, ERR_TEMPERATURE, ERR_LABEL_SMOOTHING,
 * ERR_OPTION, ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_TARGET_RANGE (with the row), ERR_SHAPE, ERR_AXIS, ERR_TEMPERATURE, ERR_LABEL_SMOOTHING,
 * ERR_MASK, ERR_OUT_OVERLAP, ERR_OPTION: a value out of range
 *
 * @example
 * const logits = new Float32Array([1, 2, 3, 0, 0, 0]);
 * const labels = new Int32Array([2, 0]);
 * const { loss, grad } = crossEntropy(logits, labels, { shape: [2, 3], grad: true });
 * loss; // 0.7531
 * grad; // [0.0450, 0.1224, -0.1674, -0.3333, 0.1667, 0.1667]
 *
 * @example
 * // Probabilities as the target, one loss per row.
 * const q = new Float32Array([0.5, 0.5, 0]);
 * crossEntropy(new Float32Array([1, 2, 3]), q, { reduction: 'none' }).loss; // [1.9076]
 *
 * @example
 * // PyTorch's layout: classes along axis 1 of [N, C, d]; so for images, [N, C, H, W] with targets [N, H, W].
 * const options = { shape: [1, 2, 3], axis: 1, labelSmoothing: 0.1, ignoreIndex: 9 };
 * crossEntropy(new Float32Array([1, 2, 3, 0, 0, 0]), new Uint8Array([0, 9, 1]), options).count; // 2
 */
export declare function crossEntropy<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  LogProbs extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  logits: X,
  target: LossTarget,
  options?: CrossEntropyOptions<R, Grad, LogProbs, D>,
): CrossEntropyResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<LogProbs>, NoInfer<D>>;

/**
 * crossEntropy, away from the event loop.
 *
 * @param logits - as crossEntropy takes them
 * @param target - as crossEntropy takes it; class indices are copied, also from shared memory
 * @param options - those of crossEntropy, `signal`, `transfer` (of `logits`, in whose memory the gradient is then if
 * it is asked for by `grad: true`, and of probabilities as the target)
 * @returns a promise of what crossEntropy returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const logits = new Float32Array([1, 2, 3, 0, 0, 0]);
 * const labels = new Int32Array([2, 0]);
 * const { loss, grad } = await crossEntropyAsync(logits, labels, { shape: [2, 3], grad: true, transfer: true });
 * loss; // 0.7531
 * grad; // [0.0450, 0.1224, -0.1674, -0.3333, 0.1667, 0.1667]
 * await crossEntropyAsync(new Float32Array([0, 0]), new Int32Array([1])); // { loss: 0.6931, logSumExp: [0.6931], count: 1 }
 */
export declare function crossEntropyAsync<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  LogProbs extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  logits: X,
  target: LossTarget,
  options?: CrossEntropyOptions<R, Grad, LogProbs, D> & AsyncOptions,
): Promise<CrossEntropyResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<LogProbs>, NoInfer<D>>>;
