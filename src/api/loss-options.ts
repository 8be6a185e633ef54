// Options that several losses share.

import type { DType } from '../backends/kernels.js';
import type { Converted, IndexTarget, Input, Like, NumberArray, Output, RowArray } from './arrays.js';
import type { DTypeOptions, ShapeOptions } from './options.js';

/** How the losses of a batch become one: their mean over the rows kept, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** An output that is asked for. true: a new array; an array or tensor: there. */
export type Wanted = boolean | Output | undefined;

/** Class indices, one per row; or probabilities of the logits' shape. */
export type LossTarget = IndexTarget | Input;

/** Options of every loss. */
export interface LossOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    DTypeOptions<D> {
  /** Default 'mean'. */
  readonly reduction?: R | undefined;
  /**
   * One per class, finite: what the loss at that class is multiplied by. The mean over class indices divides by the sum
   * of the targets' weights. Default 1.
   */
  readonly weight?: NumberArray | undefined;
  /** Rows with this target have no loss and no gradient, and do not count in the mean. Default −100. */
  readonly ignoreIndex?: number | undefined;
  /** true: a new array for the gradient; an array: the gradient goes there, over the input if it is that. */
  readonly grad?: Grad | undefined;
  /** What the gradient is multiplied by: ∂L/∂loss. One number, or for reduction 'none' one per row. Default 1. */
  readonly gradOutput?: number | NumberArray | undefined;
  /** The mean over no rows, or over weights that sum to 0: NaN as in PyTorch, or 0. Default 'nan'. */
  readonly emptyMean?: 'nan' | 'zero' | undefined;
}

/**
 * The loss by its reduction: one number (summed in float64 from the rows' losses), or one per row for 'none'. A number
 * may be beyond float32, where 'none' of float32 logits has Infinity.
 */
export type LossOf<X extends Input, R extends Reduction> = R extends 'none' ? RowArray<X> : number;

/** What was asked for with `grad` or `logProbs`; undefined, and not there, if it was not. */
export type WantedOf<X extends Input, W extends Wanted, D extends DType | undefined> = W extends true
  ? D extends DType
    ? Converted<X, D>
    : Like<X>
  : W extends Output
    ? W
    : undefined;
