// Shapes and axes, and the rows that they make.

import { formatValue, isArray, rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf } from '../typed-arrays.js';

export type Sizes = readonly number[];

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** NumPy and PyTorch have as many; an array of data is no shape. */
const mostAxes = 64;

/** Of the axes from `begin` on and before `end`. 0 for an empty array, however long its other axes are. */
export function productOf(sizes: Sizes, begin = 0, end = sizes.length): number {
  let product = 1;
  for (let axis = begin; axis < end; axis++) {
    if (sizes[axis] === 0) return 0;
    product *= sizes[axis] as number;
  }
  return product;
}

export function isSameShape(a: Sizes, b: Sizes): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** A shape as a message shows it. */
export const formatShape = (sizes: Sizes): string =>
  sizes.length > 8 ? `[${sizes.slice(0, 6).join(', ')}, …] of ${sizes.length} axes` : `[${sizes.join(', ')}]`;

/** Reads each size or stride once, up to one too many. Two are what most shapes have. */
function copyOf(array: ArrayLike<unknown>): unknown[] {
  const length = Math.min(array.length, mostAxes + 1);
  if (length === 2) return [array[0], array[1]];
  const copy: unknown[] = [];
  for (let i = 0; i < length; i++) copy.push(array[i]);
  return copy;
}

/** A copy of a shape or of strides, which may run user code. */
export function readSizes(argument: string, name: string, sizes: unknown): unknown[] {
  const isPlainArray = isArray(sizes);
  if (!isPlainArray && kindOf(sizes) === undefined)
    throw typeError('ERR_SHAPE', `${name} must be an array, got ${formatValue(sizes)}`, {
      argument,
      value: sizes,
    });
  if (!isPlainArray) lengthOf(name, sizes);
  const copy = copyOf(sizes as ArrayLike<unknown>);
  if (copy.length <= mostAxes) return copy;
  throw rangeError('ERR_SHAPE', `${name} has more than ${mostAxes} axes`, { argument });
}

/** What a shape may have beside non-negative integers. */
interface ShapeUse {
  /** No axes at all. */
  readonly mayBeScalar?: boolean;
  /** One −1, which stands for what the number of elements leaves. */
  readonly mayInfer?: boolean;
}

/**
 * A copy of a shape, which may run user code. `argument` is what the error blames, `name` what its message calls the
 * shape.
 */
export function readShape(argument: string, name: string, shape: unknown, use: ShapeUse): Sizes {
  const sizes = readSizes(argument, name, shape);
  if (sizes.length === 0 && !use.mayBeScalar)
    throw rangeError('ERR_SHAPE', `${name} is [], but a 0-dimensional array has no axis`, { argument });
  let unknown = 0;
  for (let index = 0; index < sizes.length; index++) {
    const value = sizes[index];
    if (isSize(value) || (value === -1 && use.mayInfer && unknown++ === 0)) continue;
    const hint = typeof value === 'bigint' ? `; make Array.from(${name}, Number)` : '';
    const problem = unknown > 1 ? 'is a second -1' : `is not a non-negative integer${hint}`;
    const message = `${name}[${index}] = ${formatValue(value)} ${problem}`;
    throw rangeError('ERR_SHAPE', message, { argument, index, value });
  }
  return sizes as number[];
}

/** A shape with what its −1 stands for, as reshape has it everywhere. `argument` has so many elements. */
export function inferredShape(sizes: Sizes, argument: string, elements: number): Sizes {
  const axis = sizes.indexOf(-1);
  if (axis < 0) return sizes;
  const others = -productOf(sizes);
  const size = elements / others;
  if (others > 0 && Number.isInteger(size)) return sizes.with(axis, size);
  const message = `shape ${formatShape(sizes)} has no size for its -1 that makes the ${elements} elements of ${argument}`;
  throw rangeError('ERR_SHAPE', message, { argument: 'shape', value: elements });
}

/** An axis counted from the first. */
export function axisOf(axis: unknown, count: number): number {
  if (Number.isInteger(axis) && (axis as number) >= -count && (axis as number) < count)
    return (axis as number) < 0 ? (axis as number) + count : (axis as number);
  if (!Number.isInteger(axis)) {
    const several = isArray(axis) ? '; for several axes give a shape in which they are one' : '';
    const message = `axis must be an integer, got ${formatValue(axis)}${several}`;
    throw typeError('ERR_AXIS', message, { argument: 'axis', value: axis });
  }
  const one = count === 1 ? '; without a shape there is one axis' : '';
  const message = `axis ${axis} is outside [${-count}, ${count})${one}`;
  throw rangeError('ERR_AXIS', message, { argument: 'axis', value: axis });
}
