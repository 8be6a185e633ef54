// Plugins of the build: where the WebAssembly modules go, and what takes the place of Node's modules in browsers.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Undefined where `npm run build:wasm` has made none. */
function codeOf(name: 'simd' | 'relaxed'): Buffer | undefined {
  const path = at(`../build/wasm/${name}.wasm`);
  return existsSync(path) ? readFileSync(path) : undefined;
}

interface Emitting {
  emitFile(file: { type: 'asset'; fileName: string; source: Uint8Array }): void;
}

/** As files beside the code, which reads them when it has no native code (src/wasm-file.ts). */
export const wasmFiles = {
  name: 'wasm-files',
  generateBundle(this: unknown) {
    for (const name of ['simd', 'relaxed'] as const) {
      const source = codeOf(name);
      if (source) (this as Emitting).emitFile({ type: 'asset', fileName: `softmax-${name}.wasm`, source });
    }
  },
};

/** As text in a chunk of its own (src/wasm-code.ts). */
export const wasmText = {
  name: 'wasm-text',
  transform(_code: string, id: string) {
    if (!id.endsWith('/src/wasm-code.ts')) return null;
    const line = (name: 'simd' | 'relaxed') =>
      `export const ${name} = '${codeOf(name)?.toString('base64') ?? ''}';`;
    return { code: `${line('simd')}\n${line('relaxed')}\n`, map: null };
  },
};

/** src/platform-web.ts in place of src/platform.ts. */
export const webPlatform = {
  name: 'web-platform',
  resolveId: (source: string) => (/\/platform\.js$/.test(source) ? at('../src/platform-web.ts') : null),
};
