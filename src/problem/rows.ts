// Options and an array become a plain row problem: what the kernels take.

import type { DType, ScaledRows } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { rawLengthOf, requireLength } from '../typed-arrays.js';
import { dtypeOption } from './dtypes.js';
import { type Mask, readMask, rowMaskOf } from './mask.js';
import { foreignNumbers, type GivenOptions, oneOf } from './options.js';
import { axisOf, formatShape, inferredShape, productOf, readShape, type Sizes } from './shapes.js';
import { multiplierOf, readTemperature, requireScale, type Temperature } from './temperature.js';
import { type Input, type Operand, requireOwnShape, shapeOf } from './tensors.js';

/** The options of a function over rows, each read once. */
export interface RowOptions {
  readonly sizes: Sizes | undefined;
  readonly axis: unknown;
  readonly temperature: Temperature;
  readonly scale: number;
  readonly mask: Mask | undefined;
  /** Rows of nothing but −Infinity are as if the mask emptied them. */
  readonly zeroesEmpty: boolean;
  readonly dtype: DType | undefined;
}

export function readRowOptions(options: Omit<GivenOptions, 'out'>): RowOptions {
  const { shape, axis, temperature, scale, mask, emptyRow, dtype: givenDType } = options;
  const dtype = dtypeOption(givenDType);
  const readTemperatures = temperature === 1 ? 1 : readTemperature(temperature, dtype);
  requireScale(scale);
  return {
    sizes: shape === undefined ? undefined : readShape('shape', 'shape', shape, { mayInfer: true }),
    axis,
    temperature: readTemperatures,
    scale,
    mask: mask === undefined ? undefined : readMask(mask),
    zeroesEmpty: oneOf('emptyRow', emptyRow, ['nan', 'zero'], foreignNumbers) === 'zero',
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
 * The rows of an input, whose length is checked here: after everything that user code could run in. `other`: an input
 * before it, which must have the same shape and length.
 */
export function rowProblem(
  argument: string,
  operand: Operand,
  options: RowOptions,
  hasLimits: boolean,
  other?: Input,
): RowProblem {
  const given = options.sizes && inferredShape(options.sizes, argument, rawLengthOf(operand.data));
  const sizes = other === undefined ? given : shapeOf(other.argument, other.operand.tensor, given);
  const shape = shapeOf(argument, operand.tensor, sizes);
  const elements = requireOwnShape(argument, operand.data, operand.tensor);
  const axis = axisOf(options.axis, shape === undefined ? 1 : shape.length);
  let outer = 1;
  let length = elements;
  let inner = 1;
  if (shape !== undefined) {
    requireProduct(argument, shape, elements);
    outer = productOf(shape, 0, axis);
    length = shape[axis] as number;
    inner = productOf(shape, axis + 1);
  }
  // 0 · Infinity is NaN: the product of the other axes may be beyond all numbers.
  const rowCount = outer === 0 || inner === 0 ? 0 : outer * inner;
  const { temperature, scale } = options;
  const isOne = temperature === 1 && scale === 1;
  const multiplier = isOne
    ? 1
    : multiplierOf({ dtype: operand.dtype, hasLimit: hasLimits }, temperature, scale, rowCount);
  const mask = options.mask && rowMaskOf(options.mask, { shape: shape ?? [elements], axis, rowCount });
  if (other !== undefined) requireLength(other.argument, other.operand.data, elements, argument);
  return { outer, length, inner, mask, multiplier, shape, axis, elements, rowCount };
}

function requireProduct(argument: string, shape: Sizes, elements: number): void {
  const product = productOf(shape);
  if (product === elements) return;
  const message = `shape ${formatShape(shape)} has ${product} elements, but ${argument} has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { argument: 'shape', value: product });
}

/** Class indices are kept in 32 bits. */
export const maximumClasses = 2 ** 31 - 1;

export function requireFewClasses(argument: string, { length }: RowProblem): void {
  if (length <= maximumClasses) return;
  const message = `there are ${length} classes; class indices go to ${maximumClasses}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

/** The shape of what has one element per row: without the axis. */
export function shapeWithoutAxis({ shape, axis }: RowProblem): Sizes | undefined {
  return shape?.filter((_, other) => other !== axis);
}
