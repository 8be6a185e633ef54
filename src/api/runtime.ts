// What computes: the backend of an entry point, and its threads.

/** Which code serves the calls, and why. */
export interface Backend {
  /** Native code, or JavaScript. */
  readonly kind: 'native' | 'js';
  /** The instruction set of the kernels: 'avx512', 'avx2', 'neon' or 'scalar'; null for JavaScript. */
  readonly isa: string | null;
  /** The file of the native addon; null for JavaScript. */
  readonly path: string | null;
  /** A sentence that says why this backend was chosen. */
  readonly reason: string;
}

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
