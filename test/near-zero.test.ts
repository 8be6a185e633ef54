// log-sum-exps near 0: float32 exponentials are not good enough for them (native/kernels/near_zero.h).

import { crossEntropy, getThreads, logSumExp, setThreads, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { ExactRow, formats, ulpError, ulpOf } from './helpers/exact-row.js';
import { Random } from './helpers/random.js';

/** The largest error of results in float32 ULP, or in quarters of an ULP of the largest logit where that is more. */
function worstError(
  results: ArrayLike<number>,
  rows: readonly (readonly number[])[],
  multiplier = 1,
): number {
  let worst = 0;
  rows.forEach((row, i) => {
    const logits = row.filter((x) => x !== Number.NEGATIVE_INFINITY).map((x) => x * multiplier);
    const largest = Math.max(...logits.map(Math.abs));
    const exact = new ExactRow(logits, formats.float32).logSumExp();
    worst = Math.max(
      worst,
      ulpError(results[i] as number, exact, formats.float32, ulpOf(largest, formats.float32) / 4),
    );
  });
  return worst;
}

/** Rows whose log-sum-exp is within `distance` of 0; of 2 or 3 finite logits, none below −2, and −Infinity. */
function rowsNearZero(random: Random, count: number, length: number, distance: number, temperature = 1) {
  return Array.from({ length: count }, () => {
    const finite = Math.min(length, 2 + random.integer(2));
    const logits = Array.from({ length: finite }, () => random.uniform(0, 0.5));
    const logSum =
      Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) + random.uniform(-distance, distance);
    const row: number[] = Array(length).fill(Number.NEGATIVE_INFINITY);
    for (const x of logits) {
      let at = random.integer(length);
      while (row[at] !== Number.NEGATIVE_INFINITY) at = random.integer(length);
      row[at] = Math.fround((x - logSum) * temperature);
    }
    return row;
  });
}

const flat = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat());

describe('logSumExp near 0', () => {
  // 4.2 to 4.4 ULP by exponentials in float32: what a search by fuzzing found.
  test('of the worst rows there are', () => {
    const rows = [
      [-0.460613966, -0.460313082],
      [-0.574048996, -0.55876416],
      [-0.575810194, -0.465081006],
    ].map((row) => row.map(Math.fround));
    const results = logSumExp(flat(rows), { shape: [3, 2] });
    rows.forEach((row, i) => {
      const exact = new ExactRow(row, formats.float32).logSumExp();
      expect(ulpError(results[i] as number, exact, formats.float32)).toBeLessThan(0.501);
    });
  });

  test.each([
    [1e-7, 1],
    [1e-3, 1],
    [0.4, 1],
    [1e-3, 0.7],
    [0.4, 0.7],
    [0.4, 3.3],
  ])('within %f of it, at temperature %f: rounded once', (distance, temperature) => {
    const random = new Random(60);
    for (const length of [2, 3, 5, 16, 40]) {
      const rows = rowsNearZero(random, 400, length, distance, temperature);
      const results = logSumExp(flat(rows), { shape: [400, length], temperature });
      expect(worstError(results, rows, 1 / temperature), `length ${length}`).toBeLessThan(0.502);
    }
  });

  test('further from it, within 4 ULP', () => {
    const random = new Random(61);
    for (const temperature of [1, 0.7]) {
      const rows = rowsNearZero(random, 20_000, 3, 1.5, temperature);
      const worst = worstError(
        logSumExp(flat(rows), { shape: [20_000, 3], temperature }),
        rows,
        1 / temperature,
      );
      expect(worst).toBeGreaterThan(0.502);
      expect(worst).toBeLessThanOrEqual(4);
    }
  });

  test('the same bits along another axis, masked, by rows with multipliers of their own', () => {
    const random = new Random(62);
    const rows = rowsNearZero(random, 50, 9, 1e-3);
    const expected = logSumExp(flat(rows), { shape: [50, 9] });
    const columns = flat(rows[0]?.map((_, k) => rows.map((row) => row[k] as number)) ?? []);
    expect(logSumExp(columns, { shape: [9, 50], axis: 0 })).toEqual(expected);
    const mask = Uint8Array.from(rows.flat(), (x) => Number(x !== Number.NEGATIVE_INFINITY));
    const filled = Float32Array.from(rows.flat(), (x) => (x === Number.NEGATIVE_INFINITY ? 5 : x));
    expect(logSumExp(filled, { shape: [50, 9], mask })).toEqual(expected);
    // Exact divisions: the same logits.
    const doubled = flat(rows).map((x) => x * 2);
    expect(logSumExp(doubled, { shape: [50, 9], temperature: 2 })).toEqual(expected);
    const temperature = Float32Array.from(rows, (_, i) => 2 ** (i % 3));
    const multiplied = flat(rows.map((row, i) => row.map((x) => x * 2 ** (i % 3))));
    const own = logSumExp(multiplied, { shape: [50, 9], temperature });
    expect(worstError(own, rows)).toBeLessThan(0.502);
    expect(own).toEqual(expected);
    const negated = flat(rows.map((row) => row.map((x) => -x)));
    expect(logSumExp(negated, { shape: [50, 9], scale: -1 })).toEqual(expected);
  });

  test('of cross-entropy: without and with gradients, in place, ignored rows', () => {
    const random = new Random(63);
    for (const length of [2, 7, 40]) {
      const rows = rowsNearZero(random, 60, length, 1e-3);
      const logits = flat(rows);
      const shape = [60, length];
      const expected = logSumExp(logits, { shape });
      expect(worstError(expected, rows)).toBeLessThan(0.502);
      const targets = Int32Array.from(rows, (row, i) => (i % 5 === 4 ? -100 : row.findIndex((x) => x > -2)));
      const options = { shape, reduction: 'none' as const };
      expect(crossEntropy(logits, targets, options).logSumExp).toEqual(expected);
      expect(crossEntropy(logits, targets, { ...options, grad: true }).logSumExp).toEqual(expected);
      const smooth = crossEntropy(logits, targets, { ...options, labelSmoothing: 0.1 });
      expect(worstError(smooth.logSumExp, rows)).toBeLessThan(0.502);
      const { grad } = crossEntropy(logits, targets, { ...options, grad: true });
      const inPlace = crossEntropy(logits, targets, { ...options, grad: logits });
      expect(inPlace.logSumExp).toEqual(expected);
      expect(inPlace.grad).toEqual(grad);
    }
  });

  test.each([1, 2, 4])('of long rows in %i threads', (threads) => {
    const before = getThreads();
    setThreads(threads);
    try {
      const random = new Random(64);
      const length = 300_000;
      const rows = rowsNearZero(random, 2, length, 1e-3);
      for (const row of rows) {
        const logits = Float32Array.from(row);
        const result = logSumExp(logits);
        expect(worstError(result, [row])).toBeLessThan(0.502);
        const target = new Int32Array([row.findIndex((x) => x > -2)]);
        expect(crossEntropy(logits, target).logSumExp).toEqual(result);
        expect(crossEntropy(logits, target, { grad: true }).logSumExp).toEqual(result);
        expect(crossEntropy(logits, target, { grad: logits }).logSumExp).toEqual(result);
      }
    } finally {
      setThreads(before);
    }
  });

  test('one logit is its own log-sum-exp', () => {
    for (const x of [-0.9, -0.2, -1e-3, -1e-30, 0, 1e-45, 0.2, 0.24]) {
      expect(logSumExp(new Float32Array([x]))[0]).toBe(Math.fround(x));
      expect(logSumExp(new Float32Array([x, Number.NEGATIVE_INFINITY]))[0]).toBe(Math.fround(x));
    }
  });

  test('at temperature 0 and infinity, beside NaN: as further from it', () => {
    const row = new Float32Array([-0.6, -0.7]);
    expect(softmax(row, { temperature: 0 })).toEqual(new Float32Array([1, 0]));
    expect(logSumExp(new Float32Array([-0.6, Number.NaN]))[0]).toBeNaN();
    expect(logSumExp(row, { temperature: Number.POSITIVE_INFINITY })[0]).toBe(Math.fround(Math.log(2)));
  });
});
