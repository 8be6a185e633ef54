// Runs tasks: one with its output as it comes, several with theirs when each has ended.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Build, isStale, root } from './builds.js';
import type { Command, Task } from './task.js';

export interface Job {
  readonly task: Task;
  readonly args: readonly string[];
}

const env = {
  CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()),
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
};

/** The exit code, or the signal that ended it. */
function execute([program = '', ...args]: Command, output: number | 'inherit'): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: root,
      env,
      stdio: [output === 'inherit' ? output : 'ignore', output, output],
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? code ?? 1));
  });
}

const buildsOf = ({ task, args }: Job): readonly Build[] => task.builds?.(args) ?? [];

/** Builds and runs a task; what ended it, 0 if nothing did before its time. */
async function perform(job: Job, built: Set<string>, output: number | 'inherit'): Promise<number | string> {
  for (const build of buildsOf(job)) {
    if (!built.has(build.name) && isStale(build)) {
      console.log(`builds ${build.name}`);
      const status = await execute(build.command, output);
      if (status !== 0) return status;
    }
    built.add(build.name);
  }
  for (const command of job.task.commands(job.args)) {
    const status = await execute(command, output);
    if (status !== 0) return status;
  }
  return 0;
}

export async function runOne(job: Job): Promise<boolean> {
  const status = await perform(job, new Set(), 'inherit');
  if (status !== 0) console.error(`${job.task.name}: FAILED (${status})`);
  return status === 0;
}

/** Lines of a log that are worth seeing: all of a failure. */
function linesOf(log: string, isAll: boolean): string {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  return lines.slice(isAll ? 0 : -3).join('\n');
}

/**
 * Runs tasks, so many at a time, in the order given as far as nobody has to wait for another's build. A failure does not
 * keep the rest from running. How many failed.
 */
export async function runSeveral(jobs: readonly Job[], atATime: number): Promise<number> {
  const logs = join(root, 'build-checks');
  mkdirSync(logs, { recursive: true });
  const waiting = [...jobs];
  const running = new Map<Job, Promise<void>>();
  const built = new Set<string>();
  const begin = performance.now();
  const seconds = (since: number) => `${Math.round((performance.now() - since) / 1000)} s`;
  let failed = 0;

  const run = async (job: Job) => {
    const { name } = job.task;
    const began = performance.now();
    const log = join(logs, `${name}.log`);
    const file = openSync(log, 'w');
    console.log(`--- ${[name, ...job.args].join(' ')} begins`);
    const status = await perform(job, built, file);
    closeSync(file);
    running.delete(job);
    if (status !== 0) failed++;
    const outcome = status === 0 ? 'passed' : `FAILED (${status})`;
    console.log(`=== ${name}\n${linesOf(log, status !== 0)}`);
    console.log(`=== ${name}: ${outcome}, ${seconds(began)}, ${seconds(begin)} since the beginning`);
  };
  /** What nobody has built nor is building now. */
  const isFree = (job: Job) => {
    const building = [...running.keys()].flatMap(buildsOf).filter(({ name }) => !built.has(name));
    return !buildsOf(job).some(({ name }) => building.some((build) => build.name === name));
  };
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < atATime ? waiting.findIndex(isFree) : -1;
    if (next < 0) await Promise.race(running.values());
    else for (const job of waiting.splice(next, 1)) running.set(job, run(job));
  }
  return failed;
}
