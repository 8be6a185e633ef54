// The file that the words of a command name.

import { resolve } from 'node:path';
import { shownName, UsageError } from '../failures.js';

/** The one FILE among the words; '-': standard input. */
export function fileOf(command: string, [file, other]: readonly string[]): string {
  if (file === undefined || file === '') throw new UsageError('FILE is missing', command);
  if (other !== undefined)
    throw new UsageError(`one FILE is expected, got '${shownName(other)}' too`, command);
  return resolve(file) === '/dev/stdin' ? '-' : file;
}
