import type { AsyncOptions } from '../async/run.js';
import type { DType } from '../backends/kernels.js';
import type { BackwardOptions, JacobianOptions } from '../operations/backward.js';
import type { CrossEntropyResult } from '../operations/cross-entropy.js';
import type { CrossEntropyOptions } from '../operations/cross-entropy-options.js';
import type { DistillationOptions, DistillationResult } from '../operations/distillation-loss.js';
import type { ForwardOptions } from '../operations/forward.js';
import type { LossTarget, Reduction, Wanted } from '../operations/losses.js';
import type { NllLossOptions, NllLossResult } from '../operations/nll-loss.js';
import type { IndexTarget, Input, Output, Result } from './arrays.js';

/**
 * The functions again, each with a promise of its result: the same bits, the same options, the same errors (with the name
 * of the synchronous function as `fn`), as rejections. Nothing is ever thrown. The event loop goes on meanwhile, and so
 * may the caller, with whatever it likes:
 *
 * - Everything is checked, and every input copied, before the call returns; inputs may be overwritten, transferred or
 *   resized at once. With `transfer: true` they are not copied: their buffers are detached before the call returns, and
 *   the result of the first input's size and type is in its memory. An input in a SharedArrayBuffer is neither copied nor
 *   detached, but read later: what other threads write there meanwhile shows in the result, if the call is not so small
 *   that it is computed at once. Targets, weights, temperatures and masks are always copied.
 * - `out` and other arrays for results are written in one go when all is computed, if they are still there and long
 *   enough; else the promise is rejected with ERR_DETACHED or ERR_SHAPE, and nothing is written.
 * - With `signal`, an AbortSignal, the promise is rejected with the signal's reason as soon as it is aborted, at once if
 *   it is already: then nothing is copied or detached. What was transferred before an abort is gone, as it is where there
 *   turns out to be no memory for a result.
 *
 * Small calls are computed at once: that takes less time than to begin a job. Native code computes in threads of its own
 * (setThreads), JavaScript in slices of a millisecond between turns of the event loop, but never part of a row.
 */
export interface AsyncApi {
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
  softmaxAsync<
    X extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

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
  logSoftmaxAsync<
    X extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

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
  logSumExpAsync<
    X extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(x: X, options?: ForwardOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

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
  softmaxBackwardAsync<
    G extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(
    gradOutput: G,
    output: Input,
    options?: BackwardOptions<Out, D> & AsyncOptions,
  ): Promise<Result<G, NoInfer<Out>, NoInfer<D>>>;

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
  logSoftmaxBackwardAsync<
    G extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(
    gradOutput: G,
    output: Input,
    options?: BackwardOptions<Out, D> & AsyncOptions,
  ): Promise<Result<G, NoInfer<Out>, NoInfer<D>>>;

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
  softmaxJacobianAsync<
    X extends Input,
    Out extends Output | undefined = undefined,
    D extends DType | undefined = undefined,
  >(
    output: X,
    options?: JacobianOptions<Out, D> & AsyncOptions,
  ): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;

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
  crossEntropyAsync<
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

  /**
   * nllLoss, in slices between turns of the event loop, on every backend: it reads one element a row. Without `grad` that
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
  nllLossAsync<
    X extends Input,
    R extends Reduction = 'mean',
    Grad extends Wanted = undefined,
    D extends DType | undefined = undefined,
  >(
    logProbs: X,
    target: IndexTarget,
    options?: NllLossOptions<R, Grad, D> & AsyncOptions,
  ): Promise<NllLossResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>>;

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
  distillationLossAsync<
    X extends Input,
    R extends Reduction = 'mean',
    Grad extends Wanted = undefined,
    D extends DType | undefined = undefined,
  >(
    studentLogits: X,
    teacherLogits: Input,
    options?: DistillationOptions<R, Grad, D> & AsyncOptions,
  ): Promise<DistillationResult<X, NoInfer<R>, NoInfer<Grad>, NoInfer<D>>>;
}
