// The edge cases of the contract: special values, huge logits, long rows, the flush threshold, empty things.

import {
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
  softmaxJacobian,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { Random } from './helpers/random.js';
import {
  bitsOf,
  firstDifference,
  largestMagnitude,
  logTolerance,
  referenceLogSoftmax,
  referenceLogSumExp,
  referenceLoss,
  referenceLossGradient,
  referenceSoftmax,
  relativeError,
  ulpError,
  Worst,
} from './helpers/reference.js';

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;
const floats = (...values: number[]): Float32Array => new Float32Array(values);
const fromBits = (...bits: number[]): Float32Array => new Float32Array(new Uint32Array(bits).buffer);
const classes = (...values: number[]): Int32Array => new Int32Array(values);

const canonicalNan = 0x7fc00000;
const allNan = (length: number): Float32Array => fromBits(...Array(length).fill(canonicalNan));
/** One canonical NaN throughout, bit by bit. */
const expectNan = (values: Float32Array | undefined, length: number, label = ''): void => {
  expect(firstDifference(values ?? floats(), allNan(length)), label).toBeUndefined();
};

/** Rows of one block, of one and a bit, and of four. */
const lengths = [1, 2, 33, 300, 5000, 12289];
/** The first, middle and last of a row: in its first, another and its last block. */
const places = (length: number) => [...new Set([0, length >> 1, length - 1])];

/** softmax, logSoftmax and logSumExp against float64; losses too, of one target. */
function expectAccurate(row: Float32Array, target = 0, multiplier = 1): void {
  const options = { scale: multiplier };
  const worst = new Worst();
  const largest = largestMagnitude(row, multiplier);
  const note = (actual: number, exact: number, label: string) => {
    const isEqual = actual === Math.fround(exact);
    worst.note(isEqual ? 0 : Math.abs(actual - exact) / logTolerance(exact, largest), label);
  };
  const p = referenceSoftmax(row, multiplier);
  softmax(row, options).forEach((value, i) => {
    if (value !== 0 || at(p, i) >= 2 ** -126)
      worst.note(ulpError(value, at(p, i)) / 4, `softmax[${i}] = ${value}`);
  });
  const y = referenceLogSoftmax(row, multiplier);
  logSoftmax(row, options).forEach((value, i) => {
    note(value, at(y, i), `logSoftmax[${i}] = ${value}, not ${y[i]}`);
  });
  const logSum = referenceLogSumExp(row, multiplier);
  note(at(logSumExp(row, options), 0), logSum, `logSumExp, exactly ${logSum}`);
  const { loss } = crossEntropy(row, classes(target), options);
  const exactLoss = referenceLoss(row, target, multiplier);
  note(loss, exactLoss, `loss ${loss}, not ${exactLoss}`);
  expect(worst.error, worst.label).toBeLessThanOrEqual(1);
}

describe('−Infinity, +Infinity and NaN', () => {
  test.each(lengths)('a row of %d times −Infinity', (length) => {
    const row = new Float32Array(length).fill(-Infinity);
    expectNan(softmax(row), length);
    expectNan(logSoftmax(row), length);
    expectNan(softmax(row, { temperature: 0 }), length);
    expectNan(softmax(row, { temperature: Infinity }), length);
    expectNan(softmax(row, { temperature: 3 }), length);
    expect(logSumExp(row)).toEqual(floats(-Infinity));
    const result = crossEntropy(row, classes(length - 1), { grad: true, reduction: 'none' });
    expectNan(result.loss, 1);
    expectNan(result.grad, length);
    expect(result.logSumExp).toEqual(floats(-Infinity));
  });

  test.each(lengths)('+Infinity in a row of %d', (length) => {
    for (const place of places(length)) {
      const row = new Random(20).normals(length);
      row[place] = Infinity;
      for (const options of [{}, { temperature: 0 }, { temperature: Infinity }, { scale: 3 }]) {
        expectNan(softmax(row, options), length, `[${place}]`);
        expectNan(logSoftmax(row, options), length, `[${place}]`);
      }
      expect(logSumExp(row)).toEqual(floats(Infinity));
      for (const target of places(length)) {
        const result = crossEntropy(row, classes(target), { grad: true, reduction: 'none' });
        expectNan(result.loss, 1, `[${place}], target ${target}`);
        expectNan(result.grad, length, `[${place}], target ${target}`);
        expect(result.logSumExp).toEqual(floats(Infinity));
      }
    }
  });

  // Quiet and signalling, of either sign, with payloads.
  test.each([0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff])(
    'the NaN with bits %i makes the row NaN',
    (nan) => {
      for (const length of lengths)
        for (const place of places(length)) {
          const row = new Random(21).normals(length);
          new Uint32Array(row.buffer)[place] = nan;
          const label = `[${place}] of ${length}`;
          for (const options of [{}, { temperature: 0 }, { temperature: Infinity }, { scale: -3 }]) {
            expectNan(softmax(row, options), length, label);
            expectNan(logSoftmax(row, options), length, label);
          }
          expectNan(logSumExp(row), 1, label);
          for (const target of places(length)) {
            const result = crossEntropy(row, classes(target), { grad: true, reduction: 'none' });
            expectNan(result.loss, 1, label);
            expectNan(result.grad, length, label);
            expectNan(result.logSumExp, 1, label);
          }
          const finite = new Random(22).normals(length);
          expectNan(softmaxBackward(row, finite), length, label);
          expectNan(softmaxBackward(finite, row), length, label);
          expectNan(logSoftmaxBackward(row, finite), length, label);
        }
      expectNan(softmaxJacobian(fromBits(nan)), 1);
      expect([...bitsOf(softmaxJacobian(fromBits(nan, 0x3f000000)))]).toEqual([
        canonicalNan,
        canonicalNan,
        canonicalNan,
        0x3e800000,
      ]);
      expect([...bitsOf(logSoftmaxBackward(floats(1, 2), fromBits(nan, 0)))]).toEqual([
        canonicalNan,
        0xbf800000,
      ]);
    },
  );

  test('such rows leave their neighbours alone', () => {
    const good = new Random(23).normals(40);
    const logits = floats(
      ...good,
      ...good.map(() => -Infinity),
      ...good,
      ...good.fill(NaN, 7, 8),
      ...good.fill(0),
    );
    const p = softmax(logits, { shape: [5, 40] });
    const y = logSoftmax(logits, { shape: [5, 40] });
    for (const row of [0, 2, 4]) {
      const alone = logits.slice(40 * row, 40 * row + 40);
      expect(firstDifference(p.slice(40 * row, 40 * row + 40), softmax(alone)), `${row}`).toBeUndefined();
      expect(firstDifference(y.slice(40 * row, 40 * row + 40), logSoftmax(alone)), `${row}`).toBeUndefined();
    }
    for (const row of [1, 3]) expectNan(p.slice(40 * row, 40 * row + 40), 40, `${row}`);
  });

  test('−Infinity beside numbers has probability +0 and log-probability −Infinity', () => {
    expect(softmax(floats(-Infinity, 2, -Infinity, 2))).toEqual(floats(0, 0.5, 0, 0.5));
    expect(logSoftmax(floats(3, -Infinity))).toEqual(floats(0, -Infinity));
    expect(logSumExp(floats(-Infinity, 3, -Infinity))).toEqual(floats(3));
    // With a negative scale +Infinity is the smallest.
    expect(softmax(floats(Infinity, 2, 2), { scale: -1 })).toEqual(floats(0, 0.5, 0.5));
    expectNan(softmax(floats(-Infinity, 2, 2), { scale: -1 }), 3);
  });

  test('+Infinity and NaN in one block', () => {
    for (const row of [floats(Infinity, NaN), floats(NaN, 1, Infinity), floats(Infinity, Infinity, NaN)]) {
      expectNan(logSumExp(row), 1);
      expectNan(softmax(row), row.length);
      for (const target of [0, 1]) expectNan(crossEntropy(row, classes(target)).logSumExp, 1);
    }
  });

  test('+Infinity in one block and NaN in another', () => {
    for (const [infinity, nan] of [
      [0, 12288],
      [12288, 0],
      [5000, 5001],
    ] as const) {
      const row = new Float32Array(12289);
      row[infinity] = Infinity;
      expect(logSumExp(row)).toEqual(floats(Infinity));
      row[nan] = NaN;
      expectNan(logSumExp(row), 1);
      expectNan(softmax(row), 12289);
    }
  });
});

describe('huge logits', () => {
  const largest = 3.4028234663852886e38;
  const neighbour = 3.4028232635611926e38;
  test.each([
    ['the largest float', [largest, largest, 0, -largest]],
    ['the largest and its neighbour', [neighbour, largest]],
    ['the smallest', [-largest, -largest]],
    ['the smallest and its neighbour', [-neighbour, -largest]],
    ['1e30', [1e30, -1e30, 1e30, 5, 0]],
    ['-1e30', [-1e30, -1e30, -1.1e30]],
    ['-1e30 below small ones', [-1e30, 1, 2, 3]],
    ['one class', [largest]],
  ])('%s', (_name, values) => {
    const row = floats(...values);
    for (let target = 0; target < row.length; target++) expectAccurate(row, target);
    for (let target = 0; target < row.length; target++) expectAccurate(row, target, -1);
  });

  test.each([0.5, 0.25, 1e-10, 1e-37])('differences beyond float32 times %d are within it', (multiplier) => {
    // 3e38 and −3e38 are 6e38 apart: Infinity in float32; but not after the multiplication.
    expectAccurate(floats(3e38, -3e38), 1, multiplier);
    expectAccurate(floats(-3e38, 3e38, 3e38), 0, multiplier);
  });

  test('large logits, scaled to just below 2^21', () => {
    const row = [-809375.4375, -809373.1875, -809373.625, -809372.8125, -809372.5625, -809375.25, -809374.25];
    expectAccurate(floats(...row), 3, -2.165994754440203);
    const random = new Random(24);
    for (let i = 0; i < 200; i++) {
      const multiplier = random.uniform(0.1, 5) * (random.uniform() < 0.5 ? -1 : 1);
      const center = random.uniform(5e5, 2.09e6) / multiplier;
      expectAccurate(random.uniforms(8, center - 5, center + 5), random.integer(8), multiplier);
    }
  });

  // Beyond 2^21 the maximum is subtracted instead of a power of two.
  test.each([
    2097151.875, 2097152, 2097152.25, 2.9e6, 1e7, -2097151.875, -2097152, -2097152.25, -2.9e6, -1e7,
  ])('a few units around %d', (top) => {
    expectAccurate(floats(top, top - 1, top - 2, top - 7, top - 30, top - 86, top - 3e6), 1);
    expectAccurate(floats(top - 100, top - 100, top, -top), 2);
    expectAccurate(floats(...Array.from({ length: 5000 }, (_, i) => top - (i % 97))), 4999);
    // The same threshold for scaled logits.
    expectAccurate(floats(top / 8, (top - 1) / 8, (top - 30) / 8), 1, 8);
    expectAccurate(floats(top * 0.7, top * 0.7 - 3, top * 0.7 - 20), 1, 1 / 0.7);
  });
});

describe('rows of several blocks', () => {
  const block = 4096;

  test.each([0, 4095, 4096, 8191, 8192, 12287, 12288])('the maximum at [%d] of 12289', (place) => {
    const row = new Random(30).normals(12289, 3);
    row[place] = 20;
    expectAccurate(row, place);
    expectAccurate(row, 12288 - place);
  });

  test('blocks of very different magnitude, and of nothing but −Infinity', () => {
    for (const [first, second, third, last] of [
      [0, -3e6, -1e30, -2.4e6],
      [-1e30, -2.6e6, -Infinity, 0],
      [-Infinity, -Infinity, 5, -Infinity],
      [-3e6, -3e6, -Infinity, -3e6 + 2],
      [60, -30, 0, 61],
      [2e6, 2e6 - 3, 1e6, -2e6],
      [3e6, 3e6 - 3, 2e6, -2e6],
      [-2.45e6, -2.55e6, -2.0e6, -2.0e6 + 1],
    ] as const) {
      const row = new Float32Array(12289);
      row
        .fill(first, 0, block)
        .fill(second, block, 2 * block)
        .fill(third, 2 * block, 3 * block)
        .fill(last, 3 * block);
      expectAccurate(row, 12288);
      expectAccurate(row, block);
      expectAccurate(row, 0);
    }
  });

  test('a NaN hides in a block far below the others', () => {
    for (const low of [-3e6, -1e30, -Infinity, -100])
      for (const place of [0, 5000, 12287]) {
        const row = new Float32Array(12289).fill(1);
        const begin = place - (place % block);
        row.fill(low, begin, begin + block)[place] = NaN;
        expectNan(softmax(row), 12289, `${low} [${place}]`);
        expectNan(logSoftmax(row), 12289, `${low} [${place}]`);
        expectNan(logSumExp(row), 1, `${low} [${place}]`);
        expectNan(crossEntropy(row, classes(12288), { reduction: 'none' }).loss, 1, `${low} [${place}]`);
      }
  });
});

describe('what is below 2^−126 of the maximum is exactly 0', () => {
  test.each([0, 10.5, -100, 1000])('beside a maximum of %d', (top) => {
    const row = floats(top, top - 87.33, top - 87.34);
    const p = softmax(row);
    expect(p[0]).toBe(1);
    expect(ulpError(at(p, 1), Math.exp(at(row, 1) - top))).toBeLessThanOrEqual(4);
    expect(p[1]).toBeGreaterThan(0);
    expect(p[2]).toBe(0);
  });

  test('at the very edge, where the maximum is so large that float32 numbers are 1/8 apart', () => {
    // e^-87.375 is 0.96 · 2^-126 and e^-87.25 is 1.09 · 2^-126.
    const p = softmax(floats(2e6, 2e6 - 87.375, 2e6 - 87.25));
    expect([p[0], p[1]]).toEqual([1, 0]);
    expect(ulpError(at(p, 2), Math.exp(-87.25))).toBeLessThanOrEqual(4);
  });

  test('at the very edge, in steps of a float32', () => {
    for (const top of [0.3, 7, 64, 999, 30000, 5e5, -7, -999, -30000, -5e5]) {
      const row = new Float32Array(200).fill(top - 87.33654475);
      const bits = new Uint32Array(row.buffer);
      for (let i = 0; i < 200; i++) bits[i] = at(bits, i) + i - 100;
      row[100] = top;
      softmax(row).forEach((p, i) => {
        const exact = Math.exp(at(row, i) - at(row, 100)) / 2 ** -126;
        // exp in float64 can't tell which side the edge itself is on.
        if (Math.abs(exact - 1) > 1e-9) expect(p > 0, `${row[i]} beside ${row[100]}`).toBe(exact > 1);
      });
    }
  });
});

describe('cross-entropy as p_y → 1', () => {
  test.each([20, 50, 80])('a gap of %d keeps loss and gradient to 1e-6', (gap) => {
    for (const length of [2, 10, 5000])
      for (const base of [0, 3.25, -40]) {
        const row = new Float32Array(length).fill(base - gap);
        row[1] = base;
        const { loss, grad } = crossEntropy(row, classes(1), { grad: true });
        const exact = (length - 1) * Math.exp(-gap);
        expect(relativeError(loss, Math.log1p(exact))).toBeLessThanOrEqual(1e-6);
        expect(relativeError(grad?.[1] ?? 0, -exact / (1 + exact))).toBeLessThanOrEqual(1e-6);
        expect(relativeError(grad?.[0] ?? 0, Math.exp(-gap) / (1 + exact))).toBeLessThanOrEqual(1e-6);
      }
  });

  test('the others may be far below the target, and far from each other, in several blocks', () => {
    for (const [first, second] of [
      [-80, -75],
      [-75, -80],
      [-87, -71],
      [-30, -20],
    ] as const) {
      const row = new Float32Array(5000).fill(first, 0, 4096).fill(second, 4096);
      row[1] = 0;
      const { loss, grad } = crossEntropy(row, classes(1), { grad: true });
      const exact = 4095 * Math.exp(first) + 904 * Math.exp(second);
      expect(relativeError(loss, Math.log1p(exact)), `${first}, ${second}`).toBeLessThanOrEqual(1e-6);
      expect(relativeError(grad?.[1] ?? 0, -exact / (1 + exact))).toBeLessThanOrEqual(1e-6);
    }
  });

  test('random gaps, scaled', () => {
    const random = new Random(40);
    const worst = new Worst();
    for (let i = 0; i < 500; i++) {
      // Gaps of up to 75 from the next: an element 87.3 below is flushed to 0, and with it less than 1e-6 of the loss.
      const row = random.uniforms(2 + random.integer(50), -20, 0);
      const target = random.integer(row.length);
      row[target] = at(row, (target + 1) % row.length) + random.uniform(20, 60);
      const temperature = random.uniform(0.8, 2);
      const { loss, grad } = crossEntropy(row, classes(target), { temperature, grad: true });
      const exact = referenceLoss(row, target, 1 / temperature);
      const exactGradient = at(referenceLossGradient(row, target, 1 / temperature), target);
      worst.note(relativeError(loss, exact), `loss ${loss}, not ${exact}`);
      worst.note(relativeError(grad?.[target] ?? 0, exactGradient), `gradient, not ${exactGradient}`);
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1e-6);
  });

  test('beyond the flush threshold both are 0', () => {
    const { loss, grad } = crossEntropy(floats(100, 0), classes(0), { grad: true });
    expect(loss).toBe(0);
    expect(grad).toEqual(floats(0, 0));
  });
});

describe('losses of special rows', () => {
  test('a target at −Infinity has an infinite loss', () => {
    const {
      loss,
      grad,
      logSumExp: logSum,
    } = crossEntropy(floats(-Infinity, 1, 1), classes(0), { grad: true });
    expect(loss).toBe(Infinity);
    expect(grad).toEqual(floats(-1, 0.5, 0.5));
    expect(at(logSum, 0)).toBeCloseTo(1 + Math.LN2, 6);
  });

  test('ignored rows have loss 0 and gradient +0, whatever is in them, and do not count', () => {
    const logits = floats(0, 0, NaN, NaN, Infinity, 1, 3, 3);
    const target = classes(0, -100, -100, 1);
    const options = { shape: [4, 2], grad: true } as const;
    const { loss, grad, count, logSumExp: logSum } = crossEntropy(logits, target, options);
    expect(count).toBe(2);
    expect(loss).toBeCloseTo(Math.LN2, 6);
    expect(grad).toEqual(floats(-0.25, 0.25, 0, 0, 0, 0, 0.25, -0.25));
    expect(logSum.map(Math.fround)).toEqual(floats(Math.LN2, NaN, Infinity, 3 + Math.LN2));
    const none = crossEntropy(logits, target, { shape: [4, 2], reduction: 'none' });
    expect(none.loss).toEqual(floats(Math.LN2, 0, 0, Math.LN2));
    const other = crossEntropy(logits, classes(1, 0, 0, 1), { ...options, ignoreIndex: 0 });
    expect(other).toEqual({
      loss,
      grad: floats(0.25, -0.25, 0, 0, 0, 0, 0.25, -0.25),
      count,
      logSumExp: logSum,
    });
  });

  test.each([[[2, 3]], [[0, 3]]])('no row that counts, shape %j', (shape) => {
    const [rows] = shape as [number];
    const logits = new Float32Array(rows * 3);
    const target = new Int32Array(rows).fill(-100);
    const mean = crossEntropy(logits, target, { shape, grad: true });
    expect(mean).toEqual({
      loss: NaN,
      grad: logits,
      count: 0,
      logSumExp: new Float32Array(rows).fill(Math.log(3)),
    });
    expect(crossEntropy(logits, target, { shape, emptyMean: 'zero' }).loss).toBe(0);
    expect(crossEntropy(logits, target, { shape, reduction: 'sum' }).loss).toBe(0);
    expect(crossEntropy(logits, target, { shape, reduction: 'none' }).loss).toEqual(new Float32Array(rows));
  });

  test('emptyMean changes nothing where there is a row', () => {
    expect(crossEntropy(floats(0, 0), classes(0), { emptyMean: 'zero' }).loss).toBeCloseTo(Math.LN2, 6);
    expectNan(floats(crossEntropy(floats(NaN, 0), classes(0), { emptyMean: 'zero' }).loss), 1);
  });

  test.each([0, 1e-3, 0.11, -7, 7.043848514556885, 88, 1e30, -3e38])('one class, logit %d', (logit) => {
    for (const options of [{}, { temperature: 0.7 }, { scale: -3 }]) {
      expect(softmax(floats(logit), options)).toEqual(floats(1));
      expect(logSoftmax(floats(logit), options)).toEqual(floats(0));
      const { loss, grad } = crossEntropy(floats(logit), classes(0), { ...options, grad: true });
      expect(loss).toBe(0);
      expect(grad).toEqual(floats(0));
    }
    expect(logSumExp(floats(logit))).toEqual(floats(logit));
    expect(softmaxBackward(floats(5), floats(1))).toEqual(floats(0));
    expect(softmaxJacobian(floats(1))).toEqual(floats(0));
  });
});

describe('nothing', () => {
  const empty = floats();

  test.each([[undefined], [[0]], [[0, 5]], [[0, 5, 7]]])('no elements, shape %j', (shape) => {
    expect(softmax(empty, { shape })).toEqual(empty);
    expect(logSoftmax(empty, { shape })).toEqual(empty);
    expect(softmaxBackward(empty, empty, { shape })).toEqual(empty);
    expect(logSoftmaxBackward(empty, empty, { shape })).toEqual(empty);
    expect(softmaxJacobian(empty, { shape })).toEqual(empty);
  });

  test('an empty axis has log-sum-exp −Infinity, and no class to be the target', () => {
    expect(logSumExp(empty)).toEqual(floats(-Infinity));
    expect(logSumExp(empty, { shape: [3, 0] })).toEqual(floats(-Infinity, -Infinity, -Infinity));
    expect(logSumExp(empty, { shape: [0, 3] })).toEqual(empty);
    expect(softmax(empty, { shape: [3, 0] })).toEqual(empty);
    expect(crossEntropy(empty, classes(-100, -100), { shape: [2, 0], grad: true })).toEqual({
      loss: NaN,
      grad: empty,
      count: 0,
      logSumExp: floats(-Infinity, -Infinity),
    });
  });

  test('many empty rows cost nothing', () => {
    const start = performance.now();
    for (const f of [softmax, logSoftmax, softmaxJacobian])
      expect(f(empty, { shape: [2 ** 22, 0] })).toEqual(empty);
    expect(performance.now() - start).toBeLessThan(50);
  });
});
