// Hinton's distillation loss.

import type { DType } from '../backends/kernels.js';
import type { Input } from './arrays.js';
import type { LossOf, LossOptions, LossTarget, Reduction, Wanted, WantedOf } from './loss-options.js';
import type { NoInfer } from './no-infer.js';
import type { AsyncOptions, EmptyRowOptions, MaskOptions, ScalingOptions } from './options.js';

/** Options of distillationLoss. Those of cross-entropy (weight, ignoreIndex, labelSmoothing) need a target. */
export interface DistillationOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D>,
    ScalingOptions,
    MaskOptions,
    EmptyRowOptions {
  /** Class indices or probabilities for the part that is cross-entropy. Without it there is no such part. */
  readonly target?: LossTarget | undefined;
  /** α in [0, 1]: how much of the loss is the teacher's; the rest is the target's. Default 0.5, 1 without target. */
  readonly alpha?: number | undefined;
  /** ε in [0, 1], of the part that is cross-entropy. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/** What distillationLoss returns. */
export interface DistillationResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one per row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂studentLogits; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /**
   * Rows that are not left out: whose target is not ignored, and that the mask does not empty. The mean of the
   * divergence, and that of cross-entropy with probabilities, divides by it; that with class indices by their weights.
   */
  readonly count: number;
}

/**
 * Hinton's distillation loss and its gradient: α τ² KL(softmax(s·teacher / τ) ‖ softmax(s·student / τ)) +
 * (1 − α) CE(s·student, target), along `axis`. KL(t ‖ p) = Σ_c t_c log(t_c / p_c); CE is crossEntropy at temperature 1,
 * with `target`, `weight`, `ignoreIndex` and `labelSmoothing`.
 *
 * @param studentLogits - an array (one row, or of the `shape` given) or a tensor
 * @param teacherLogits - of the same shape. No gradient is taken with respect to them.
 * @param options - `temperature` (positive and finite, or one per row), `alpha`, `target`, `shape`, `axis`, `scale`,
 * `mask`, `emptyRow`, `dtype`, `weight`, `ignoreIndex`, `labelSmoothing`, `reduction`, `grad`, `gradOutput`, `emptyMean`
 * @returns loss, grad (∂loss/∂studentLogits) if it was asked for, and the count of rows. Left out are rows whose target
 * is ignored, rows that the mask empties (as padding does, with a mask of shape [N, 1]), and with `emptyRow: 'zero'` rows
 * of nothing but −Infinity in the student or in the teacher: they have no loss and gradient 0 in either part, whatever
 * is in them, and do not count. The result is that of the other rows alone. The mean of the divergence divides by `count`
 * ('batchmean'), that of the cross-entropy over class indices by Σ w_y over those rows, over probabilities by `count`.
 * A part whose share is 0 is left out, even if it is infinite. Ignored rows are left out for `alpha: 1`, too.
 *
 * @throws what crossEntropy throws; ERR_TEMPERATURE for a temperature of 0 or Infinity; ERR_OPTION for an alpha outside
 * [0, 1], and for alpha, weight, ignoreIndex or labelSmoothing that have no effect without a target
 *
 * @example
 * const student = new Float32Array([1, 2, 3]);
 * const teacher = new Float32Array([3, 2, 1]);
 * distillationLoss(student, teacher, { temperature: 2 }).loss; // 1.2806
 * const target = new Int32Array([0]);
 * distillationLoss(student, teacher, { temperature: 2, target, alpha: 0.9 }).loss; // 1.3933
 *
 * @example
 * // Two tokens, the second of which is padding.
 * const mask = { data: new Uint8Array([1, 0]), dims: [2, 1] };
 * const student = new Float32Array([1, 2, 3, 0, 0, 0]);
 * const teacher = new Float32Array([3, 2, 1, 9, 9, 9]);
 * distillationLoss(student, teacher, { shape: [2, 3], temperature: 2, mask }); // { loss: 1.2806, count: 1 }
 */
export declare function distillationLoss<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  studentLogits: X,
  teacherLogits: Input,
  options?: DistillationOptions<R, Grad, D>,
): DistillationResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>;

/**
 * distillationLoss, away from the event loop.
 *
 * @param studentLogits - as distillationLoss takes them
 * @param teacherLogits - as distillationLoss takes them
 * @param options - those of distillationLoss, `signal`, `transfer` (of both, and of probabilities as the target; the
 * gradient is in the memory of `studentLogits` then if it is asked for by `grad: true`)
 * @returns a promise of what distillationLoss returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const student = new Float32Array([1, 2, 3]);
 * const teacher = new Float32Array([3, 2, 1]);
 * await distillationLossAsync(student, teacher, { temperature: 2 }); // { loss: 1.2806, count: 1 }
 */
export declare function distillationLossAsync<
  X extends Input,
  R extends Reduction = 'mean',
  Grad extends Wanted = undefined,
  D extends DType | undefined = undefined,
>(
  studentLogits: X,
  teacherLogits: Input,
  options?: DistillationOptions<R, Grad, D> & AsyncOptions,
): Promise<DistillationResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>>;
