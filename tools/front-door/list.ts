// What a front door prints: all of its tasks, and the options of one.

import { debianOf, type Group, type Task } from './task.js';

const width = 120;

export function duration(minutes: number | undefined): string {
  if (minutes === undefined) return '–';
  if (minutes < 1.5) return `${Math.round(minutes * 60)} s`;
  return minutes < 90 ? `${Math.round(minutes)} min` : `${Math.round(minutes / 6) / 10} h`;
}

const needsOf = (task: Task): string[] => [
  ...debianOf(task, []),
  ...(task.memory === undefined ? [] : [`${task.memory} GiB free`]),
];

/** Parts in lines of at most so many characters. */
function wrapped(parts: readonly string[], most: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= most)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines;
}

export function listOf(door: string, groups: readonly Group[], more: readonly string[]): string {
  const tasks = groups.flatMap((group) => group.tasks);
  const names = Math.max(...tasks.map(({ name }) => name.length)) + 4;
  const summaries = Math.max(...tasks.map(({ summary }) => summary.length)) + 2;
  const before = names + summaries + 6 + 10;
  const row = (name: string, summary: string, full: string, quick: string, needs: readonly string[]) => {
    const lines = wrapped(
      needs.map((need, i) => (i < needs.length - 1 ? `${need},` : need)),
      width - before,
    );
    const [first = '', ...others] = lines;
    const head = name.padEnd(names) + summary.padEnd(summaries) + full.padStart(6) + quick.padStart(8);
    return [`${head}  ${first}`.trimEnd(), ...others.map((line) => ' '.repeat(before) + line)];
  };
  const lines = groups.flatMap((group) => [
    '',
    ...row(`${group.name}: ${group.summary}`, '', '', '', []),
    ...group.tasks.flatMap((task) =>
      row(`  ${task.name}`, task.summary, duration(task.minutes), duration(task.quickMinutes), needsOf(task)),
    ),
  ]);
  return [
    `npm run ${door} NAME…                a ${door} or a group; several names may be given`,
    `npm run ${door} NAME… -- --quick     a part that takes less time`,
    `npm run ${door} NAME -- --help       its options`,
    '',
    ...row('  name', 'what it does', 'all', '--quick', ['needs (from Debian)']),
    ...lines.slice(1),
    '',
    ...more,
  ].join('\n');
}

export function helpOf(door: string, task: Task): string {
  const quick: readonly (readonly [string, string])[] =
    task.quickMinutes === undefined ? [] : [['--quick', `a part of it: ${duration(task.quickMinutes)}`]];
  const options = [...quick, ...(task.options ?? [])];
  const wide = Math.max(0, ...options.map(([option]) => option.length)) + 2;
  const needs = needsOf(task);
  const builds = (task.builds?.([]) ?? []).map(({ name }) => name);
  return [
    `${task.name}: ${task.summary}`,
    `takes ${duration(task.minutes)} on two cores`,
    ...(needs.length > 0 ? [`needs ${needs.join(', ')}`] : []),
    ...(builds.length > 0 ? [`builds first, where sources are newer: ${builds.join('; ')}`] : []),
    '',
    `npm run ${door} ${task.name}${options.length > 0 ? ' -- OPTIONS' : ''}`,
    ...options.map(([option, meaning]) => `  ${option.padEnd(wide)}${meaning}`),
  ].join('\n');
}
