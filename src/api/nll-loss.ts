// The negative log-likelihood of class indices.

import type { DType } from '../backends/kernels.js';
import type { IndexTarget, Input } from './arrays.js';
import type { LossOf, LossOptions, Reduction, Wanted, WantedOf } from './loss-options.js';
import type { NoInfer } from './no-infer.js';
import type { AsyncOptions, EmptyRowOptions } from './options.js';

/** Options of nllLoss. */
export interface NllLossOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D>,
    EmptyRowOptions {}

/** What nllLoss returns. */
export interface NllLossResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one per row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂logProbs; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /** Rows that are not ignored. */
  readonly count: number;
}

/**
 * The negative log-likelihood of class indices: loss = −w_y · logProbs_y, ∂loss/∂logProbs_c = −w_y [c = y], along
 * `axis`. PyTorch's `nll_loss`, ONNX's NegativeLogLikelihoodLoss. crossEntropy does the same from logits, and better
 * than logSoftmax before nllLoss does.
 *
 * @param logProbs - log-probabilities: an array (one row, or of the `shape` given) or a tensor
 * @param target - for each row a class in [0, C) or `ignoreIndex`: a typed or plain array of integers, or a tensor
 * of the shape without the axis
 * @param options - `shape`, `axis`, `emptyRow`, `dtype`, `weight`, `ignoreIndex`, `reduction`, `grad`, `gradOutput`,
 * `emptyMean`
 * @returns loss, count of rows not ignored, and grad if it was asked for. The mean divides by Σ w_y over those rows; if
 * that is 0 it is NaN, or 0 with `emptyMean: 'zero'`. A row of nothing but −Infinity, as logSoftmax makes it with
 * `emptyRow: 'zero'`, has an infinite loss; with that option here, too, it has loss and gradient 0, and counts.
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_OPTION, ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_TARGET_RANGE (with the row), ERR_SHAPE, ERR_AXIS, ERR_OUT_OVERLAP, ERR_OPTION: a value out of
 * range
 *
 * @example
 * const logProbs = logSoftmax(new Float32Array([1, 2, 3]));
 * nllLoss(logProbs, new Int32Array([2]), { grad: true }); // { loss: 0.4076, grad: [0, 0, -1], count: 1 }
 */
export declare function nllLoss<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  logProbs: X,
  target: IndexTarget,
  options?: NllLossOptions<R, Grad, D>,
): NllLossResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>;

/**
 * nllLoss, in slices between turns of the event loop, on every backend: it reads one element per row. Without `grad` that
 * is all, and it is computed at once.
 *
 * @param logProbs - as nllLoss takes them
 * @param target - as nllLoss takes it; copied, also from shared memory
 * @param options - those of nllLoss, `signal`, `transfer` (of `logProbs`, in whose memory the gradient is then if it
 * is asked for by `grad: true`)
 * @returns a promise of what nllLoss returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const logProbs = await logSoftmaxAsync(new Float32Array([1, 2, 3]));
 * await nllLossAsync(logProbs, new Int32Array([2]), { grad: true }); // { loss: 0.4076, grad: [0, 0, -1], count: 1 }
 */
export declare function nllLossAsync<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  logProbs: X,
  target: IndexTarget,
  options?: NllLossOptions<R, Grad, D> & AsyncOptions,
): Promise<NllLossResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>>;
