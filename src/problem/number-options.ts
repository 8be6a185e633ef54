// Options that are numbers, one per row or one per class: private copies in float64. Weights may be as many as a vocabulary
// has tokens, where a loss of few rows looks at few of them.

import { ElementMemory } from '../backends/element-memory.js';
import type { DType, Elements, Kernels } from '../backends/kernels.js';
import { formatValue, isArray, rangeError, type SoftmaxErrorCode, typeError } from '../errors.js';
import {
  allocateOrThrow,
  bufferOf,
  byteOffsetOf,
  copyElements,
  isShared,
  lengthOf,
  partOf,
} from '../typed-arrays.js';
import { unfilledMemory } from '../unfilled-memory.js';
import { isHalf } from './dtypes.js';
import { classCountHint } from './hints.js';
import type { Held } from './layout-memory.js';
import type { RowProblem } from './rows.js';
import { readOperand, requireOwnShape } from './tensors.js';

export interface Numbers {
  readonly values: Float64Array;
  /** What outputs must not overlap; undefined if it has no memory that they could. */
  readonly held: Held | undefined;
}

/** Whether an option is an array or a tensor of numbers, or should be; else it should be one number. */
export const isNumbers = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** An array of numbers, an array of floats or a tensor of them. Reading it may run user code (getters, proxies). */
export function readNumbers(
  argument: string,
  value: unknown,
  code: SoftmaxErrorCode,
  hint: DType | undefined,
): Numbers {
  if (isArray(value)) return { values: copyNumbers(argument, value, code), held: undefined };
  const operand = readOperand(argument, value, hint, true);
  const length = requireOwnShape(argument, operand.data, operand.tensor);
  return { values: doublesOf(operand, length), held: operand };
}

/** Memory for so many numbers, with anything in it. */
function newDoubles(length: number): Float64Array {
  const memory = unfilledMemory(length * Float64Array.BYTES_PER_ELEMENT);
  return memory ? new Float64Array(memory) : allocateOrThrow(length, () => new Float64Array(length));
}

/** A private copy of floats. */
function doublesOf(operand: Elements<DType>, length: number): Float64Array {
  const values = newDoubles(length);
  if (!isHalf(operand.dtype)) {
    // Several times as fast as the constructor, which looks at every number.
    copyElements(operand.data, values);
    return values;
  }
  const elements = new ElementMemory(operand);
  for (let i = 0; i < length; i++) values[i] = elements.get(i);
  return values;
}

function elementHint(argument: string, value: unknown): string {
  if (typeof value === 'bigint') return `; make ${argument}.map(Number)`;
  return isArray(value) ? `; make ${argument}.flat(Infinity)` : '';
}

/** A plain array of numbers as a private copy. Memory is taken as numbers come: a length alone may be anything. */
export function copyNumbers(
  argument: string,
  array: readonly unknown[],
  code: SoftmaxErrorCode,
): Float64Array {
  const { length } = array;
  let copy = newDoubles(Math.min(length, 1024));
  for (let index = 0; index < length; index++) {
    const value = array[index];
    if (typeof value !== 'number') {
      const message = `${argument}[${index}] must be a number, got ${formatValue(value)}${elementHint(argument, value)}`;
      throw typeError(code, message, { argument, index, value });
    }
    if (index === copy.length) {
      const larger = newDoubles(Math.min(length, 2 * index));
      larger.set(copy);
      copy = larger;
    }
    copy[index] = value;
  }
  return copy;
}

/** The one number that stands for all rows, if there is no more than one; else there must be one for each of them. */
export function oneOrPerRow(argument: string, { values }: Numbers, rows: number): number | Float64Array {
  const { length } = values;
  if (length === 1) return values[0] as number;
  if (length === rows) return values;
  const message = `${argument} has ${length} elements, but there ${rows === 1 ? 'is 1 row; give shape if there are several' : `are ${rows} rows`}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

/** Weights of classes as they were given: many in float32 or float64, of memory that no other thread has, where they are; else a private copy. */
export interface GivenWeight {
  readonly values: Float64Array | Float32Array;
  /** Whether that is where the caller has them. */
  readonly isInPlace: boolean;
  /** What outputs must not overlap; undefined if it has no memory that they could. */
  readonly held: Held | undefined;
}

/** Fewer are copied sooner than they are looked at twice. */
const fewestInPlace = 4096;

export function readWeight(weight: unknown, dtype: DType | undefined): GivenWeight {
  if (!isNumbers(weight)) {
    const message = `weight must be numbers, one per class, got ${formatValue(weight)}`;
    throw typeError('ERR_OPTION', message, { argument: 'weight', value: weight });
  }
  if (isArray(weight)) {
    const values = copyNumbers('weight', weight, 'ERR_OPTION');
    return { values, isInPlace: false, held: undefined };
  }
  const operand = readOperand('weight', weight, dtype, true);
  const length = requireOwnShape('weight', operand.data, operand.tensor);
  const { data } = operand;
  const isOfFloats = data instanceof Float32Array || data instanceof Float64Array;
  // Another thread could change them between two looks.
  const isInPlace = isOfFloats && length >= fewestInPlace && !isShared(bufferOf(data));
  const values = isInPlace ? partOf(data, 0, length) : doublesOf(operand, length);
  return { values, isInPlace, held: operand };
}

/** Which half of a double has the exponent. */
const highWord = new Uint32Array(new Float64Array([1]).buffer)[1] === 0 ? 0 : 1;

/**
 * Whether all are finite: adding one to an exponent of all ones carries into the sign. A third of a nanosecond a number,
 * where arithmetic takes twice that.
 */
function areFinite(values: Float64Array | Float32Array): boolean {
  const size = values.BYTES_PER_ELEMENT / 4;
  const words = new Int32Array(bufferOf(values), byteOffsetOf(values), size * values.length);
  const magnitude = 0x7fffffff;
  const one = size === 2 ? 0x00100000 : 0x00800000;
  let carries = 0;
  let i = size === 2 ? highWord : 0;
  for (; i < words.length - 3 * size; i += 4 * size) {
    const a = ((words[i] as number) & magnitude) + one;
    const b = ((words[i + size] as number) & magnitude) + one;
    const c = ((words[i + 2 * size] as number) & magnitude) + one;
    const d = ((words[i + 3 * size] as number) & magnitude) + one;
    carries |= a | b | c | d;
  }
  for (; i < words.length; i += size) carries |= ((words[i] as number) & magnitude) + one;
  return carries >= 0;
}

/** Throws unless there is a finite one of each class. `areAllFinite`: false where that has to be looked at closer. */
export function requireWeights(
  { values }: GivenWeight,
  rows: RowProblem,
  areAllFinite: (values: Float64Array | Float32Array) => boolean = areFinite,
): void {
  // What was read after them may have taken their memory away.
  const length = lengthOf('weight', values);
  if (length !== rows.length) {
    const message = `weight has ${length} elements, but there are ${rows.length} classes${classCountHint(rows, length)}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'weight', value: length });
  }
  if (areAllFinite(values)) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  const message = `weight[${index}] = ${values[index]} is not finite`;
  throw rangeError('ERR_OPTION', message, { argument: 'weight', index, value: values[index] });
}

/** A private copy, as kernels take them. `classes`: those that are looked at, negative for none; else all are. */
export function copyOfWeights({ values, isInPlace }: GivenWeight, classes?: Int32Array): Float64Array {
  if (values instanceof Float64Array && !isInPlace) return values;
  if (classes === undefined) return doublesOf(floatsOf(values), values.length);
  const copy = newDoubles(values.length);
  for (let row = 0; row < classes.length; row++) {
    const index = classes[row] as number;
    if (index >= 0) copy[index] = values[index] as number;
  }
  return copy;
}

/** A private copy of the weights of classes, if there are any. */
export function weightsOf(weight: GivenWeight | undefined, rows: RowProblem): Float64Array | undefined {
  if (weight === undefined) return undefined;
  requireWeights(weight, rows);
  return copyOfWeights(weight);
}

const floatsOf = (data: Float64Array | Float32Array): Elements<DType> => ({
  data,
  dtype: data instanceof Float64Array ? 'float64' : 'float32',
});

/** The largest of numbers times a multiplier; NaN if there is one. */
export type LargestOf = (values: Float64Array | Float32Array, multiplier: number) => number;

/** By the backend's kernel of arg max, where that is native code. */
export function largestByKernels(
  kernels: Kernels,
  argMax: Parameters<Kernels['unary']>[0],
): LargestOf | undefined {
  if (kernels.plainTokens === undefined) return undefined;
  const run = kernels.unary(argMax);
  const found = new Int32Array(1);
  const rows = { outer: 1, inner: 1, mask: undefined };
  // NaN comes first.
  return (values, multiplier) => {
    const { length } = values;
    run(floatsOf(values), { data: found, dtype: 'int32' }, { ...rows, length, multiplier });
    return values[found[0] as number] as number;
  };
}

/** Tells whether weights are finite. */
export function finiteBy(largestOf: LargestOf | undefined) {
  if (largestOf === undefined) return areFinite;
  const isFiniteAt = (values: Float64Array | Float32Array, multiplier: number) =>
    Number.isFinite(largestOf(values, multiplier));
  return (values: Float64Array | Float32Array): boolean =>
    values.length < fewestInPlace ? areFinite(values) : isFiniteAt(values, 1) && isFiniteAt(values, -1);
}
