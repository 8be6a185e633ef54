// A worker whose life ends while its jobs are open.
import { setMaxListeners } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { load } from './command.mjs';
import { functionNames, makeCases } from './functions.mjs';
import { Random } from './random.mjs';

const { root, seed, jobs, end, hasSignal } = workerData;
const random = new Random(seed);
const api = await load(root);
const names = Array.from({ length: 3 }, () => random.pick(functionNames));
const cases = makeCases(api, [...new Set(names)], 1, random, false);

const controller = new AbortController();
setMaxListeners(0, controller.signal);
const promises = Array.from({ length: jobs }, () => {
  const [one] = cases.get(random.pick(names));
  const transfer = random.chance(0.3);
  const arrays = Object.fromEntries(Object.entries(one.arrays).map(([role, array]) => [role, array.slice()]));
  return one.call(arrays, { transfer, ...(hasSignal && { signal: controller.signal }) });
});
for (const promise of promises) promise.catch(() => {});
parentPort.postMessage('open');
if (hasSignal && random.chance(0.5)) controller.abort();
if (end === 'exit') process.exit(0);
if (end === 'throw') throw new Error('on purpose');
if (end === 'loop')
  for (;;)
    cases
      .get(names[0])[0]
      .call(cases.get(names[0])[0].arrays, {})
      .catch(() => {});
if (end === 'synchronous') for (;;) api.softmax(new Float32Array(200_000));
await Promise.all(promises).catch(() => {});
