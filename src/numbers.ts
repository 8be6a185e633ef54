// Options that are numbers, one a row or one a class: private copies in float64. And single elements, of any dtype.

import { bitsOf } from './arrays.js';
import { isHalf } from './dtypes.js';
import { rangeError, type SoftmaxErrorCode, shown, typeError } from './errors.js';
import { halfFormats } from './js/half.js';
import type { DType, Elements } from './kernels.js';
import { readOperand, requireOwnShape } from './tensors.js';

export interface Numbers {
  readonly values: Float64Array;
  /** The caller's array, which outputs must not overlap; undefined if it has no memory that they could. */
  readonly data: unknown;
}

/** Reads and writes single elements. */
export interface ElementAccess {
  get(index: number): number;
  set(index: number, value: number): void;
}

export function accessTo(elements: Elements): ElementAccess {
  const { data, dtype } = elements;
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const bits = bitsOf(data);
    const { toNumber, fromNumber } = halfFormats[dtype];
    return {
      get: (index) => toNumber(bits[index] as number),
      set: (index, value) => {
        bits[index] = fromNumber(value);
      },
    };
  }
  return {
    get: (index) => data[index] as number,
    set: (index, value) => {
      data[index] = value;
    },
  };
}

/** Whether an option is an array or a tensor of numbers, or should be; else it should be one number. */
export const isNumbers = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** An array of numbers, an array of floats or a tensor of them. Reading it may run a caller's code. */
export function readNumbers(
  fn: string,
  argument: string,
  value: unknown,
  code: SoftmaxErrorCode,
  hint: DType | undefined,
): Numbers {
  if (Array.isArray(value)) return { values: copyOf(fn, argument, value, code), data: undefined };
  const operand = readOperand(fn, argument, value, hint, true);
  const length = requireOwnShape(fn, argument, operand.data, operand.tensor);
  if (!isHalf(operand.dtype)) return { values: new Float64Array(operand.data), data: operand.data };
  const values = new Float64Array(length);
  const { get } = accessTo(operand);
  for (let i = 0; i < length; i++) values[i] = get(i);
  return { values, data: operand.data };
}

function copyOf(
  fn: string,
  argument: string,
  array: readonly unknown[],
  code: SoftmaxErrorCode,
): Float64Array {
  const values = new Float64Array(array.length);
  for (let index = 0; index < values.length; index++) {
    const value = array[index];
    if (typeof value !== 'number') {
      const message = `${argument}[${index}] must be a number, got ${shown(value)}`;
      throw typeError(code, message, { fn, argument, index, value });
    }
    values[index] = value;
  }
  return values;
}

/** The one number that stands for all rows, if there is no more than one; else there must be one for each of them. */
export function oneOrPerRow(
  fn: string,
  argument: string,
  { values }: Numbers,
  rows: number,
): number | Float64Array {
  const { length } = values;
  if (length === 1) return values[0] as number;
  if (length === rows) return values;
  const message = `${argument} has ${length} elements, but there ${rows === 1 ? 'is 1 row' : `are ${rows} rows`}`;
  throw rangeError('ERR_SHAPE', message, { fn, argument, value: length });
}
