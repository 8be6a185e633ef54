// The choice between the native and the JavaScript backend.

import process from 'node:process';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { formatValue, rangeError } from '../errors.js';
import type { Engine } from './jobs.js';
import { jsJobs } from './js/jobs.js';
import { jsKernels } from './js/kernels.js';
import { LoadError } from './native/load-error.js';
import { loadAddon } from './native/loader.js';
import { oneThread, readThreads, type Threads } from './threads.js';
import { withTinyRows } from './tiny.js';

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

export interface ChosenBackend {
  readonly backend: Backend;
  readonly engine: Engine;
  readonly threads: Threads;
}

type Environment = Readonly<Record<string, string | undefined>>;

const backendNames = ['auto', 'native', 'js'];
const isaNames = ['avx512', 'avx2', 'neon', 'scalar'];

/** A variable's value; undefined also where Deno was not allowed to read it. */
function variable(env: Environment, name: string): string | undefined {
  try {
    return env[name];
  } catch {
    return undefined;
  }
}

/** One of the names; undefined when unset or empty. */
function read(env: Environment, name: string, names: readonly string[]): string | undefined {
  const value = variable(env, name);
  if (value === undefined || value === '') return undefined;
  if (names.includes(value)) return value;
  const message = `${name}=${formatValue(value)} is none of ${names.join(', ')}`;
  throw rangeError('ERR_BACKEND', message, { argument: name, value });
}

export function chooseJs(reason: string): ChosenBackend {
  const backend = Object.freeze({ kind: 'js', isa: null, path: null, reason } as const);
  return { backend, engine: { kernels: jsKernels, jobs: jsJobs }, threads: oneThread };
}

const warned = 'softmax-native: fallback';

/** Once a process: its copies as ES module and CommonJS share the mark, and workers that start later get it. */
function warnOnce(reason: string): void {
  if (getEnvironmentData(warned) !== undefined) return;
  setEnvironmentData(warned, true);
  process.emitWarning(`JavaScript serves, same bits but slower: ${reason}`, {
    type: 'SoftmaxNativeWarning',
    code: 'SOFTMAX_NATIVE_FALLBACK',
  });
}

/** Throws an ERR_BACKEND with the cause when the addon or the ISA that SOFTMAX_ISA forces can't be had. */
export function chooseNative(env: Environment): ChosenBackend {
  const forcedIsa = read(env, 'SOFTMAX_ISA', isaNames);
  const threadCount = readThreads(variable(env, 'SOFTMAX_THREADS'));
  let cause: unknown;
  try {
    const addon = loadAddon();
    const isa = forcedIsa ?? addon.supported[0];
    if (addon.supported.includes(isa)) {
      const engine = addon.engineOf(isa);
      const { path, threads } = addon;
      if (threadCount !== undefined) threads.setDefault(threadCount);
      const reason =
        forcedIsa === undefined
          ? `the fastest of what this CPU runs (${addon.supported.join(', ')})`
          : `forced by SOFTMAX_ISA=${forcedIsa}`;
      return { backend: Object.freeze({ kind: 'native', isa, path, reason }), engine, threads };
    }
  } catch (error) {
    cause = error;
  }
  if (cause !== undefined) {
    const { message } = cause as Error;
    throw rangeError('ERR_BACKEND', `the native backend can't be used: ${message}`, {}, cause);
  }
  const message = `SOFTMAX_ISA=${forcedIsa} can't be met: this CPU or build does not have it`;
  throw rangeError('ERR_BACKEND', message, { argument: 'SOFTMAX_ISA', value: forcedIsa });
}

/**
 * What SOFTMAX_BACKEND and SOFTMAX_ISA ask for (and SOFTMAX_THREADS, which JavaScript has no use for); else native code if
 * it loads, else JavaScript with the reason.
 */
export function chooseBackend(env: Environment): ChosenBackend {
  const forced = read(env, 'SOFTMAX_BACKEND', backendNames);
  const forcedIsa = read(env, 'SOFTMAX_ISA', isaNames);
  readThreads(variable(env, 'SOFTMAX_THREADS'));
  if (forced === 'js') {
    if (forcedIsa === undefined) return chooseJs('forced by SOFTMAX_BACKEND=js');
    const message = `SOFTMAX_ISA=${forcedIsa} can't be met with SOFTMAX_BACKEND=js`;
    throw rangeError('ERR_BACKEND', message, { argument: 'SOFTMAX_ISA', value: forcedIsa });
  }
  if (forced === 'native' || forcedIsa !== undefined) return chooseNative(env);
  try {
    const { backend, engine, threads } = chooseNative(env);
    return { backend, engine: { ...engine, kernels: withTinyRows(engine.kernels) }, threads };
  } catch (error) {
    const { message, cause } = error as Error;
    if (cause instanceof LoadError && cause.isUnexpected) warnOnce(cause.message);
    return chooseJs(message);
  }
}
