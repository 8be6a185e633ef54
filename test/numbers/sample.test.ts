// sample's filters against their definitions in float64: what is kept, and with which log-probabilities.

import { logSoftmax, sample } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from '../helpers/calls.js';
import { Random } from '../helpers/random.js';
import { keptOf, off, type Settings } from '../helpers/sampling.js';

type Row = Float32Array | Float64Array;

interface Sampled {
  readonly tokens: Int32Array;
  readonly logProbs: Float32Array;
  readonly rawLogProbs: Float32Array;
  readonly kept: Int32Array;
  readonly topTokens: Int32Array;
  readonly topLogProbs: Float32Array;
}
const sampled = (row: Row, options: object): Sampled =>
  sample(row as Float32Array, any({ seed: 1, ...options })) as unknown as Sampled;

/** The classes that are left, in order. */
function keptBySample(row: Row, options: object): number[] {
  const { topTokens, kept } = sampled(row, { ...options, top: row.length, logProbsOf: 'processed' });
  const left = [...topTokens].filter((token) => token >= 0).sort((a, b) => a - b);
  expect(kept[0]).toBe(left.length);
  return left;
}

const choices: readonly Partial<Settings>[] = [
  {},
  ...[0.01, 0.3, 0.9, 0.999].flatMap((p) => [{ topP: p }, { typicalP: p }, { minP: p / 4 }]),
  ...[1, 2, 7, 50, 1000].flatMap((topK) => [{ topK }, { topK, topP: 0.8 }, { topK, typicalP: 0.8 }]),
  ...[0.5, 1, 3].map((topNSigma) => ({ topNSigma })),
  { topK: 30, topP: 0.9, minP: 0.02, typicalP: 0.9, topNSigma: 2 },
  { topK: 30, topP: 0.9, minP: 0.02, typicalP: 0.9, minKeep: 4 },
  ...[{ topP: 0.1 }, { minP: 0.9 }, { typicalP: 0.1 }, { topK: 1 }, { topNSigma: 0.1 }].map((one) => ({
    ...one,
    minKeep: 5,
  })),
];

describe('what is kept', () => {
  test.each(['temperature-first', 'temperature-last'] as const)('%s', (order) => {
    const random = new Random(11);
    let compared = 0;
    for (const length of [1, 2, 3, 10, 64, 300])
      for (const deviation of [0.1, 1, 5])
        for (const temperature of [0.5, 1, 1.7])
          for (const choice of choices)
            for (const isDouble of [false, true]) {
              const floats = random.normals(length, deviation);
              const row = isDouble ? Float64Array.from(floats) : floats;
              const settings = { ...off, ...choice, temperature, order };
              const { indices, margin, logProbs } = keptOf([...row], settings);
              // Exponentials of float32 are right to some 1e-7.
              if (margin < 1e-5) continue;
              compared++;
              const label = JSON.stringify({ length, deviation, ...settings, isDouble });
              expect(keptBySample(row, settings), label).toEqual(indices);
              const drawn = sampled(row, settings);
              const wanted = logProbs[indices.indexOf(drawn.tokens[0] as number)] as number;
              const error = Math.abs((drawn.logProbs[0] as number) - wanted);
              expect(error, label).toBeLessThan((isDouble ? 1e-12 : 1e-6) * Math.max(1, Math.abs(wanted)));
            }
    expect(compared).toBeGreaterThan(2000);
  });

  test('of long rows', () => {
    const random = new Random(12);
    for (const length of [4096, 5000, 30_000])
      for (const choice of [{ topP: 0.9 }, { topK: 500, topP: 0.7 }, { typicalP: 0.5 }, { minP: 0.01 }])
        for (const order of ['temperature-first', 'temperature-last'] as const) {
          const row = random.normals(length, 2);
          const settings = { ...off, ...choice, temperature: 0.8, order };
          const { indices, margin } = keptOf([...row], settings);
          if (margin > 1e-7) expect(keptBySample(row, settings), JSON.stringify(settings)).toEqual(indices);
        }
  });
});

describe('ties and boundaries', () => {
  const equal = new Float32Array(8).fill(1.5);
  test('of equal logits the first stay', () => {
    expect(keptBySample(equal, { topK: 3 })).toEqual([0, 1, 2]);
    expect(keptBySample(equal, { topP: 0.5 })).toEqual([0, 1, 2, 3]);
    expect(keptBySample(equal, { topP: 0.5 + 2 ** -30 })).toEqual([0, 1, 2, 3, 4]);
    expect(keptBySample(equal, { topP: 2 ** -60 })).toEqual([0]);
    expect(keptBySample(equal, { typicalP: 0.25 })).toEqual([0, 1]);
    expect(keptBySample(equal, { minP: 1 })).toHaveLength(8);
    expect(keptBySample(equal, { topNSigma: 1e-9 })).toHaveLength(8);
    expect(sampled(equal, { temperature: 0, count: 3 }).tokens).toEqual(Int32Array.of(0, 0, 0));
  });
  test('topNSigma of float64 logits whose squares are beyond float64', () => {
    const kept = (row: number[], topNSigma: number, unit: number) => {
      const options = { topNSigma, order: 'temperature-last', temperature: unit } as const;
      return keptBySample(
        Float64Array.from(row, (z) => z * unit),
        options,
      );
    };
    for (const row of [
      [1, 2, -1],
      [1, 2, 0],
      [0.5, 0.25, 1, 0.75, -1],
    ])
      for (const n of [0.25, 0.5, 1, 3])
        for (const unit of [2 ** 1000, 2 ** 505, 2 ** -405, 2 ** -900, 2 ** -1020])
          expect(kept(row, n, unit), `${row}, ${n}, ${unit}`).toEqual(kept(row, n, 1));
    expect(keptBySample(Float64Array.of(1e308, -1e308, 1e308), { topNSigma: 1 })).toEqual([0, 2]);
  });
  test('keepTies', () => {
    const row = Float32Array.of(1, 3, 2, 2, 0, 2);
    expect(keptBySample(row, { topK: 2 })).toEqual([1, 2]);
    expect(keptBySample(row, { topK: 2, keepTies: true })).toEqual([1, 2, 3, 5]);
    expect(keptBySample(row, { topK: 4, keepTies: true })).toEqual([1, 2, 3, 5]);
    expect(keptBySample(equal, { typicalP: 0.25, keepTies: true })).toHaveLength(8);
    expect(keptBySample(equal, { topP: 0.25, keepTies: true })).toEqual([0, 1]);
  });
  test('0 and −0 are equal', () => {
    expect(keptBySample(Float32Array.of(-0, 0, -0, -1), { topK: 2 })).toEqual([0, 1]);
    expect(keptBySample(Float64Array.of(0, -0, 0, -1), { topK: 2 })).toEqual([0, 1]);
    expect(keptBySample(Float32Array.of(-1, -0, 0), { topK: 1 })).toEqual([1]);
  });
  test('minKeep is a floor, not more than there are', () => {
    const row = Float32Array.of(0, 10, Number.NEGATIVE_INFINITY, 5);
    for (const filter of [{ topK: 1 }, { topP: 0.5 }, { minP: 1 }, { topNSigma: 0.01 }]) {
      expect(keptBySample(row, { ...filter, minKeep: 2 }), JSON.stringify(filter)).toEqual([1, 3]);
      expect(keptBySample(row, { ...filter, minKeep: 9 }), JSON.stringify(filter)).toEqual([0, 1, 3]);
    }
  });
  test('topK above the number of classes', () => {
    expect(keptBySample(Float32Array.of(3, 1, 2), { topK: 100 })).toEqual([0, 1, 2]);
  });
  test('neighbouring floats are told apart', () => {
    const above = 1 + 2 ** -23;
    expect(keptBySample(Float32Array.of(1, above, 1, above), { topK: 3 })).toEqual([0, 1, 3]);
    const row = Float64Array.of(1, 1 + 2 ** -52, 1, -1, -1 - 2 ** -52, 1 + 2 ** -52);
    expect(keptBySample(row, { topK: 3 })).toEqual([0, 1, 5]);
    expect(keptBySample(row, { topK: 5 })).toEqual([0, 1, 2, 3, 5]);
  });
  test('a temperature is one number for all rows, or one per row; 0 and Infinity are limits', () => {
    const rows = Float32Array.of(1, 2, 3, 1, 2, 3, 1, 2, 3);
    const options = { shape: [3, 3], temperature: [0, 1, Infinity], seed: 3, top: 3 };
    const { kept, topLogProbs } = sampled(rows, { ...options, logProbsOf: 'processed' });
    expect(kept).toEqual(Int32Array.of(1, 3, 3));
    expect([...topLogProbs.subarray(0, 3)]).toEqual([0, -Infinity, -Infinity]);
    expect(topLogProbs.subarray(3, 6)).toEqual(logSoftmax(Float32Array.of(3, 2, 1)));
    expect(topLogProbs.subarray(6)).toEqual(new Float32Array(3).fill(-Math.log(3)));
    const tiny = sampled(rows, { shape: [3, 3], temperature: 1e-300, count: 2 });
    expect(tiny.tokens).toEqual(new Int32Array(6).fill(2));
  });
});

describe('log-probabilities', () => {
  test('of the logits as given are those of logSoftmax, to the bit', () => {
    const random = new Random(13);
    for (const length of [1, 2, 33, 1000, 5000, 9000])
      for (const deviation of [0.1, 3, 100, 1e5])
        for (const isDouble of [false, true]) {
          const floats = random.normals(length, deviation);
          const row = (isDouble ? Float64Array.from(floats) : floats) as Float32Array;
          const wanted = logSoftmax(row);
          const n = Math.min(length, 20);
          const options = { temperature: 0.7, topP: 0.9, count: 20, top: n };
          const { tokens, rawLogProbs, topTokens, topLogProbs } = sampled(row, options);
          expect([...rawLogProbs]).toEqual([...tokens].map((token) => wanted[token]));
          expect([...topLogProbs]).toEqual([...topTokens].map((token) => wanted[token]));
          const order = [...row.keys()].sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
          expect([...topTokens]).toEqual(order.slice(0, n));
        }
  });
  test('of what is drawn from are those of logSoftmax at the temperature, without filters', () => {
    const random = new Random(14);
    for (const length of [1, 7, 1000, 5000])
      for (const temperature of [0.3, 1, 2.5]) {
        const row = random.normals(length, 4);
        const wanted = logSoftmax(row, { temperature });
        const { tokens, logProbs } = sampled(row, { temperature, count: 20 });
        expect([...logProbs]).toEqual([...tokens].map((token) => wanted[token]));
      }
  });
  test('where fewer are left than reported', () => {
    const { topTokens, topLogProbs } = sampled(Float32Array.of(1, 2, 3), {
      topK: 2,
      top: 3,
      logProbsOf: 'processed',
    });
    expect(topTokens).toEqual(Int32Array.of(2, 1, -1));
    expect(topLogProbs[2]).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('rows with nothing to draw', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: none } = Number;
  test('a NaN, +Infinity, nothing but −Infinity: the others are drawn', () => {
    const rows = Float32Array.of(nan, 1, 1, infinity, none, none, 0, none);
    const result = sampled(rows, { shape: [4, 2], count: 2, topP: 0.9, top: 1, logProbsOf: 'processed' });
    expect(result.tokens).toEqual(Int32Array.of(-1, -1, -1, -1, -1, -1, 0, 0));
    expect(result.kept).toEqual(Int32Array.of(0, 0, 0, 1));
    expect(result.logProbs).toEqual(Float32Array.of(nan, nan, nan, nan, nan, nan, 0, 0));
    expect(result.rawLogProbs).toEqual(Float32Array.of(nan, nan, nan, nan, nan, nan, 0, 0));
    expect(result.topTokens).toEqual(Int32Array.of(-1, -1, -1, 0));
    expect(result.topLogProbs).toEqual(Float32Array.of(nan, nan, nan, 0));
    const raw = sampled(rows, { shape: [4, 2], top: 2 });
    expect(raw.topTokens).toEqual(Int32Array.of(-1, -1, -1, -1, -1, -1, 0, 1));
    expect(raw.topLogProbs).toEqual(Float32Array.of(nan, nan, nan, nan, nan, nan, 0, none));
  });
  test('what the mask drops may be anything', () => {
    const row = Float32Array.of(nan, 1, infinity, 2);
    const masked = sampled(row, { mask: Uint8Array.of(0, 1, 0, 0) });
    expect([masked.tokens[0], masked.logProbs[0], masked.kept[0]]).toEqual([1, 0, 1]);
    expect(masked.rawLogProbs[0]).toBeNaN();
    expect(sampled(row, { allowed: Int32Array.of(0b0010) }).tokens[0]).toBe(1);
    const empty = sampled(Float32Array.of(1, 2), { mask: Uint8Array.of(0, 0), top: 1 });
    expect([empty.tokens[0], empty.kept[0], empty.topTokens[0]]).toEqual([-1, 0, 1]);
  });
  test('no classes, no rows', () => {
    expect(sampled(new Float32Array(0), { shape: [2, 0], count: 2 }).tokens).toEqual(
      new Int32Array(4).fill(-1),
    );
    expect(sampled(new Float32Array(0), { shape: [0, 3] }).tokens).toEqual(new Int32Array(0));
  });
});
