// The targets of losses. Class indices become a private Int32Array: what is checked here is what the kernels
// use, even if the caller's array lies in shared memory and changes meanwhile.

import type { DType } from '../backends/kernels.js';
import { formatValue, isArray, rangeError, typeError } from '../errors.js';
import { allocateOrThrow, kindOf, rawLengthOf, subjectOf } from '../typed-arrays.js';
import { dtypeOfArray, integerTypes, isHalf, requireFamily } from './dtypes.js';
import { polyfilledBits } from './half-arrays.js';
import { classesHint, floatLabels, rowsHint } from './hints.js';
import { copyNumbers } from './number-options.js';
import { type RowProblem, requireFewClasses, shapeWithoutAxis } from './rows.js';
import { formatShape, isSameShape } from './shapes.js';
import {
  type Input,
  type Operand,
  operandOf,
  readTensor,
  requireOwnShape,
  shapeError,
  type TensorFields,
} from './tensors.js';

/** A target as it was given. */
export interface GivenTarget {
  /** Of a plain array, a private copy. */
  readonly data: unknown;
  readonly tensor: TensorFields | undefined;
  /** Floats; undefined for integers. */
  readonly probabilities: Operand | undefined;
  readonly mayBeProbabilities: boolean;
  /** What a Uint16Array holds that has the logits' shape, where the option dtype says so. */
  readonly bits?: DType | undefined;
}

/** A target that fits the logits. */
export interface Target {
  /** A class in [0, length), or −1 for a row to ignore; or probabilities. */
  readonly target: Int32Array | Operand;
  /** Rows that are not ignored. */
  readonly count: number;
  /** What the mean divides by. */
  readonly divisor: number;
}

/** The input that a target is, if it is probabilities. */
export const probabilitiesOf = ({ target }: Target): Input[] =>
  target instanceof Int32Array ? [] : [{ argument: 'target', operand: target }];

/** `argument`: its name. */
export function readTarget(
  target: unknown,
  mayBeProbabilities: boolean,
  argument = 'target',
  dtype?: DType,
): GivenTarget {
  if (isArray(target))
    return {
      data: integersOf(argument, target, mayBeProbabilities),
      tensor: undefined,
      probabilities: undefined,
      mayBeProbabilities,
    };
  const kind = kindOf(target);
  const tensor = kind === undefined ? readTensor(argument, target, true) : undefined;
  const bits = tensor || !mayBeProbabilities ? undefined : polyfilledBits('target', target);
  if (bits !== undefined) {
    const probabilities: Operand = { data: bits, dtype: 'float16', tensor: undefined };
    return { data: bits, tensor: undefined, probabilities, mayBeProbabilities };
  }
  const data = tensor === undefined ? target : tensor.data;
  const stated = tensor?.dtype;
  const dataKind = kindOf(data);
  const type = integerTypes[dataKind ?? ''];
  if (type !== undefined && !isHalf(stated)) {
    if (stated === undefined || stated === type || (type === 'uint8' && stated === 'bool')) {
      const bits = type === 'uint16' && stated === undefined && isHalf(dtype) ? dtype : undefined;
      return { data, tensor, probabilities: undefined, mayBeProbabilities, bits };
    }
    const message = `${argument}'s type ${formatValue(stated)} does not fit its data, ${dataKind}, whose type is '${type}'`;
    throw typeError('ERR_DTYPE', message, { argument, value: stated });
  }
  if (mayBeProbabilities && (type !== undefined || dataKind?.startsWith('Float'))) {
    const dtype = tensor ? undefined : dtypeOfArray('target', data, undefined, undefined);
    const bare = dtype && { data: data as Float32Array, dtype, tensor };
    const probabilities = tensor ? operandOf('target', tensor, undefined) : bare;
    if (probabilities) return { data, tensor, probabilities, mayBeProbabilities };
  }
  const name = tensor ? `${argument}.data` : argument;
  const wanted = `${tensor ? 'a typed array of integers' : 'an integer array'}${mayBeProbabilities ? ' or probabilities' : ''}`;
  const message = `${name} must be ${wanted}, got ${formatValue(data)}${classesHint(name, data)}`;
  throw typeError('ERR_DTYPE', message, { argument, value: data });
}

/** A plain array of class indices. */
function integersOf(argument: string, target: readonly unknown[], mayBeProbabilities: boolean): Float64Array {
  const integers = copyNumbers(argument, target, 'ERR_DTYPE');
  const index = integers.findIndex((value) => !Number.isInteger(value));
  if (index < 0) return integers;
  const value = integers[index];
  const hint = mayBeProbabilities ? '; float targets, which are probabilities, need a typed array' : '';
  const message = `${argument}[${index}] = ${value} is not an integer${hint}`;
  throw typeError('ERR_DTYPE', message, { argument, index, value });
}

/** Integers of the logits' shape, such as one-hot rows, or bits, as probabilities; undefined if they are class indices. */
function oneHotOf(
  { data, tensor, bits }: GivenTarget,
  { shape, elements, rowCount }: RowProblem,
  { dtype }: Operand,
): Operand | undefined {
  const length = rawLengthOf(data);
  const isOneHot =
    tensor && shape ? isSameShape(tensor.shape, shape) : length === elements && length !== rowCount;
  if (!isOneHot || length !== elements || elements === 0) return undefined;
  if (bits !== undefined) return { data: data as Uint16Array, dtype: bits, tensor };
  const isDouble = dtype === 'float64';
  const integers = data as ArrayLike<number | bigint>;
  const copy = allocateOrThrow(length, () =>
    isDouble ? new Float64Array(length) : new Float32Array(length),
  );
  for (let i = 0; i < length; i++) copy[i] = Number(integers[i]);
  return { data: copy, dtype: isDouble ? 'float64' : 'float32', tensor };
}

/** What a target may have been meant for that has another number of elements, or another shape, than it should. */
function targetHint(probabilities: Operand | undefined, rows: RowProblem, length: number): string {
  const { shape, elements, rowCount } = rows;
  if (probabilities === undefined) return length === rowCount ? '' : rowsHint(rows, length);
  const areLabels = length === rowCount || (shape === undefined && length > 0 && elements % length === 0);
  return areLabels ? `; ${floatLabels}` : '';
}

/** Checks a target against the logits. */
export function targetOf(
  given: GivenTarget,
  { argument, operand: logits }: Input,
  rows: RowProblem,
  ignoreIndex: number | undefined,
  weight: Float64Array | Float32Array | undefined,
): Target {
  const { rowCount } = rows;
  const { data, tensor, mayBeProbabilities } = given;
  const probabilities =
    given.probabilities ?? (mayBeProbabilities ? oneHotOf(given, rows, logits) : undefined);
  const wantedShape = probabilities ? rows.shape : shapeWithoutAxis(rows);
  const length = requireOwnShape('target', data, tensor);
  if (tensor && wantedShape && !isSameShape(tensor.shape, wantedShape)) {
    const classes = probabilities ? '' : ` with the classes on axis ${rows.axis}`;
    const problem = `is not the shape ${formatShape(wantedShape)} that it should have${classes}${targetHint(probabilities, rows, length)}`;
    throw shapeError('target', tensor, problem);
  }
  if (probabilities) {
    if (length !== rows.elements)
      throw lengthError(length, argument, `${rows.elements}${targetHint(probabilities, rows, length)}`);
    requireFamily('target', probabilities.dtype, argument, logits.dtype);
    // As in PyTorch, a negative one could never be meant and is no mistake.
    if (ignoreIndex !== undefined && ignoreIndex >= 0) {
      const message = 'ignoreIndex cannot be used with probabilities as the target';
      throw rangeError('ERR_OPTION', message, { argument: 'ignoreIndex', value: ignoreIndex });
    }
    return { target: probabilities, count: rowCount, divisor: rowCount };
  }
  if (length !== rowCount) {
    throw lengthError(
      length,
      argument,
      `${rowCount} ${rowCount === 1 ? 'row' : 'rows'}${targetHint(undefined, rows, length)}`,
    );
  }
  return classesOf(data as ArrayLike<number | bigint>, rows, ignoreIndex ?? defaultIgnoreIndex, weight);
}

function lengthError(length: number, argument: string, wanted: string): RangeError {
  const message = `target has ${length} elements, but ${subjectOf(argument)} ${wanted}`;
  return rangeError('ERR_SHAPE', message, { argument: 'target', value: length });
}

/** Of ignoreIndex, as in PyTorch. */
export const defaultIgnoreIndex = -100;

function classesOf(
  target: ArrayLike<number | bigint>,
  rows: RowProblem,
  ignoreIndex: number,
  weight: Float64Array | Float32Array | undefined,
): Target {
  requireFewClasses('target', rows);
  const { rowCount, length } = rows;
  const classes = allocateOrThrow(rowCount, () => new Int32Array(rowCount));
  let count = 0;
  let weights = 0;
  for (let row = 0; row < rowCount; row++) {
    const given = target[row] as number | bigint;
    const value = Number(given);
    if (value === ignoreIndex) {
      classes[row] = -1;
    } else if (value >= 0 && value < length) {
      classes[row] = value;
      count++;
      if (weight) weights += weight[value] as number;
    } else {
      const message = `target[${row}] = ${given} is outside [0, ${length})`;
      throw rangeError('ERR_TARGET_RANGE', message, {
        argument: 'target',
        row,
        index: row,
        value: given,
      });
    }
  }
  return { target: classes, count, divisor: weight ? weights : count };
}
