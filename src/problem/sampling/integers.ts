// Arrays of integers among the options of sample: tokens, indices, offsets.

import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { allocateOrThrow, kindOf } from '../../typed-arrays.js';
import { integerTypes } from '../dtypes.js';
import { classesHint } from '../hints.js';
import type { Held } from '../layout-memory.js';
import { copyNumbers } from '../number-options.js';
import { readTensor, requireOwnShape, type TensorFields } from '../tensors.js';

/** Integers as they were given. */
export interface GivenIntegers {
  readonly argument: string;
  /** Of a plain array, a private copy. */
  readonly data: ArrayLike<number | bigint>;
  readonly tensor: TensorFields | undefined;
  /** What outputs must not overlap. */
  readonly held: Held | undefined;
}

/** An array or tensor of integers. Reading it may run user code. */
export function readIntegers(argument: string, value: unknown): GivenIntegers {
  if (isArray(value)) {
    const data = copyNumbers(argument, value, 'ERR_OPTION');
    return { argument, data, tensor: undefined, held: undefined };
  }
  const kind = kindOf(value);
  const tensor = kind === undefined ? readTensor(argument, value, true) : undefined;
  const data = tensor ? tensor.data : value;
  if (integerTypes[kindOf(data) ?? ''] === undefined) {
    const message = `${argument} must be an array of integers, got ${formatValue(data)}${classesHint(argument, data)}`;
    throw typeError('ERR_OPTION', message, { argument, value: data });
  }
  return { argument, data: data as ArrayLike<number>, tensor, held: { data, tensor } };
}

/** How many there are; a tensor's must be as many as its shape says. */
export const countOf = ({ argument, data, tensor }: GivenIntegers): number =>
  requireOwnShape(argument, data, tensor ?? undefined);

/** A private copy of class indices. */
export function classIndicesOf(given: GivenIntegers, classes: number): Int32Array {
  const { argument, data } = given;
  const length = countOf(given);
  const copy = allocateOrThrow(length, () => new Int32Array(length));
  for (let index = 0; index < length; index++) {
    const value = Number(data[index]);
    if (Number.isInteger(value) && value >= 0 && value < classes) {
      copy[index] = value;
      continue;
    }
    const message = `${argument}[${index}] = ${data[index]} is outside [0, ${classes})`;
    throw rangeError('ERR_TARGET_RANGE', message, { argument, index, value: data[index] });
  }
  return copy;
}

/** A private copy of where each row's elements begin, and the last one's end. */
export function offsetsOf(given: GivenIntegers, rows: number, elements: number): Float64Array {
  const { argument, data } = given;
  const length = countOf(given);
  if (length !== rows + 1) {
    const message = `${argument} has ${length} elements, but there are ${rows} rows: one more than those`;
    throw rangeError('ERR_SHAPE', message, { argument, value: length });
  }
  const copy = allocateOrThrow(length, () => new Float64Array(length));
  for (let index = 0; index < length; index++) {
    const value = Number(data[index]);
    const least = index === 0 ? 0 : (copy[index - 1] as number);
    if (Number.isInteger(value) && value >= least && value <= elements) {
      copy[index] = value;
      continue;
    }
    const message = `${argument}[${index}] = ${data[index]} is outside [${least}, ${elements}]`;
    throw rangeError('ERR_OPTION', message, { argument, index, value: data[index] });
  }
  return copy;
}

/** The same where each row has as many. */
export function equalOffsets(argument: string, rows: number, elements: number): Float64Array {
  const each = rows === 0 ? 0 : elements / rows;
  if (!Number.isInteger(each)) {
    const message = `${argument} has ${elements} elements, not as many for each of ${rows} rows; give offsets`;
    throw rangeError('ERR_SHAPE', message, { argument, value: elements });
  }
  const offsets = allocateOrThrow(rows + 1, () => new Float64Array(rows + 1));
  for (let row = 0; row <= rows; row++) offsets[row] = row * each;
  return offsets;
}
