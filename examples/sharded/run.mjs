// A training and what is drawn after it, by a layer that is whole or in shards.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Coordinator } from './coordinator.mjs';
import { OwnNats } from './nats.mjs';
import { Shards } from './shards.mjs';
import { Task } from './task.mjs';

const filters = { topK: 50, topP: 0.99, temperature: 1.1 };

/** `layer`: a Whole or a Coordinator. `report(step, result)` after each step. What is returned is the same for both. */
export async function train(layer, model, report = () => {}) {
  const task = new Task(model);
  const steps = [];
  for (let step = 0; step < model.steps; step++) {
    steps.push(await layer.step(step, task.batch(step)));
    await report(step, steps.at(-1));
  }
  const weights = await layer.hashOfWeights(model.steps);
  return { steps, weights, ...(await draw(layer, model, task)) };
}

/** Each row's tokens, the prompt first: what is drawn is the next prompt. */
async function draw(layer, model, task) {
  const drawn = [[...task.prompts]];
  const logProbs = [];
  for (let step = 0; step < model.draws; step++) {
    const options = { ...filters, seed: model.seed, step };
    const next = await layer.draw(model.steps, task.hidden(drawn.at(-1)), options);
    drawn.push([...next.tokens]);
    logProbs.push([...next.logProbs]);
  }
  return { drawn, logProbs };
}

/**
 * `use(coordinator, shards)` with so many processes and a server of their own, which are stopped afterwards. `dies`: see
 * shards.mjs.
 */
export async function withShards(count, model, use, dies) {
  const directory = mkdtempSync(join(tmpdir(), 'sharded-'));
  const forget = onExit(() => rmSync(directory, { recursive: true }));
  let nats;
  let shards;
  let coordinator;
  try {
    nats = await OwnNats.start(directory);
    coordinator = await Coordinator.connect(nats.address, count, model);
    shards = new Shards(count, { model, directory, address: nats.address, dies });
    return await use(coordinator, shards);
  } finally {
    await shards?.stop();
    await coordinator?.close();
    await nats?.stop();
    forget();
  }
}

/** Does it also if the process is told to end. What is returned does it now. */
function onExit(clear) {
  const end = () => process.exit(1);
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.once(signal, end);
  process.once('exit', clear);
  return () => {
    for (const signal of signals) process.off(signal, end);
    process.off('exit', clear);
    clear();
  };
}
