// From the code of the WebAssembly module to a backend.

import { type ChosenBackend, chooseJs } from '../chosen.js';
import type { Engine } from '../jobs.js';
import { slicedJobs } from '../js/jobs.js';
import { oneThread } from '../threads.js';
import { withTinyWasmRows } from '../tiny.js';
import { Instance } from './instance.js';
import { wasmKernels } from './kernels.js';
import { type Module, webAssembly } from './web-assembly.js';

/** With relaxed SIMD there is a fused multiply-add; without it, one in double takes its place. */
export type WasmIsa = 'relaxed-simd' | 'simd128';

/** The compiled module, or an error that says why there is none. */
export type ModuleOf = (isa: WasmIsa) => Module;

/** A module with f32x4.relaxed_madd alone. */
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 20, 1, 18, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 26, 11],
);

/** Calls that are not plain and have no more elements JavaScript computes in less time. */
const tinyElements = 320;

export const hasRelaxed = (): boolean => webAssembly().validate(relaxedProbe);

/** Slices and what is computed at once: 30 to 100 µs, as in JavaScript, which takes more than twice as long. */
const jobs = slicedJobs(24576);

/** Whether it has the bits of the other backends: a product that is rounded before the addition has not. */
export const isFused = (instance: Instance): boolean => instance.exports.isFused() === 1;

function instanceOf(moduleOf: ModuleOf, forced: WasmIsa | undefined): Instance {
  if (forced !== 'simd128') {
    const instance = hasRelaxed() ? new Instance(moduleOf('relaxed-simd')) : undefined;
    if (instance && isFused(instance)) return instance;
    if (forced !== undefined)
      throw new Error(`this runtime has no ${instance ? 'fused multiply-add' : 'relaxed SIMD'}`);
  }
  const instance = new Instance(moduleOf('simd128'));
  if (isFused(instance)) return instance;
  throw new Error('this runtime has no fused multiply-add, and was given the module that needs one');
}

/** `isForced`: not even the tiniest calls are left to JavaScript. `forced`: by that module, or an error says why not. */
export function startWasm(
  moduleOf: ModuleOf,
  reason: string,
  isForced: boolean,
  forced?: WasmIsa,
): ChosenBackend {
  const instance = instanceOf(moduleOf, forced);
  const isa: WasmIsa = instance.exports.isRelaxed() === 1 ? 'relaxed-simd' : 'simd128';
  const kernels = wasmKernels(instance, isForced ? 0 : tinyElements);
  const engine: Engine = { kernels: isForced ? kernels : withTinyWasmRows(kernels), jobs };
  const backend = Object.freeze({ kind: 'wasm', isa, path: null, reason } as const);
  return { backend, engine, threads: oneThread };
}

/** What a runtime's error says, in one line. */
export function whyNot(error: unknown): string {
  const { name, message } = error as Error;
  const [line] = message.split('\n', 1) as [string];
  // Engines say in their own words what the Content-Security-Policy of a page forbids; Safari as an EvalError.
  const isForbidden = (words: RegExp) => /^(Compile|Eval)Error$/.test(name) && words.test(line);
  if (isForbidden(/unsafe-eval|\bCSP\b|policy/i))
    return `the page's Content-Security-Policy has no 'wasm-unsafe-eval' (${line})`;
  // Of edge workers, and of pages in older engines.
  if (isForbidden(/embedder/i))
    return `this runtime forbids to compile it; give init() the module, or a page's policy 'wasm-unsafe-eval' (${line})`;
  return line;
}

export const jsBecauseOf = (error: unknown): ChosenBackend =>
  chooseJs(`WebAssembly can't be used: ${whyNot(error)}`);

/** WebAssembly, or if it can't be had JavaScript with the reason. */
export function chooseWasmOrJs(moduleOf: ModuleOf, reason: string): ChosenBackend {
  try {
    return startWasm(moduleOf, reason, false);
  } catch (error) {
    return jsBecauseOf(error);
  }
}
