// tokenLogProbs against logSoftmax, logSumExp, topK and a count by definition, to the bit; its limits; its bits.

import { createHash } from 'node:crypto';
import { logSoftmax, logSumExp, tokenLogProbs, topK } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { any } from '../helpers/calls.js';
import { Random } from '../helpers/random.js';

const { NaN: nan, NEGATIVE_INFINITY: none, POSITIVE_INFINITY: infinite } = Number;
type Values = Float32Array | Float64Array | Uint16Array;
const random = new Random(192);
const below = (count: number) => Math.floor(random.uniform(0, count));

const kinds = {
  float32: { make: (values: readonly number[]): Values => Float32Array.from(values), read: Number, said: {} },
  float64: { make: (values: readonly number[]): Values => Float64Array.from(values), read: Number, said: {} },
  float16: {
    make: (values: readonly number[]): Values => Uint16Array.from(values, halfFormats.float16.fromNumber),
    read: halfFormats.float16.toNumber,
    said: { dtype: 'float16' },
  },
  bfloat16: {
    make: (values: readonly number[]): Values => Uint16Array.from(values, halfFormats.bfloat16.fromNumber),
    read: halfFormats.bfloat16.toNumber,
    said: { dtype: 'bfloat16' },
  },
} as const;

function someLogits(count: number, odd: number): number[] {
  return Array.from({ length: count }, () =>
    random.uniform(0, 1) < odd
      ? ([nan, infinite, none, none, 0, -0][below(6)] as number)
      : Math.round(random.uniform(-60, 60)) / 4,
  );
}
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('hex');

describe.each(Object.entries(kinds))('tokenLogProbs of %s', (_name, { make, read, said }) => {
  test.each([1, 2, 5, 16, 33, 100, 300, 1000, 4100])('rows and columns of %i', (length) => {
    const others = length > 500 ? 3 : 19;
    for (const odd of [0, 0.03, 0.6]) {
      const x = make(someLogits(length * others, odd));
      const mask = Uint8Array.from(x, () => Number(random.uniform(0, 1) < 0.6));
      for (let k = 0; k < length; k++) mask[k] = 0;
      for (const [axis, scale, isMasked, count, top] of [
        [1, 1, false, 1, 0],
        [1, 1, false, 1, Math.min(length, 20)],
        [0, 0.5, true, 3, 2 > length ? 1 : 2],
        [1, -2, true, 70, length],
        [0, -1, false, 1, Math.min(length, 70)],
      ] as const) {
        const shape = axis === 1 ? [others, length] : [length, others];
        const at = (row: number, k: number) => (axis === 1 ? row * length + k : k * others + row);
        const place = (row: number, j: number) => (axis === 1 ? row * count + j : j * others + row);
        const tokens = Int32Array.from({ length: others * count }, () => below(length));
        const options = { ...said, shape, axis, scale, ...(isMasked && { mask }) };
        const result = tokenLogProbs(any(x), tokens, any({ ...options, top })) as unknown as Record<
          string,
          Values
        >;
        const label = `axis ${axis}, scale ${scale}, ${isMasked ? 'masked' : 'no mask'}, ${count}, ${top}, ${odd}`;
        const whole = logSoftmax(any(x), any(options)) as Values;
        const ranks = new Float64Array(tokens.length);
        const bits = new (whole.constructor as Float32ArrayConstructor)(tokens.length);
        for (let row = 0; row < others; row++)
          for (let j = 0; j < count; j++) {
            const token = tokens[place(row, j)] as number;
            bits[place(row, j)] = whole[at(row, token)] as number;
            const own = read(x[at(row, token)] as number) * Math.sign(scale);
            const isKept = (k: number) => !isMasked || mask[at(row, k)] === 1;
            let rank = 0;
            for (let k = 0; k < length; k++) {
              const other = read(x[at(row, k)] as number) * Math.sign(scale);
              const isLarger = isKept(token) ? !Number.isNaN(own) && !(other <= own) : true;
              if (isKept(k) && isLarger) rank++;
            }
            ranks[place(row, j)] = rank;
          }
        expect(bytesOf(result.logProbs as Values), label).toBe(bytesOf(bits));
        expect([...(result.ranks as Values)], label).toEqual([...ranks]);
        expect(bytesOf(result.logSumExp as Values), label).toBe(
          bytesOf(logSumExp(any(x), any(options)) as Values),
        );
        if (top === 0) {
          expect(Object.keys(result)).toEqual(['logProbs', 'ranks', 'logSumExp']);
          continue;
        }
        const best = topK(any(x), top, any({ ...options, values: 'logProbabilities' }));
        expect([...(result.topTokens as Values)], label).toEqual([...best.indices]);
        expect(bytesOf(result.topLogProbs as Values), label).toBe(bytesOf(best.values as Values));
      }
    }
  });
});

describe('tokenLogProbs', () => {
  const x = Float32Array.of(1, 2, 3, 4, 4, 0);

  test('tokens: one a row, several a row, of any integers, in tensors', () => {
    const options = { shape: [2, 3] };
    const one = tokenLogProbs(x, [0, 1], options);
    expect([...one.ranks]).toEqual([2, 0]);
    for (const tokens of [Uint8Array.of(0, 1), BigInt64Array.of(0n, 1n), Uint32Array.of(0, 1)])
      expect(tokenLogProbs(x, tokens, options)).toEqual(one);
    const logits = { data: x, dims: [2, 3], type: 'float32' };
    const flat = tokenLogProbs(logits, { data: Int32Array.of(0, 1), dims: [2] });
    expect(flat.logProbs).toEqual({ data: one.logProbs, dims: [2], type: 'float32' });
    expect(flat.ranks).toEqual({ data: one.ranks, dims: [2], type: 'int32' });
    const axis = tokenLogProbs(logits, { data: Int32Array.of(0, 1), dims: [2, 1] });
    expect(axis.ranks).toEqual({ data: one.ranks, dims: [2, 1], type: 'int32' });
    expect(axis.logSumExp).toEqual({ data: one.logSumExp, dims: [2], type: 'float32' });
    const several = tokenLogProbs(logits, [0, 1, 2, 2, 1, 0]);
    expect(several.ranks).toEqual({ data: Int32Array.of(2, 1, 0, 2, 0, 0), dims: [2, 3], type: 'int32' });
    expect([...tokenLogProbs(x, [3, 5, 5, 0]).ranks]).toEqual([0, 5, 5, 4]);
  });

  test('tokens that are none', () => {
    const call =
      (tokens: unknown, more: object = {}) =>
      () =>
        tokenLogProbs(x, any(tokens), { shape: [2, 3], ...more });
    const wrong = { code: 'ERR_TARGET_RANGE', fn: 'tokenLogProbs', argument: 'tokens' };
    const caught = (run: () => unknown): unknown => {
      try {
        run();
      } catch (error) {
        return error;
      }
    };
    expect(caught(call([0, 3]))).toMatchObject({ ...wrong, row: 1, index: 1, value: 3 });
    expect(caught(call([0, 1, -1, 2]))).toMatchObject({ ...wrong, row: 1, index: 2, value: -1 });
    expect(caught(call([0, 1, 0, 9], { shape: [3, 2], axis: 0 }))).toMatchObject({
      ...wrong,
      row: 1,
      index: 3,
    });
    expect((caught(call([0, 3])) as Error).message).toBe('tokenLogProbs: tokens[1] = 3 is outside [0, 3)');
    expect(call([0, 1, 2])).toThrow(
      'tokenLogProbs: tokens has 3 elements, which is no multiple of the 2 rows',
    );
    expect(call([0.5, 1])).toThrow('tokenLogProbs: tokens[0] = 0.5 is not an integer');
    expect(call(Float32Array.of(0, 1))).toThrow('tokenLogProbs: tokens must be an integer array');
    expect(call({ data: Int32Array.of(0, 1), dims: [1, 2] })).toThrow(
      'tokenLogProbs: tokens.dims [1, 2] is neither the shape [2, 1] nor that without the axis',
    );
    expect(call([0, 1], { top: 4 })).toThrow(
      'tokenLogProbs: top 4 is more than the 3 elements along the axis',
    );
    expect(call([0, 1], { top: 1.5 })).toThrow('tokenLogProbs: top must be an integer, got 1.5');
    expect(call([0, 1], { temperature: 0 })).toThrow('tokenLogProbs: temperature 0 has no limit here');
    expect(call([0, 1], { out: { topTokens: new Int32Array(2) } })).toThrow(
      'out.topTokens is given, but top is 0',
    );
    const tokens = new Int32Array(2);
    expect(call(tokens, { out: { ranks: tokens } })).toThrow(
      'out.ranks overlaps tokens; it must share nothing',
    );
  });

  test('of nothing', () => {
    const nothing = tokenLogProbs(new Float32Array(0), [], { shape: [0, 3], top: 2 });
    expect(nothing.topTokens).toEqual(new Int32Array(0));
    const empty = tokenLogProbs(Float32Array.of(none, none), [1], { emptyRow: 'zero' });
    expect([empty.logProbs[0], empty.ranks[0], empty.logSumExp[0]]).toEqual([none, 0, none]);
    expect([...tokenLogProbs(Float32Array.of(none, none), [1]).logProbs]).toEqual([nan]);
  });
});

test('tokenLogProbs: one answer on every backend', () => {
  const bits = new Random(20261202);
  const hash = createHash('sha256');
  for (const length of [1, 2, 15, 33, 257, 1000, 4097, 9000]) {
    const x = bits.normals(3 * length, 3);
    const tokens = bits.classes(6, length);
    for (const data of [x, Float64Array.from(x)])
      for (const options of [{ shape: [3, length] }, { shape: [length, 3], axis: 0, scale: -1 }]) {
        const result = tokenLogProbs(data as Float32Array, tokens, { ...options, top: Math.min(length, 20) });
        for (const array of Object.values(result)) hash.update(array as Float32Array);
      }
  }
  expect(hash.digest('hex').slice(0, 16)).toBe('b92f4683801c14f1');
});
