// sample's draws: their frequencies, what they depend on, and their bits.

import { createHash } from 'node:crypto';
import { sample } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { philox } from '../src/backends/js/sampling/philox.js';
import { any } from './helpers/calls.js';
import { Random } from './helpers/random.js';
import { chiSquareLimit, keptOf, off, type Settings } from './helpers/sampling.js';

interface Sampled {
  readonly tokens: Int32Array;
  readonly logProbs: Float32Array;
  readonly rawLogProbs: Float32Array;
  readonly kept: Int32Array;
  readonly topTokens?: Int32Array;
  readonly topLogProbs?: Float32Array;
  readonly seed: unknown;
}
const sampled = (rows: Float32Array | Float64Array, options: object): Sampled =>
  sample(rows as Float32Array, any(options)) as unknown as Sampled;

describe('frequencies are the probabilities (χ²)', () => {
  const random = new Random(21);
  const row = random.normals(40, 1.2);
  const choices: Partial<Settings>[] = [
    {},
    { temperature: 0.6 },
    { topK: 9 },
    { topP: 0.7 },
    { minP: 0.2 },
    { typicalP: 0.6 },
    { topNSigma: 1.5 },
    { topK: 20, topP: 0.9, minP: 0.05, typicalP: 0.9, topNSigma: 3, temperature: 1.4 },
  ];
  const draws = 40_000;
  const cases = (['temperature-first', 'temperature-last'] as const).flatMap((order) =>
    choices.map((choice) => ({ ...off, ...choice, order })),
  );
  test.each(cases)('%o', (settings) => {
    const { indices, logProbs } = keptOf([...row], settings);
    const { tokens } = sampled(row, { ...settings, count: draws, seed: 2026 });
    const counts = new Map<number, number>();
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
    let [chiSquare, bins, rare, rareWanted] = [0, 0, 0, 0];
    indices.forEach((index, i) => {
      const wanted = draws * Math.exp(logProbs[i] as number);
      const count = counts.get(index) ?? 0;
      counts.delete(index);
      if (wanted < 10) {
        rare += count;
        rareWanted += wanted;
        return;
      }
      chiSquare += (count - wanted) ** 2 / wanted;
      bins++;
    });
    if (rareWanted > 5) {
      chiSquare += (rare - rareWanted) ** 2 / rareWanted;
      bins++;
    }
    expect([...counts.keys()], 'drawn, but not kept').toEqual([]);
    if (bins > 1) expect(chiSquare).toBeLessThan(chiSquareLimit(bins - 1));
  });
});

describe('a draw depends on', () => {
  const random = new Random(22);
  const rows = random.normals(6 * 50, 2);
  const all = { shape: [6, 50], temperature: 0.9, topP: 0.95, count: 8 };
  const seeds = [1, 2, 3, 2n ** 63n, -5, 2 ** 40];

  test('its own seed and not on its batch', () => {
    const whole = sampled(rows, { ...all, seed: seeds, step: 3 }).tokens;
    for (let row = 0; row < 6; row++) {
      const own = rows.subarray(50 * row, 50 * row + 50);
      const alone = sampled(own, { temperature: 0.9, topP: 0.95, count: 8, seed: [seeds[row]], step: 3 });
      expect([...alone.tokens]).toEqual([...whole.subarray(8 * row, 8 * row + 8)]);
    }
  });
  test('the row where one seed serves all', () => {
    const same = new Float32Array(4 * 1000);
    const { tokens } = sampled(same, { shape: [4, 1000], seed: 1, count: 4 });
    expect(new Set(tokens).size).toBeGreaterThan(12);
    const own = sampled(same, { shape: [4, 1000], seed: [1, 1, 1, 1], count: 4 });
    expect(new Set(own.tokens).size).toBeLessThan(5);
    expect(own.tokens.subarray(0, 4)).toEqual(tokens.subarray(0, 4));
  });
  test('the step, one or one per row; the draw', () => {
    const flat = new Float32Array(3 * 1000);
    const options = { shape: [3, 1000], seed: [5, 5, 5] };
    const { tokens } = sampled(flat, { ...options, step: [0, 1, 2 ** 33] });
    expect(new Set(tokens).size).toBe(3);
    [0, 1, 2 ** 33].forEach((step, row) => {
      expect(sampled(flat, { ...options, step }).tokens[row]).toBe(tokens[row]);
    });
    const several = sampled(flat, { ...options, count: 5 }).tokens;
    const first = sampled(flat, options).tokens;
    expect([several[0], several[5], several[10]]).toEqual([...first]);
    expect(new Set(several.subarray(0, 5)).size).toBe(5);
  });
  test('numbers that are given, one a draw', () => {
    const row = Float32Array.of(0, 0, -Infinity, 0, 0);
    const uniform = [0, 0.2499, 0.25, 0.4999, 0.5, 0.75, 1 - 2 ** -53];
    const { tokens, seed } = sampled(row, { uniform, count: 7 });
    expect([...tokens]).toEqual([0, 0, 1, 1, 3, 4, 4]);
    expect(seed).toBeUndefined();
    const two = sampled(new Float32Array(8), { shape: [2, 4], uniform: Float64Array.of(0.3, 0.8) });
    expect([...two.tokens]).toEqual([1, 3]);
  });
  test('Philox: key seed, counter (draw, step, row)', () => {
    const uniformFor = (counter: number[], low: number, high: number) => {
      const words = Uint32Array.from(counter);
      philox(words, low, high);
      return ((words[0] as number) * 2 ** 21 + ((words[1] as number) >>> 11)) / 2 ** 53;
    };
    const flat = new Float32Array(2 * 1000);
    const seed = 0x123456789abcdef0n;
    const step = 2 ** 32 * 5 + 7;
    const uniform = [0, 1].flatMap((row) =>
      [0, 1, 2].map((draw) => uniformFor([draw, 7, 5, row], 0x9abcdef0, 0x12345678)),
    );
    const options = { shape: [2, 1000], count: 3 };
    const byUniform = sampled(flat, { ...options, uniform }).tokens;
    expect(sampled(flat, { ...options, seed, step }).tokens).toEqual(byUniform);
    expect([...byUniform]).toEqual(uniform.map((u) => Math.floor(1000 * u)));
    // −1 is 2⁶⁴ − 1.
    const minus = sampled(flat, { ...options, seed: -1 }).tokens;
    expect(sampled(flat, { ...options, seed: 2n ** 64n - 1n }).tokens).toEqual(minus);
    expect(sampled(flat, { ...options, seed: -1n }).tokens).toEqual(minus);
  });
  test('a fresh seed, which repeats the run', () => {
    const flat = new Float32Array(1000);
    const { tokens, seed } = sampled(flat, { count: 10 });
    expect(Number.isSafeInteger(seed)).toBe(true);
    expect(sampled(flat, { count: 10, seed }).tokens).toEqual(tokens);
    expect(sampled(flat, { count: 10 }).seed).not.toBe(seed);
    expect(sampled(flat, { seed: 7n }).seed).toBe(7n);
  });
});

test('a class of weight 0 is never drawn', () => {
  const row = Float32Array.of(0, -200, -1000);
  expect([...sampled(row, { uniform: [1 - 2 ** -53, 0, 0.5], count: 3 }).tokens]).toEqual([0, 0, 0]);
  expect(sampled(row, { seed: 1 }).kept[0]).toBe(3);
});

test('one answer on every backend', () => {
  const random = new Random(20261129);
  const hash = createHash('sha256');
  const pick = <Value>(...values: Value[]): Value => values[random.integer(values.length)] as Value;
  for (let i = 0; i < 3000; i++) {
    const length = pick(1, 2, 5, 31, 32, 33, 100, 257, 1000, pick(4096, 4097, 9000));
    const rows = pick(1, 2, 3);
    const floats = random.normals(rows * length, pick(0.01, 1, 4, 100));
    for (let j = random.integer(3); j > 0; j--)
      floats[random.integer(floats.length)] = pick(-Infinity, 0, -0, 3e38);
    const each = (make: () => number) => (random.integer(2) ? make() : Array.from({ length: rows }, make));
    const options = {
      shape: pick([rows, length], [length, rows]),
      temperature: each(() => pick(0, 0.3, 1, 1, 1.9, Infinity)),
      topK: each(() => pick(0, 0, 1, 5, 50, 500)),
      topP: each(() => pick(1, 1, 0.95, 0.5, 0.01)),
      minP: each(() => pick(0, 0, 0.05, 0.5)),
      typicalP: each(() => pick(1, 1, 1, 0.9, 0.2)),
      topNSigma: each(() => pick(0, 0, 0, 1, 2.5)),
      minKeep: each(() => pick(1, 1, 1, 3)),
      keepTies: pick(false, true),
      order: pick('temperature-first', 'temperature-last'),
      count: pick(1, 1, 4),
      seed: each(() => random.integer(2 ** 40)),
      step: random.integer(1000),
      top: Math.min(length, pick(0, 0, 3)),
      logProbsOf: pick('raw', 'processed'),
      ...pick<object>({}, {}, { mask: Uint8Array.from({ length }, () => pick(0, 1, 1)) }),
      ...pick<object>({}, {}, { bias: random.normals(length, 2) }),
      ...pick<object>({}, {}, { bias: { indices: [0, length - 1], values: [-Infinity, 1.5] } }),
      ...pick<object>(
        {},
        {},
        { allowed: Int32Array.from({ length: Math.ceil(length / 32) }, () => random.integer(2 ** 32)) },
      ),
      ...pick<object>(
        {},
        {},
        {
          penalties: {
            tokens: random.classes(rows * 6, length),
            ...{ repetition: 1.2, frequency: each(() => pick(0, 0.5)), presence: 0.3 },
          },
        },
      ),
    };
    const axis = options.shape[0] === rows && options.shape[1] === length ? 1 : 0;
    const isByClass = 'mask' in options && axis === 0;
    const { mask: _, ...unmasked } = options as typeof options & { mask?: unknown };
    const data = i % 4 === 0 ? Float64Array.from(floats) : floats;
    const result = sampled(data, { ...(isByClass ? unmasked : options), axis });
    for (const array of [result.tokens, result.logProbs, result.rawLogProbs, result.kept]) hash.update(array);
    if (result.topTokens && result.topLogProbs) hash.update(result.topTokens).update(result.topLogProbs);
  }
  expect(hash.digest('hex').slice(0, 16)).toBe('20713b48c21ef6ad');
});

test("no subarray of a caller's own is called", () => {
  const subarray = (): never => {
    throw new Error("the caller's code ran");
  };
  const plain = new Random(31).normals(2 * 300, 3);
  const options = { shape: [2, 300], count: 2, seed: 5, mask: new Uint8Array(300).fill(1, 0, 200) };
  const out = { tokens: Object.assign(new Int32Array(4), { subarray }) };
  sample(Object.assign(plain.slice(), { subarray }), { ...options, out });
  expect([...out.tokens]).toEqual([...sample(plain, options).tokens]);
});
