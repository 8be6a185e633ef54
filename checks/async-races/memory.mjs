// A million calls leave no memory behind: small ones, which are computed at once, and a tenth as many jobs.
//   node checks/async-races/memory.mjs [--count SMALL_CALLS] [--jobs JOBS] [--small 1] [--seed N] [--package DIRECTORY]
// --small 1: jobs of all sizes, for a package that posts them all (stage.mjs).

import { allSignatures, argumentsOf, isLoss } from '../../build/signatures.mjs';
import { load, readCommand, residentMemory, threadCount } from './command.mjs';
import { functionNames, makeCases } from './functions.mjs';
import { Random } from './random.mjs';

const { count, jobs, seed, root, small } = readCommand({ count: 100_000, jobs: 10_000, small: 0 });
/** MiB. */
const most = Number(process.env.ASYNC_RACES_MOST_GROWTH ?? 2);
const api = await load(root);
const random = new Random(seed);
const inline = makeSmallCases();
const posted = [...makeCases(api, functionNames, 2, random, small > 0).values()].flat();

/** A few elements: computed at once. */
function makeSmallCases() {
  const x = () => Float32Array.from({ length: 12 }, () => random.unit());
  const classes = Int32Array.of(1, 2);
  const shape = { shape: [2, 6] };
  return [
    ...allSignatures.flatMap((signature) => {
      const call = (options) =>
        api[`${signature.name}Async`](
          ...argumentsOf(signature, signature.inputs.map(x), classes, options, 2),
        );
      return [
        () => call(shape),
        () => call({ ...shape, transfer: true, ...(isLoss(signature) && { grad: true }) }),
      ];
    }),
    () => api.softmaxAsync(x()),
    () => api.crossEntropyAsync(x(), [9, 9], shape).catch(() => {}),
  ];
}

const callInline = (i) => inline[i % inline.length]();
const callPosted = (i) => {
  const one = posted[i % posted.length];
  if (i % 3 > 0) return one.call(one.arrays, {});
  const controller = new AbortController();
  const promise = one.call(one.arrays, { signal: controller.signal });
  if (i % 2) setImmediate(() => controller.abort());
  return promise.catch(() => {});
};

const rounds = 5;

async function measure(what, call, times) {
  const runAll = async (from, to) => {
    for (let i = from; i < to; i += 8) await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((k) => call(i + k)));
  };
  // The memory of the first calls is kept for the later ones, by the engine and by the system.
  const warm = Math.max(times / 4, Math.min(2 * times, 20_000));
  await runAll(0, warm);
  const looks = [await residentMemory()];
  let seconds = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await runAll(warm + (round * times) / rounds, warm + ((round + 1) * times) / rounds);
    seconds += (performance.now() - start) / 1000;
    looks.push(await residentMemory());
  }
  // What the allocator of the system happens to hold comes and goes; what is lost stays.
  const growth = Math.min(...looks.slice(-2)) - Math.min(...looks.slice(0, 2));
  const shown = looks.map((look) => look.toFixed(1)).join(' ');
  console.log(
    `memory: ${times} ${what}: growth ${growth.toFixed(2)} MiB (${shown}), ` +
      `${threadCount()} threads, ${seconds.toFixed(1)} s`,
  );
  if (growth > most) throw new Error(`memory of ${what} grew by ${growth.toFixed(2)} MiB, more than ${most}`);
}

console.log(`memory: seed ${seed}, Node ${process.versions.node}, ${api.backend.isa ?? 'js'}`);
if (count > 0) await measure('small calls', callInline, count);
if (jobs > 0) await measure(small > 0 ? 'small jobs' : 'jobs', callPosted, jobs);
