// The calls that are made most: bare float32 arrays along the last axis, with or without `out`, nothing scaled, nothing
// masked. What is no such call, or one with anything wrong, is left to the general way, which alone knows errors.

import { newFloats } from '../problem/dtypes.js';
import type { GivenOptions } from '../problem/options.js';
import { readShape } from '../problem/shapes.js';
import { bufferOf, capacityOf, kindOf, rawLengthOf } from '../typed-arrays.js';

type RowOptions = Pick<
  GivenOptions,
  'shape' | 'axis' | 'temperature' | 'scale' | 'mask' | 'emptyRow' | 'dtype'
>;

/**
 * The length of the rows of a plain call whose arrays are as long as `out`, or the input without it; 0 of any other call.
 * User code (getters, proxies) may run while the shape is read, which happens once; after that, none may.
 */
export function plainLength(options: RowOptions, out: unknown): number {
  const { temperature, scale, mask, emptyRow, dtype } = options;
  const isScaled = temperature !== 1 || scale !== 1;
  const isPlain = !isScaled && mask === undefined && emptyRow === undefined && dtype === undefined;
  return isPlain ? lastAxisLength(options, out) : 0;
}

/** The length of the rows of float32 arrays along their last axis; 0 of any others. */
export function lastAxisLength(options: Pick<GivenOptions, 'shape' | 'axis'>, out: unknown): number {
  const { axis } = options;
  if (kindOf(out) !== 'Float32Array') return 0;
  if (options.shape === undefined) return axis === -1 || axis === 0 ? rawLengthOf(out) : 0;
  const sizes = readShape('shape', 'shape', options.shape, { mayInfer: true });
  options.shape = sizes;
  if (axis !== -1 && axis !== sizes.length - 1) return 0;
  let product = 1;
  for (let i = 0; i < sizes.length; i++) product *= sizes[i] as number;
  const elements = rawLengthOf(out);
  const length = sizes[sizes.length - 1] as number;
  if (product > 0) return product === elements ? length : 0;
  // One axis is -1: of any size that fits.
  if (product === 0 || elements === 0 || elements % product !== 0) return 0;
  return length === -1 ? -elements / product : length;
}

/** Buffers beyond this are not kept from the garbage collector. */
const smallBytes = 4096;

/**
 * Two arrays in different buffers. The last two in small ones are remembered: an array's buffer never changes, and to ask
 * for it costs as much as all else that is asked here.
 */
export class DistinctBuffers {
  #a: unknown;
  #b: unknown;

  /** Of typed arrays. */
  holds(a: unknown, b: unknown): boolean {
    if (a === this.#a && b === this.#b) return true;
    const [ofA, ofB] = [bufferOf(a), bufferOf(b)];
    if (ofA === ofB) return false;
    if (capacityOf(ofA) <= smallBytes && capacityOf(ofB) <= smallBytes) {
      this.#a = a;
      this.#b = b;
    }
    return true;
  }
}

/** A new array for a plain call. Shared memory may have grown since it was looked at: whole rows alone are written. */
export function newResult(input: unknown, length: number): Float32Array {
  const elements = rawLengthOf(input);
  return newFloats(elements - (elements % length));
}

/** Whether an input is a float32 array as long as a plain call's `out`, and that or in another buffer. */
export const isPlainInput = (input: unknown, out: unknown, buffers: DistinctBuffers): boolean =>
  input === out ||
  (kindOf(input) === 'Float32Array' && rawLengthOf(input) === rawLengthOf(out) && buffers.holds(input, out));
