// What the losses share: their types and options.

import type { Converted, IndexTarget, Input, Like, NumberArray, Output, RowArray } from '../api/arrays.js';
import type { DType } from '../backends/kernels.js';
import { rangeError, shown, typeError } from '../errors.js';
import { isNumbers, type Numbers, readNumbers } from '../problem/number-options.js';
import { type DTypeOptions, oneOf, type ShapeOptions } from '../problem/options.js';

/** How the losses of a batch become one: their mean over the rows kept, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** An output that is asked for. true: a new array; an array or tensor: there. */
export type Wanted = boolean | Output | undefined;

/** Class indices, one a row; or probabilities of the logits' shape. */
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
   * One a class, finite: what the loss at that class is multiplied by. The mean over class indices divides by the sum
   * of the targets' weights. Default 1.
   */
  readonly weight?: NumberArray | undefined;
  /** Rows with this target have no loss and no gradient, and do not count in the mean. Default −100. */
  readonly ignoreIndex?: number | undefined;
  /** true: a new array for the gradient; an array: the gradient goes there, over the input if it is that. */
  readonly grad?: Grad | undefined;
  /** What the gradient is multiplied by: ∂L/∂loss. One number, or for reduction 'none' one a row. Default 1. */
  readonly gradOutput?: number | NumberArray | undefined;
  /** The mean over no rows, or over weights that sum to 0: NaN as in PyTorch, or 0. Default 'nan'. */
  readonly emptyMean?: 'nan' | 'zero' | undefined;
}

/** The loss by its reduction: one number (summed in float64 from the rows' losses), or one a row for 'none'. */
export type LossOf<X extends Input, R extends Reduction> = R extends 'none' ? RowArray<X> : number;

/** What was asked for with `grad` or `logProbs`; undefined, and not there, if it was not. */
export type WantedOf<X extends Input, W extends Wanted, D extends DType | undefined> = W extends true
  ? D extends DType
    ? Converted<X, D>
    : Like<X>
  : W extends Output
    ? W
    : undefined;

/** The options of a loss, each read once. */
export interface ReadLossOptions {
  readonly reduction: Reduction;
  readonly isZeroWhenEmpty: boolean;
  readonly gradOutput: number | Numbers;
  readonly weight: Numbers | undefined;
  readonly ignoreIndex: number | undefined;
}

export function readLossOptions(fn: string, options: LossOptions, dtype: DType | undefined): ReadLossOptions {
  const { reduction, emptyMean, gradOutput = 1, weight, ignoreIndex } = options;
  return {
    reduction: oneOf(fn, 'reduction', reduction, ['mean', 'sum', 'none']),
    isZeroWhenEmpty: oneOf(fn, 'emptyMean', emptyMean, ['nan', 'zero']) === 'zero',
    gradOutput: readGradOutput(fn, gradOutput, dtype),
    weight: weight === undefined ? undefined : readWeight(fn, weight, dtype),
    ignoreIndex: readIgnoreIndex(fn, ignoreIndex),
  };
}

function readIgnoreIndex(fn: string, ignoreIndex: unknown): number | undefined {
  if (ignoreIndex === undefined || Number.isSafeInteger(ignoreIndex))
    return ignoreIndex as number | undefined;
  const message = `ignoreIndex must be an integer, got ${shown(ignoreIndex)}`;
  throw typeError('ERR_OPTION', message, { fn, argument: 'ignoreIndex', value: ignoreIndex });
}

function readGradOutput(fn: string, gradOutput: unknown, dtype: DType | undefined): number | Numbers {
  if (typeof gradOutput === 'number') return gradOutput;
  if (isNumbers(gradOutput)) return readNumbers(fn, 'gradOutput', gradOutput, 'ERR_OPTION', dtype);
  const message = `gradOutput must be a number or one a row, got ${shown(gradOutput)}`;
  throw typeError('ERR_OPTION', message, { fn, argument: 'gradOutput', value: gradOutput });
}

function readWeight(fn: string, weight: unknown, dtype: DType | undefined): Numbers {
  if (isNumbers(weight)) return readNumbers(fn, 'weight', weight, 'ERR_OPTION', dtype);
  const message = `weight must be numbers, one a class, got ${shown(weight)}`;
  throw typeError('ERR_OPTION', message, { fn, argument: 'weight', value: weight });
}

/** A number in [0, 1]. */
export function readFraction(
  fn: string,
  argument: 'labelSmoothing' | 'alpha',
  value: unknown,
  code: 'ERR_LABEL_SMOOTHING' | 'ERR_OPTION',
): number {
  if (typeof value !== 'number')
    throw typeError(code, `${argument} must be a number, got ${shown(value)}`, { fn, argument, value });
  if (value >= 0 && value <= 1) return value;
  throw rangeError(code, `${argument} ${shown(value)} is outside [0, 1]`, { fn, argument, value });
}

/** The weights of `classCount` classes. */
export function weightsOf(
  fn: string,
  weight: Numbers | undefined,
  classCount: number,
): Float64Array | undefined {
  if (weight === undefined) return undefined;
  const { values } = weight;
  if (values.length !== classCount) {
    const message = `weight has ${values.length} elements, but there are ${classCount} classes`;
    throw rangeError('ERR_SHAPE', message, { fn, argument: 'weight', value: values.length });
  }
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return values;
  const message = `weight[${index}] = ${values[index]} is not finite`;
  throw rangeError('ERR_OPTION', message, { fn, argument: 'weight', index, value: values[index] });
}
