// From the losses of rows to the loss of a batch, and back.

import type { Reduction } from '../api/loss-options.js';
import type { DType, Elements, GradLoss, RowResults } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { allocate } from './dtypes.js';
import type { ReadLossOptions } from './loss-options.js';
import { type Numbers, oneOrPerRow } from './number-options.js';
import type { Sizes } from './shapes.js';
import { inContainerOf, type Operand } from './tensors.js';

/** What a mean is over. */
export interface Divisor {
  /** Rows that are not ignored. */
  readonly count: number;
  /** Their number, or the sum of their weights. */
  readonly divisor: number;
}

/** ∂result/∂loss of the rows. */
export function gradLossOf(
  { reduction, gradOutput, isZeroWhenEmpty }: ReadLossOptions,
  rowCount: number,
  { count, divisor }: Divisor,
): GradLoss {
  if (reduction === 'none')
    return typeof gradOutput === 'number' ? gradOutput : oneOrPerRow('gradOutput', gradOutput, rowCount);
  const one = typeof gradOutput === 'number' ? gradOutput : onlyOne(gradOutput, reduction);
  if (reduction === 'sum') return one;
  if (divisor !== 0) return one / divisor;
  return count === 0 || isZeroWhenEmpty ? 0 : Number.NaN;
}

function onlyOne({ values }: Numbers, reduction: Reduction): number {
  if (values.length === 1) return values[0] as number;
  const message = `gradOutput has ${values.length} elements, but reduction '${reduction}' makes one loss`;
  throw rangeError('ERR_SHAPE', message, { argument: 'gradOutput', value: values.length });
}

/** gradLoss times a factor, one for all rows or one per row. */
export function scaledGradLoss(gradLoss: GradLoss, factor: number | Float64Array): GradLoss {
  if (typeof factor === 'number')
    return typeof gradLoss === 'number' ? gradLoss * factor : gradLoss.map((g) => g * factor);
  if (typeof gradLoss === 'number') return factor.map((f) => gradLoss * f);
  return factor.map((f, row) => (gradLoss[row] as number) * f);
}

const { fround } = Math;

const rowDType = (logits: Elements) => (logits.dtype === 'float64' ? 'float64' : 'float32');

/** In float32, unless it is beyond: a mean and a sum are float64. */
export function roundedLoss(loss: number): number {
  const rounded = fround(loss);
  return rounded - rounded === 0 ? rounded : loss;
}

/** For the losses of rows, which the kernels compute in float64. */
export const newLosses = (rowCount: number): Float64Array =>
  allocate('float64', rowCount, false).data as Float64Array;

/** For one number per row. */
export function newRowResults(logits: Elements, rowCount: number): RowResults {
  return allocate(rowDType(logits), rowCount, false).data as RowResults;
}

/** Losses of `reduction: 'none'`. */
export function lossesLike(logits: Operand, losses: Float64Array, shape: Sizes | undefined): unknown {
  if (logits.dtype === 'float64') return rowResultsLike(logits, losses, shape);
  const results = newRowResults(logits, losses.length);
  for (let row = 0; row < losses.length; row++) results[row] = losses[row] as number;
  return rowResultsLike(logits, results, shape);
}

/** The losses of rows by their reduction: one number, or one per row in the container of the logits. */
export const lossByReduction = (
  logits: Operand,
  losses: Float64Array,
  options: ReadLossOptions,
  divisor: number,
  shape: Sizes | undefined,
): unknown =>
  options.reduction === 'none'
    ? lossesLike(logits, losses, shape)
    : reducedLoss(logits.dtype, losses, options, divisor);

/** One number per row, in the container of the logits. */
export function rowResultsLike(logits: Operand, data: RowResults, shape: Sizes | undefined): unknown {
  return inContainerOf(logits, { data, dtype: rowDType(logits) }, shape);
}

/**
 * The mean or sum of the rows' losses, in float64 and in the order of the rows. `dtype`: of the logits, or float64 for
 * losses that are not rounded.
 */
export function reducedLoss(
  dtype: DType,
  losses: Float64Array,
  { reduction, isZeroWhenEmpty }: ReadLossOptions,
  divisor: number,
): number {
  if (reduction === 'mean' && divisor === 0) return isZeroWhenEmpty ? 0 : Number.NaN;
  let sum = 0;
  if (dtype === 'float64') for (let row = 0; row < losses.length; row++) sum += losses[row] as number;
  else for (let row = 0; row < losses.length; row++) sum += roundedLoss(losses[row] as number);
  return reduction === 'mean' ? sum / divisor : sum;
}
