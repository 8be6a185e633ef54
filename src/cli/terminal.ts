// Texts for people: colours and progress bars on terminals, plain text elsewhere.

import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import * as util from 'node:util';
import { SingleBar } from 'cli-progress';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';
export type Paint = (style: Style, text: string) => string;

/** For a stream: a terminal says by hasColors() what NO_COLOR and FORCE_COLOR ask for. */
export function painter(stream: NodeJS.WriteStream): Paint {
  const hasColours = stream.isTTY === true && (stream as WriteStream).hasColors();
  // Node 20 has styleText from 20.12 on.
  if (!hasColours || typeof util.styleText !== 'function') return (_style, text) => text;
  return (style, text) => util.styleText(style, text, { validateStream: false });
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Lines that may be many: no more of them wait than the reader is ready to take. */
export async function printLines(lines: Iterable<string>): Promise<void> {
  for (const line of lines) if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));

export interface Progress {
  add(amount: number): void;
  stop(): void;
}

const none: Progress = { add: () => {}, stop: () => {} };

/** A bar on the error output if that is a terminal, nothing elsewhere. */
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
  return { add: (amount) => bar.increment(amount), stop: () => bar.stop() };
}
