// Where results go: a new array, or the caller's, which must fit and share no memory with what else is in use. All of
// that is checked before anything is made or written.

import type { DType, Elements } from '../backends/kernels.js';
import { rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf, requireLength, requireNoOverlap } from '../typed-arrays.js';
import { allocate, isHalf, requireFamily } from './dtypes.js';
import type { RowOptions } from './rows.js';
import { isSameShape, type Sizes, shownShape } from './shapes.js';
import {
  inContainerOf,
  isNamedByOption,
  type Operand,
  readOperand,
  requireOwnShape,
  shapeError,
} from './tensors.js';

/** Where a result goes; all that can be wrong with it has been looked at. */
export interface Destination {
  readonly fn: string;
  /** What an error calls it. */
  readonly argument: string;
  /** What the caller gave, and the elements in it. Undefined: a new array. */
  readonly given: unknown;
  readonly operand: Operand | undefined;
  readonly dtype: DType;
  readonly elements: number;
  /** A new array comes in the container of this one, and with this shape. */
  readonly like: Operand;
  readonly shape: Sizes | undefined;
}

/** An array or tensor to write to. A bare Uint16Array holds what the option says, or else what the input holds. */
export function readOutput(
  fn: string,
  argument: string,
  out: unknown,
  input: Operand,
  dtype: DType | undefined,
): Operand {
  return readOperand(fn, argument, out, isHalf(dtype) ? dtype : input.dtype, true);
}

/** A new array for a result of an input. */
export function newOutput(
  fn: string,
  argument: string,
  inputArgument: string,
  input: Operand,
  dtype: DType | undefined,
  elements: number,
  shape: Sizes | undefined,
): Destination {
  if (dtype !== undefined) requireFamily(fn, 'dtype', dtype, inputArgument, input.dtype);
  return {
    fn,
    argument,
    given: undefined,
    operand: undefined,
    dtype: dtype ?? input.dtype,
    elements,
    like: input,
    shape,
  };
}

/** The caller's array for a result. */
export function givenOutput(
  fn: string,
  argument: string,
  given: unknown,
  operand: Operand,
  elements: number,
  shape: Sizes | undefined,
): Destination {
  return { fn, argument, given, operand, dtype: operand.dtype, elements, like: operand, shape };
}

/** An array of the caller's. */
export type GivenDestination = Destination & { readonly operand: Operand };

/** The caller's array may have changed since it was checked: it must still have room for the result. */
export function requireRoom({ fn, argument, operand, elements }: GivenDestination): void {
  const length = lengthOf(fn, argument, operand.data);
  if (length >= elements) return;
  const message = `${argument} has ${length} elements by now, but the result has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { fn, argument, value: length });
}

/** The memory of a result: the caller's, or new. */
export const elementsOf = ({ fn, operand, dtype, elements, like }: Destination): Elements =>
  operand ?? allocate(fn, dtype, elements, kindOf(like.data) === 'Uint16Array');

/** What the caller gets back for a result: what was given, or its elements in a container. */
export const resultOf = ({ given, like, shape }: Destination, elements: Elements): unknown =>
  given ?? inContainerOf(like, elements, shape);

/** An output must be of the result's size and, if both have one, of its shape. */
export function requireFit(
  fn: string,
  argument: string,
  output: Operand,
  elements: number,
  shape: Sizes | undefined,
  of: string,
): void {
  requireLength(fn, argument, output.data, elements, of);
  const { tensor } = output;
  if (tensor?.shape === undefined) return;
  requireOwnShape(fn, argument, output.data, tensor);
  if (shape === undefined || isSameShape(tensor.shape, shape)) return;
  throw shapeError(fn, argument, tensor, `is not the shape ${shownShape(shape)} of the result`);
}

/** An output must not have part of an input's memory; all of it if the elements are the same. */
export function requireApart(
  fn: string,
  argument: string,
  output: Operand,
  inputArgument: string,
  input: Operand,
): void {
  requireFamily(fn, argument, output.dtype, inputArgument, input.dtype);
  requireNoOverlap(fn, argument, output.data, inputArgument, input.data, output.dtype === input.dtype);
}

/** An output must have no memory of a typed array that is none of its inputs' elements; undefined: it has none. */
export function requireShareNothing(
  fn: string,
  argument: string,
  output: Operand,
  otherArgument: string,
  other: unknown,
): void {
  if (other !== undefined) requireNoOverlap(fn, argument, output.data, otherArgument, other, false);
}

export function requireApartFromOptions(
  fn: string,
  argument: string,
  output: Operand,
  { temperature, mask }: RowOptions,
): void {
  if (mask !== undefined) requireShareNothing(fn, argument, output, 'mask', mask.data);
  if (typeof temperature !== 'number')
    requireShareNothing(fn, argument, output, 'temperature', temperature.data);
}

/** `out` says what the result holds; the option may not say otherwise, unless it said what an input holds. */
export function requireOutDType(
  fn: string,
  argument: string,
  out: Operand,
  dtype: DType | undefined,
  input: Operand,
): void {
  if (dtype === undefined || dtype === out.dtype || isNamedByOption(input)) return;
  const message = `${argument} is ${out.dtype}, but dtype says '${dtype}'`;
  throw typeError('ERR_DTYPE', message, { fn, argument, value: out.dtype });
}
