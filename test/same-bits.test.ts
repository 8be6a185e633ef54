// One answer everywhere: the hashes below were made once and hold for AVX-512, AVX2, NEON, scalar C++, WebAssembly and JavaScript.
// A change of any bit of any result of the corpus is a change of what the library promises.

import * as api from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { corpusHashes, lengths, longest } from './helpers/corpus.mjs';
import pinned from './helpers/corpus-hashes.json' with { type: 'json' };

describe(`same bits everywhere: ${api.backend.isa ?? 'JavaScript'}`, () => {
  it('is run by the backend that this project of the suite asks for', () => {
    const { SOFTMAX_BACKEND: kind, SOFTMAX_ISA: isa } = process.env;
    expect(api.backend.kind).toBe(kind);
    if (kind !== 'wasm') expect(api.backend.isa).toBe(kind === 'js' ? null : isa);
  });

  it('covers the lengths of the promise', () => {
    expect(lengths.slice(0, 130)).toEqual(Array.from({ length: 130 }, (_, i) => i + 1));
    expect(lengths.slice(130)).toEqual([1000, 4095, 4096, 4097, 20000]);
    expect(longest).toBe(1000003);
  });

  const hashes = corpusHashes(api);
  it('has a pinned hash for every function of the corpus', () => {
    expect(Object.keys(hashes).sort()).toEqual(Object.keys(pinned).sort());
  });
  it.each(Object.entries(pinned))('%s', (name, hash) => {
    expect(hashes[name]).toBe(hash);
  });
});
