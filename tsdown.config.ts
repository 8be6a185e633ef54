import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/js.ts', 'src/native.ts'],
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20',
  dts: true,
  sourcemap: false,
  // Names of shared chunks do not change with their text: the list of packed files can be pinned.
  hash: false,
  logLevel: 'error',
});
