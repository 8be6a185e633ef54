// The words after a command: node:util's parseArgs, with this program's errors.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearestOf } from '../nearest.js';
import { shownName, UsageError } from './failures.js';
import { type Dtypes, type ElementType, floats } from './npy/dtypes.js';

type Options = NonNullable<ParseArgsConfig['options']>;

/** parseArgs takes `-1` after an option for a flag; here it is the option's number. */
function withNumbers(words: readonly string[], options: Options): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [word, next] = [words[i] as string, words[i + 1]];
    if (word === '--') return [...joined, ...words.slice(i)];
    const takesValue = word.startsWith('--') && options[word.slice(2)]?.type === 'string';
    const isNumber = next !== undefined && /^-(?:[\d.]|inf)/i.test(next);
    joined.push(takesValue && isNumber ? `${word}=${next}` : word);
    if (takesValue && isNumber) i++;
  }
  return joined;
}

/** The known name that is most like a misspelt one, for the end of a message. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

/** The options and the other words. An unknown option, or one without its value, is a usage error. */
export function readArguments<const Known extends Options>(
  command: string,
  words: readonly string[],
  options: Known,
) {
  try {
    return parseArgs({
      args: withNumbers(words, options),
      options,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    // The first sentence says what is wrong; the others are about how to write what was not meant.
    const sentence = (error as Error).message.replace(/\.?\n[\s\S]*$|\. [\s\S]*$|\.$/, '');
    const [, unknown] = /^Unknown option '(.*)'$/.exec(sentence) ?? [];
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(shownName(sentence) + (unknown ? suggestion(unknown, known) : ''), command);
  }
}

/** A number that passes the test. */
export function readNumber(
  command: string,
  option: string,
  text: string,
  isFine: (value: number) => boolean,
  wanted: string,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text.replace(/^([+-]?)inf$/i, '$1Infinity'));
  if (isFine(value)) return value;
  throw new UsageError(`--${option} must be ${wanted}, got '${shownName(text)}'`, command);
}

/** What --dtype says of the floats in a file: that they are bfloat16, which is all that it can say. */
export function readDtypes(command: string, dtype: string | undefined): Dtypes<ElementType> {
  if (dtype === undefined || dtype === 'bfloat16') return floats(dtype !== undefined);
  const message = `--dtype must be bfloat16, got '${shownName(dtype)}': files name other dtypes themselves`;
  throw new UsageError(message, command);
}

/** No other words are meant. */
export function refuseWords(command: string, words: readonly string[]): void {
  if (words[0] !== undefined)
    throw new UsageError(`${command} takes no argument '${shownName(words[0])}'`, command);
}
