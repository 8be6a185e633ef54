// Loads the built package in a process of its own, as its consumers do.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Of this project. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Relative to it. */
export const binary = 'build/Release/softmax_native.node';
/** The WebAssembly modules of the clone. */
export const hasModules = existsSync(join(root, 'build/wasm/simd.wasm'));
/** What serves in place of native code: WebAssembly, where it was built. */
export const otherTier = existsSync(join(root, 'dist/softmax-simd.wasm')) ? 'wasm' : 'js';
/** Of the logits 1, 2, 3. */
export const probabilities = [0.09003057330846786, 0.2447284609079361, 0.6652409434318542];

export interface Report {
  readonly backend?: { kind: string; isa: string | null; path: string | null; reason: string };
  readonly isFrozen?: boolean;
  readonly result?: number[];
  readonly error?: { name: string; code: string; message: string; cause: string };
  readonly warnings: string[];
}

/** Flags for a module that runs before the package: in place of another system, or of another file. */
export const preload = (code: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(code)}`,
];

/** Other functions of a module of Node's, for all that import them; `original` is the module as it was. */
export const replace = (name: string, functions: string): string[] =>
  preload(`import module from 'node:module'; import one from '${name}';
    const original = { ...one }; Object.assign(one, (${functions})); module.syncBuiltinESMExports();`);

const program = (entry: string) => `
  const warnings = [];
  process.on('warning', ({ name, code, message }) => {
    if (name === 'SoftmaxNativeWarning') warnings.push([name, code, message].join(' | '));
  });
  let report = {};
  try {
    const api = await import(${JSON.stringify(entry)});
    report = { backend: api.backend, isFrozen: Object.isFrozen(api.backend), result: [...api.softmax(new Float32Array([1, 2, 3]))] };
  } catch ({ name, code, message, cause }) {
    report = { error: { name, code, message, cause: String(cause) } };
  }
  setImmediate(() => console.log(JSON.stringify({ ...report, warnings })));
`;

/** What a module prints, as JSON, in a process with these variables and flags. */
export function run(code: string, env: Record<string, string> = {}, flags: readonly string[] = []): unknown {
  const { SOFTMAX_BACKEND: _backend, SOFTMAX_ISA: _isa, NODE_OPTIONS: _options, ...inherited } = process.env;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '-e', code],
    { env: { ...inherited, ...env }, encoding: 'utf8' },
  );
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
  return JSON.parse(stdout);
}

/** Loads a file of the package. */
export function load(file: string, env: Record<string, string> = {}, flags: readonly string[] = []): Report {
  return run(program(file), env, flags) as Report;
}
