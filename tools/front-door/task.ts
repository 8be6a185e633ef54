// A check or a benchmark as the lists have it (checks/checks.ts, bench/benches.ts).

import { extname } from 'node:path';
import type { Build } from './builds.js';
import type { DebianPackage } from './debian.js';

export type Command = readonly string[];

export interface Task {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** On two cores, without builds. */
  readonly minutes: number;
  /** With --quick; undefined where that is no option. */
  readonly quickMinutes?: number;
  readonly debian?: readonly DebianPackage[];
  /** GiB of memory that have to be free for all of it. */
  readonly memory?: number;
  readonly builds?: (args: readonly string[]) => readonly Build[];
  /** Options beside --quick, with what they do. Without a dash at its beginning: arguments. */
  readonly options?: readonly (readonly [option: string, meaning: string])[];
  /** Run one after the other, up to the first that fails. */
  readonly commands: (args: readonly string[]) => readonly Command[];
}

export interface Group {
  readonly name: string;
  readonly summary: string;
  readonly tasks: readonly Task[];
}

const interpreters: Readonly<Record<string, readonly string[]>> = {
  '.sh': ['bash'],
  '.mjs': ['node'],
  '.ts': ['tsx'],
};

/** A script of this repository, given the arguments after its own. */
export const script =
  (path: string, ...own: readonly string[]): Task['commands'] =>
  (args) => [[...(interpreters[extname(path)] ?? []), path, ...own, ...args]];

export const program =
  (...command: readonly string[]): Task['commands'] =>
  (args) => [[...command, ...args]];

export const isOption = (argument: string): boolean => argument.startsWith('-');
export const isQuick = (args: readonly string[]): boolean => args.includes('--quick');
export const takesArguments = ({ options = [] }: Task): boolean =>
  options.some(([option]) => !isOption(option));

/** What is to be installed: for the task itself, and for what it runs on. */
export const debianOf = (task: Task, args: readonly string[]): DebianPackage[] => [
  ...new Set([...(task.debian ?? []), ...(task.builds?.(args) ?? []).flatMap(({ debian }) => debian)]),
];
