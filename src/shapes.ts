// Shapes and axes, and what they come to: rows.

import { kindOf, lengthOf } from './arrays.js';
import { rangeError, shown, typeError } from './errors.js';

export type Sizes = readonly number[];

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** 0 for an empty array, however long its other axes are. */
export const productOf = (sizes: Sizes): number => (sizes.includes(0) ? 0 : sizes.reduce((a, b) => a * b, 1));

export const isSameShape = (a: Sizes, b: Sizes): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** A shape as a message shows it. */
export const shownShape = (sizes: Sizes): string => `[${sizes.join(', ')}]`;

/**
 * A copy of a shape, which may run a caller's code. `argument` is what the error blames, `name` what its message calls
 * the shape; `mayBeScalar`: no axes at all are fine.
 */
export function readShape(
  fn: string,
  argument: string,
  name: string,
  shape: unknown,
  mayBeScalar: boolean,
): Sizes {
  if (!Array.isArray(shape) && !ArrayBuffer.isView(shape))
    throw typeError('ERR_SHAPE', `${name} must be an array, got ${shown(shape)}`, {
      fn,
      argument,
      value: shape,
    });
  if (kindOf(shape) !== undefined) lengthOf(fn, name, shape);
  const sizes = Array.from(shape as ArrayLike<unknown>);
  if (sizes.length === 0 && !mayBeScalar)
    throw rangeError('ERR_SHAPE', `${name} has no axes`, { fn, argument });
  sizes.forEach((value, index) => {
    if (isSize(value)) return;
    const message = `${name}[${index}] = ${shown(value)} is no non-negative integer`;
    throw rangeError('ERR_SHAPE', message, { fn, argument, index, value });
  });
  return sizes as number[];
}

/** An axis counted from the first. */
export function axisOf(fn: string, axis: unknown, count: number): number {
  if (Number.isInteger(axis) && (axis as number) >= -count && (axis as number) < count)
    return (axis as number) < 0 ? (axis as number) + count : (axis as number);
  const message = `axis ${shown(axis)} is outside [${-count}, ${count})`;
  throw rangeError('ERR_AXIS', message, { fn, argument: 'axis', value: axis });
}
