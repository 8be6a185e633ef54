// What checks and benchmarks run on: built when it is missing or older than its sources.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DebianPackage } from './debian.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Build {
  readonly name: string;
  readonly command: readonly string[];
  /** The files that the command writes last. */
  readonly outputs: readonly string[];
  /** Files and directories of the repository. */
  readonly sources: readonly string[];
  readonly debian: readonly DebianPackage[];
}

const npmRun = (script: string, ...args: string[]) => ['npm', 'run', '--silent', script, '--', ...args];

export const native: Build = {
  name: 'the addon',
  command: npmRun('build:native'),
  outputs: ['build/Release/softmax_native.node'],
  sources: ['binding.gyp', 'native'],
  debian: [],
};

/** Before `dist`, which they go into. What runs without them does not ask for their compiler. */
export const wasm: Build = {
  name: 'the WebAssembly modules',
  command: npmRun('build:wasm'),
  outputs: ['build/wasm/simd.wasm', 'build/wasm/relaxed.wasm'],
  sources: [
    ...['native/isa/wasm.cc', 'native/kernels', 'native/operations.h', 'native/vec', 'native/wasm'],
    'tools/build-wasm.mjs',
  ],
  debian: ['clang-16', 'lld-16'],
};

export const dist: Build = {
  name: 'the package',
  command: npmRun('build:ts'),
  outputs: ['dist/index.mjs'],
  // When they are asked for: a check may have built the modules since.
  get sources() {
    return [
      ...['package.json', 'src', 'tools/named-exports.ts', 'tools/wasm-modules.ts', 'tsconfig.json'],
      'tsdown.config.ts',
      ...wasm.outputs.filter((output) => existsSync(join(root, output))),
    ];
  },
  debian: [],
};

/** After `native`: what the addon is linked of is tested, and not compiled twice. */
export const kernels: Build = {
  name: "the kernels' C++ programs",
  command: npmRun('build:cmake', `--CDSOFTMAX_OBJECTS=${join(root, 'build/Release/obj.target')}`),
  outputs: ['kernels_test', 'guard_pages', 'exhaustive', 'fuzz_replay', 'kernels_bench', 'threads_bench'].map(
    (program) =>
      process.platform === 'win32' ? `build-cmake/Release/${program}.exe` : `build-cmake/${program}`,
  ),
  sources: ['CMakeLists.txt', 'native'],
  debian: ['cmake'],
};

const described = JSON.parse(readFileSync(join(root, 'native/variants.json'), 'utf8'));
export const platforms: readonly string[] = Object.keys(described.prebuilds.platforms);
export const host = `${process.platform}-${process.arch}`;

/** The prebuilt binaries of those platforms. */
export function prebuilds(wanted: readonly string[]): Build {
  const isForMac = wanted.some((platform) => platform.startsWith('darwin-'));
  return {
    name: `the prebuilt binaries of ${wanted.join(', ')}`,
    command: npmRun('prebuild', ...(wanted.length === 1 && wanted[0] === host ? ['--host'] : wanted)),
    outputs: wanted.map((platform) => `prebuilds/${platform}/softmax-native.node`),
    sources: ['CMakeLists.txt', 'native', 'tools/prebuild'],
    debian: isForMac ? ['cmake', 'lld-14', 'llvm-14'] : ['cmake'],
  };
}

function newestOf(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== 'node_modules');
  return Math.max(0, ...names.map((name) => newestOf(join(path, name))));
}

/** Whether an output is missing, or older than a source. */
export function isStale({ outputs, sources }: Build, directory = root): boolean {
  const paths = outputs.map((output) => join(directory, output));
  if (!paths.every(existsSync)) return true;
  const newest = Math.max(...sources.map((source) => newestOf(join(directory, source))));
  return Math.min(...paths.map((path) => statSync(path).mtimeMs)) < newest;
}
