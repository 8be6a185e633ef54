// Races of callers with their own calls, on the memory of inputs and outputs.
//   node checks/async-races/races.mjs [--count PER_FUNCTION] [--seed N] [--package DIRECTORY] [--only WORDS] [--small 1]
// --small 1: cases of all sizes, for a package that posts them all (stage.mjs).

import { Worker } from 'node:worker_threads';
import { collect, inTime, load, readCommand } from './command.mjs';
import { functionNames, makeCases } from './functions.mjs';
import { Race, races } from './memory-races.mjs';
import { Random } from './random.mjs';

const {
  count,
  cases: casesOfEach,
  seed,
  root,
  only,
  small,
} = readCommand({ count: 1000, cases: 24, small: 0 });
const api = await load(root);
const random = new Random(seed);
const names = Object.keys(races).filter((name) => only === undefined || name.includes(only));
const cases = makeCases(api, functionNames, casesOfEach, random, small > 0);
const sink = new Worker(new URL('sink.mjs', import.meta.url));
const outcomes = new Map();
let posted = 0;
let all = 0;

const note = (name, outcome) => {
  const key = `${name}: ${outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
};

/** Several races at the same time, of several functions. */
async function window(size) {
  const running = new Map();
  for (let i = 0; i < size; i++, all++) {
    const fn = functionNames[all % functionNames.length];
    const name = names[Math.floor(all / functionNames.length) % names.length];
    const race = new Race(random.pick(cases.get(fn)), random, sink);
    const describe = `${name}, ${fn}, race ${all}, ${JSON.stringify(race.case.options)}`;
    const outcome = (async () => races[name](race))().then(
      (what) => {
        note(name, what);
        if (race.isPosted) posted++;
      },
      (cause) => {
        throw new Error(`${describe}: ${cause?.message ?? cause}`, { cause });
      },
    );
    running.set(outcome, describe);
    outcome.then(
      () => running.delete(outcome),
      () => {},
    );
    if (random.chance(0.1)) await new Promise(setImmediate);
    if (random.chance(0.002)) collect();
    if (random.chance(0.02)) api.setThreads(1 + random.integer(4));
  }
  await inTime(Promise.all(running.keys()), () => [...running.values()].join('\n'));
}

console.log(`races: seed ${seed}, Node ${process.versions.node}, ${api.backend.isa ?? 'js'}`);
const start = performance.now();
const total = count * functionNames.length;
while (all < total) await window(Math.min(total - all, 1 + random.integer(32)));
sink.postMessage('stop');
if (only !== undefined || process.env.ASYNC_RACES_OUTCOMES)
  for (const [key, times] of [...outcomes].sort()) console.log(`  ${key} ${times}`);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const share = ((100 * posted) / total).toFixed(1);
console.log(
  `races: ${count} of each of ${functionNames.length} functions, ${names.length} kinds, ` +
    `${share}% as jobs, ${seconds} s, all as they must be`,
);
if (posted < 0.8 * total) {
  console.error('races: too few were jobs: leastCost in functions.mjs is less than inlineCost in src');
  process.exitCode = 1;
}
