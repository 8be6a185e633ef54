// The front door of a list of tasks: `npm run check` and `npm run bench`.

import { argumentsFor, choose, UsageError } from './arguments.js';
import { install } from './debian.js';
import { helpOf, listOf } from './list.js';
import { type Job, runOne, runSeveral } from './run.js';
import { debianOf, type Group, isQuick } from './task.js';

/** A group with --quick has only what takes no longer than that. */
const quickest = 2;

interface Door {
  readonly name: string;
  readonly groups: readonly Group[];
  /** A group that is not listed: it always runs quickly, two tasks at a time. */
  readonly ci?: Group;
  /** Lines below the list. */
  readonly more: readonly string[];
}

/** --passed N, of .ci/run: what has passed before and counts too. */
function takePassed(args: readonly string[]): { passed: number; others: readonly string[] } {
  const at = args.indexOf('--passed');
  if (at < 0) return { passed: 0, others: args };
  return { passed: Number(args[at + 1]), others: args.toSpliced(at, 2) };
}

/** The exit code. */
export async function enter({ name, groups, ci, more }: Door, words: readonly string[]): Promise<number> {
  if (words.length === 0 || ['--help', '-h'].includes(words[0] as string)) {
    console.log(listOf(name, groups, more));
    return 0;
  }
  const { tasks, group, args } = choose(name, words, ci === undefined ? groups : [...groups, ci]);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(tasks.map((task) => helpOf(name, task)).join('\n\n'));
    return 0;
  }
  const isCi = ci !== undefined && group === ci;
  const { passed, others } = takePassed(args);
  const given = isCi ? ['--quick', ...others] : args;
  const isShort = (minutes: number) => minutes <= quickest;
  const left =
    group !== undefined && !isCi && isQuick(given)
      ? tasks.filter(({ minutes, quickMinutes = minutes }) => !isShort(quickMinutes))
      : [];
  const jobs: Job[] = tasks
    .filter((task) => !left.includes(task))
    .map((task) => ({ task, args: argumentsFor(name, task, given) }));
  if (left.length > 0)
    console.log(`${name}: too long for --quick: ${left.map((task) => task.name).join(', ')}`);
  if (
    !install(
      name,
      jobs.flatMap((job) => debianOf(job.task, job.args)),
    )
  )
    return 1;
  const [only] = jobs;
  if (jobs.length === 1 && only !== undefined) return (await runOne(only)) ? 0 : 1;
  const failed = await runSeveral(jobs, isCi ? 2 : 1);
  console.log(`${(isCi ? passed : 0) + jobs.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

export async function open(door: Door): Promise<void> {
  try {
    process.exitCode = await enter(door, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${door.name}: ${error.message}`);
    process.exitCode = 2;
  }
}
