// Typed arrays as arguments: which kind, how long, detached or not, overlapping or not. Intrinsic getters are used
// throughout: they work across realms and can't be shadowed by a subclass.

import { rangeError, typeError } from './errors.js';

const typedArrayPrototype = Object.getPrototypeOf(Int8Array.prototype);

function getterOf<Value>(key: PropertyKey): (this: unknown) => Value {
  return (Object.getOwnPropertyDescriptor(typedArrayPrototype, key) as PropertyDescriptor).get as () => Value;
}

const kind = getterOf<string | undefined>(Symbol.toStringTag);
const rawLength = getterOf<number>('length');
const buffer = getterOf<ArrayBufferLike>('buffer');
const byteOffset = getterOf<number>('byteOffset');
const byteLength = getterOf<number>('byteLength');

// Each getter is called in a place of its own: an engine then puts what it does there.

/** 'Float32Array' and so on, undefined for anything that is no typed array. */
export const kindOf = (array: unknown): string | undefined => kind.call(array);
/** 0 for detached buffers and views out of their buffer's bounds. */
export const rawLengthOf = (array: unknown): number => rawLength.call(array);
export const bufferOf = (array: unknown): ArrayBufferLike => buffer.call(array);
export const byteOffsetOf = (array: unknown): number => byteOffset.call(array);
export const byteLengthOf = (array: unknown): number => byteLength.call(array);

/** What an ArrayBuffer may grow to. */
const capacity = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'maxByteLength')?.get;
/** The most bytes that a buffer may ever have; Infinity if it is no ArrayBuffer of this realm. */
export const capacityOf = (memory: ArrayBufferLike): number =>
  memory instanceof ArrayBuffer ? capacity?.call(memory) : Number.POSITIVE_INFINITY;

const arrayBufferLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get;

/** Of whichever realm. */
function isArrayBuffer(value: unknown): boolean {
  try {
    arrayBufferLength?.call(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether memory is a SharedArrayBuffer: nobody can take it away or make it shorter. */
export const isShared = (memory: ArrayBufferLike): boolean => !isArrayBuffer(memory);

/** The memory of 16-bit floats as bits: what a NaN is stored as is not for the engine to choose. */
export function bitsOf(array: unknown): Uint16Array {
  return new Uint16Array(bufferOf(array), byteOffsetOf(array), rawLengthOf(array));
}

const viewsOf = { Float32Array, Float64Array, Int32Array };

/** Elements from `begin` on, where they are: a caller's array may have a `subarray` of its own, and more elements than it had. */
export function partOf<Values extends Float32Array | Float64Array | Int32Array>(
  array: Values,
  begin: number,
  elements: number,
): Values {
  const View = viewsOf[kindOf(array) as keyof typeof viewsOf];
  return new View(
    bufferOf(array) as ArrayBuffer,
    byteOffsetOf(array) + begin * View.BYTES_PER_ELEMENT,
    elements,
  ) as Values;
}

/** Copies the elements of a typed array to the beginning of another, as numbers of its type. */
export function copyElements(from: unknown, to: unknown): void {
  typedArrayPrototype.set.call(to, from);
}

/** What `make` makes, or a typed error where there is no memory for so many elements. */
export function allocateOrThrow<Memory>(elements: number, make: () => Memory): Memory {
  try {
    return make();
  } catch (cause) {
    const message = `no memory for ${elements} elements`;
    throw rangeError('ERR_SHAPE', message, { value: elements }, cause);
  }
}

/** Whether a buffer was transferred. */
export function isDetached(memory: ArrayBufferLike): boolean {
  try {
    new Uint8Array(memory);
    return false;
  } catch {
    return true;
  }
}

/** The length of a typed array; refuses detached buffers and views that are out of their buffer's bounds. */
export function lengthOf(argument: string, array: unknown): number {
  const length = rawLengthOf(array);
  if (length === 0) {
    try {
      // Every method checks the buffer first; this one does nothing else.
      typedArrayPrototype.keys.call(array);
    } catch {
      throw typeError('ERR_DETACHED', `${argument} is detached or out of its buffer's bounds`, {
        argument,
      });
    }
  }
  return length;
}

/** `array` must have as many elements as `owner`, another argument or 'the result'. */
export function requireLength(argument: string, array: unknown, length: number, owner: string): void {
  const actual = lengthOf(argument, array);
  if (actual === length) return;
  const message = `${argument} has ${actual} elements, but ${subjectOf(owner)} ${length}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: actual });
}

/** How a message says what an argument has. */
export const subjectOf = (argument: string): string =>
  argument === 'logits' ? 'the logits have' : `${argument} has`;

/** Whether two views share memory; 'same' when they are the very same bytes. */
export function overlap(a: unknown, b: unknown): 'none' | 'same' | 'partial' {
  if (a === b) return byteLengthOf(a) === 0 ? 'none' : 'same';
  if (bufferOf(a) !== bufferOf(b)) return 'none';
  const aBegin = byteOffsetOf(a);
  const bBegin = byteOffsetOf(b);
  const aLength = byteLengthOf(a);
  const bLength = byteLengthOf(b);
  if (aLength === 0 || bLength === 0) return 'none';
  if (aBegin >= bBegin + bLength || bBegin >= aBegin + aLength) return 'none';
  return aBegin === bBegin && aLength === bLength ? 'same' : 'partial';
}

/** Whether two views have any memory in common. */
export const isSharing = (a: unknown, b: unknown): boolean => overlap(a, b) !== 'none';

/** Whether two views are the very same elements of the same memory. */
export const isSameMemory = (a: unknown, b: unknown): boolean => overlap(a, b) === 'same';
