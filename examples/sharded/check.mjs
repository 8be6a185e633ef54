// That shards have the bits of the whole layer: losses, log-sum-exps, gradients, weights, tokens; whatever is killed.
//   npm run check [-- --js]
// --js: only the part that also runs on the JavaScript backend; without it, this is started with it, too.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { backend } from 'softmax-native';
import { sha256, uniform } from './numbers.mjs';
import { train, withShards } from './run.mjs';
import { large, small } from './task.mjs';
import { Whole } from './whole.mjs';

const isJs = process.argv.includes('--js');
const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`.padStart(7);
const say = (text) => console.log(`${seconds()}  ${text}`);

setTimeout(() => {
  console.error('sharded: it hangs: not over after 5 minutes');
  process.exit(1);
}, 300_000).unref();

async function expectedOf(model) {
  const expected = await train(new Whole(model), model);
  const losses = expected.steps.map(({ loss }) => loss);
  assert.ok(losses.at(-1) < losses[0] - 1, `the whole layer learns: ${losses}`);
  assert.equal(new Set(expected.steps.map(({ gradient }) => gradient)).size, model.steps);
  assert.ok(new Set(expected.drawn.flat()).size > model.rows, 'tokens differ');
  return expected;
}

async function checkEqual(count, model, expected) {
  assert.deepEqual(await withShards(count, model, (layer) => train(layer, model)), expected);
  say(`${count} of ${model.classes} classes: the bits of one process`);
}

/** Where a shard may be lost: before it has done anything, within the file, with all done and nothing said. */
async function checkPoints(model, expected) {
  const dies = ['asked 2', 'half-saved 5', 'saved 7', 'saved 7'];
  const use = async (layer, shards) => ({ result: await train(layer, model), losses: shards.losses });
  const { result, losses } = await withShards(dies.length, model, use, dies);
  assert.equal(losses, dies.length, 'each shard has died');
  assert.deepEqual(result, expected, `with shards lost: ${dies}`);
  say(`shards lost when ${dies.join(', ')}: the bits of one process`);
}

/** At random times and one after another, some before they are even there, all in the training. */
async function killRandomly(shards, count, signal) {
  for (let i = 0; i < 20; i++) {
    await sleep(30 + 300 * uniform(0, 2 * i));
    if (signal.aborted) return;
    shards.kill(Math.floor(count * uniform(0, 2 * i + 1)));
  }
}

async function checkKills(model, expected) {
  const count = 4;
  const isTrained = new AbortController();
  const report = (step) => step === model.steps - 1 && isTrained.abort();
  const use = async (layer, shards) => {
    const killed = killRandomly(shards, count, isTrained.signal);
    try {
      return { result: await train(layer, model, report), losses: shards.losses };
    } finally {
      isTrained.abort();
      await killed;
    }
  };
  const { result, losses } = await withShards(count, model, use);
  assert.ok(losses >= 5, `only ${losses} shards were lost`);
  assert.deepEqual(result, expected, `with ${losses} shards lost`);
  say(`shards lost at ${losses} random times: the bits of one process`);
}

const answers = await expectedOf(small);
for (const count of isJs ? [2] : [1, 2, 3, 4]) await checkEqual(count, small, answers);
const hash = sha256(JSON.stringify(answers)).slice(0, 16);
if (!isJs) {
  await checkPoints(small, answers);
  const long = { ...small, steps: 40 };
  await checkKills(long, await expectedOf(long));
  const short = { ...large, steps: 6, draws: 2 };
  await checkEqual(4, short, await expectedOf(short));
  const env = { ...process.env, SOFTMAX_BACKEND: 'js' };
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--js'], {
    env,
    encoding: 'utf8',
  });
  process.stdout.write(output);
  assert.match(output, /^sharded: js$/m);
  assert.equal(/^answers (.*)$/m.exec(output)?.[1], hash, 'both backends have the same bits');
}
console.log(`sharded: ${backend.isa ?? backend.kind}`);
console.log(`answers ${hash}`);
