// Arrays that are given beside the logits: what they may hold, what they may share, and when there is no memory.

import {
  crossEntropy,
  distillationLoss,
  nllLoss,
  softmax,
  softmaxAsync,
  softmaxBackward,
} from 'softmax-native';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { halfFormats } from '../src/backends/half.js';

afterEach(() => vi.unstubAllGlobals());

const x = () => new Float32Array([1, 2, 3, 4]);
const target = new Int32Array([1, 0]);
const shape = [2, 2];
const halves = (...values: number[]) => ({
  data: Uint16Array.from(values, halfFormats.float16.fromNumber),
  shape: [values.length],
  dtype: 'float16' as const,
});

describe('numbers of 16 bits', () => {
  test('temperatures, gradients of losses, weights: as the same numbers in an array', () => {
    expect(softmax(x(), { shape, temperature: halves(2, 0.5) })).toEqual(
      softmax(x(), { shape, temperature: [2, 0.5] }),
    );
    const loss = (options: object) =>
      crossEntropy(x(), target, { shape, grad: true, reduction: 'none', ...options });
    expect(loss({ gradOutput: halves(3, -0.25) })).toEqual(loss({ gradOutput: [3, -0.25] }));
    expect(loss({ weight: halves(0.5, 2) })).toEqual(loss({ weight: [0.5, 2] }));
  });

  test('one temperature for all rows, in an array', () => {
    const one = distillationLoss(x(), new Float32Array(4), { shape, temperature: [2] });
    expect(one).toEqual(distillationLoss(x(), new Float32Array(4), { shape, temperature: 2 }));
    const message = 'softmax: temperature has 3 elements, but there are 2 rows';
    expect(() => softmax(x(), { shape, temperature: [1, 2, 3] })).toThrow(message);
    expect(() => softmax(x(), { temperature: [1, 2] })).toThrow('but there is 1 row');
  });

  test('losses by row, of a temperature and a gradient by row', () => {
    const teacher = new Float32Array([4, 3, 2, 2]);
    const options = {
      shape,
      reduction: 'none',
      temperature: [2, 0.5],
      gradOutput: [3, -1],
      grad: true,
    } as const;
    const { loss, grad } = distillationLoss(x(), teacher, options);
    for (const row of [0, 1]) {
      const [begin, end] = [2 * row, 2 * row + 2];
      const one = distillationLoss(x().slice(begin, end), teacher.slice(begin, end), {
        temperature: options.temperature[row],
        gradOutput: options.gradOutput[row],
        grad: true,
      });
      expect(loss[row]).toBe(Math.fround(one.loss));
      expect(grad.slice(begin, end)).toEqual(one.grad);
    }
  });
});

describe('outputs share nothing with', () => {
  const shared = new Float32Array(4);
  const overlap = (fn: string, out: string, other: string) =>
    expect.objectContaining({
      code: 'ERR_OUT_OVERLAP',
      argument: out,
      message: `${fn}: ${out} overlaps ${other}; it must share nothing`,
    });

  test('temperature, weight and gradOutput', () => {
    const some = shared.subarray(0, 2);
    expect(() => softmax(x(), { shape, temperature: some, out: shared })).toThrow(
      overlap('softmax', 'out', 'temperature'),
    );
    expect(() => crossEntropy(x(), target, { shape, weight: some, grad: shared })).toThrow(
      overlap('crossEntropy', 'grad', 'weight'),
    );
    const gradOutput = some;
    expect(() => crossEntropy(x(), target, { shape, reduction: 'none', gradOutput, grad: shared })).toThrow(
      overlap('crossEntropy', 'grad', 'gradOutput'),
    );
  });

  test('each other', () => {
    expect(() => crossEntropy(x(), target, { shape, grad: shared, logProbs: shared })).toThrow(
      overlap('crossEntropy', 'logProbs', 'grad'),
    );
  });

  test('but neighbours in one buffer are apart, and empty arrays share nothing', () => {
    const memory = new Float32Array(8);
    const out = memory.subarray(4);
    memory.set(x());
    expect(softmax(memory.subarray(0, 4), { shape, out })).toBe(out);
    expect(out).toEqual(softmax(x(), { shape }));
    const none = new Float32Array(0);
    expect(softmax(none, { shape: [0, 2], out: none })).toBe(none);
    expect(softmax(memory.subarray(0, 0), { shape: [0, 2], out: memory.subarray(0, 0) })).toHaveLength(0);
  });
});

describe('shapes', () => {
  test('of outputs', () => {
    const out = { data: new Float32Array(4), shape: [4, 1] };
    expect(() => softmax({ data: x(), shape }, { out })).toThrow(
      'softmax: out.shape [4, 1] is not the shape [2, 2] of the result',
    );
    const wrong = { data: new Float32Array(4), shape: [4, 2] };
    expect(() => softmaxBackward(x(), wrong, { shape })).toThrow('[4, 2]');
  });

  test('more classes than indices go to', () => {
    const message = 'crossEntropy: there are 2147483648 classes; class indices go to 2147483647';
    expect(() => crossEntropy(new Float32Array(0), new Int32Array(0), { shape: [0, 2 ** 31] })).toThrow(
      message,
    );
  });

  test('one loss has one gradient', () => {
    const options = { shape, gradOutput: [1, 2] };
    const message = "crossEntropy: gradOutput has 2 elements, but reduction 'mean' makes one loss";
    expect(() => crossEntropy(x(), target, options)).toThrow(message);
    const given = crossEntropy(x(), target, { shape, gradOutput: [2], grad: true });
    expect(given).toEqual(crossEntropy(x(), target, { shape, gradOutput: 2, grad: true }));
  });
});

test('long texts are cut in messages', () => {
  const reduction = 'x'.repeat(41) as 'mean';
  expect(() => crossEntropy(x(), target, { shape, reduction })).toThrow(
    `reduction must be one of 'mean', 'sum', 'none', got "${'x'.repeat(40)}…"`,
  );
});

test('a class of weight 0 has no loss, even where its probability is 0', () => {
  const logProbs = new Float32Array([0, Number.NEGATIVE_INFINITY]);
  const loss = (weight: number[]) =>
    nllLoss(logProbs, new Int32Array([1]), { weight, reduction: 'sum' }).loss;
  expect(loss([1, 0])).toBe(0);
  expect(loss([1, 0.5])).toBe(Number.POSITIVE_INFINITY);
});

test('a scale of 0: all alike, whatever the temperature', () => {
  for (const temperature of [0, 1e-300, 1, Number.POSITIVE_INFINITY])
    expect(softmax(x(), { scale: 0, temperature })).toEqual(new Float32Array(4).fill(0.25));
  const coldest = softmax(x(), { scale: -1, temperature: 0 });
  expect(coldest).toEqual(new Float32Array([1, 0, 0, 0]));
});

test('float64 beyond its range is a temperature that is too small', () => {
  const big = new Float64Array([1, 2]);
  const error = expect.objectContaining({
    code: 'ERR_TEMPERATURE',
    message: 'crossEntropy: temperature 1e-309 is too small for scale 1',
  });
  expect(() => crossEntropy(big, new Int32Array([1]), { temperature: 1e-309 })).toThrow(error);
});

describe('no memory', () => {
  class None {
    static isView = ArrayBuffer.isView;
    constructor() {
      throw new RangeError('Array buffer allocation failed');
    }
  }

  test('for a result', () => {
    const input = x();
    vi.stubGlobal('Float32Array', None);
    const message = 'softmax: no memory for a result of 4 elements';
    expect(() => softmax(input)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE', value: 4, message }));
  });

  test('for the copies of an asynchronous call', async () => {
    const [input, large] = [x(), new Float32Array(1 << 20)];
    vi.stubGlobal('ArrayBuffer', None);
    vi.stubGlobal('Float32Array', None);
    await expect(softmaxAsync(large)).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      value: 1 << 20,
      message: `softmax: no memory for a copy of ${1 << 20} elements`,
    });
    const out = large.subarray(1);
    await expect(softmaxAsync(out, { out })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: `softmax: no memory for ${4 * out.length} bytes`,
    });
    expect(input).toHaveLength(4);
  });
});
