// What callers leave out or write as other libraries have it: a −1 in a shape, plain arrays of classes, one-hot targets.

import { crossEntropy, distillationLoss, logSumExp, nllLoss, softmax, softmaxBackward } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, expectError, marked } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const random = new Random(20261129);
const x = random.normals(24, 2);
const g = random.normals(24, 1);

describe('a shape with one -1', () => {
  test.each([
    [[-1, 6], [4, 6], -1],
    [[2, -1, 6], [2, 2, 6], -1],
    [[4, -1], [4, 6], -1],
    [[-1], [24], 0],
    [[6, -1], [6, 4], 0],
  ])('%j is %j', (shape, whole, axis) => {
    const expected = softmax(x, { shape: whole, axis });
    expect(softmax(x, { shape, axis })).toEqual(expected);
    expect(softmax(x, { shape, axis, out: new Float32Array(24) })).toEqual(expected);
    expect(softmax({ data: x, dims: whole }, { shape, axis }).data).toEqual(expected);
    expect(logSumExp(x, { shape, axis })).toEqual(logSumExp(x, { shape: whole, axis }));
    const backward = softmaxBackward(g, expected, { shape: whole, axis });
    expect(softmaxBackward(g, expected, { shape, axis })).toEqual(backward);
    expect(softmaxBackward({ data: g, dims: whole }, expected, { shape, axis }).data).toEqual(backward);
    const loss = distillationLoss(x, g, { shape: whole, axis });
    expect(distillationLoss(x, g, { shape, axis })).toEqual(loss);
  });

  const wrong = (shape: readonly number[], message: string, details: object = {}, length = 24) => {
    const out = marked(length);
    const wanted = { code: 'ERR_SHAPE', fn: 'softmax', message: `softmax: ${message}`, ...details } as const;
    expectError('RangeError', wanted, () => softmax(marked(length), { shape, out }), out);
  };
  test('that fits no size, or twice', () => {
    const rest = (n: number) => `has no size for its -1 that makes the ${n} elements of x`;
    wrong([-1, 7], `shape [-1, 7] ${rest(24)}`, { argument: 'shape', value: 24 });
    wrong([-1, 0], `shape [-1, 0] ${rest(0)}`, { argument: 'shape', value: 0 }, 0);
    wrong([-1, -1], 'shape[1] = -1 is a second -1', { index: 1, value: -1 });
    wrong([-2, 12], 'shape[0] = -2 is not a non-negative integer', { index: 0, value: -2 });
  });
  test('but not of a tensor, whose shape is what it is', () => {
    const message = 'softmax: x.dims[0] = -1 is not a non-negative integer';
    const wanted = { code: 'ERR_SHAPE', fn: 'softmax', argument: 'x', message } as const;
    expectError('RangeError', wanted, () => softmax({ data: x, dims: [-1, 6] }));
  });
});

describe('class indices in a plain array', () => {
  const shape = [4, 6];
  test('are those of an Int32Array', () => {
    const classes = [5, 0, -100, 3];
    const typed = Int32Array.from(classes);
    const options = { shape, grad: true } as const;
    expect(crossEntropy(x, classes, options)).toEqual(crossEntropy(x, typed, options));
    expect(nllLoss(x, classes, options)).toEqual(nllLoss(x, typed, options));
    expect(distillationLoss(x, g, { ...options, target: classes })).toEqual(
      distillationLoss(x, g, { ...options, target: typed }),
    );
  });
  test.each([
    [
      [1, 2.5, 0, 0],
      1,
      2.5,
      'target[1] = 2.5 is not an integer; float targets, which are probabilities, need a typed array',
    ],
    [
      [1, 2, Number.NaN, 0],
      2,
      Number.NaN,
      'target[2] = NaN is not an integer; float targets, which are probabilities, need a typed array',
    ],
    [[1, '2', 0, 0], 1, '2', 'target[1] must be a number, got "2"'],
    [
      [[1, 2, 0, 0]],
      0,
      undefined,
      'target[0] must be a number, got a plain array; make target.flat(Infinity)',
    ],
  ])('%j', (target, index, value, whole) => {
    const grad = marked(24);
    for (const [name, loss] of Object.entries({ crossEntropy: any(crossEntropy), nllLoss: any(nllLoss) })) {
      const text = name === 'nllLoss' ? whole.split('; float')[0] : whole;
      const message = `${name}: ${text}`;
      const details = value === undefined ? {} : { value };
      const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'target', index, message, ...details } as const;
      expectError('TypeError', wanted, () => (loss as typeof nllLoss)(x, any(target), { shape, grad }), grad);
    }
  });
  test('out of range', () => {
    const message = 'crossEntropy: target[1] = 6 is outside [0, 6)';
    const wanted = { code: 'ERR_TARGET_RANGE', fn: 'crossEntropy', row: 1, value: 6, message } as const;
    expectError('RangeError', wanted, () => crossEntropy(x, [0, 6, 0, 0], { shape }));
  });
});

describe('integers of the shape of the logits', () => {
  const shape = [4, 6];
  const classes = [5, 0, 2, 3];
  const oneHot = Array.from({ length: 24 }, (_, i) => Number(classes[Math.floor(i / 6)] === i % 6));
  const kinds = [Uint8Array, Int32Array, Uint16Array, Int8Array] as const;
  const expected = crossEntropy(x, Float32Array.from(oneHot), { shape, grad: true, labelSmoothing: 0.1 });

  test('are probabilities', () => {
    const options = { shape, grad: true, labelSmoothing: 0.1 } as const;
    for (const kind of kinds)
      expect(crossEntropy(x, kind.from(oneHot), options), kind.name).toEqual(expected);
    expect(crossEntropy(x, BigInt64Array.from(oneHot, BigInt), options)).toEqual(expected);
    expect(crossEntropy(x, oneHot, options)).toEqual(expected);
    const data = BigInt64Array.from(oneHot, BigInt);
    expect(crossEntropy(x, { data, dims: shape, type: 'int64' }, options)).toEqual(expected);
    const double = { shape, labelSmoothing: 0.1 };
    const wide = Float64Array.from(x);
    expect(crossEntropy(wide, oneHot, double)).toEqual(crossEntropy(wide, Float64Array.from(oneHot), double));
  });
  test('are bits where dtype says what bare Uint16Arrays hold', () => {
    const logits = Uint16Array.of(0x3c00, 0x4000, 0x3c00, 0x4000);
    const halves = Uint16Array.of(0x3c00, 0, 0, 0x3c00);
    const options = { shape: [2, 2], dtype: 'float16', reduction: 'none' } as const;
    const expected = crossEntropy(logits, Float32Array.of(1, 0, 0, 1), options).loss;
    expect(crossEntropy(logits, halves, options).loss).toEqual(expected);
    const target = { data: halves, dims: [2, 2] };
    const tensor = { data: logits, dims: [2, 2], type: 'float16' } as const;
    expect(crossEntropy(tensor, target, { dtype: 'float16', reduction: 'none' }).loss).toEqual(
      expect.objectContaining({ data: expected }),
    );
    const distilled = { ...options, alpha: 0 } as const;
    expect(distillationLoss(logits, halves, { ...distilled, target: halves }).loss).toEqual(expected);
  });
  test('give the loss of their classes', () => {
    const { loss } = crossEntropy(x, Uint8Array.from(oneHot), { shape });
    expect(loss).toBeCloseTo(crossEntropy(x, classes, { shape }).loss, 6);
  });
  test('of one class are class indices, but in a tensor of that shape', () => {
    const logits = random.normals(4, 2);
    expect(crossEntropy(logits, Int32Array.of(0, 0, -100, 0), { shape: [4, 1] }).count).toBe(3);
    const tensor = { data: Int32Array.of(1, 1, 0, 1), dims: [4, 1] };
    expect(crossEntropy(logits, tensor, { shape: [4, 1] }).count).toBe(4);
  });
  test('there are none where there are no classes', () => {
    const message = 'crossEntropy: target has 0 elements, but the logits have 3 rows';
    const wanted = { code: 'ERR_SHAPE', fn: 'crossEntropy', argument: 'target', message } as const;
    expectError('RangeError', wanted, () =>
      crossEntropy(new Float32Array(0), new Int32Array(0), { shape: [3, 0] }),
    );
  });
  test('are refused by nllLoss, which reads one class per row', () => {
    const message = 'nllLoss: target has 24 elements, but logProbs has 4 rows';
    const wanted = { code: 'ERR_SHAPE', fn: 'nllLoss', argument: 'target', message } as const;
    expectError('RangeError', wanted, () => nllLoss(x, Uint8Array.from(oneHot), { shape }));
  });
});
