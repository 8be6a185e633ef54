// How many threads compute a call.

import { rangeError, shown, typeError } from '../errors.js';

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

/** The functions of an entry point. */
export interface ThreadsApi {
  /**
   * How many threads may compute a call, the calling one among them: as many as `SOFTMAX_THREADS` or setThreads said,
   * else as many as CPUs that this process may use. In JavaScript 1.
   *
   * @returns their number
   *
   * @example
   * getThreads() >= 1; // true
   */
  getThreads(): number;

  /**
   * Sets how many threads may compute a call, from the next call on, in all of the process. The results' bits do not
   * depend on it. In JavaScript, which has one, it has no effect.
   *
   * @param threads - an integer in [1, 1024]
   *
   * @throws TypeError, RangeError ERR_OPTION: it is none
   *
   * @example
   * setThreads(getThreads()); // undefined
   */
  setThreads(threads: number): void;
}

export function threadsApi(threads: Threads): ThreadsApi {
  const fn = 'setThreads';
  return {
    getThreads: () => threads.get(),
    setThreads(count) {
      if (isCount(count)) return threads.set(count);
      const message = `threads must be an integer in [1, ${most}], got ${shown(count)}`;
      const details = { fn, argument: 'threads', value: count };
      throw typeof count === 'number'
        ? rangeError('ERR_OPTION', message, details)
        : typeError('ERR_OPTION', message, details);
    },
  };
}

/** JavaScript computes in the calling thread. */
export const oneThread: Threads = { get: () => 1, set: () => {}, setDefault: () => {} };

/** What SOFTMAX_THREADS says; undefined when unset or empty. */
export function readThreads(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const threads = /^\d+$/.test(value) ? Number(value) : undefined;
  if (isCount(threads)) return threads;
  const message = `SOFTMAX_THREADS=${shown(value)} is no integer in [1, ${most}]`;
  throw rangeError('ERR_BACKEND', message, { argument: 'SOFTMAX_THREADS', value });
}
