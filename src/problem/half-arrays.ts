// Arrays of float16: the engine's Float16Array, from Node 24 on, and polyfills of it, which are proxies of their bits and
// no typed arrays. A polyfill's elements are read and written as these bits; no result is ever one.

import { typeError } from '../errors.js';
import { bitsOf, isDetached, kindOf } from '../typed-arrays.js';

interface HalfArrayConstructor {
  new (length: number): Uint16Array;
  new (memory: ArrayBufferLike, byteOffset: number, length: number): Uint16Array;
}

function engineHalfArray(): HalfArrayConstructor | undefined {
  const { Float16Array: Half } = globalThis as { Float16Array?: HalfArrayConstructor };
  return Half !== undefined && kindOf(new Half(0)) === 'Float16Array' ? Half : undefined;
}

/** Undefined before Node 24. A polyfill that comes later is none. */
export const HalfArray = engineHalfArray();

/** The bits of float16 in an array that only a polyfill knows; undefined for everything else. */
export function polyfilledBits(argument: string, value: unknown): Uint16Array | undefined {
  const kind = kindOf(value);
  if (kind !== undefined)
    return kind === 'Float16Array' && HalfArray === undefined ? bitsOf(value) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const array = value as Readonly<Record<PropertyKey, unknown>>;
  let memory: unknown;
  try {
    // Of a proxy that was revoked, or that refuses, nothing can be read.
    if (array[Symbol.toStringTag] !== 'Float16Array') return undefined;
    const { buffer, byteOffset, length } = array;
    if (typeof buffer !== 'object' || buffer === null) return undefined;
    memory = buffer;
    return new Uint16Array(buffer as ArrayBuffer, byteOffset as number, length as number);
  } catch {
    if (memory === undefined || !isDetached(memory as ArrayBuffer)) return undefined;
    throw typeError('ERR_DETACHED', `${argument} is detached or out of its buffer's bounds`, { argument });
  }
}
