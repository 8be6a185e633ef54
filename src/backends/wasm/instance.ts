// An instance of the WebAssembly module (native/wasm/module.cc): its memory, and one call in it.

import { allocateOrThrow } from '../../typed-arrays.js';
import { type Exports, type Module, webAssembly } from './web-assembly.js';

const pageBytes = 65536;
/** Regions of memory begin at multiples of it: a line of the caches. */
const alignment = 64;
export const aligned = (bytes: number): number => (bytes + alignment - 1) & -alignment;

/** Fields of SoftmaxCall, in words of 32 bits. */
const field = { operation: 0, arrays: 1, rows: 22, mask: 27, maskOffsets: 28, maskStep: 29, multipliers: 30 };
/** The same in doubles. */
const doubles = { numbers: 9, multiplier: 16 };
const mostArrays = 8;

/**
 * Memory that a call made larger than this is given back after it: WebAssembly's memory can't shrink, so the instance goes
 * with it, and the next call makes a new one, which takes 0.2 ms.
 */
const keptBytes = 2 ** 25;

export class Instance {
  readonly #module: Module;
  #exports!: Exports;
  #call = 0;
  /** Where a call's arrays may be, up to the end of the memory. */
  heap = 0;
  /** All of the memory. They are other ones after reserve(). */
  bytes!: Uint8Array;
  floats!: Float32Array;
  integers!: Int32Array;
  #words!: Uint32Array;
  #doubles!: Float64Array;

  constructor(module: Module) {
    this.#module = module;
    this.#start();
  }

  get exports(): Exports {
    return this.#exports;
  }

  #start(): void {
    const { Instance } = webAssembly();
    this.#exports = new Instance(this.#module, {}).exports;
    this.#call = this.#exports.call();
    this.heap = aligned(this.#exports.__heap_base.value);
    this.#view();
  }

  #view(): void {
    const { buffer } = this.#exports.memory;
    this.bytes = new Uint8Array(buffer);
    this.floats = new Float32Array(buffer);
    this.integers = new Int32Array(buffer);
    this.#words = new Uint32Array(buffer, this.#call, 34);
    this.#doubles = new Float64Array(buffer, this.#call, 17);
  }

  /** Has so many bytes from `heap` on. `elements`: what there is no memory for, if there is none. */
  reserve(bytes: number, elements: number): void {
    const missing = this.heap + bytes - this.bytes.length;
    if (missing <= 0) return;
    allocateOrThrow(elements, () => this.#exports.memory.grow(Math.ceil(missing / pageBytes)));
    this.#view();
  }

  doublesAt(address: number, count: number): Float64Array {
    return new Float64Array(this.#exports.memory.buffer, address, count);
  }

  /** After a call. */
  release(): void {
    if (this.bytes.length > keptBytes) this.#start();
  }

  /** A call of float32 rows of the last axis, used as they are. */
  writePlainCall(operation: number, rows: number, length: number, first: number): void {
    this.writeCall(operation, rows, length, 1, first, 0);
    this.writeOptions(0, 0, 0, 0, 1);
  }

  /** Without any array; writeOptions() and what places arrays have to follow. */
  writeCall(
    operation: number,
    outer: number,
    length: number,
    inner: number,
    first: number,
    second: number,
  ): void {
    const words = this.#words;
    words[field.operation] = operation;
    for (let i = field.arrays; i < field.arrays + 2 * mostArrays; i++) words[i] = 0;
    words[field.rows] = outer;
    words[field.rows + 1] = length;
    words[field.rows + 2] = inner;
    words[field.rows + 3] = inner;
    words[field.rows + 4] = outer * length * inner;
    this.#doubles[doubles.numbers] = first;
    this.#doubles[doubles.numbers + 1] = second;
  }

  /** Addresses, or 0. */
  writeOptions(
    mask: number,
    maskOffsets: number,
    maskStep: number,
    multipliers: number,
    multiplier: number,
  ): void {
    const words = this.#words;
    words[field.mask] = mask;
    words[field.maskOffsets] = maskOffsets;
    words[field.maskStep] = maskStep;
    words[field.multipliers] = multipliers;
    this.#doubles[doubles.multiplier] = multiplier;
  }

  writeArray(index: number, address: number, dtype: number): void {
    this.#words[field.arrays + 2 * index] = address;
    this.#words[field.arrays + 2 * index + 1] = dtype;
  }
}
