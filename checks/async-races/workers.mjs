// Workers that end with jobs in flight: terminated at any time, or by themselves. No crash, no memory, no threads left.
//   node checks/async-races/workers.mjs [--count WORKERS] [--jobs EACH] [--together N] [--seed N] [--package DIRECTORY]

import { Worker } from 'node:worker_threads';
import { inTime, load, readCommand, residentMemory, threadCount } from './command.mjs';
import { Random } from './random.mjs';

const { count, jobs, together, seed, root } = readCommand({ count: 100, jobs: 16, together: 3 });
const random = new Random(seed);
const tally = new Map();

async function doom(number) {
  const end = random.pick(['terminate', 'terminate', 'terminate', 'exit', 'throw', 'natural', 'synchronous']);
  const workerData = { root, seed: seed + number, jobs, end, hasSignal: random.chance(0.3) };
  const worker = new Worker(new URL('doomed.mjs', import.meta.url), { workerData });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  let error;
  worker.once('error', (thrown) => {
    error = thrown;
  });
  // Some are stopped before they have begun.
  const isEarly = end === 'terminate' && random.chance(0.1);
  const isTerminated = end === 'terminate' || end === 'synchronous';
  if (!isEarly) await Promise.race([new Promise((resolve) => worker.once('message', resolve)), ended]);
  if (isEarly) await new Promise((resolve) => setTimeout(resolve, random.integer(30)));
  else if (random.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, random.integer(3)));
  if (isTerminated) await worker.terminate();
  await ended;
  if (error !== undefined && error.message !== 'on purpose') throw error;
  const key = isEarly ? 'terminated early' : end;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

async function doomAll(from, to) {
  let next = from;
  const line = async () => {
    while (next < to) await doom(next++);
  };
  await inTime(Promise.all(Array.from({ length: together }, line)), () => `worker ${next}`, 600);
}

// Half of the runs have the addon in the main thread as well.
const isInMain = seed % 2 === 0;
const api = isInMain ? await load(root) : undefined;
console.log(
  `workers: seed ${seed}, Node ${process.versions.node}, main thread ${isInMain ? 'too' : 'without'}`,
);
const start = performance.now();
const warm = Math.ceil(count / 4);
await doomAll(0, warm);
const before = await residentMemory();
const threadsBefore = threadCount();
await doomAll(warm, count + warm);
const after = await residentMemory();
const threadsAfter = threadCount();
if (api) await api.softmaxAsync(new Float32Array(100_000));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const growth = after - before;
console.log(
  `workers: ${count} after ${warm} to warm up, ${jobs} jobs each (${[...tally].map((pair) => pair.join(' ')).join(', ')}), ` +
    `memory ${before.toFixed(1)} to ${after.toFixed(1)} MiB, threads ${threadsBefore} to ${threadsAfter}, ${seconds} s`,
);
if (threadsAfter > threadsBefore) throw new Error('threads are left');
// A worker that left 16 calls' memory, 6 MiB, or only one call's, would show.
const most = Number(process.env.ASYNC_RACES_MOST_GROWTH ?? 64);
if (growth > most) throw new Error(`memory grew by ${growth.toFixed(1)} MiB`);
