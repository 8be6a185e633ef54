// Random numbers that any process can make from any place on, and hashes that any split of the classes can make.

import { createHash } from 'node:crypto';

/** Shards begin at multiples of this: then sums have the bits of one call. */
export const block = 4096;

/**
 * The number at `index` of the sequence `seed`, in [0, 1). No state: a shard makes its own weights without those before.
 * Integers only, so it is the same on every machine.
 */
export function uniform(seed, index) {
  let bits = Math.imul(index + 1, 0x9e3779b9) ^ Math.imul(seed + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}

export const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/**
 * One hash for each block of classes. `partsOf(begin, end)`: the numbers of these classes, counted from the shard's first.
 * Shards hold whole blocks, so the list of all is the same whatever the number of shards.
 */
export function hashBlocks(classes, partsOf) {
  const hashes = [];
  for (let begin = 0; begin < classes; begin += block) {
    hashes.push(sha256(...partsOf(begin, Math.min(begin + block, classes))));
  }
  return hashes;
}

export const hashOfBlocks = (hashes) => sha256(hashes.join()).slice(0, 16);

/** The classes of each of `count` shards: whole blocks, as even as these allow. */
export function rangesOf(classes, count) {
  const blocks = Math.ceil(classes / block);
  const beginOf = (shard) => Math.min(Math.floor((shard * blocks) / count) * block, classes);
  return Array.from({ length: count }, (_, shard) => ({ begin: beginOf(shard), end: beginOf(shard + 1) }));
}
