/**
 * The functions of softmax-native on WebAssembly, for browsers, workers and other places without native code: the same
 * bits.
 *
 * @packageDocumentation
 */

import type { Backend } from '../backends/chosen.js';

export * from './index.js';

/** A compiled WebAssembly.Module. */
export type WasmModule = object;

/**
 * Has WebAssembly serve where importing this entry point could not compile it: some runtimes compile large modules only
 * away from the main thread, and some none at all but those that they are deployed with, which can be given. Until then,
 * and where that fails, JavaScript serves with the same bits. Where WebAssembly serves already, there is nothing to do.
 *
 * @param module - softmax-native/softmax-simd.wasm or softmax-native/softmax-relaxed.wasm, compiled; by default the one
 * that this runtime is best served by is compiled
 *
 * @returns what serves from now on: `backend`, whose `kind` and `reason` have changed with it
 *
 * @example
 * import { init, softmax } from 'softmax-native/wasm';
 * (await init()).kind; // 'wasm'
 */
export declare function init(module?: WasmModule): Promise<Backend>;
