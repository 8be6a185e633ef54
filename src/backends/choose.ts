// The choice between the native backend, WebAssembly and JavaScript.

import { formatValue, rangeError } from '../errors.js';
import { process, workerThreads } from '../node-modules.js';
import { moduleOfFile } from '../wasm-file.js';
import { type ChosenBackend, chooseJs } from './chosen.js';
import { LoadError } from './native/load-error.js';
import { loadAddon } from './native/loader.js';
import { readThreads } from './threads.js';
import { withTinyRows } from './tiny.js';
import { startWasm, type WasmIsa, whyNot } from './wasm/start.js';

type Environment = Readonly<Record<string, string | undefined>>;

const backendNames = ['auto', 'native', 'wasm', 'js'];
const isaNames = ['avx512', 'avx2', 'neon', 'scalar'];
const wasmIsaNames: readonly WasmIsa[] = ['relaxed-simd', 'simd128'];

/** A variable's value; undefined also where Deno was not allowed to read it. */
function variable(env: Environment, name: string): string | undefined {
  try {
    return env[name];
  } catch {
    return undefined;
  }
}

/** One of the names; undefined when unset or empty. */
function read<Name extends string>(env: Environment, name: string, names: readonly Name[]): Name | undefined {
  const value = variable(env, name);
  if (value === undefined || value === '') return undefined;
  if (names.includes(value as Name)) return value as Name;
  const message = `${name}=${formatValue(value)} is none of ${names.join(', ')}`;
  throw rangeError('ERR_BACKEND', message, { argument: name, value });
}

const warned = 'softmax-native: fallback';

/** Once a process: its copies as ES module and CommonJS share the mark, and workers that start later get it. */
function warnOnce(serves: string, reason: string): void {
  const { getEnvironmentData, setEnvironmentData } = workerThreads();
  if (getEnvironmentData(warned) !== undefined) return;
  setEnvironmentData(warned, true);
  process.emitWarning(`${serves} serves, same bits but slower: ${reason}`, {
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

/** Throws an ERR_BACKEND with the cause when WebAssembly, or the module that SOFTMAX_ISA forces, can't be had. */
function forceWasm(env: Environment): ChosenBackend {
  const isa = read(env, 'SOFTMAX_ISA', wasmIsaNames);
  const by = isa === undefined ? 'SOFTMAX_BACKEND=wasm' : `SOFTMAX_ISA=${isa}`;
  try {
    return startWasm(moduleOfFile, `forced by ${by}`, true, isa);
  } catch (cause) {
    throw rangeError('ERR_BACKEND', `the WebAssembly backend can't be used: ${whyNot(cause)}`, {}, cause);
  }
}

/** WebAssembly where native code can't be had, for that reason; JavaScript where it can't be had, either. */
function chooseOther(reason: string): ChosenBackend {
  try {
    return startWasm(moduleOfFile, reason, false);
  } catch (error) {
    return chooseJs(`${reason}. Nor can WebAssembly: ${whyNot(error)}`);
  }
}

/**
 * What SOFTMAX_BACKEND and SOFTMAX_ISA ask for (and SOFTMAX_THREADS, which native code alone has a use for); else native
 * code if it loads, else WebAssembly with the reason, else JavaScript with both reasons.
 */
export function chooseBackend(env: Environment): ChosenBackend {
  const forced = read(env, 'SOFTMAX_BACKEND', backendNames);
  readThreads(variable(env, 'SOFTMAX_THREADS'));
  if (forced === 'wasm') return forceWasm(env);
  const forcedIsa = read(env, 'SOFTMAX_ISA', isaNames);
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
    const chosen = chooseOther(message);
    if (cause instanceof LoadError && cause.isUnexpected)
      warnOnce(chosen.backend.kind === 'wasm' ? 'WebAssembly' : 'JavaScript', cause.message);
    return chosen;
  }
}
