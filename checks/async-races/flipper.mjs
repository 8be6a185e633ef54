// A worker that writes into arrays in shared memory without end: whatever bits, whatever classes.
import { workerData } from 'node:worker_threads';
import { Random } from './random.mjs';

const { groups, state, seed } = workerData;
const random = new Random(seed);
const odd = [Number.NaN, Infinity, -Infinity, -0, 3.4e38, -3.4e38, 1e-45, 0.5];
const oddClasses = [-1, 2 ** 31 - 1, -(2 ** 31), 1e6, -100];

const writers = {
  classes: (array) => (random.chance(0.02) ? random.pick(oddClasses) : random.integer(array.length % 7 || 7)),
  mask: () => random.integer(256),
  weight: () => (random.chance(0.01) ? -1 : random.unit()),
  temperature: () => (random.chance(0.01) ? random.pick(odd) : 0.1 + random.unit()),
  floats: () => (random.chance(0.2) ? random.pick(odd) : 10 * (random.unit() - 0.5)),
};

let writes = 0;
while (Atomics.load(state, 0) === 0) {
  const group = random.pick(groups);
  for (const [role, array] of Object.entries(group)) {
    const write = writers[role] ?? writers.floats;
    const begin = random.integer(array.length);
    const end = Math.min(array.length, begin + random.integer(2000));
    for (let i = begin; i < end; i++) array[i] = write(array);
    writes += end - begin;
  }
  Atomics.store(state, 1, writes % 2 ** 30);
}
