// What computes: the backend of an entry point, and its threads.

import type { Backend } from '../backends/chosen.js';

export type { Backend } from '../backends/chosen.js';

/** Which code serves the calls of this entry point, and why. Frozen. */
export declare const backend: Backend;

/**
 * How many threads may compute a call, the calling one among them: as many as `SOFTMAX_THREADS` or setThreads said,
 * else as many as CPUs that this process may use. In JavaScript 1.
 *
 * @returns their number
 *
 * @example
 * getThreads() >= 1; // true
 */
export declare function getThreads(): number;

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
export declare function setThreads(threads: number): void;
