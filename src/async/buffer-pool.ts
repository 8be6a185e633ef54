// Private memory that calls use one after another: the copies and results of asynchronous calls that no caller ever
// sees. New memory costs more than to fill it, and what is thrown away keeps the garbage collector busy, on the thread
// of the event loop.

import type { Elements } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { setTimeout } from '../host.js';
import { viewOf, writeElements } from '../problem/dtypes.js';
import { bufferOf, byteLengthOf, rawLengthOf } from '../typed-arrays.js';

/** Less comes cheap. */
const leastBytes = 65536;
/** Kept at most. */
const mostBytes = 2 ** 27;
/** How long it is kept without being used. */
const milliseconds = 1000;

/** The last used at the end. */
const kept: ArrayBuffer[] = [];
let keptBytes = 0;
/** So many of the first have not been used since the last look at them. */
let unused = 0;
let isWaiting = false;

function release(): void {
  for (const { byteLength } of kept.splice(0, unused)) keptBytes -= byteLength;
  unused = kept.length;
  isWaiting = unused > 0;
  if (isWaiting) wait();
}

function wait(): void {
  setTimeout(release, milliseconds).unref();
}

/** Elements like given ones, as many of them, with anything in them. */
export function spareLike(elements: Elements): Elements {
  const bytes = byteLengthOf(elements.data);
  // The last one first: it may still be in a cache.
  const index = kept.findLastIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
  const [buffer] = index < 0 ? [newBuffer(bytes)] : kept.splice(index, 1);
  if (index >= 0) keptBytes -= (buffer as ArrayBuffer).byteLength;
  if (index >= 0 && index < unused) unused--;
  return viewOf(elements, buffer as ArrayBuffer, 0, rawLengthOf(elements.data));
}

function newBuffer(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw rangeError('ERR_SHAPE', `no memory for ${bytes} bytes`, { value: bytes }, cause);
  }
}

/** A copy that no caller will see. */
export function spareCopyOf(elements: Elements): Elements {
  const copy = spareLike(elements);
  writeElements(elements, copy);
  return copy;
}

/** Nobody has these any more, which came from here. */
export function giveBack({ data }: Elements): void {
  const buffer = bufferOf(data) as ArrayBuffer;
  const { byteLength } = buffer;
  if (byteLength < leastBytes || keptBytes + byteLength > mostBytes) return;
  kept.push(buffer);
  keptBytes += byteLength;
  if (!isWaiting) wait();
  isWaiting = true;
}
