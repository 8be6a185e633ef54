// Where results go: a new array, or the caller's, which must fit and share no memory with what else is in use. All of
// that is checked here, before anything is made or written.

import type { DType, Elements, ElementType } from '../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf, requireLength } from '../typed-arrays.js';
import { allocate, isHalf, requireFamily } from './dtypes.js';
import { type Held, requireDistinct, requireNoOverlap, requireReach, scatter } from './layout-memory.js';
import type { RowOptions } from './rows.js';
import { formatShape, isSameShape, type Sizes } from './shapes.js';
import {
  type Input,
  inContainerOf,
  isNamedByOption,
  type Operand,
  readOperand,
  readTensor,
  requireOwnShape,
  shapeError,
} from './tensors.js';

/** The options that results are asked for with. */
export type OutputName = 'out' | 'grad' | 'logProbs' | `out.${string}`;

/** An array or tensor of the caller's for a result. */
export interface GivenOutput {
  readonly argument: OutputName;
  readonly given: unknown;
  readonly operand: Operand<ElementType>;
}

/** Reads one. A bare Uint16Array holds what the option dtype says, or else what the input holds. */
export function readOutput(
  argument: OutputName,
  given: unknown,
  input: Operand,
  dtype: DType | undefined,
): GivenOutput {
  const operand = readOperand(argument, given, isHalf(dtype) ? dtype : input.dtype, true, true);
  return { argument, given, operand };
}

/** An array or tensor of integers. */
export function readIntegers(argument: string, given: unknown): Operand<'int32'> {
  const isBare = kindOf(given) !== undefined;
  const tensor = isBare ? undefined : readTensor(argument, given, true, true);
  const data = isBare ? given : tensor?.data;
  const stated = tensor?.dtype;
  if (kindOf(data) === 'Int32Array' && (stated === undefined || stated === 'int32'))
    return { data: data as Int32Array, dtype: 'int32', tensor };
  const got = `${tensor ? 'a tensor of ' : ''}${formatValue(data ?? given)}${stated === undefined ? '' : ` and type ${formatValue(stated)}`}`;
  const message = `${argument} must be an Int32Array or a tensor of int32, got ${got}`;
  throw typeError('ERR_DTYPE', message, { argument, value: stated === undefined ? (data ?? given) : stated });
}

/** Reads one for integers. */
export const readIntegerOutput = (argument: OutputName, given: unknown): GivenOutput => ({
  argument,
  given,
  operand: readIntegers(argument, given),
});

/** Where a result goes; all that can be wrong with it has been looked at. */
export interface Destination {
  readonly argument: OutputName;
  /** What the caller gave, and the elements in it. Undefined: a new array. */
  readonly given: unknown;
  readonly operand: Operand<ElementType> | undefined;
  readonly dtype: ElementType;
  readonly elements: number;
  /** A new array comes in the container of this one, and with this shape. */
  readonly like: Operand<ElementType>;
  readonly shape: Sizes | undefined;
}

/** A new array, like the input's. */
export function newDestination(
  argument: OutputName,
  inputArgument: string,
  input: Operand,
  dtype: DType | undefined,
  elements: number,
  shape: Sizes | undefined,
): Destination {
  if (dtype !== undefined) requireFamily('dtype', dtype, inputArgument, input.dtype);
  const given = undefined;
  return { argument, given, operand: given, dtype: dtype ?? input.dtype, elements, like: input, shape };
}

/** A new array of integers, in the input's kind of container. */
export function newIntegers(
  argument: OutputName,
  input: Operand,
  elements: number,
  shape: Sizes | undefined,
): Destination {
  return { argument, given: undefined, operand: undefined, dtype: 'int32', elements, like: input, shape };
}

/** What the caller's array for a result is checked against. */
export interface OutputUse {
  /** It may be one of these, the very same elements, or share nothing with them. */
  readonly inputs: readonly Input[];
  /** Whether it may be one of the inputs at all. */
  readonly mayReplace: boolean;
  /** What it must share no memory with; undefined where an argument has none. */
  readonly others: readonly (readonly [argument: string, other: Held | undefined])[];
  readonly options: RowOptions;
  readonly elements: number;
  readonly shape: Sizes | undefined;
  /** Whose elements are counted, for a message. */
  readonly owner: string;
}

/** The caller's array. */
export function givenDestination(output: GivenOutput, use: OutputUse): Destination {
  const { argument, given, operand } = output;
  const { inputs, mayReplace, options, elements, shape } = use;
  const { dtype, mask, temperature } = options;
  requireFit(argument, operand, use);
  // The option may not say otherwise, unless it said what an input holds.
  if (
    operand.dtype !== 'int32' &&
    dtype !== undefined &&
    dtype !== operand.dtype &&
    !isNamedByOption((inputs[0] as Input).operand)
  ) {
    const message = `${argument} is ${operand.dtype}, but dtype says '${dtype}'`;
    throw typeError('ERR_DTYPE', message, { argument, value: operand.dtype });
  }
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i] as Input;
    if (operand.dtype !== 'int32')
      requireFamily(argument, operand.dtype, input.argument, input.operand.dtype);
    const mayBeSame = mayReplace && operand.dtype === input.operand.dtype;
    requireNoOverlap(argument, operand, input.argument, input.operand, mayBeSame);
  }
  for (const [name, other] of use.others) requireShareNothing(output, name, other);
  requireShareNothing(output, 'mask', mask);
  if (typeof temperature !== 'number') requireShareNothing(output, 'temperature', temperature.held);
  return { argument, given, operand, dtype: operand.dtype, elements, like: operand, shape };
}

/** An output must have no memory of an array that is none of its inputs; undefined: it has none. */
export function requireShareNothing(
  { argument, operand }: GivenOutput,
  name: string,
  other: Held | undefined,
): void {
  if (other !== undefined) requireNoOverlap(argument, operand, name, other, false);
}

/** An output must be of the result's size and, if both have one, of its shape. */
function requireFit(
  argument: string,
  output: Operand<ElementType>,
  { elements, shape, owner }: OutputUse,
): void {
  requireLength(argument, output.data, elements, owner);
  const { tensor } = output;
  if (tensor === undefined) return;
  requireOwnShape(argument, output.data, tensor);
  if (tensor.layout) {
    requireReach(argument, tensor.layout);
    requireDistinct(argument, tensor.layout);
  }
  if (shape === undefined || isSameShape(tensor.shape, shape)) return;
  throw shapeError(argument, tensor, `is not the shape ${formatShape(shape)} of the result`);
}

/** An array of the caller's. */
export type GivenDestination = Destination & { readonly operand: Operand<ElementType> };

/** The caller's array may have changed since it was checked: it must still have room for the result. */
export function requireRoom({ argument, operand, elements }: GivenDestination): void {
  if (operand.tensor?.layout) {
    requireReach(argument, operand.tensor.layout);
    return;
  }
  const length = lengthOf(argument, operand.data);
  if (length >= elements) return;
  const message = `${argument} has ${length} elements now, but the result has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

/** The memory of a result: the caller's, or new. */
export const elementsOf = ({ operand, dtype, elements, like }: Destination): Elements =>
  operand ?? allocate(dtype, elements, kindOf(like.data) === 'Uint16Array');

/** What the caller gets back for a result: what was given, with the elements in its layout, or a container of them. */
export function resultOf({ given, operand, like, shape }: Destination, elements: Elements): unknown {
  if (operand === undefined) return inContainerOf(like, elements, shape);
  if (operand.tensor?.layout) scatter(operand.data, operand.tensor.layout);
  return given;
}
