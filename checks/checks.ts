// The one list of checks: `npm run check` prints and runs them, .ci/run and workflows name them.

import type { Group, Task } from '../tools/front-door/task.js';
import { fast } from './list/fast.js';
import { hardening } from './list/hardening.js';
import { packaging } from './list/packaging.js';
import { results } from './list/results.js';

export const groups: readonly Group[] = [fast, results, packaging, hardening];

const tasks = new Map<string, Task>(groups.flatMap((group) => group.tasks).map((task) => [task.name, task]));

/** What .ci/run runs, two at a time, in 25 minutes with npm test: what builds for others and the longest first. */
const names = [
  'wasm',
  'kernels',
  'neon',
  'digits',
  'package',
  'exhaustive',
  'accuracy',
  'same-tokens',
  'same-shards',
  'async-races',
  'mutants',
  'browser',
  'big-sizes',
  'fuzz-calls',
  'state',
  'http',
  'llm-server',
  'interop',
  'site',
  'lint',
  'old-cpu',
  'node-versions',
  'benchmarks',
  'docs',
  'workflows',
  'symbols',
];

function taskOf(name: string): Task {
  const task = tasks.get(name);
  if (task === undefined) throw new Error(`checks: there is no ${name}`);
  return task;
}

export const ci: Group = {
  name: 'ci',
  summary: 'what .ci/run runs after npm test',
  tasks: names.map(taskOf),
};
