// How far a run is: a bar on a terminal, plain lines elsewhere. On the error output: the tables can go to a file.

import { SingleBar } from 'cli-progress';

export interface Progress {
  /** What is being done now. */
  step(label: string): void;
  /** A line that stays. */
  note(text: string): void;
  stop(): void;
}

export function displayProgress(total: number): Progress {
  return process.stderr.isTTY ? bar(total) : lines(total);
}

function bar(total: number): Progress {
  const display = new SingleBar({
    stream: process.stderr,
    format: '{bar}  {value}/{total}  {eta_formatted} left  {label}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    etaBuffer: 20,
    clearOnComplete: true,
    // With the default, the bar would change the terminal's mode, and Ctrl-C leave it changed.
    linewrap: true,
  });
  let done = -1;
  display.start(total, 0, { label: '' });
  return {
    step: (label) => display.update(++done, { label }),
    note: (text) => process.stderr.write(`\r\x1b[K${text}\n`),
    stop: () => display.stop(),
  };
}

function lines(total: number): Progress {
  let done = 0;
  return {
    step: (label) => {
      done++;
      process.stderr.write(`${done}/${total} ${label}\n`);
    },
    note: (text) => process.stderr.write(`${text}\n`),
    stop: () => {},
  };
}
