// The choice of a backend, seen from outside: each case is a process of its own with its own environment.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { binary, load as loadFile, probabilities, root } from '../helpers/processes.js';

const addon: { supported: string[] } = createRequire(import.meta.url)(join(root, binary));
const isas = Object.keys(JSON.parse(readFileSync(join(root, 'native/variants.json'), 'utf8')).variants);
const load = (entry: string, env: Record<string, string> = {}) => loadFile(join(root, 'dist', entry), env);

describe('with a native build', () => {
  it('takes the best instruction set of this CPU', () => {
    const { backend, isFrozen, result, warnings } = load('index.mjs');
    expect(backend).toEqual({
      kind: 'native',
      isa: addon.supported[0],
      path: join(root, binary),
      reason: `the fastest of what this CPU runs (${addon.supported.join(', ')})`,
    });
    expect(isFrozen).toBe(true);
    expect(result).toEqual(probabilities);
    expect(warnings).toEqual([]);
  });

  it.each(addon.supported)('SOFTMAX_ISA=%s', (isa) => {
    const { backend, result } = load('index.mjs', { SOFTMAX_ISA: isa });
    expect(backend).toMatchObject({ kind: 'native', isa, reason: `forced by SOFTMAX_ISA=${isa}` });
    expect(result).toEqual(probabilities);
  });

  it('SOFTMAX_BACKEND=js', () => {
    const { backend, isFrozen, result } = load('index.mjs', { SOFTMAX_BACKEND: 'js' });
    expect(backend).toEqual({ kind: 'js', isa: null, path: null, reason: 'forced by SOFTMAX_BACKEND=js' });
    expect(isFrozen).toBe(true);
    expect(result).toEqual(probabilities);
  });

  it('softmax-native/js is JavaScript whatever the environment says', () => {
    const { backend, result } = load('js.mjs', { SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: 'avx512' });
    expect(backend).toMatchObject({ kind: 'js', reason: 'imported from softmax-native/js' });
    expect(result).toEqual(probabilities);
  });

  it('a forced choice that can not be met is an error', () => {
    const missing = isas.find((isa) => !addon.supported.includes(isa)) as string;
    expect(load('index.mjs', { SOFTMAX_ISA: missing }).error).toMatchObject({
      name: 'RangeError',
      code: 'ERR_BACKEND',
      message: `SOFTMAX_ISA=${missing} can't be met: this CPU or build does not have it`,
    });
    expect(load('index.mjs', { SOFTMAX_ISA: 'sse9' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: `SOFTMAX_ISA="sse9" is none of ${isas.join(', ')}`,
    });
    expect(load('index.mjs', { SOFTMAX_BACKEND: 'gpu' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: 'SOFTMAX_BACKEND="gpu" is none of auto, native, wasm, js',
    });
    expect(load('index.mjs', { SOFTMAX_BACKEND: 'js', SOFTMAX_ISA: 'scalar' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: "SOFTMAX_ISA=scalar can't be met with SOFTMAX_BACKEND=js",
    });
  });
});
