import type { DType } from '../backends/kernels.js';
import type { CrossEntropyResult } from '../operations/cross-entropy.js';
import type { CrossEntropyOptions } from '../operations/cross-entropy-options.js';
import type { DistillationOptions, DistillationResult } from '../operations/distillation-loss.js';
import type { LossTarget, Reduction, Wanted } from '../operations/losses.js';
import type { NllLossOptions, NllLossResult } from '../operations/nll-loss.js';
import type { IndexTarget, Input } from './arrays.js';

/** Losses and their gradients. */
export interface LossApi {
  /**
   * Cross-entropy from logits, and in the same call its gradient. With z = s·logits / τ and p = softmax(z), along `axis`:
   *
   * - class index y: loss = w_y (log Σ_j exp(z_j) − z_y), ∂loss/∂logits_c = w_y (p_c − [c = y]) · s / τ;
   * - probabilities q: loss = Σ_c w_c q_c (log Σ_j exp(z_j) − z_c), ∂loss/∂logits_c = (p_c Σ_j w_j q_j − w_c q_c) · s / τ;
   * - `labelSmoothing` ε: q becomes (1 − ε) q + ε / C, a class index being the q that is 1 there.
   *
   * The mean over class indices divides by Σ w_y over the rows that are not ignored, that over probabilities by the
   * number of rows. These are the semantics of PyTorch's `cross_entropy` and of ONNX's SoftmaxCrossEntropyLoss, except
   * that their classes are on axis 1 and these, by default, on the last. Pass logits, not probabilities. Loss and gradient stay accurate as p_y → 1, where log Σ − z_y and p_y − 1 computed naively
   * cancel to nothing.
   *
   * @param logits - an array (one row, or of the `shape` given) or a tensor; classes along `axis`, by default the last
   * @param target - for each row a class in [0, C) or `ignoreIndex`: an integer array, or a tensor of the logits' shape
   * without the axis. Or probabilities: floats of the logits' shape; they need not sum to 1.
   * @param options - `shape`, `axis`, `temperature` (not 0), `scale`, `mask`, `dtype`, `weight`, `ignoreIndex`,
   * `labelSmoothing`, `reduction`, `grad`, `gradOutput`, `emptyMean`, `logProbs`
   * @returns loss, logSumExp per row, count of rows not ignored, and what was asked for with `grad` and `logProbs`. Per
   * row they are float64 for float64 logits and float32 for all others, in the container of the logits. The mean over no
   * rows is NaN, or 0 with `emptyMean: 'zero'`. An ignored row's loss and gradient are 0. A probability of 0 at a logit
   * of −Infinity contributes 0. Classes that the mask drops take no part: a class index there has an infinite loss, a
   * probability there is not counted, label smoothing spreads over the others. A row that the mask empties has loss 0,
   * logSumExp −Infinity and gradient 0, and counts.
   *
   * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_MASK, ERR_TEMPERATURE, ERR_LABEL_SMOOTHING, ERR_OPTION,
   * ERR_SHAPE: a value of the wrong kind
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
   * // Probabilities as the target, one loss a row.
   * const q = new Float32Array([0.5, 0.5, 0]);
   * crossEntropy(new Float32Array([1, 2, 3]), q, { reduction: 'none' }).loss; // [1.9076]
   *
   * @example
   * // PyTorch's layout: classes along axis 1 of [N, C, d]; so for images, [N, C, H, W] with targets [N, H, W].
   * const options = { shape: [1, 2, 3], axis: 1, labelSmoothing: 0.1, ignoreIndex: 9 };
   * crossEntropy(new Float32Array([1, 2, 3, 0, 0, 0]), new Uint8Array([0, 9, 1]), options).count; // 2
   */
  crossEntropy<
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
   * The negative log-likelihood of class indices: loss = −w_y · logProbs_y, ∂loss/∂logProbs_c = −w_y [c = y], along
   * `axis`. PyTorch's `nll_loss`, ONNX's NegativeLogLikelihoodLoss. crossEntropy does the same from logits, and better
   * than logSoftmax before nllLoss does.
   *
   * @param logProbs - log-probabilities: an array (one row, or of the `shape` given) or a tensor
   * @param target - for each row a class in [0, C) or `ignoreIndex`: an integer array, or a tensor of the shape without
   * the axis
   * @param options - `shape`, `axis`, `dtype`, `weight`, `ignoreIndex`, `reduction`, `grad`, `gradOutput`, `emptyMean`
   * @returns loss, count of rows not ignored, and grad if it was asked for. The mean divides by Σ w_y over those rows; if
   * that is 0 it is NaN, or 0 with `emptyMean: 'zero'`.
   *
   * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_OPTION, ERR_SHAPE: a value of the wrong kind
   * @throws RangeError ERR_TARGET_RANGE (with the row), ERR_SHAPE, ERR_AXIS, ERR_OUT_OVERLAP, ERR_OPTION: a value out of
   * range
   *
   * @example
   * const logProbs = logSoftmax(new Float32Array([1, 2, 3]));
   * nllLoss(logProbs, new Int32Array([2]), { grad: true }); // { loss: 0.4076, grad: [0, 0, -1], count: 1 }
   */
  nllLoss<
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
   * Hinton's distillation loss and its gradient: α τ² KL(softmax(s·teacher / τ) ‖ softmax(s·student / τ)) +
   * (1 − α) CE(s·student, target), along `axis`. KL(t ‖ p) = Σ_c t_c log(t_c / p_c); CE is crossEntropy at temperature 1,
   * with `target`, `weight`, `ignoreIndex` and `labelSmoothing`.
   *
   * @param studentLogits - an array (one row, or of the `shape` given) or a tensor
   * @param teacherLogits - of the same shape. No gradient is taken with respect to them.
   * @param options - `temperature` (positive and finite, or one a row), `alpha`, `target`, `shape`, `axis`, `scale`,
   * `mask`, `dtype`, `weight`, `ignoreIndex`, `labelSmoothing`, `reduction`, `grad`, `gradOutput`, `emptyMean`
   * @returns loss, grad (∂loss/∂studentLogits) if it was asked for, and the count of rows whose target is not ignored.
   * The mean of the divergence is over all rows ('batchmean'), that of the cross-entropy as in crossEntropy. A part whose
   * share is 0 is left out, even if it is infinite.
   *
   * @throws what crossEntropy throws; ERR_TEMPERATURE for a temperature of 0 or Infinity; ERR_OPTION for an alpha outside
   * [0, 1], and for alpha, weight or labelSmoothing that have no effect without a target
   *
   * @example
   * const student = new Float32Array([1, 2, 3]);
   * const teacher = new Float32Array([3, 2, 1]);
   * distillationLoss(student, teacher, { temperature: 2 }).loss; // 1.2806
   * const target = new Int32Array([0]);
   * distillationLoss(student, teacher, { temperature: 2, target, alpha: 0.9 }).loss; // 1.3933
   */
  distillationLoss<
    X extends Input,
    R extends Reduction = 'mean',
    Grad extends Wanted = undefined,
    D extends DType | undefined = undefined,
  >(
    studentLogits: X,
    teacherLogits: Input,
    options?: DistillationOptions<R, Grad, D>,
  ): DistillationResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>;
}
