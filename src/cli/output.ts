// Texts for people: colours where they are seen, and nothing but text elsewhere.

import type { WriteStream } from 'node:tty';
import * as util from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';
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

export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));
