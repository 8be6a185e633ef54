// Where the files of the WebAssembly module are, in Node: beside this one in dist, in build/wasm of a clone, or in the
// package that a bundle came from. They are files, and not text inside the code, since whoever has native code would wait
// for the text, too: 15 ms at each start, as ES modules read all that they may need. In browsers it is text (src/wasm.ts).

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundlePlaces, filesBeside, isOurs } from './addon-file.js';
import { readingFailed } from './backends/native/load-error.js';
import { requireFrom } from './backends/native/require.js';
import type { WasmIsa } from './backends/wasm/start.js';
import { type Module, webAssembly } from './backends/wasm/web-assembly.js';
import { workerThreads } from './node-modules.js';
import { version } from './version.js';

const fileOf = { 'relaxed-simd': 'softmax-relaxed.wasm', simd128: 'softmax-simd.wasm' } as const;
const builtAs = { 'relaxed-simd': 'relaxed.wasm', simd128: 'simd.wasm' } as const;

/** As for the addon: written so that what gathers a program's files sees them. */
function inOwnFolder(isa: WasmIsa): string | undefined {
  try {
    return isa === 'simd128' ? join(__dirname, 'softmax-simd.wasm') : join(__dirname, 'softmax-relaxed.wasm');
  } catch {
    return undefined;
  }
}

function ofInstalledPackage(place: string, file: string): string | undefined {
  try {
    const require = requireFrom(place);
    const path = require.resolve('softmax-native/package.json');
    return isOurs(require, path) ? join(dirname(path), 'dist', file) : undefined;
  } catch {
    return undefined;
  }
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '');

function readCode(isa: WasmIsa): Uint8Array {
  const file = fileOf[isa];
  const beside = filesBeside();
  const places = bundlePlaces(beside);
  const own = beside && dirname(beside.self);
  const candidates = [
    ...(own === undefined ? [] : [join(own, file), join(own, '../build/wasm', builtAs[isa])]),
    inOwnFolder(isa),
    ...places.flatMap((place) => [join(dirname(place), file), ofInstalledPackage(place, file)]),
  ];
  let failure: Error | undefined;
  for (const path of candidates)
    if (path !== undefined)
      try {
        return readFileSync(path);
      } catch (error) {
        if (!isMissing(error)) failure ??= readingFailed(path, error);
      }
  throw (
    failure ??
    new Error(`there is no ${file} beside the code; copy it there, or build it by npm run build:wasm`)
  );
}

/** Compiled once: threads that start later get it. */
export function moduleOfFile(isa: WasmIsa): Module {
  const name = `softmax-native ${version}: ${isa}`;
  const { getEnvironmentData, setEnvironmentData } = workerThreads();
  const shared = getEnvironmentData(name) as Module | undefined;
  if (shared !== undefined) return shared;
  const { Module } = webAssembly();
  const module = new Module(readCode(isa));
  setEnvironmentData(name, module as never);
  return module;
}
