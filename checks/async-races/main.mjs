// All kinds of races, each in a process of its own, so that a crash is one line here.
//   node checks/async-races/main.mjs [--count PER_FUNCTION] [--quick] [--seed N] [--package DIRECTORY] [--only KIND,...]
// ASYNC_RACES_MOST_GROWTH: MiB that memory may grow where an allocator other than the system's is in use.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCommand } from './command.mjs';

const { count, seed, root, isQuick, only, ...given } = readCommand({ count: 0, workers: 0, calls: 0 });
const races = count || (isQuick ? 300 : 10_000);
const workers = given.workers || (isQuick ? 40 : 1000);
const calls = given.calls || (isQuick ? 50_000 : 1_000_000);

// Threads for any order of events, whatever CPUs this process may use.
process.env.SOFTMAX_THREADS ??= '4';

const directory = fileURLToPath(new URL('.', import.meta.url));
const stage = mkdtempSync(join(tmpdir(), 'softmax-async-races-'));
const nodeWith = (flags, script, ...args) => {
  const all = [...flags, join(directory, script), '--seed', seed, '--package', root, ...args].map(String);
  const { status, signal } = spawnSync(process.execPath, all, { stdio: 'inherit', env: process.env });
  return signal ?? status;
};
const node = (script, ...args) => nodeWith([], script, ...args);
const memory = (...args) => {
  // The allocators of the system and of the engine give back at once then, and what is left is what was lost.
  process.env.MALLOC_MMAP_THRESHOLD_ ??= '16384';
  process.env.MALLOC_ARENA_MAX ??= '1';
  return nodeWith(['--max-semi-space-size=1'], 'memory.mjs', ...args);
};
const inJavaScript = (script, ...args) => {
  const before = process.env.SOFTMAX_BACKEND;
  process.env.SOFTMAX_BACKEND = 'js';
  const result = node(script, ...args);
  process.env.SOFTMAX_BACKEND = before ?? '';
  return result;
};
const small = () => {
  const staged = spawnSync(process.execPath, [
    join(directory, 'stage.mjs'),
    stage,
    '--from',
    root,
    '--post-all',
  ]);
  if (staged.status !== 0) throw new Error(String(staged.stderr));
  return [stage, '--small', 1];
};

const kinds = {
  races: () => node('races.mjs', '--count', Math.ceil(races / 2)),
  'small races': () => node('races.mjs', '--count', Math.ceil(races / 2), '--package', ...small()),
  'races in JavaScript': () => inJavaScript('races.mjs', '--count', Math.ceil(races / 20)),
  shared: () => node('shared.mjs', '--count', Math.ceil(races / 8)),
  'small shared': () => node('shared.mjs', '--count', Math.ceil(races / 8), '--package', ...small()),
  workers: () => node('workers.mjs', '--count', workers / 2, '--seed', seed * 2),
  'workers without the main thread': () =>
    node('workers.mjs', '--count', workers / 2, '--seed', seed * 2 + 1),
  processes: () => node('processes.mjs', '--count', isQuick ? 33 : 220),
  memory: () => memory('--count', calls, '--jobs', isQuick ? 0 : calls / 10),
  'memory of small jobs': () => memory('--count', 0, '--jobs', calls / 10, '--package', ...small()),
};
const wanted = only?.split(',');
const failed = [];
const start = performance.now();
try {
  for (const [kind, run] of Object.entries(kinds)) {
    if (wanted && !wanted.includes(kind)) continue;
    const end = run();
    if (end !== 0) failed.push(`${kind} ended by ${end}`);
  }
} finally {
  rmSync(stage, { recursive: true, force: true });
}
const seconds = ((performance.now() - start) / 1000).toFixed(0);
const outcome = failed.length === 0 ? 'no crash, no leak, no wrong bit' : `FAILED: ${failed.join('; ')}`;
console.log(`async-races: seed ${seed}, Node ${process.versions.node}, ${seconds} s: ${outcome}`);
process.exitCode = failed.length === 0 ? 0 : 1;
