// How far a command is: a bar on the error output if that is a terminal, nothing elsewhere.

import { SingleBar } from 'cli-progress';

export interface Progress {
  add(amount: number, label?: string): void;
  stop(): void;
}

const none: Progress = { add: () => {}, stop: () => {} };

export function displayProgress(total: number, label: string, isQuiet: boolean): Progress {
  if (isQuiet || !process.stderr.isTTY) return none;
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage} %  {eta_formatted} left  {label}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    clearOnComplete: true,
    // With the default, the bar would change the terminal's mode, and Ctrl-C leave it changed.
    linewrap: true,
  });
  bar.start(total, 0, { label });
  return {
    add: (amount, next) => bar.increment(amount, next === undefined ? {} : { label: next }),
    stop: () => bar.stop(),
  };
}
