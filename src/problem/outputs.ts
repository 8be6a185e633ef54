// Where results go: a new array, or the caller's, which must fit and share no memory with what else is in use. All of
// that is checked here, before anything is made or written.

import type { DType, Elements } from '../backends/kernels.js';
import { rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf, requireLength, requireNoOverlap } from '../typed-arrays.js';
import { allocate, isHalf, requireFamily } from './dtypes.js';
import type { RowOptions } from './rows.js';
import { formatShape, isSameShape, type Sizes } from './shapes.js';
import {
  type Input,
  inContainerOf,
  isNamedByOption,
  type Operand,
  readOperand,
  requireOwnShape,
  shapeError,
} from './tensors.js';

/** The options that results are asked for with. */
export type OutputName = 'out' | 'grad' | 'logProbs';

/** A result as it was asked for. */
export interface WantedOutput {
  readonly argument: OutputName;
  readonly given: unknown;
  /** What to write to; undefined: a new array. */
  readonly operand: Operand | undefined;
}

/** An array or tensor to write to. A bare Uint16Array holds what the option says, or else what the input holds. */
export function readOutput(
  argument: OutputName,
  given: unknown,
  input: Operand,
  dtype: DType | undefined,
): WantedOutput {
  if (given === undefined) return { argument, given, operand: undefined };
  const operand = readOperand(argument, given, isHalf(dtype) ? dtype : input.dtype, true);
  return { argument, given, operand };
}

/** Where a result goes; all that can be wrong with it has been looked at. */
export interface Destination extends WantedOutput {
  readonly dtype: DType;
  readonly elements: number;
  /** A new array comes in the container of this one, and with this shape. */
  readonly like: Operand;
  readonly shape: Sizes | undefined;
}

/** What an output is checked against. */
export interface OutputUse {
  /** It may be one of these, the very same elements, or share nothing with them. New ones are like the first. */
  readonly inputs: readonly Input[];
  /** Whether it may be one of the inputs at all. */
  readonly mayReplace: boolean;
  /** Memory that it must share nothing with; undefined where an argument has none. */
  readonly others: readonly (readonly [argument: string, data: unknown])[];
  readonly options: RowOptions;
  readonly elements: number;
  readonly shape: Sizes | undefined;
  /** Whose elements are counted, for a message: "the result has". */
  readonly subject: string;
}

export function destinationOf({ argument, given, operand }: WantedOutput, use: OutputUse): Destination {
  const { elements, shape, inputs, options } = use;
  const first = inputs[0] as Input;
  const { dtype } = options;
  if (operand === undefined) {
    if (dtype !== undefined) requireFamily('dtype', dtype, first.argument, first.operand.dtype);
    const like = first.operand;
    return { argument, given, operand, dtype: dtype ?? like.dtype, elements, like, shape };
  }
  requireFit(argument, operand, use);
  // The option may not say otherwise, unless it said what an input holds.
  if (dtype !== undefined && dtype !== operand.dtype && !isNamedByOption(first.operand)) {
    const message = `${argument} is ${operand.dtype}, but dtype says '${dtype}'`;
    throw typeError('ERR_DTYPE', message, { argument, value: operand.dtype });
  }
  for (const input of inputs) {
    requireFamily(argument, operand.dtype, input.argument, input.operand.dtype);
    const mayBeSame = use.mayReplace && operand.dtype === input.operand.dtype;
    requireNoOverlap(argument, operand.data, input.argument, input.operand.data, mayBeSame);
  }
  requireShareNothing(argument, operand, use.others);
  const { mask, temperature } = options;
  requireShareNothing(argument, operand, [
    ['mask', mask?.data],
    ['temperature', typeof temperature === 'number' ? undefined : temperature.data],
  ]);
  return { argument, given, operand, dtype: operand.dtype, elements, like: operand, shape };
}

/** An output must be of the result's size and, if both have one, of its shape. */
function requireFit(argument: string, output: Operand, { elements, shape, subject }: OutputUse): void {
  requireLength(argument, output.data, elements, subject);
  const { tensor } = output;
  if (tensor === undefined) return;
  requireOwnShape(argument, output.data, tensor);
  if (shape === undefined || isSameShape(tensor.shape, shape)) return;
  throw shapeError(argument, tensor, `is not the shape ${formatShape(shape)} of the result`);
}

/** An output must have no memory of arrays that are none of its inputs. */
export function requireShareNothing(argument: string, output: Operand, others: OutputUse['others']): void {
  for (const [other, data] of others)
    if (data !== undefined) requireNoOverlap(argument, output.data, other, data, false);
}

/** An array of the caller's. */
export type GivenDestination = Destination & { readonly operand: Operand };

/** The caller's array may have changed since it was checked: it must still have room for the result. */
export function requireRoom({ argument, operand, elements }: GivenDestination): void {
  const length = lengthOf(argument, operand.data);
  if (length >= elements) return;
  const message = `${argument} has ${length} elements by now, but the result has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

/** The memory of a result: the caller's, or new. */
export const elementsOf = ({ operand, dtype, elements, like }: Destination): Elements =>
  operand ?? allocate(dtype, elements, kindOf(like.data) === 'Uint16Array');

/** What the caller gets back for a result: what was given, or its elements in a container. */
export const resultOf = ({ given, like, shape }: Destination, elements: Elements): unknown =>
  given ?? inContainerOf(like, elements, shape);
