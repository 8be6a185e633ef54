// The types of elements: what they are called, which arrays hold them, which may be used together.

import type { DType, Elements, ElementType } from '../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../errors.js';
import {
  allocateOrThrow,
  bitsOf,
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  copyElements,
  kindOf,
  rawLengthOf,
} from '../typed-arrays.js';
import { unfilledMemory } from '../unfilled-memory.js';
import { HalfArray } from './half-arrays.js';
import { dtypeHint, dtypeSpelled, floatsHint, sixteenBitsHint } from './hints.js';

const names: readonly unknown[] = ['float32', 'float64', 'float16', 'bfloat16'] satisfies readonly DType[];

/** The kinds of array that say themselves what they hold; a Uint16Array does not. */
const dtypeOfKind: Readonly<Record<string, DType | undefined>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
};

/** Arrays of integers, and what a tensor of them says that it holds. */
export const integerTypes: Readonly<Record<string, string | undefined>> = {
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Uint16Array: 'uint16',
  Uint8Array: 'uint8',
  Int16Array: 'int16',
  Int8Array: 'int8',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

const isDType = (value: unknown): value is DType => names.includes(value);

export const isHalf = (dtype: unknown): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** The option `dtype`. */
export function dtypeOption(dtype: unknown): DType | undefined {
  if (dtype === undefined || isDType(dtype)) return dtype;
  const message = `dtype must be one of 'float32', 'float64', 'float16', 'bfloat16', got ${formatValue(dtype)}${dtypeHint(dtype)}`;
  throw typeError('ERR_DTYPE', message, { argument: 'dtype', value: dtype });
}

/**
 * What an array of floats holds; undefined if it is none. `stated`: what its tensor says. `hint`: what a Uint16Array
 * holds where nothing is stated.
 */
export function dtypeOfArray(
  argument: string,
  data: unknown,
  stated: unknown,
  hint: DType | undefined,
): DType | undefined {
  const kind = kindOf(data);
  if (stated === undefined) {
    if (kind !== 'Uint16Array') return kind === undefined ? undefined : dtypeOfKind[kind];
    if (isHalf(hint)) return hint;
    const message = `${argument} is a Uint16Array, which does not say whether it holds 'float16' or 'bfloat16'${sixteenBitsHint(argument, hint)}`;
    throw typeError('ERR_DTYPE', message, { argument, value: data });
  }
  if (fits(kind, stated)) return stated as DType;
  const message = `${argument}'s type ${formatValue(stated)} ${misfit(argument, data, stated)}`;
  throw typeError('ERR_DTYPE', message, { argument, value: stated });
}

const fits = (kind: string | undefined, dtype: unknown): boolean =>
  kind === 'Uint16Array' ? isHalf(dtype) : kind !== undefined && dtypeOfKind[kind] === dtype;

/** What is wrong with what a tensor says that its data holds. */
function misfit(argument: string, data: unknown, stated: unknown): string {
  const kind = kindOf(data);
  const meant = dtypeSpelled(stated);
  if (meant !== undefined && fits(kind, meant)) return `is '${meant}' here`;
  const own = kind === undefined ? undefined : dtypeOfKind[kind];
  if (own !== undefined) return `does not fit its data, ${kind}, whose type is '${own}'`;
  const what = meant === undefined ? 'is not a float type' : `does not fit its data, ${formatValue(data)}`;
  const isOf16Bits = kind === 'Uint16Array' && meant !== undefined;
  return (
    what +
    (isOf16Bits
      ? ", whose type is 'float16' or 'bfloat16'"
      : floatsHint(`${argument}.data`, data, meant !== undefined))
  );
}

/** The constructors of arrays that hold elements, by their kinds. */
const constructors = {
  ...{ Float32Array, Float64Array, Float16Array: HalfArray ?? Uint16Array },
  ...{ Int32Array, Uint32Array, Uint16Array, Int16Array, Uint8Array, Int8Array, Uint8ClampedArray },
  ...{ BigInt64Array, BigUint64Array },
} as const;
const constructorOf = (array: unknown) => constructors[kindOf(array) as 'Float32Array'];

/** A new array of a given one's kind. */
export function arrayLike(array: unknown, length: number): unknown {
  const NewArray = constructorOf(array);
  return allocateOrThrow(length, () => new NewArray(length));
}

/** The elements of an array from `begin` on. */
export function partOf(array: unknown, begin: number, length: number): unknown {
  const NewArray = constructorOf(array);
  const elementSize = byteLengthOf(array) / rawLengthOf(array);
  return new NewArray(bufferOf(array) as ArrayBuffer, byteOffsetOf(array) + begin * elementSize, length);
}

/** float32, float16 and bfloat16 are computed in float32 and go together; float64 cannot be mixed with other types. */
export function requireFamily(argument: string, dtype: DType, otherArgument: string, other: DType): void {
  if ((dtype === 'float64') === (other === 'float64')) return;
  const message = `${argument} is ${dtype} and ${otherArgument} is ${other}; float64 cannot be mixed with other types`;
  throw typeError('ERR_DTYPE', message, { argument, value: dtype });
}

/** Bytes of an element. */
export const sizeOfElement = (dtype: ElementType): number =>
  dtype === 'float64' ? 8 : dtype === 'float32' || dtype === 'int32' ? 4 : 2;

/**
 * New elements, all of which must be written: anything may be in them (unfilled-memory.ts). Throws a typed error when
 * there can be none of that length. `asUint16`: float16 as its bits.
 */
export function allocate(dtype: ElementType, length: number, asUint16: boolean): Elements {
  if (dtype === 'float32') return { data: newFloats(length), dtype };
  try {
    const memory = unfilledMemory(sizeOfElement(dtype) * length);
    if (dtype === 'int32')
      return { data: memory === undefined ? new Int32Array(length) : new Int32Array(memory), dtype };
    if (dtype === 'float64')
      return { data: memory === undefined ? new Float64Array(length) : new Float64Array(memory), dtype };
    const NewArray = (dtype === 'float16' && !asUint16 && HalfArray) || Uint16Array;
    return { data: memory === undefined ? new NewArray(length) : new NewArray(memory, 0, length), dtype };
  } catch (cause) {
    throw noMemory(length, cause);
  }
}

/** The same of float32. */
export function newFloats(length: number): Float32Array {
  try {
    const memory = unfilledMemory(4 * length);
    return memory === undefined ? new Float32Array(length) : new Float32Array(memory);
  } catch (cause) {
    throw noMemory(length, cause);
  }
}

const noMemory = (length: number, cause: unknown) =>
  rangeError('ERR_SHAPE', `no memory for a result of ${length} elements`, { value: length }, cause);

/** A private copy: of 16-bit floats the very bits. */
export function copyOf({ data, dtype }: Elements): Elements {
  try {
    if (dtype === 'float32') return { data: new Float32Array(data), dtype };
    if (dtype === 'float64') return { data: new Float64Array(data), dtype };
    const bits = new Uint16Array(bitsOf(data));
    return viewOf({ data, dtype }, bufferOf(bits), 0, rawLengthOf(bits));
  } catch (cause) {
    const value = rawLengthOf(data);
    throw rangeError('ERR_SHAPE', `no memory for a copy of ${value} elements`, { value }, cause);
  }
}

/** Elements as given ones are, in other memory. */
export function viewOf(
  { data, dtype }: Elements,
  memory: ArrayBufferLike,
  byteOffset: number,
  length: number,
): Elements {
  if (dtype === 'float32') return { data: new Float32Array(memory, byteOffset, length), dtype };
  if (dtype === 'float64') return { data: new Float64Array(memory, byteOffset, length), dtype };
  if (dtype === 'int32') return { data: new Int32Array(memory, byteOffset, length), dtype };
  const NewArray = (kindOf(data) === 'Float16Array' && HalfArray) || Uint16Array;
  return { data: new NewArray(memory, byteOffset, length), dtype };
}

/** Copies elements to others of their dtype, 16-bit floats bit by bit. */
export function writeElements({ data, dtype }: Elements, to: Elements): void {
  if (isHalf(dtype)) copyElements(bitsOf(data), bitsOf(to.data));
  else copyElements(data, to.data);
}
