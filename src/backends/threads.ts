// How many threads compute a call.

import { formatValue, rangeError, typeError } from '../errors.js';

/** Of a process: all environments of it share the threads. */
export interface Threads {
  get(): number;
  set(threads: number): void;
  /** Unless they were set before: another environment may have come first. */
  setDefault(threads: number): void;
}

/** More would not be meant. */
const most = 1024;

const isCount = (threads: unknown): threads is number =>
  Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= most;

/** What setThreads takes. */
export function checkedThreads(count: unknown): number {
  if (isCount(count)) return count;
  const message = `threads must be an integer in [1, ${most}], got ${formatValue(count)}`;
  const details = { argument: 'threads', value: count };
  throw typeof count === 'number'
    ? rangeError('ERR_OPTION', message, details)
    : typeError('ERR_OPTION', message, details);
}

/** JavaScript computes in the calling thread. */
export const oneThread: Threads = { get: () => 1, set: () => {}, setDefault: () => {} };

/** What SOFTMAX_THREADS says; undefined when unset or empty. */
export function readThreads(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const threads = /^\d+$/.test(value) ? Number(value) : undefined;
  if (isCount(threads)) return threads;
  const message = `SOFTMAX_THREADS=${formatValue(value)} is not an integer in [1, ${most}]`;
  throw rangeError('ERR_BACKEND', message, { argument: 'SOFTMAX_THREADS', value });
}
