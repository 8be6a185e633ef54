// Arrays in shared memory that another thread writes meanwhile: logits, labels, masks, weights, temperatures, outputs.
// No crash; every promise settles, with a result of the right form or the typed error of what was read.
//   node checks/async-races/shared.mjs [--count PER_FUNCTION] [--seed N] [--package DIRECTORY] [--small 1]

import { Worker } from 'node:worker_threads';
import { inTime, load, pause, readCommand } from './command.mjs';
import { functionNames, makeCases } from './functions.mjs';
import { Random } from './random.mjs';

const { count, seed, root, small } = readCommand({ count: 300, small: 0 });
const api = await load(root);
const random = new Random(seed);
const cases = makeCases(api, functionNames, 6, random, small > 0);

/** What may be wrong with values that another thread writes. */
const codes = ['ERR_TARGET_RANGE', 'ERR_TEMPERATURE', 'ERR_OPTION'];

const share = (array) => {
  const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
};
const shared = [...cases.values()].flat().map((one) => {
  const arrays = Object.fromEntries(Object.entries(one.arrays).map(([role, array]) => [role, share(array)]));
  const outputs = one.outputs.map((key) => [key, share(one.expectedOf(key))]);
  return { one, arrays, outputs: Object.fromEntries(outputs) };
});
const state = new Int32Array(new SharedArrayBuffer(8));
const groups = shared.flatMap(({ arrays, outputs }) => [arrays, outputs]);
const flipper = new Worker(new URL('flipper.mjs', import.meta.url), { workerData: { groups, state, seed } });

while (Atomics.load(state, 1) === 0) await pause(1);

function hasForm(result, expected) {
  if (ArrayBuffer.isView(expected))
    return result?.constructor === expected.constructor && result.length === expected.length;
  if (typeof expected !== 'object') return typeof result === typeof expected;
  return Object.keys(expected).every((key) => hasForm(result[key], expected[key]));
}

const tally = new Map();
const note = (outcome) => tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
function judge({ one }, result) {
  if (!hasForm(result, one.expected)) throw new Error(`${one.name}: a result of another form`);
  note('result');
}
function judgeError({ one }, error) {
  const isTyped = (error instanceof RangeError || error instanceof TypeError) && codes.includes(error.code);
  if (!isTyped) throw new Error(`${one.name}: ${error?.message ?? error}`, { cause: error });
  note(error.code);
}

function call(some) {
  const { one, arrays } = some;
  const options = random.chance(0.3) ? some.outputs : {};
  if (random.chance(0.2)) options.transfer = true;
  if (random.chance(0.9))
    return one
      .call(arrays, { ...options })
      .then((result) => judge(some, result))
      .catch((error) => judgeError(some, error));
  const { transfer: _, ...rest } = options;
  try {
    judge(some, one.call(arrays, rest, api[one.name.slice(0, -5)]));
  } catch (error) {
    judgeError(some, error);
  }
  return undefined;
}

console.log(`shared: seed ${seed}, Node ${process.versions.node}, ${api.backend.isa ?? 'js'}`);
const start = performance.now();
const total = count * functionNames.length;
for (let done = 0; done < total; ) {
  const size = Math.min(total - done, 1 + random.integer(24));
  const running = Array.from({ length: size }, () => call(random.pick(shared)));
  done += size;
  await inTime(Promise.all(running), () => `${size} calls over shared memory`);
}
Atomics.store(state, 0, 1);
await new Promise((resolve) => flipper.once('exit', resolve));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`shared: ${total} calls, ${[...tally].map((pair) => pair.join(' ')).join(', ')}, ${seconds} s`);
