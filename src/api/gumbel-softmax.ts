// Gumbel-softmax.

import type { DType } from '../backends/kernels.js';
import type { Input, Output, Result } from './arrays.js';
import type { ForwardOptions } from './forward.js';
import type { NoInfer } from './no-infer.js';
import type { AsyncOptions } from './options.js';
import type { Seeds } from './sample.js';

/** Options of gumbelSoftmax. */
export interface GumbelSoftmaxOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ForwardOptions<Out, D> {
  /** true: rows are one-hot, 1 at the largest. Default false. */
  readonly hard?: boolean | undefined;
  /**
   * The same seed, step and logits give the same result on every machine. An integer of up to 64 bits for all rows, or one
   * per row: what a row gives does not depend on others then. Default: a fresh one.
   */
  readonly seed?: Seeds | undefined;
  /** Which of the steps with that seed this is: an integer of at least 0, or one per row. Default 0. */
  readonly step?: Seeds | undefined;
}

/**
 * Gumbel-softmax: softmax((s·x + g) / τ) along `axis`, with s = `scale`, τ = `temperature` and Gumbel noise
 * g = −log(−log u); the largest of a row is a draw by softmax(s·x) (Jang, Gu and Poole, 2017; PyTorch's gumbel_softmax).
 * u is that of `sample`, the class in the place of the draw's number: Philox4x32-10 with key `seed` and counter (class,
 * step, row), the row being 0 where each has its own seed.
 *
 * @param x - logits: an array (one row, or of the `shape` given) or a tensor
 * @param options - `hard`, `seed`, `step`, and those of softmax
 * @returns probabilities in x's shape and container, or `out`; with `hard` one-hot rows. Rows without a distribution, the
 * mask and temperatures 0 and Infinity are those of softmax.
 *
 * @throws what softmax throws; TypeError, RangeError ERR_OPTION, ERR_SHAPE for hard, seed and step
 *
 * @example
 * gumbelSoftmax(new Float32Array([1, 2, 3]), { seed: 1, temperature: 0.5 }); // [0.4975, 0.3144, 0.1881]
 * gumbelSoftmax(new Float32Array([1, 2, 3]), { seed: 1, hard: true }); // [1, 0, 0]
 */
export declare function gumbelSoftmax<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: GumbelSoftmaxOptions<Out, D>): Result<X, NoInfer<Out>, NoInfer<D>>;

/**
 * gumbelSoftmax, away from the event loop.
 *
 * @param x - as gumbelSoftmax takes it
 * @param options - those of gumbelSoftmax, `signal`, `transfer` (of `x`, in whose memory the result is then)
 * @returns a promise of what gumbelSoftmax returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * await gumbelSoftmaxAsync(new Float32Array([1, 2, 3]), { seed: 1, hard: true }); // [1, 0, 0]
 */
export declare function gumbelSoftmaxAsync<
  X extends Input,
  Out extends Output | undefined = undefined,
  D extends DType | undefined = undefined,
>(x: X, options?: GumbelSoftmaxOptions<Out, D> & AsyncOptions): Promise<Result<X, NoInfer<Out>, NoInfer<D>>>;
