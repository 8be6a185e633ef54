// Typed arrays as arguments: which kind, how long, detached or not, overlapping or not. Intrinsic getters are used
// throughout: they work across realms and can't be shadowed by a subclass.

import { rangeError, shown, typeError } from './errors.js';

const typedArrayPrototype = Object.getPrototypeOf(Int8Array.prototype);

function getterOf<Value>(key: PropertyKey): (array: unknown) => Value {
  const getter = Object.getOwnPropertyDescriptor(typedArrayPrototype, key)?.get;
  if (!getter) throw new TypeError(`this JavaScript engine has no typed array ${String(key)}`);
  return (array) => getter.call(array);
}

/** 'Float32Array' and so on, undefined for anything that is no typed array. */
export const kindOf = getterOf<string | undefined>(Symbol.toStringTag);
const rawLengthOf = getterOf<number>('length');
const bufferOf = getterOf<ArrayBufferLike>('buffer');
const byteOffsetOf = getterOf<number>('byteOffset');
const byteLengthOf = getterOf<number>('byteLength');

/** The length of a typed array; refuses detached buffers and views that are out of their buffer's bounds. */
export function lengthOf(fn: string, argument: string, array: unknown): number {
  const length = rawLengthOf(array);
  if (length === 0) {
    try {
      // Every method checks the buffer first; this one does nothing else.
      typedArrayPrototype.keys.call(array);
    } catch {
      throw typeError('ERR_DETACHED', `${argument} is detached or out of its buffer's bounds`, {
        fn,
        argument,
      });
    }
  }
  return length;
}

export function requireFloat32(fn: string, argument: string, value: unknown): asserts value is Float32Array {
  const kind = kindOf(value);
  if (kind === 'Float32Array') return;
  const got = kind ?? (value instanceof ArrayBuffer ? 'an ArrayBuffer' : shown(value));
  throw typeError('ERR_DTYPE', `${argument} must be a Float32Array, got ${got}`, { fn, argument, value });
}

/** `array` must have `length` elements. */
export function requireLength(
  fn: string,
  argument: string,
  array: unknown,
  length: number,
  of: string,
): void {
  const actual = lengthOf(fn, argument, array);
  if (actual === length) return;
  const message = `${argument} has ${actual} elements, but ${of} ${length}`;
  throw rangeError('ERR_SHAPE', message, { fn, argument, value: actual });
}

/** Whether two views share memory; 'same' when they are the very same elements. */
function overlap(a: unknown, b: unknown): 'none' | 'same' | 'partial' {
  if (bufferOf(a) !== bufferOf(b)) return 'none';
  const aBegin = byteOffsetOf(a);
  const bBegin = byteOffsetOf(b);
  const aLength = byteLengthOf(a);
  const bLength = byteLengthOf(b);
  if (aBegin >= bBegin + bLength || bBegin >= aBegin + aLength) return 'none';
  return aBegin === bBegin && aLength === bLength ? 'same' : 'partial';
}

/** Refuses an output that shares some but not all of an input's memory, or, unless `mayBeSame`, any of it. */
export function requireNoOverlap(
  fn: string,
  outArgument: string,
  out: unknown,
  inputArgument: string,
  input: unknown,
  mayBeSame = true,
): void {
  const how = overlap(out, input);
  if (how === 'none' || (how === 'same' && mayBeSame)) return;
  const rule = mayBeSame ? 'it may be the same array or share nothing' : 'it must share nothing';
  const message = `${outArgument} overlaps ${inputArgument}; ${rule}`;
  throw rangeError('ERR_OUT_OVERLAP', message, { fn, argument: outArgument });
}

/** A new array, or a typed error when there can be none of that length. */
export function allocate(fn: string, length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw rangeError(
      'ERR_SHAPE',
      `no memory for a result of ${length} elements`,
      { fn, value: length },
      cause,
    );
  }
}

/** `out` if it is given and fits, else a new array. */
export function outputOf(fn: string, out: Float32Array | undefined, length: number): Float32Array {
  if (out === undefined) return allocate(fn, length);
  requireFloat32(fn, 'out', out);
  requireLength(fn, 'out', out, length, 'the result has');
  return out;
}
