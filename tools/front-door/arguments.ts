// From the words of a command line to tasks and their arguments.

import { distanceOf } from '../../src/nearest.js';
import { type Group, isOption, type Task, takesArguments } from './task.js';

export class UsageError extends Error {}

/** At most three names that could have been meant: those that are near, else the nearest two. */
export function nearest(word: string, names: readonly string[]): string[] {
  const isPart = (name: string) => word.length > 2 && (name.includes(word) || word.includes(name));
  const sorted = names
    .map((name) => ({ name, far: isPart(name) ? 0 : distanceOf(word, name) }))
    .sort((a, b) => a.far - b.far);
  const near = sorted.filter(({ name, far }) => far <= name.length / 3);
  return (near.length > 0 ? near.slice(0, 3) : sorted.slice(0, 2)).map(({ name }) => name);
}

export interface Chosen {
  readonly tasks: readonly Task[];
  /** The group, if one was named alone. */
  readonly group?: Group;
  readonly args: readonly string[];
}

/** Names come first; what follows is the tasks' own. */
export function choose(door: string, words: readonly string[], groups: readonly Group[]): Chosen {
  const tasks = new Map<string, Task>();
  for (const group of groups) for (const task of group.tasks) tasks.set(task.name, task);
  const found = new Set<Task>();
  let group: Group | undefined;
  let used = 0;
  for (const word of words) {
    if (isOption(word)) break;
    const task = tasks.get(word);
    const named = groups.find(({ name }) => name === word);
    if (task !== undefined) found.add(task);
    else if (named !== undefined) {
      if (used === 0) group = named;
      for (const one of named.tasks) found.add(one);
    } else if (found.size === 1 && takesArguments([...found][0] as Task)) break;
    else {
      const names = nearest(word, [...tasks.keys(), ...groups.map(({ name }) => name)]);
      throw new UsageError(
        `there is no ${door} ${word}; the nearest: ${names.join(', ')}. npm run ${door} lists all`,
      );
    }
    used++;
  }
  const chosen = { tasks: [...found], args: words.slice(used) };
  return group !== undefined && used === 1 ? { ...chosen, group } : chosen;
}

/** The arguments that a task takes of those given. Options that it does not have are an error. */
export function argumentsFor(door: string, task: Task, args: readonly string[]): string[] {
  const options = (task.options ?? []).map(([option]) => option.split(' ')[0] as string);
  const unknown = args.find(
    (argument) =>
      /^--?[a-z]/.test(argument) &&
      argument !== '--quick' &&
      !options.includes(argument.split('=')[0] as string),
  );
  if (unknown !== undefined) {
    const known = [...(task.quickMinutes === undefined ? [] : ['--quick']), ...options.filter(isOption)];
    const takes = known.length > 0 ? `takes ${known.join(', ')}` : 'takes no options';
    throw new UsageError(`${task.name} ${takes}, not ${unknown}. npm run ${door} ${task.name} -- --help`);
  }
  return task.quickMinutes === undefined ? args.filter((argument) => argument !== '--quick') : [...args];
}
