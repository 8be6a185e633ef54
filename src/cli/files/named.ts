// The file that the words of a command name.

import { resolve } from 'node:path';
import { shownName, UsageError } from '../failures.js';

/** The files among the words, for each of these names. */
export function filesOf(command: string, words: readonly string[], names: readonly string[]): string[] {
  const missing = names.find((_, i) => !words[i]);
  if (missing !== undefined) throw new UsageError(`${missing} is missing`, command);
  const other = words[names.length];
  if (other !== undefined)
    throw new UsageError(`${names.join(' and ')} are expected, got '${shownName(other)}' too`, command);
  return words.map(nameOf);
}

const nameOf = (file: string): string => (resolve(file) === '/dev/stdin' ? '-' : file);

/** The one FILE among the words; '-': standard input. */
export function fileOf(command: string, [file, other]: readonly string[]): string {
  if (file === undefined || file === '') throw new UsageError('FILE is missing', command);
  if (other !== undefined)
    throw new UsageError(`one FILE is expected, got '${shownName(other)}' too`, command);
  return nameOf(file);
}
