import { defineConfig } from 'tsdown';
import { namedExports } from './tools/named-exports.js';
import { wasmFiles, wasmText, webPlatform } from './tools/wasm-modules.js';

// Comments are for the sources, and documentation for the types: without them the package is 20 kB smaller.
const withoutComments = { compress: false, mangle: false, codegen: { removeWhitespace: false } } as const;

// hash: names of shared chunks do not change with their text, so that the list of packed files can be pinned.
const shared = {
  platform: 'node',
  target: 'node20',
  sourcemap: false,
  hash: false,
  logLevel: 'error',
  failOnWarn: true,
} as const;

// failOnWarn: a warning ends the build everywhere, not on CI machines alone (tsdown's default).
export default defineConfig([
  {
    ...shared,
    entry: {
      ...{ index: 'src/index.ts', js: 'src/js.ts', native: 'src/native.ts' },
      wasm: 'src/wasm-node.ts',
    },
    format: ['esm', 'cjs'],
    plugins: [namedExports, wasmFiles],
    minify: withoutComments,
    dts: false,
  },
  {
    // For browsers and all else that is not Node: no import of its modules.
    ...shared,
    platform: 'browser',
    target: 'es2022',
    entry: ['src/js.ts', 'src/wasm.ts'],
    format: ['esm', 'cjs'],
    outDir: 'dist/web',
    plugins: [namedExports, wasmText, webPlatform],
    fixedExtension: true,
    outputOptions: { codeSplitting: { groups: [{ name: 'wasm-code', test: /wasm-code/ }] } },
    minify: withoutComments,
    dts: false,
    clean: false,
  },
  {
    // One set of types: the functions as they are documented, and what softmax-native/wasm has beside them.
    ...shared,
    entry: { index: 'src/api/index.ts', wasm: 'src/api/wasm.ts' },
    format: ['esm', 'cjs'],
    dts: { emitDtsOnly: true },
    clean: false,
  },
  {
    // The command line imports the package by its name, as any program does. Other libraries become a part of it: the
    // package depends on none. THIRD-PARTY-NOTICES names them, and a library that is not listed here stops the build.
    ...shared,
    entry: { cli: 'src/cli/main.ts' },
    format: ['esm'],
    minify: { ...withoutComments, codegen: { removeWhitespace: true } },
    dts: false,
    clean: false,
    external: /^softmax-native/,
    noExternal: /^(?!softmax-native|node:)/,
    inlineOnly: [
      'ansi-regex',
      'cli-progress',
      'emoji-regex',
      'is-fullwidth-code-point',
      'pend',
      'string-width',
      'strip-ansi',
      'yauzl',
    ],
  },
  {
    // No part of the package: what checks that a bare Node runs know of its functions.
    ...shared,
    entry: { signatures: 'test/helpers/signatures.ts' },
    format: ['esm'],
    outDir: 'build',
    dts: false,
    clean: false,
  },
]);
