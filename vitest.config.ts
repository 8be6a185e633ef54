import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { namedExports } from './tools/named-exports.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The whole suite runs once per instruction set this CPU has, once on WebAssembly and once on the JavaScript backend.
const binary = at('./build/Release/softmax_native.node');
if (!existsSync(binary)) throw new Error('there is no native build to test: npm run build:all');
const addon: { supported: string[] } = createRequire(import.meta.url)(binary);
const { variants } = JSON.parse(readFileSync(at('./native/variants.json'), 'utf8'));
const missing = Object.keys(variants).filter((isa) => !addon.supported.includes(isa));
const hasWasm = existsSync(at('./build/wasm/simd.wasm'));
const tested = [...addon.supported, ...(hasWasm ? ['wasm'] : []), 'js'];
console.log(
  `backends under test: ${tested.join(', ')}; not on this CPU: ${missing.join(', ') || 'none'}` +
    (hasWasm ? '' : '; WebAssembly is not built: npm run build:wasm'),
);

const backends: { name: string; env: Record<string, string> }[] = [
  ...addon.supported.map((isa) => ({ name: isa, env: { SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: isa } })),
  ...(hasWasm ? [{ name: 'wasm', env: { SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: '' } }] : []),
  { name: 'js', env: { SOFTMAX_BACKEND: 'js', SOFTMAX_ISA: '' } },
];

const resolve = {
  alias: [
    { find: /^softmax-native$/, replacement: at('./src/index.ts') },
    { find: /^softmax-native\/(js|native)$/, replacement: `${at('./src')}/$1.ts` },
  ],
};

export default defineConfig({
  test: {
    // Vitest would leave one CPU idle.
    maxWorkers: availableParallelism(),
    projects: [
      ...backends.map(({ name, env }) => ({
        resolve,
        plugins: [namedExports],
        test: { name, env, include: ['test/*.test.ts', 'test/numbers/*.test.ts'], testTimeout: 120_000 },
      })),
      // What has one answer whatever the backend: the package, the choice of a backend.
      {
        resolve,
        plugins: [namedExports],
        test: {
          name: 'package',
          include: ['test/package/*.test.ts', 'test/cli/*.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
