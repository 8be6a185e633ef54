// What an entry point is made of: a backend, and why it is this one.

import type { Engine } from './jobs.js';
import { jsJobs } from './js/jobs.js';
import { jsKernels } from './js/kernels.js';
import { oneThread, type Threads } from './threads.js';

/** Which code serves the calls, and why. */
export interface Backend {
  /** Native code, WebAssembly, or JavaScript. */
  readonly kind: 'native' | 'wasm' | 'js';
  /**
   * The instruction set of the kernels: 'avx512', 'avx2', 'neon' or 'scalar'; of WebAssembly 'relaxed-simd', which has a
   * fused multiply-add, or 'simd128', which has none and takes twice as long; null for JavaScript.
   */
  readonly isa: string | null;
  /** The file of the native addon; null for others. */
  readonly path: string | null;
  /** A sentence that says why this backend was chosen. */
  readonly reason: string;
}

export interface ChosenBackend {
  readonly backend: Backend;
  readonly engine: Engine;
  readonly threads: Threads;
}

export function chooseJs(reason: string): ChosenBackend {
  const backend = Object.freeze({ kind: 'js', isa: null, path: null, reason } as const);
  return { backend, engine: { kernels: jsKernels, jobs: jsJobs }, threads: oneThread };
}
