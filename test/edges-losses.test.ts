// Edge cases of the contract: the flush threshold, losses of special rows, empty things.

import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  logSumExp,
  nllLoss,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { functionOf } from './helpers/calls.js';
import { Random } from './helpers/random.js';
import { referenceLoss, referenceLossGradient, relativeError, ulpError, Worst } from './helpers/reference.js';
import { at, classes, expectNan, floats } from './helpers/rows.js';
import { isLoss, newOut, outLength, signatures } from './helpers/signatures.js';

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

describe('labels smoothed over logits that have no distribution', () => {
  test.each([
    ['Infinity', floats(Number.POSITIVE_INFINITY, 1, 2)],
    ['nothing but −Infinity', new Float32Array(3).fill(Number.NEGATIVE_INFINITY)],
    ['nothing but NaN', new Float32Array(3).fill(Number.NaN)],
  ])('%s: loss and gradient are NaN', (_what, row) => {
    const { loss, grad } = crossEntropy(row, classes(1), { labelSmoothing: 0.1, grad: true });
    expect([loss, ...(grad ?? [])]).toEqual(new Array(4).fill(Number.NaN));
    expect(crossEntropy(row, classes(1), { labelSmoothing: 0.1 }).loss).toBeNaN();
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
  });
});

describe('nothing', () => {
  const empty = floats();

  test.each([[undefined], [[0]], [[0, 5]], [[0, 5, 7]], [[3, 0]], [[3, 0, 7]]])(
    'no elements, shape %j',
    (shape) => {
      const rows = (shape ?? [0]).slice(0, -1).reduce((a, b) => a * b, 1);
      for (const signature of signatures.filter((one) => !isLoss(one))) {
        const { name, inputs } = signature;
        const result = functionOf(name)(...inputs.map(() => empty), { shape });
        expect(result, name).toBeInstanceOf(newOut(signature, 0).constructor);
        expect(result, name).toHaveLength(outLength(signature, rows, 0));
      }
    },
  );

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

  test('losses of an empty axis: no class to be the target, and nothing to diverge', () => {
    const options = { shape: [2, 0], grad: true } as const;
    const target = classes(-100, -100);
    expect(nllLoss(empty, target, options)).toEqual({ loss: NaN, grad: empty, count: 0 });
    expect(distillationLoss(empty, empty, options)).toEqual({ loss: 0, grad: empty, count: 2 });
    const each = distillationLoss(empty, empty, { ...options, target, reduction: 'none' });
    expect(each).toEqual({ loss: floats(0, 0), grad: empty, count: 0 });
  });

  test('many empty rows cost nothing', () => {
    const start = performance.now();
    for (const { name, inputs } of signatures.filter((one) => !isLoss(one) && one.result !== 'row'))
      expect(functionOf(name)(...inputs.map(() => empty), { shape: [2 ** 22, 0] }), name).toEqual(empty);
    expect(performance.now() - start).toBeLessThan(50);
  });
});
