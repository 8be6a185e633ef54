// Positioned reads and writes: all of the bytes asked for, or an error.

import { open } from 'node:fs/promises';

/** Fills `bytes` from `position` on. */
export async function readFully(handle, bytes, position) {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`);
    done += bytesRead;
  }
}

/** A full disk takes a part first: the next call says why. */
export async function writeFully(handle, bytes, position) {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Opened and closed by each job: what a machine writes is on the server of a shared file system once it is closed, and
 * that is where errors of writing may first be seen.
 */
export async function withFile(path, flags, use) {
  const handle = await open(path, flags);
  let isClosed = false;
  try {
    const result = await use(handle);
    isClosed = true;
    await handle.close();
    return result;
  } finally {
    if (!isClosed) await handle.close().catch(() => {});
  }
}

let memory = new ArrayBuffer(0);
/**
 * So many bytes, whose contents are anything. The same memory for each job of this process, which does one at a time: fresh
 * memory would cost more than softmax, as the system clears it.
 */
export function borrow(length) {
  if (memory.byteLength < length) memory = new ArrayBuffer(length);
  return new Uint8Array(memory, 0, length);
}
