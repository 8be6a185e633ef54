// What a load of calls does to the event loop of its process, and what it costs to begin a job.
//
//   npm run bench event-loop [-- --seconds 3]

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { backend, getThreads } from 'softmax-native';
import { begin, loads } from './event-loop/loads.js';
import { type Felt, feel, type Spread } from './event-loop/probes.js';
import { start } from './event-loop/start.js';
import { machine } from './machine.js';
import { missing, shownNumber, textTable } from './table.js';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '3' } } });
const milliseconds = 1e3 * Number(options.seconds);

const shownSpread = ({ p50, p99, max }: Spread): string => [p50, p99, max].map(shownNumber).join(' / ');

function line(name: string, felt: Felt, calls?: number): string[] {
  const rate = calls === undefined ? missing : shownNumber((1e3 * calls) / milliseconds);
  return [name, shownSpread(felt.timer), shownSpread(felt.immediate), shownSpread(felt.stat), rate];
}

console.log(
  `${machine.cpu}, ${machine.threads} CPUs, Node ${machine.node}, ${backend.isa ?? 'JavaScript'}, ${getThreads()} threads`,
);
console.log('Milliseconds: median / 99th percentile / worst\n');

for (const { title, open } of loads) {
  const lines = [line('idle', await feel(milliseconds))];
  for (const openOne of open) {
    const load = openOne();
    const running = begin(load);
    await sleep(milliseconds / 4); // until memory and threads are there
    const before = running.calls();
    const felt = await feel(milliseconds);
    const calls = running.calls() - before;
    await running.stop();
    lines.push(line(load.name, felt, calls));
  }
  console.log(textTable([[title, 'timer late by', 'setImmediate', 'fs.stat', 'calls/s'], ...lines]), '\n');
}

const starts = [
  await start(1, 1000, 20e3, false),
  // The smallest that are not computed at once.
  await start(66, 1000, 4e3, false),
  await start(66, 1000, 4e3, true),
  await start(256, 1000, 1e3, false),
  await start(256, 1000, 1e3, true),
];
const rows = starts.map(({ shape, sync, returned, fulfilled }) =>
  [shape, ...[sync, returned, fulfilled, fulfilled - sync].map(shownNumber)].map(String),
);
console.log(
  textTable([['softmax, medians in µs', 'sync', 'promise returned', 'fulfilled', 'over sync'], ...rows]),
);
