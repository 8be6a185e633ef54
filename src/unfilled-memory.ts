// Memory for results that the engine has not filled with zeros: to do so takes longer than to compute what goes there.
// Whatever was in it before is still there. It is for arrays alone whose every element is written before anyone else has
// them, and that nobody gets from a call that fails.

import { allocUnsafeSlow } from './platform.js';
import { bufferOf, byteLengthOf, byteOffsetOf } from './typed-arrays.js';

/** Less is zeroed as fast as it is had from Buffer: measured by `npm run bench memory`. */
const leastBytes = 2048;
/** For more the system gives new pages, which are zero anyhow (mallopt: M_MMAP_THRESHOLD goes no further). */
const mostBytes = 2 ** 25;

/** Whether it gives all of an ArrayBuffer, such as this realm makes them: a result's buffer is its caller's to transfer. */
function isUsable(): boolean {
  try {
    const bytes = allocUnsafeSlow(leastBytes);
    const memory = bufferOf(bytes);
    const isWhole = byteOffsetOf(bytes) === 0 && byteLengthOf(bytes) === leastBytes;
    const isOwn = Object.getPrototypeOf(memory) === ArrayBuffer.prototype && memory.byteLength === leastBytes;
    return isWhole && isOwn && memory !== bufferOf(allocUnsafeSlow(leastBytes));
  } catch {
    return false;
  }
}

const hasUnfilled = isUsable();

let givenBytes = 0;
let keepsPages = false;

/**
 * Has glibc keep freed memory for the next results, once there have been as many as V8 collects before it frees any: some
 * 32 MB. What is free at the top of its heap glibc gives back, but for twice the largest block that it has ever freed: to
 * get pages again then costs up to 40 times what a softmax does. So one block of almost 32 MiB is freed, whose pages
 * nobody has touched. Where thresholds are set (mallopt, MALLOC_TRIM_THRESHOLD_), glibc leaves them.
 */
function keepPages(): void {
  keepsPages = true;
  try {
    allocUnsafeSlow(mostBytes - 2 ** 16);
  } catch {}
}

/** Memory with anything in it; undefined where zeroed memory is as fast, or there is no other. */
export function unfilledMemory(bytes: number): ArrayBuffer | undefined {
  if (!hasUnfilled || bytes < leastBytes || bytes > mostBytes) return undefined;
  if (!keepsPages) {
    givenBytes += bytes;
    if (givenBytes >= mostBytes) keepPages();
  }
  return bufferOf(allocUnsafeSlow(bytes)) as ArrayBuffer;
}
