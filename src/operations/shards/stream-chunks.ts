// The second pass over a stream: each chunk becomes its results.

import type { DType } from '../../backends/kernels.js';
import { rangeError } from '../../errors.js';
import { allocate, sizeOfElement } from '../../problem/dtypes.js';
import { bufferOf, byteLengthOf, byteOffsetOf, copyElements, kindOf, lengthOf } from '../../typed-arrays.js';

export function bytesOf(array: unknown): Uint8Array {
  // Refuses what is detached, as the constructor does without a code.
  lengthOf('chunk', array);
  return new Uint8Array(bufferOf(array), byteOffsetOf(array), byteLengthOf(array));
}

/** Bytes that end within an element. */
export function endsWithin(bytes: number): RangeError {
  const message = `the bytes that came end within an element, ${bytes} ${bytes === 1 ? 'byte' : 'bytes'} into it`;
  return rangeError('ERR_SHAPE', message, { argument: 'chunk', value: bytes });
}

/**
 * Arrays of floats become what `finish` makes of them; bytes, which may be cut anywhere, become bytes: results are written
 * over a copy of the elements.
 */
export async function* finishedChunks(
  source: AsyncIterable<unknown> | Iterable<unknown>,
  dtype: DType,
  finish: (elements: unknown, out?: unknown) => unknown,
): AsyncGenerator<unknown, void, undefined> {
  const size = sizeOfElement(dtype);
  let rest = new Uint8Array(0);
  for await (const chunk of source) {
    if (kindOf(chunk) !== 'Uint8Array') {
      if (rest.length > 0) throw endsWithin(rest.length);
      yield finish(chunk);
      continue;
    }
    const length = rest.length + lengthOf('chunk', chunk);
    const { data } = allocate(dtype, Math.floor(length / size), true);
    const all = new Uint8Array(length);
    copyElements(rest, all);
    copyElements(bytesOf(chunk), all.subarray(rest.length));
    const bytes = bytesOf(data);
    copyElements(all.subarray(0, bytes.length), bytes);
    rest = all.slice(bytes.length);
    if (bytes.length === 0) continue;
    finish(data, data);
    yield bytes;
  }
  if (rest.length > 0) throw endsWithin(rest.length);
}
