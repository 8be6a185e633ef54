// Masks as tokenizers give them, and options by the names that other libraries have for them.
import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';

const { softmax, crossEntropy } = api;
const x = Float32Array.of(1, 2, 3, 1, 2, 3);
const shape = [2, 3];

describe('a mask of integers', () => {
  const wanted = softmax(x, { shape, mask: Uint8Array.of(1, 1, 0, 1, 1, 1) });
  const kept = [1, 1, 0, 1, 1, 1];
  test.each([
    ['int64', BigInt64Array.from(kept, BigInt)],
    ['int64', BigInt64Array.from(kept, (k) => BigInt(k) * -(2n ** 40n))],
    ['int32', Int32Array.from(kept)],
    ['bool', Uint8Array.from(kept)],
    ['int16', Int16Array.from(kept, (k) => k * 256)],
    [undefined, BigUint64Array.from(kept, BigInt)],
  ])('%s', (type, data) => {
    expect(softmax(x, { shape, mask: any({ type, data, dims: shape }) })).toEqual(wanted);
  });

  test('shares nothing with an output, whatever its type', () => {
    const data = new Int32Array(x.buffer.slice(0));
    const out = new Float32Array(data.buffer);
    const call = () => softmax(x, { shape, mask: { data, dims: shape }, out });
    expect(call).toThrow('softmax: out overlaps mask; it must share nothing');
    expect(new Int32Array(x.buffer)).toEqual(data);
  });
});

describe('an option by the name that another library has for it', () => {
  test.each([
    ['dim', 'axis'],
    ['dims', 'shape'],
    ['ignore_index', 'ignoreIndex'],
    ['label_smoothing', 'labelSmoothing'],
  ])('%s', (name, own) => {
    const wanted = { code: 'ERR_OPTION', argument: name };
    for (const [fn, call] of [
      ['softmax', () => softmax(x, any({ [name]: 1 }))],
      ['crossEntropy', () => crossEntropy(x, Int32Array.of(1), any({ [name]: undefined }))],
    ] as const) {
      expect(call).toThrow(expect.objectContaining({ ...wanted, fn, name: 'TypeError' }));
      expect(call).toThrow(`${fn}: ${name} is not an option; did you mean ${own}?`);
    }
  });
});
