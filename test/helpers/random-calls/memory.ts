// Where arrays are: every kind of memory that a caller may have, with other elements around that nobody may touch.

import { createContext, runInContext } from 'node:vm';
import type { MemoryKind } from './plan.js';
import type { Floats, Integers } from './values.js';

export type AnyArray = Floats | Integers;

/** A typed array constructor, of this realm or another. */
interface ArrayConstructor {
  new (memory: ArrayBufferLike, byteOffset?: number, length?: number): AnyArray;
  readonly BYTES_PER_ELEMENT: number;
  readonly prototype: object;
}
type Constructors = Record<string, ArrayConstructor | undefined>;

/** Since Node 20, but not yet in the language level that this is compiled for. */
export type ResizableBuffer = ArrayBuffer & {
  readonly resizable: boolean;
  readonly maxByteLength: number;
  resize(byteLength: number): void;
};
interface ResizableConstructor {
  new (byteLength: number, options: { maxByteLength: number }): ResizableBuffer;
}
interface GrowableConstructor {
  new (
    byteLength: number,
    options: { maxByteLength: number },
  ): SharedArrayBuffer & {
    grow(byteLength: number): void;
  };
}
const Resizable = ArrayBuffer as unknown as ResizableConstructor;
const Growable = SharedArrayBuffer as unknown as GrowableConstructor;

const here = globalThis as unknown as Constructors;
const otherRealm = runInContext('globalThis', createContext()) as Constructors & {
  ArrayBuffer: ArrayBufferConstructor;
};

/** Whether the runtime has arrays of 16-bit floats. */
export const hasHalfArrays = here.Float16Array !== undefined;

/** What ran of a hostile array's accessors: nothing of the library's may look at them. */
export const hostileReads: string[] = [];

const hostileKeys = [
  'length',
  'buffer',
  'byteOffset',
  'byteLength',
  'constructor',
  'slice',
  'subarray',
  'set',
  'fill',
  Symbol.iterator,
  Symbol.toStringTag,
  'data',
  'dims',
  'location',
];
const hostileConstructors: Constructors = {};

/** A subclass of which every property but the elements is a trap. */
function hostile(name: string): ArrayConstructor {
  const known = hostileConstructors[name];
  if (known) return known;
  const Base = here[name] as unknown as Float32ArrayConstructor;
  const Hostile = class extends Base {} as unknown as ArrayConstructor;
  for (const key of hostileKeys)
    Object.defineProperty(Hostile.prototype, key, {
      get() {
        hostileReads.push(String(key));
        return undefined;
      },
    });
  hostileConstructors[name] = Hostile;
  return Hostile;
}

/** An array in memory. */
export interface Placed {
  readonly name: string;
  /** What the caller gives. */
  readonly array: AnyArray;
  readonly buffer: ArrayBufferLike;
  /** Its place there, in bytes. */
  readonly begin: number;
  readonly end: number;
  readonly memory: MemoryKind;
}

/** Another array of an array's memory, `shift` elements further on; the same where there is no room for it. */
export function shifted(placed: Placed, kind: string, shift: number): Placed {
  const { buffer, begin, end } = placed;
  const Kind = here[kind] as ArrayConstructor;
  const [from, to] = [begin, end].map((place) => place + shift * Kind.BYTES_PER_ELEMENT) as [number, number];
  const room = bytesOf(buffer)?.length;
  if (room === undefined || from < 0 || to > room) return placed;
  const array = new Kind(buffer, from, (to - from) / Kind.BYTES_PER_ELEMENT);
  return { ...placed, array, begin: from, end: to };
}

const after = 3;

/** Bytes that are no element's, before a call and after it. */
function fillAround(buffer: ArrayBufferLike, begin: number, end: number): void {
  const bytes = new Uint8Array(buffer);
  bytes.fill(0xa5, 0, begin);
  bytes.fill(0x5a, end);
}

/** Puts elements, `kind` of array, into memory. */
export function place(
  name: string,
  kind: string,
  elements: AnyArray,
  memory: MemoryKind,
  before: number,
): Placed {
  const Kind = here[kind] as ArrayConstructor;
  const bytes = Kind.BYTES_PER_ELEMENT;
  const { length } = elements;
  const begin = memory === 'own' ? 0 : before * bytes;
  const end = begin + length * bytes;
  const whole = memory === 'own' ? end : end + after * bytes;
  const source = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  const fill = (buffer: ArrayBufferLike): void => {
    fillAround(buffer, begin, Math.min(end, buffer.byteLength));
    new Uint8Array(buffer).set(source.subarray(0, Math.max(0, buffer.byteLength - begin)), begin);
  };
  const at = (
    buffer: ArrayBufferLike,
    given: number = length,
    Constructor: ArrayConstructor = Kind,
  ): Placed => {
    fill(buffer);
    const array = new Constructor(buffer, begin, given);
    return { name, array, buffer, begin, end: begin + given * bytes, memory };
  };
  switch (memory) {
    case 'shared':
      return at(new SharedArrayBuffer(whole));
    case 'resizable':
      return at(new Resizable(whole, { maxByteLength: whole + 64 }));
    case 'tracking':
    case 'short': {
      const buffer = new Resizable(whole, { maxByteLength: whole + 64 });
      const array = new Kind(buffer, begin);
      const left = memory === 'short' && length > 0 ? end - bytes : end;
      buffer.resize(left);
      fill(buffer);
      return { name, array, buffer, begin, end: left, memory };
    }
    case 'growable': {
      const buffer = new Growable(begin, { maxByteLength: end });
      const array = new Kind(buffer, begin);
      buffer.grow(end);
      fill(buffer);
      return { name, array, buffer, begin, end, memory };
    }
    case 'realm':
      return at(new otherRealm.ArrayBuffer(whole), length, otherRealm[kind]);
    case 'hostile':
      return at(new ArrayBuffer(whole), length, hostile(kind));
    case 'detached': {
      const placed = at(new ArrayBuffer(whole));
      structuredClone(placed.buffer, { transfer: [placed.buffer as ArrayBuffer] });
      return placed;
    }
    case 'out of bounds': {
      const placed = at(new Resizable(whole, { maxByteLength: whole }));
      (placed.buffer as ResizableBuffer).resize(length > 0 ? end - 1 : 0);
      return placed;
    }
    case 'long':
      return at(new ArrayBuffer(whole), length + 1);
    case 'empty':
      return at(new ArrayBuffer(whole), 0);
    default:
      return at(new ArrayBuffer(whole));
  }
}

/** Takes a buffer away. */
export function detach(buffer: ArrayBufferLike): void {
  if (buffer instanceof SharedArrayBuffer) return;
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

export const isResizable = (buffer: ArrayBufferLike): buffer is ResizableBuffer =>
  !(buffer instanceof SharedArrayBuffer) && (buffer as ResizableBuffer).resizable;

/** The bytes of a buffer; undefined when it is gone. */
export function bytesOf(buffer: ArrayBufferLike): Uint8Array | undefined {
  try {
    return new Uint8Array(buffer);
  } catch {
    return undefined;
  }
}
