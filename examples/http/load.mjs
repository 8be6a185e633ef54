// Loads the server, on this machine: what its clients get, and what its other requests feel meanwhile.
//   npm start [-- --quick]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startServer } from './start-server.mjs';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const seconds = options.quick ? 1 : 4;
const rounds = options.quick ? 1 : 2;
const batch = { rows: 64, classes: 32000, connections: 4 };

/** Milliseconds that GET /health takes, one after the other, until `isOver`. */
async function feelHealth(address, isOver) {
  const times = [];
  while (!isOver()) {
    const begin = performance.now();
    const response = await fetch(`${address}/health`);
    await response.text();
    times.push(performance.now() - begin);
    await sleep(5);
  }
  return times;
}

/** A process of its own that is ready to make requests. */
async function loadCannon(url) {
  const child = fork(new URL('cannon.mjs', import.meta.url));
  const message = async () => (await Promise.race([once(child, 'message'), once(child, 'exit')]))[0];
  child.send({ ...batch, url, seconds });
  await message();
  return async () => {
    child.send('shoot');
    const answered = await message();
    if (answered.failed !== 0) throw new Error(`not all requests for ${url} were answered`);
    return answered;
  };
}

/** What happens in some seconds of requests for a path, or of none. */
async function measure(address, path) {
  const shoot = path ? await loadCannon(address + path) : () => sleep(1e3 * seconds);
  await fetch(`${address}/delay`); // from now on
  let isOver = false;
  const health = feelHealth(address, () => isOver);
  const answered = await shoot().finally(() => {
    isOver = true;
  });
  const delay = await (await fetch(`${address}/delay`)).json();
  return { answered, delay, health: await health };
}

const spread = ({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`;

function spreadOf(times) {
  const sorted = Float64Array.from(times).sort();
  return { p50: sorted[sorted.length >> 1], p99: sorted[Math.floor(0.99 * sorted.length)] };
}

/** Of several rounds: the mean rate, the worst of their percentiles; of GET /health those of all. */
function line(name, results) {
  const worst = (spreads) => ({
    p50: Math.max(...spreads.map(({ p50 }) => p50)),
    p99: Math.max(...spreads.map(({ p99 }) => p99)),
  });
  const answers = results.flatMap(({ answered }) => answered ?? []);
  const rate = answers.reduce((sum, answer) => sum + answer.rate, 0) / answers.length;
  return [
    name,
    answers.length > 0 ? rate.toFixed(1) : '',
    answers.length > 0 ? spread(worst(answers)) : '',
    spread(worst(results.map(({ delay }) => delay))),
    spread(spreadOf(results.flatMap(({ health }) => health))),
  ];
}

function print(lines) {
  const all = [['', 'requests/s', 'their latency', 'event loop late by', 'GET /health'], ...lines];
  for (const cells of all) console.log(cells.map((cell, i) => cell.padStart(i ? 20 : 5)).join(''));
}

const { rows, classes, connections } = batch;
console.log(`${rows}×${classes} float32, ${connections} connections; milliseconds: median / 99th percentile`);
for (const backend of ['native', 'js']) {
  const server = await startServer({ SOFTMAX_BACKEND: backend });
  const { address, isa, threads } = server;
  console.log(
    `\n${cpus()[0].model.trim()}, ${cpus().length} CPUs, Node ${process.versions.node}, ${isa}, ${threads} threads`,
  );
  const paths = { idle: undefined, sync: '/sync/score', async: '/async/score' };
  const results = { idle: [], sync: [], async: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, path] of Object.entries(paths)) results[name].push(await measure(address, path));
  }
  print(Object.entries(results).map(([name, some]) => line(name, some)));
  server.stop();
}
