// What a shard comes back with when its process is lost: the step it is at, its weights, and its last answer, which it gives
// again when the answer was lost with the process.

import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { partsOf, unpack } from './wire.mjs';

/** undefined: there is none yet. */
export function readCheckpoint(path) {
  try {
    const { head, weights, answer } = unpack(readFileSync(path));
    return { step: head.step, weights, answer };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The file is the old one or the new one, never a part. Enough for processes that are killed; for power that fails the file
 * and its directory would have to be synchronised, too. `reach`: see shard.mjs.
 */
export function writeCheckpoint(path, { step, weights, answer }, reach) {
  const parts = partsOf({ step }, { weights, answer });
  const file = openSync(`${path}.part`, 'w');
  for (const [i, bytes] of parts.entries()) {
    if (i === parts.length >> 1) reach('half-saved', step - 1);
    writeFully(file, bytes);
  }
  closeSync(file);
  renameSync(`${path}.part`, path);
}

function writeFully(file, bytes) {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
