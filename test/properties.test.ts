// The founding article: what softmax is, over random rows.

import { crossEntropy, logSoftmax, logSumExp, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { Random, rowsOf } from './helpers/random.js';
import {
  firstDifference,
  largestMagnitude,
  logTolerance,
  referenceLogSoftmax,
  referenceLogSumExp,
  referenceSoftmax,
  ulpError,
  Worst,
} from './helpers/reference.js';

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;
const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
/** The relative error of a normal float32 number that is 1 ULP off, at most. */
const relativeUlp = 2 ** -23;
const fewLengths: readonly number[] = [1, 2, 3, 7, 10, 16, 33, 64, 100, 257, 1000, 5000];

describe('softmax is a distribution', () => {
  test('every probability is in [0, 1]', () => {
    const outside = new Worst();
    for (const { row, label } of rowsOf(1))
      softmax(row).forEach((p, i) => {
        outside.note(p >= 0 && p <= 1 ? 0 : 1, `${label} [${i}] = ${p}`);
      });
    expect(outside.error, outside.label).toBe(0);
  });

  test('a row sums to 1', () => {
    // Each p is off by at most 4 · 2^-23 of itself, so their sum is by 4 · 2^-23 of 1; and each flushed or subnormal
    // one by at most 2^-126.
    const worst = new Worst();
    for (const { row, label } of rowsOf(2)) {
      const tolerance = 4 * relativeUlp + row.length * 2 ** -126;
      worst.note(Math.abs(sumOf(softmax(row)) - 1) / tolerance, label);
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });

  test('a larger logit never has a smaller probability', () => {
    const inversions: string[] = [];
    for (const { row, label } of rowsOf(3)) {
      const sorted = row.slice().sort();
      const p = softmax(sorted);
      const index = p.findIndex((value, i) => i > 0 && value < at(p, i - 1));
      if (index >= 0) inversions.push(`${label}: [${index}]`);
    }
    expect(inversions).toEqual([]);
  });

  // All float32 numbers from `first` on, towards 0, beside 0: where exp in float32 is hardest to keep monotonic.
  test.each([
    [-0.5, 1],
    [-0.25, 1],
    [-0.14, 1],
    [-0.0625, 1],
    [-0.75, 3],
    [-0.175, 0.7],
  ])('neighbouring logits from %d on keep their order at temperature %d', (first, temperature) => {
    const row = new Float32Array(20000);
    row[0] = first;
    const bits = new Uint32Array(row.buffer);
    for (let i = 1; i < row.length - 1; i++) bits[i] = at(bits, 0) - i;
    const p = softmax(row, { temperature });
    const inversions: string[] = [];
    for (let i = 1; i < row.length; i++)
      if (at(p, i) < at(p, i - 1)) inversions.push(`p(${row[i - 1]}) = ${p[i - 1]} > p(${row[i]}) = ${p[i]}`);
    expect(inversions).toEqual([]);
  });

  test('a constant added to all logits changes nothing that float32 can hold', () => {
    // Logits and constants lie on a grid on which the sum is exact. The bits may differ all the same: a row is
    // measured against a power of two, and that is another one after the shift. Both are within 4 ULP of the exact
    // value, hence within 8 · 2^-23 < 1e-6 of each other.
    const random = new Random(4);
    const errors = new Worst();
    const differences = new Worst();
    for (const length of fewLengths) {
      const row = Float32Array.from({ length }, () => (random.integer(2561) - 1280) / 64);
      const exact = referenceSoftmax(row);
      const p = softmax(row);
      for (const shift of [1 / 64, -1, 13.5, 100, -777.25, 65536]) {
        const shifted = row.map((logit) => logit + shift);
        expect(shifted.every((logit, i) => logit - shift === row[i])).toBe(true);
        softmax(shifted).forEach((q, i) => {
          errors.note(ulpError(q, at(exact, i)), `length ${length}, shift ${shift} [${i}]`);
          differences.note(Math.abs(q - at(p, i)) / at(p, i), `length ${length}, shift ${shift} [${i}]`);
        });
      }
    }
    expect(errors.error, errors.label).toBeLessThanOrEqual(4);
    expect(differences.error, differences.label).toBeLessThanOrEqual(1e-6);
  });
});

describe('the functions agree with each other', () => {
  test('softmax is the exponential of log-softmax', () => {
    const exponentials = new Worst();
    for (const { row, label } of rowsOf(5)) {
      const p = softmax(row);
      const largest = largestMagnitude(row);
      logSoftmax(row).forEach((y, i) => {
        // An absolute error of y is a relative one of exp(y).
        const tolerance = logTolerance(y, largest);
        const difference = Math.abs(Math.exp(y) - at(p, i));
        if (at(p, i) >= 2 ** -126)
          exponentials.note(
            difference / at(p, i) / (4 * relativeUlp + tolerance + tolerance ** 2),
            `${label} [${i}]`,
          );
      });
    }
    expect(exponentials.error, exponentials.label).toBeLessThanOrEqual(1);
  });

  test('log-softmax is the logit less log-sum-exp', () => {
    const worst = new Worst();
    for (const { row, label } of rowsOf(6, fewLengths)) {
      const largest = largestMagnitude(row);
      const logSum = at(logSumExp(row), 0);
      logSoftmax(row).forEach((y, i) => {
        const tolerance = logTolerance(logSum, largest) + logTolerance(y, largest);
        worst.note(Math.abs(at(row, i) - logSum - y) / tolerance, `${label} [${i}]`);
      });
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });

  test('the gradient of the mean loss is (P − Y) / count', () => {
    const random = new Random(9);
    const worst = new Worst();
    for (const [rows, classes] of [
      [1, 10],
      [7, 3],
      [32, 10],
      [5, 300],
      [2, 5000],
    ] as const) {
      const logits = random.normals(rows * classes, 5);
      const target = random.classes(rows, classes);
      const p = softmax(logits, { shape: [rows, classes] });
      const { grad, count } = crossEntropy(logits, target, { shape: [rows, classes], grad: true });
      expect(count).toBe(rows);
      grad?.forEach((value, i) => {
        const hot = i % classes === target[Math.floor(i / classes)] ? 1 : 0;
        // 4 ULP of p in either, and 2^-24 for the product with 1 / count.
        const tolerance = (9 * relativeUlp * at(p, i) + relativeUlp * hot) / rows;
        worst.note(Math.abs(value - (at(p, i) - hot) / rows) / tolerance, `${rows} × ${classes} [${i}]`);
      });
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });
});

describe('temperature and scale', () => {
  test.each([{ temperature: 0.7 }, { temperature: 30 }, { scale: 0.125 }, { scale: -2.5, temperature: 3 }])(
    'logits times scale / temperature: %o',
    (options) => {
      const multiplier = (options.scale ?? 1) / (options.temperature ?? 1);
      const worst = new Worst();
      for (const { row, label } of rowsOf(10, fewLengths)) {
        const exact = referenceSoftmax(row, multiplier);
        softmax(row, options).forEach((p, i) => {
          if (p !== 0 || at(exact, i) > 2 ** -126)
            worst.note(ulpError(p, at(exact, i)) / 4, `${label} [${i}]`);
        });
        const largest = largestMagnitude(row, multiplier);
        const exactLog = referenceLogSoftmax(row, multiplier);
        logSoftmax(row, options).forEach((y, i) => {
          const tolerance = logTolerance(at(exactLog, i), largest);
          worst.note(Math.abs(y - at(exactLog, i)) / tolerance, `${label}, log [${i}]`);
        });
        const logSum = referenceLogSumExp(row, multiplier);
        const error = Math.abs(at(logSumExp(row, options), 0) - logSum);
        worst.note(error / logTolerance(logSum, largest), `${label}, log-sum-exp`);
      }
      expect(worst.error, worst.label).toBeLessThanOrEqual(1);
    },
  );

  test('a temperature of 2, a scale of ½ and halved logits give the same bits', () => {
    for (const { row, label } of rowsOf(11, fewLengths)) {
      const halved = row.map((logit) => logit / 2);
      for (const f of [softmax, logSoftmax, logSumExp]) {
        const expected = f(halved);
        expect(firstDifference(f(row, { temperature: 2 }), expected), label).toBeUndefined();
        expect(firstDifference(f(row, { scale: 0.5 }), expected), label).toBeUndefined();
        expect(firstDifference(f(row, { scale: 3, temperature: 6 }), expected), label).toBeUndefined();
      }
    }
  });

  test.each([1, 0.7, 3])('a scale of -%d gives the bits of negated logits', (scale) => {
    for (const { row, label } of rowsOf(12, fewLengths)) {
      const negated = row.map((logit) => -logit);
      for (const f of [softmax, logSoftmax, logSumExp])
        expect(firstDifference(f(row, { scale: -scale }), f(negated, { scale })), label).toBeUndefined();
    }
  });

  test('an infinite temperature, and 1e30, share equally among entries above −Infinity', () => {
    for (const { row, label } of rowsOf(13, fewLengths)) {
      const uniform = new Float32Array(row.length).fill(1 / row.length);
      for (const options of [
        { temperature: Infinity },
        { temperature: Infinity, scale: -1 },
        { temperature: 1e30 },
        { temperature: 1e30, scale: -1 },
        { scale: 0 },
        { scale: -0 },
      ])
        expect(firstDifference(softmax(row, options), uniform), label).toBeUndefined();
    }
    const masked = new Float32Array([7, -Infinity, -3, 1e30, -Infinity]);
    expect(softmax(masked, { temperature: Infinity })).toEqual(
      new Float32Array([1, 0, 1, 1, 0].map((k) => k / 3)),
    );
  });

  test('temperature 0, and 1e-30, share equally among the largest, and its log-softmax', () => {
    for (const { row, random, label } of rowsOf(14, fewLengths)) {
      const largest = row.reduce((a, b) => Math.max(a, b));
      for (let ties = random.integer(3); ties > 0; ties--) row[random.integer(row.length)] = largest;
      const winners = row.filter((logit) => logit === largest).length;
      const expected = row.map((logit) => (logit === largest ? 1 / winners : 0));
      for (const temperature of [0, 1e-30])
        expect(firstDifference(softmax(row, { temperature }), expected), label).toBeUndefined();
      logSoftmax(row, { temperature: 0 }).forEach((y, i) => {
        const exact = row[i] === largest ? -Math.log(winners) : -Infinity;
        expect(ulpError(y, exact), `${label} [${i}]`).toBeLessThanOrEqual(4);
      });
      const negated = row.map((logit) => -logit);
      expect(
        firstDifference(softmax(negated, { temperature: 0, scale: -2 }), expected),
        label,
      ).toBeUndefined();
    }
  });
});
