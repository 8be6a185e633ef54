// Options and an array become a plain row problem: what the kernels take.

import type { DType, ScaledRows } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { dtypeOption } from './dtypes.js';
import { type Mask, readMask, rowMaskOf } from './mask.js';
import type { DTypeOptions, MaskOptions, ScalingOptions, ShapeOptions } from './options.js';
import { axisOf, productOf, readShape, type Sizes, shownShape } from './shapes.js';
import { multiplierOf, readTemperature, requireScale, type Temperature } from './temperature.js';
import { type Operand, requireOwnShape, shapeOf } from './tensors.js';

/** The options of a function over rows, each read once. */
export interface RowOptions {
  readonly sizes: Sizes | undefined;
  readonly axis: unknown;
  readonly temperature: Temperature;
  readonly scale: number;
  readonly mask: Mask | undefined;
  readonly dtype: DType | undefined;
}

type GivenRowOptions = ShapeOptions & ScalingOptions & MaskOptions & DTypeOptions<DType | undefined>;

export function readRowOptions(fn: string, options: GivenRowOptions): RowOptions {
  const { shape, axis = -1, temperature = 1, scale = 1, mask, dtype: givenDType } = options;
  const dtype = dtypeOption(fn, givenDType);
  const readTemperatures = temperature === 1 ? 1 : readTemperature(fn, temperature, dtype);
  requireScale(fn, scale);
  return {
    sizes: shape === undefined ? undefined : readShape(fn, 'shape', 'shape', shape, false),
    axis,
    temperature: readTemperatures,
    scale,
    mask: mask === undefined ? undefined : readMask(fn, mask),
    dtype,
  };
}

/** The rows of an array, with its shape. */
export interface RowProblem extends ScaledRows {
  /** Undefined for a bare array without one. */
  readonly shape: Sizes | undefined;
  readonly axis: number;
  readonly elements: number;
  readonly rowCount: number;
}

/**
 * The rows of an input, whose length is checked here: after everything that a caller's code could run in. `others`: the
 * shape that another input has.
 */
export function rowProblem(
  fn: string,
  argument: string,
  input: Operand,
  options: RowOptions,
  hasLimit: boolean,
  others?: Sizes,
): RowProblem {
  const shape = shapeOf(fn, argument, input.tensor, options.sizes ?? others);
  const elements = requireOwnShape(fn, argument, input.data, input.tensor);
  const axis = axisOf(fn, options.axis, shape === undefined ? 1 : shape.length);
  let outer = 1;
  let length = elements;
  let inner = 1;
  if (shape !== undefined) {
    requireProduct(fn, argument, shape, elements);
    outer = productOf(shape, 0, axis);
    length = shape[axis] as number;
    inner = productOf(shape, axis + 1);
  }
  // None of one side is none, also where the other's number is beyond all numbers.
  const rowCount = outer === 0 ? 0 : inner === 0 ? 0 : outer * inner;
  const { temperature, scale } = options;
  const isOne = temperature === 1 && scale === 1;
  const multiplier = isOne
    ? 1
    : multiplierOf({ fn, dtype: input.dtype, hasLimit }, temperature, scale, rowCount);
  const mask = options.mask && rowMaskOf(fn, options.mask, { shape: shape ?? [elements], axis, rowCount });
  return { outer, length, inner, mask, multiplier, shape, axis, elements, rowCount };
}

function requireProduct(fn: string, argument: string, shape: Sizes, elements: number): void {
  const product = productOf(shape);
  if (product === elements) return;
  const message = `shape ${shownShape(shape)} has ${product} elements, but ${argument} has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { fn, argument: 'shape', value: product });
}

/** The shape of what has one element a row: without the axis. */
export function shapeWithoutAxis({ shape, axis }: RowProblem): Sizes | undefined {
  return shape?.filter((_, other) => other !== axis);
}
