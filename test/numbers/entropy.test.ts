// entropy against its formula in float64, to half an ULP; its limits; its bits.

import { createHash } from 'node:crypto';
import { entropy, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { Random, rowsOf } from '../helpers/random.js';
import { ulpOf } from '../helpers/reference.js';

/** −Σ p log p, with log Σ as log1p of all but one of the largest. */
function referenceEntropy(logits: readonly number[], multiplier = 1): number {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const d = logits.map((logit) => (logit - top) * multiplier);
  const others = d.toSpliced(d.indexOf(0), 1).reduce((sum, each) => sum + Math.exp(each), 0);
  const log = Math.log1p(others);
  return d.reduce((sum, each) => sum + (Math.exp(each) / (1 + others)) * (log - each), 0);
}

test('entropy', () => {
  expectAccurate('entropy', {
    calls: callsOf(rowsOf(29), ({ row, label }) => ({ inputs: [row], label })),
    reference: ([x = []]) => [referenceEntropy(x)],
    // Computed in double, and rounded once.
    tolerance: (exact) => 0.501 * ulpOf(exact),
  });
});

describe('entropy', () => {
  const random = new Random(29);

  test('of K equal logits is log K, of one class 0', () => {
    for (const count of [1, 2, 3, 10, 1000, 100_003])
      for (const logit of [0, -7.5, 1e30])
        expect(entropy(new Float32Array(count).fill(logit))[0], `${count}`).toBe(
          Math.fround(Math.log(count)),
        );
    expect(entropy(Float32Array.of(3, 1, 2, Number.NEGATIVE_INFINITY), { temperature: Infinity })[0]).toBe(
      Math.fround(Math.log(3)),
    );
  });
  test('keeps its digits where one class has nearly all', () => {
    for (const depth of [5, 20, 40, 80]) {
      const exact = referenceEntropy([0, -depth, -depth - 1]);
      const value = entropy(Float32Array.of(0, -depth, -depth - 1))[0] as number;
      expect(Math.abs(value - exact) / exact, `${depth}`).toBeLessThan(4e-7);
      const double = entropy(Float64Array.of(0, -depth, -depth - 1))[0] as number;
      expect(Math.abs(double - exact) / exact, `${depth}`).toBeLessThan(1e-14);
    }
  });
  test('of float64, scaled, of columns, masked', () => {
    const x = Float64Array.from(random.normals(24, 3));
    const options = { shape: [4, 6], axis: 0, temperature: 0.5, scale: 2 };
    const mask = Uint8Array.from({ length: 24 }, (_, i) => Number(i % 5 > 0));
    const [all, kept] = [entropy(x, options), entropy(x, { ...options, mask })];
    for (let column = 0; column < 6; column++) {
      const at = [0, 1, 2, 3].map((row) => row * 6 + column);
      const rows = at.map((i) => x[i] as number);
      const some = at.filter((i) => mask[i]).map((i) => x[i] as number);
      expect(all[column], `column ${column}`).toBeCloseTo(referenceEntropy(rows, 4), 13);
      expect(kept[column], `column ${column}, masked`).toBeCloseTo(referenceEntropy(some, 4), 13);
    }
  });
  test('of rows without a distribution, and of none', () => {
    const { NaN: nan, NEGATIVE_INFINITY: none } = Number;
    const rows = Float32Array.of(nan, 1, 1, Infinity, none, none, none, 2);
    expect([...entropy(rows, { shape: [4, 2] })]).toEqual([nan, nan, nan, 0]);
    // Whatever NaN there is in a row, the result is the one NaN.
    const other = new Float32Array(Uint32Array.of(0x3f800000, 0xffc12345).buffer);
    expect(new Uint32Array(entropy(other).buffer)[0]).toBe(0x7fc00000);
    expect(entropy(Float32Array.of(1, 2, nan), { mask: Uint8Array.of(0, 0, 0) })).toEqual(Float32Array.of(0));
    expect(entropy(new Float32Array(0), { shape: [2, 0] })).toEqual(Float32Array.of(0, 0));
    expect(() => entropy(rows, { temperature: 0 })).toThrow('entropy: temperature 0 has no limit here');
  });
  test('is −Σ p log p of softmax', () => {
    const x = Float64Array.from(random.normals(1000, 2));
    const p = softmax(x);
    const sum = p.reduce((total, each) => total - each * Math.log(each), 0);
    expect(entropy(x)[0]).toBeCloseTo(sum, 12);
  });
});

test('entropy: one answer on every backend', () => {
  const random = new Random(20261129);
  const hash = createHash('sha256');
  for (const length of [1, 2, 15, 33, 257, 1000, 4097, 9000])
    for (const deviation of [0.1, 3, 200]) {
      const x = random.normals(3 * length, deviation);
      const shapes = [{ shape: [3, length] }, { shape: [length, 3], axis: 0, temperature: 0.7 }];
      for (const options of shapes)
        for (const data of [x, Float64Array.from(x)]) hash.update(entropy(data as Float32Array, options));
    }
  expect(hash.digest('hex').slice(0, 16)).toBe('539857de53ff0348');
});
