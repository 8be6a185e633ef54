// Weights of as many classes as a vocabulary has tokens: in float32 they are looked at where they are.

import { crossEntropy, crossEntropyAsync, distillationLoss, nllLoss } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const classes = 5003;
const rows = 3;
const shape = [rows, classes];
const random = new Random(33);
const logits = random.normals(rows * classes, 3);
const target = Int32Array.of(7, -100, classes - 1);
const weight = random.uniforms(classes, 0.5, 2);

const calls: Record<string, (options: object) => unknown> = {
  crossEntropy: (options) => crossEntropy(logits, target, any({ shape, grad: true, ...options })),
  'crossEntropy, none': (options) =>
    crossEntropy(logits, target, any({ shape, reduction: 'none', ...options })),
  'crossEntropy, smoothed': (options) =>
    crossEntropy(logits, target, any({ shape, grad: true, labelSmoothing: 0.1, ...options })),
  'crossEntropy of probabilities': (options) =>
    crossEntropy(logits, any(logits.map(Math.abs)), any({ shape, grad: true, ...options })),
  nllLoss: (options) => nllLoss(logits, target, any({ shape, grad: true, ...options })),
  distillationLoss: (options) =>
    distillationLoss(logits, logits, any({ shape, grad: true, target, ...options })),
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  test('the same results from float32, a tensor of it, shared memory, float64 and numbers', () => {
    const wanted = call({ weight: Float64Array.from(weight) });
    expect(call({ weight })).toEqual(wanted);
    expect(call({ weight: { data: weight, dims: [classes], type: 'float32' } })).toEqual(wanted);
    expect(call({ weight: [...weight] })).toEqual(wanted);
    const shared = new Float32Array(new SharedArrayBuffer(weight.byteLength));
    shared.set(weight);
    expect(call({ weight: shared })).toEqual(wanted);
    expect(call({ weight: weight.map((w) => w * w) })).not.toEqual(wanted);
  });

  test('one that is not finite is found, wherever it is', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const index of [0, 1, 2500, classes - 2, classes - 1]) {
        const wrong = weight.slice().fill(value, index, index + 1);
        expect(() => call({ weight: wrong })).toThrow(`weight[${index}] = ${value} is not finite`);
      }
    // As large as they may be.
    const largest = weight.slice().fill(3.4028234663852886e38, 9, 10).fill(-3.4028234663852886e38, 10, 11);
    expect(call({ weight: largest })).toEqual(call({ weight: Float64Array.from(largest) }));
  });

  test('another number of them', () => {
    const message = `weight has ${classes - 1} elements, but there are ${classes} classes`;
    expect(() => call({ weight: weight.subarray(1) })).toThrow(message);
  });
});

test('crossEntropyAsync has its own copy of those that it takes', async () => {
  const own = weight.slice();
  const promise = crossEntropyAsync(logits, target, { shape, grad: true, weight: own });
  own.fill(Number.NaN);
  expect(await promise).toEqual(crossEntropy(logits, target, { shape, grad: true, weight }));
});

test('weights whose memory is taken away while logits are read', () => {
  const own = weight.slice();
  const tensor = {
    get data() {
      structuredClone(own, { transfer: [own.buffer] });
      return logits;
    },
    dims: shape,
    type: 'float32',
  };
  const call = () => crossEntropy(any(tensor), target, { weight: own });
  expect(call).toThrow("weight is detached or out of its buffer's bounds");
});
