// From logits to classes.

import type { DType } from '../backends/kernels.js';
import type { IndexOutput, IndexResult, Input } from './arrays.js';
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
