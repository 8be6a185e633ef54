// klDivergence against its formula in float64; its limits; its bits.

import { createHash } from 'node:crypto';
import { klDivergence } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { any } from '../helpers/calls.js';
import { Random, rowsOf } from '../helpers/random.js';
import { referenceLogSoftmax } from '../helpers/reference.js';

const { NaN: nan, NEGATIVE_INFINITY: none, POSITIVE_INFINITY: infinite } = Number;
/** A row gives one value only. */
const lengths = [...Array.from({ length: 400 }, (_, i) => 2 + (i % 40)), 100, 300, 1000, 5000];

function reference(p: readonly number[], q: readonly number[], multiplier = 1): number {
  const [logP, logQ] = [referenceLogSoftmax(p, multiplier), referenceLogSoftmax(q, multiplier)];
  let sum = 0;
  for (const [i, log] of logP.entries()) sum += Math.exp(log) * (log - (logQ[i] as number));
  return sum;
}

test.each([1, 0.7])('klDivergence, temperature %d', (temperature) => {
  expectAccurate('klDivergence', {
    calls: callsOf(rowsOf(61, lengths, [1, 2, 5]), (one) => ({
      inputs: [one.row, one.random.normals(one.row.length, 3)],
      options: { temperature },
      label: one.label,
    })),
    reference: ([p = [], q = []]) => [reference(p, q, 1 / temperature)],
    // What the reference loses where its terms cancel.
    tolerance: (exact) => 1e-6 * Math.abs(exact) + 2 ** -40,
  });
});

describe('klDivergence', () => {
  const random = new Random(61);

  test('keeps its digits where the two are nearly the same', () => {
    const p = Float64Array.of(1, 2, 3);
    for (const step of [1e-3, 1e-6, 1e-9]) {
      const q = Float64Array.of(1, 2 + step, 3);
      // ½ Var_P(q − p) for a small step.
      const share = Math.exp(2) / (Math.exp(1) + Math.exp(2) + Math.exp(3));
      const wanted = (share * (1 - share) * step ** 2) / 2;
      const [value = 0] = klDivergence(p, q);
      expect(Math.abs(value / wanted - 1), `${step}`).toBeLessThan(step + 1e-6);
    }
    expect([
      ...klDivergence(
        p,
        p.map((z) => z + 1),
      ),
    ]).toEqual([0]);
  });
  test('of columns, masked, scaled; of every dtype, and tensors', () => {
    const [p, q] = [Float64Array.from(random.normals(24, 2)), Float64Array.from(random.normals(24, 2))];
    const options = { shape: [4, 6], axis: 0, temperature: 0.5, scale: -2 };
    const mask = Uint8Array.from({ length: 24 }, (_, i) => Number(i % 5 > 0));
    const [all, kept] = [klDivergence(p, q, options), klDivergence(p, q, { ...options, mask })];
    for (let column = 0; column < 6; column++) {
      const at = [0, 1, 2, 3].map((row) => row * 6 + column);
      const some = at.filter((i) => mask[i]);
      const of = (values: Float64Array, indices: number[]) => indices.map((i) => values[i] as number);
      expect(all[column]).toBeCloseTo(reference(of(p, at), of(q, at), -4), 12);
      expect(kept[column]).toBeCloseTo(reference(of(p, some), of(q, some), -4), 12);
    }
    const tensor = (data: Float32Array) => ({ data, dims: [2, 3], type: 'float32' });
    const result = klDivergence(
      tensor(Float32Array.of(1, 2, 3, 0, 0, 0)),
      tensor(Float32Array.of(3, 2, 1, 0, 0, 0)),
    );
    expect(result).toEqual({
      data: Float32Array.of(Math.fround(1.15042076), 0),
      dims: [2],
      type: 'float32',
    });
    // 1, 2, 3 and 3, 2, 1 as bfloat16.
    const [a, b] = [Uint16Array.of(0x3f80, 0x4000, 0x4040), Uint16Array.of(0x4040, 0x4000, 0x3f80)];
    expect(klDivergence(any(a), any(b), { dtype: 'bfloat16' })).toEqual(Uint16Array.of(0x3f93));
  });
  test('of rows without a distribution, of none, of what Q has not', () => {
    const p = Float32Array.of(nan, 1, 1, 2, none, none, 1, 1, none, 1);
    const q = Float32Array.of(1, 1, 1, Infinity, 1, 1, none, 1, 1, 1);
    expect([...klDivergence(p, q, { shape: [5, 2] })].slice(0, 4)).toEqual([nan, nan, nan, infinite]);
    expect(klDivergence(p, q, { shape: [5, 2] })[4]).toBeCloseTo(Math.LN2, 6);
    expect(klDivergence(p, q, { shape: [5, 2], mask: new Uint8Array(10) })).toEqual(new Float32Array(5));
    expect(klDivergence(new Float32Array(0), new Float32Array(0), { shape: [2, 0] })).toEqual(
      Float32Array.of(0, 0),
    );
    expect(() => klDivergence(p, q, { temperature: 0 })).toThrow(
      'klDivergence: temperature 0 has no limit here',
    );
  });
  test('one answer on every backend', () => {
    const [p, q] = [random.normals(9000, 3), random.normals(9000, 3)];
    const values = klDivergence(p, q, { shape: [9, 1000] });
    expect(createHash('sha256').update(values).digest('hex').slice(0, 16)).toBe('aca8c956989d0bdd');
  });
});
