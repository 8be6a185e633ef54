// Gradients: against central differences of the float64 references, and element by element against the analytic ones.

import { crossEntropy, logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { multiplierOf, scalings, shortAndLong, shortLengths } from './helpers/gradients.js';
import { Random, rowsOf } from './helpers/random.js';
import {
  referenceLogSoftmax,
  referenceLoss,
  referenceLossGradient,
  referenceSoftmax,
  referenceSoftmaxBackward,
  relativeError,
  Worst,
} from './helpers/reference.js';

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;
const floats = (...values: number[]): Float32Array => new Float32Array(values);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
};
/** ∂f/∂x_i by central differences of float64 functions: the error is about 1e-10 of the size of f. */
function numericalGradient(f: (x: Float64Array) => number, x: Float32Array): Float64Array {
  const step = 1e-5;
  return Float64Array.from({ length: x.length }, (_, i) => {
    const above = Float64Array.from(x);
    const below = Float64Array.from(x);
    above[i] = at(above, i) + step;
    below[i] = at(below, i) - step;
    return (f(above) - f(below)) / (2 * step);
  });
}

/** The largest distance of two gradients, in parts of the largest element (or of 1, if that is larger). */
function distance(actual: Float32Array | undefined, numerical: Float64Array): number {
  const size = numerical.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
  return numerical.reduce((worst, b, i) => Math.max(worst, Math.abs((actual?.[i] ?? NaN) - b) / size), 0);
}

// The probabilities that go in are rounded to float32, up to 4 ULP of 2^-24 each: 1e-6 of the gradient's size is room
// for that, and for nothing else.
describe('central differences', () => {
  test.each(scalings)('softmaxBackward, %o', (options) => {
    const worst = new Worst();
    for (const { row, random, label } of rowsOf(50, shortLengths, [0.5, 2])) {
      const gradOutput = random.normals(row.length);
      const actual = softmaxBackward(gradOutput, softmax(row, options), options);
      const f = (x: Float64Array) => dot(gradOutput, referenceSoftmax(x, multiplierOf(options)));
      worst.note(distance(actual, numericalGradient(f, row)), label);
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1e-6);
  });

  test.each(scalings)('logSoftmaxBackward, %o', (options) => {
    const worst = new Worst();
    for (const { row, random, label } of rowsOf(51, shortLengths, [0.5, 2])) {
      const gradOutput = random.normals(row.length);
      const actual = logSoftmaxBackward(gradOutput, logSoftmax(row, options), options);
      const f = (x: Float64Array) => dot(gradOutput, referenceLogSoftmax(x, multiplierOf(options)));
      worst.note(distance(actual, numericalGradient(f, row)), label);
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(2e-6);
  });

  test.each(
    scalings.flatMap((scaling) =>
      (['mean', 'sum', 'none'] as const).map((reduction) => ({ ...scaling, reduction })),
    ),
  )('crossEntropy, %o', (options) => {
    const random = new Random(52);
    const multiplier = multiplierOf(options);
    for (const [rows, classes] of [
      [1, 1],
      [1, 5],
      [4, 3],
      [6, 7],
      [3, 20],
    ] as const) {
      const shape = [rows, classes];
      const logits = random.normals(rows * classes, 2);
      const target = random.classes(rows, classes);
      // Class 0 is ignored where it is a target, and the first row always.
      target[0] = 0;
      const ignoreIndex = rows > 1 ? 0 : -100;
      const kept = [...target].filter((y) => y !== ignoreIndex).length;
      const f = (x: Float64Array) => {
        let sum = 0;
        target.forEach((y, row) => {
          if (y !== ignoreIndex)
            sum += referenceLoss(x.subarray(row * classes, (row + 1) * classes), y, multiplier);
        });
        return options.reduction === 'mean' ? sum / kept : sum;
      };
      const result = crossEntropy(logits, target, { ...options, shape, ignoreIndex, grad: true });
      expect(result.count).toBe(kept);
      const numerical = numericalGradient(f, logits);
      expect(distance(result.grad, numerical), `${rows} × ${classes}`).toBeLessThanOrEqual(1e-6);
      const loss = typeof result.loss === 'number' ? result.loss : result.loss.reduce((a, b) => a + b, 0);
      expect(relativeError(loss, f(Float64Array.from(logits))), `${rows} × ${classes}`).toBeLessThanOrEqual(
        1e-6,
      );
    }
  });
});

describe('relative error of every element at most 1e-6', () => {
  test('softmaxBackward, incoming gradients that are nearly equal', () => {
    const worst = new Worst();
    for (const { row, random, label } of rowsOf(54, shortAndLong, [1])) {
      // p sums to 1 only to 1e-7; a sum to 1 is needed for the gradient not to be all cancellation and rounding of p.
      const p = softmax(row).map((value) => Math.round(value * 2 ** 20) / 2 ** 20);
      const largest = p.indexOf(p.reduce((a, b) => Math.max(a, b)));
      p[largest] = at(p, largest) + 1 - p.reduce((a, b) => a + b, 0);
      const gradOutput = Float32Array.from(row, () => 1000 + random.integer(64) / 16384);
      const exact = referenceSoftmaxBackward(
        gradOutput.map((g) => g - 1000),
        p,
      );
      softmaxBackward(gradOutput, p).forEach((value, i) => {
        worst.note(relativeError(value, at(exact, i)), `${label} [${i}] = ${value}, not ${exact[i]}`);
      });
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1e-6);
  });

  test('softmaxBackward, a finite result of huge gradients', () => {
    // g − Σ g p is 6.8e38, Infinity in float32; times p it is 6.8e35.
    const gradOutput = floats(3.4e38, -3.4e38);
    const p = floats(0.001, 0.999);
    const exact = referenceSoftmaxBackward(gradOutput, p);
    const actual = softmaxBackward(gradOutput, p);
    for (const i of [0, 1])
      expect(relativeError(at(actual, i), at(exact, i)), `[${i}]`).toBeLessThanOrEqual(1e-6);
  });

  test('softmaxBackward, a subnormal product that the scale makes normal again', () => {
    const gradOutput = floats(0, 1e-3);
    const p = floats(1, 2e-38);
    for (const scale of [1e4, 1e-4]) {
      const exact = referenceSoftmaxBackward(gradOutput, p, scale);
      const actual = softmaxBackward(gradOutput, p, { scale });
      const tolerance = 1e-6 * Math.abs(at(exact, 1)) + 2 ** -150;
      for (const i of [0, 1])
        expect(Math.abs(at(actual, i) - at(exact, i)), `[${i}]`).toBeLessThanOrEqual(tolerance);
    }
  });

  test('softmaxBackward, a multiplier below the normal range of float32', () => {
    const exact = referenceSoftmaxBackward(floats(0, 1e30), floats(0.5, 0.5), 1e-42);
    const actual = softmaxBackward(floats(0, 1e30), floats(0.5, 0.5), { temperature: 1e42 });
    for (const i of [0, 1])
      expect(relativeError(at(actual, i), at(exact, i)), `[${i}]`).toBeLessThanOrEqual(1e-6);
  });

  test('crossEntropy: the mean over rows, some of them ignored', () => {
    const random = new Random(57);
    const [rows, classes] = [37, 50];
    const logits = random.normals(rows * classes, 4);
    const target = random.classes(rows, classes);
    for (let row = 0; row < rows; row += 3) target[row] = -100;
    const { grad, count } = crossEntropy(logits, target, { shape: [rows, classes], grad: true });
    expect(count).toBe(24);
    const worst = new Worst();
    for (let row = 0; row < rows; row++) {
      const y = at(target, row);
      const gradient = grad?.subarray(row * classes, (row + 1) * classes);
      const exact = referenceLossGradient(
        logits.subarray(row * classes, (row + 1) * classes),
        Math.max(y, 0),
        1,
      );
      gradient?.forEach((value, i) => {
        worst.note(relativeError(value, y === -100 ? 0 : at(exact, i) / 24), `[${row}, ${i}]`);
      });
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1e-6);
  });
});
