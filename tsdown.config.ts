import { defineConfig } from 'tsdown';
import { namedExports } from './tools/named-exports.js';

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
    entry: ['src/index.ts', 'src/js.ts', 'src/native.ts'],
    format: ['esm', 'cjs'],
    plugins: [namedExports],
    minify: withoutComments,
    dts: false,
  },
  {
    // One set of types for all three: the functions as they are documented.
    ...shared,
    entry: { index: 'src/api/index.ts' },
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
