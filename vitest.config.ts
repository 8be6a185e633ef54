import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { namedExports } from './tools/named-exports.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The whole suite runs on the best instruction set of this CPU and on the JavaScript backend; on the other
// instruction sets and on WebAssembly all but what TypeScript does before and after the kernels, which is the same on each.
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

const ofTypeScript = [
  ...['arrays-', 'async-', 'errors', 'half-polyfill', 'inference', 'layouts', 'options', 'overlap'],
  ...['philox', 'plain-', 'several-results', 'tensors', 'types'],
].map((beginning) => `test/${beginning}*.test.ts`);

// WebAssembly has copies and jobs of its own.
const besidesJobs = ofTypeScript.filter((path) => !/async-|overlap|plain-calls|several-results/.test(path));

interface Backend {
  readonly name: string;
  readonly env: Record<string, string>;
  readonly exclude: string[];
}
const backends: readonly Backend[] = [
  ...addon.supported.map((isa, i) => ({
    name: isa,
    env: { SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: isa },
    exclude: i === 0 ? [] : ofTypeScript,
  })),
  ...(hasWasm
    ? [{ name: 'wasm', env: { SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: '' }, exclude: besidesJobs }]
    : []),
  // Its sampling is what the others' is compared with.
  {
    name: 'js',
    env: { SOFTMAX_BACKEND: 'js', SOFTMAX_ISA: '' },
    exclude: ['test/sample-backends.test.ts'],
  },
];

const resolve = {
  alias: [
    { find: /^softmax-native$/, replacement: at('./src/index.ts') },
    { find: /^softmax-native\/(js|native)$/, replacement: `${at('./src')}/$1.ts` },
    { find: /^softmax-native\/wasm$/, replacement: at('./src/wasm-node.ts') },
  ],
};

export default defineConfig({
  test: {
    // Vitest would leave one CPU idle.
    maxWorkers: availableParallelism(),
    projects: [
      ...backends.map((backend) => ({
        resolve,
        plugins: [namedExports],
        test: {
          ...backend,
          include: ['test/*.test.ts', 'test/numbers/*.test.ts'],
          testTimeout: 120_000,
          // Files that leave nothing behind, and load the same modules.
          isolate: false,
        },
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
