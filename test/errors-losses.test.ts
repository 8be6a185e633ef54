// Errors of losses: targets, weights, smoothing, reductions, shares. Type, code, details, message, nothing written.

import { crossEntropy, distillationLoss, nllLoss } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  any,
  distillation,
  expectError,
  loss,
  losses,
  lossOf,
  marked,
  named,
  type Options,
  type Wanted,
  zeros,
} from './helpers/calls.js';

/** Calls a loss of 2 rows of 3 classes, and expects that its gradient is not written. */
function check(
  type: 'TypeError' | 'RangeError',
  fn: (typeof losses)[number],
  options: Options,
  wanted: Omit<Wanted, 'fn'>,
  target: unknown = new Int32Array(2),
): void {
  const grad = marked(6);
  const all = { shape: [2, 3], grad, ...options };
  const calls = {
    crossEntropy: () => crossEntropy(zeros(6), any(target), any(all)),
    nllLoss: () => nllLoss(zeros(6), any(target), any(all)),
    distillationLoss: () => distillationLoss(zeros(6), zeros(6), any({ target, ...all })),
  };
  const call = calls[fn.name as keyof typeof calls];
  const message = wanted.message && `${fn.name}: ${wanted.message}`;
  expectError(type, { ...wanted, fn: fn.name, ...(message && { message }) }, call, grad);
}

describe.each(named(losses))('%s', (_name, fn) => {
  test('weight', () => {
    const argument = 'weight';
    for (const [weight, got] of [
      [null, 'null'],
      [1, '1'],
      ['1', '"1"'],
      [false, 'false'],
    ] as const) {
      const message = `weight must be numbers, one per class, got ${got}`;
      check('TypeError', fn, { weight }, { code: 'ERR_OPTION', argument, value: weight, message });
    }
    const kind =
      'weight must be an array of floats or a tensor of them, got Int32Array; make Float32Array.from(weight)';
    check('TypeError', fn, { weight: new Int32Array(3) }, { code: 'ERR_DTYPE', argument, message: kind });
    const element = 'weight[1] must be a number, got "2"';
    check(
      'TypeError',
      fn,
      { weight: [1, '2', 3] },
      { code: 'ERR_OPTION', argument, index: 1, message: element },
    );
    for (const length of [0, 1, 2, 4, 6]) {
      const hint = length === 2 ? '; with axis 0 there would be as many' : '';
      const message = `weight has ${length} elements, but there are 3 classes${hint}`;
      check(
        'RangeError',
        fn,
        { weight: zeros(length) },
        { code: 'ERR_SHAPE', argument, value: length, message },
      );
    }
    for (const value of [Infinity, -Infinity, NaN]) {
      const message = `weight[2] = ${value} is not finite`;
      check(
        'RangeError',
        fn,
        { weight: [1, -1, value] },
        { code: 'ERR_OPTION', argument, index: 2, value, message },
      );
    }
  });

  test('gradOutput', () => {
    const argument = 'gradOutput';
    for (const gradOutput of [null, '1', true]) {
      const got = typeof gradOutput === 'string' ? '"1"' : String(gradOutput);
      const message = `gradOutput must be a number or one per row, got ${got}`;
      check('TypeError', fn, { gradOutput }, { code: 'ERR_OPTION', argument, value: gradOutput, message });
    }
    for (const reduction of ['mean', 'sum'] as const) {
      const message = `gradOutput has 2 elements, but reduction '${reduction}' makes one loss`;
      check('RangeError', fn, { reduction, gradOutput: zeros(2) }, { code: 'ERR_SHAPE', argument, message });
    }
    const options = { reduction: 'none', gradOutput: zeros(3) };
    const message = 'gradOutput has 3 elements, but there are 2 rows';
    check('RangeError', fn, options, { code: 'ERR_SHAPE', argument, value: 3, message });
  });

  test('a tensor of class indices', () => {
    const argument = 'target';
    const classes = (dims: number[], type = 'int64') => ({ data: new BigInt64Array(2), dims, type });
    const dims = 'target.dims [2, 1] is not the shape [2] that it should have with the classes on axis 1';
    check('RangeError', fn, {}, { code: 'ERR_SHAPE', argument, message: dims }, classes([2, 1]));
    const torn = 'target.dims [3] has 3 elements, but its data has 2';
    check('RangeError', fn, {}, { code: 'ERR_SHAPE', argument, message: torn }, classes([3]));
    const type = `target's type "int32" does not fit its data, BigInt64Array, whose type is 'int64'`;
    check('TypeError', fn, {}, { code: 'ERR_DTYPE', argument, message: type }, classes([2], 'int32'));
    const location = { ...classes([2]), location: 'gpu-buffer' };
    check('TypeError', fn, {}, { code: 'ERR_NOT_ON_CPU', argument }, location);
    const outside = { data: new BigInt64Array([0n, 3n]), dims: [2] };
    const message = 'target[1] = 3 is outside [0, 3)';
    check(
      'RangeError',
      fn,
      {},
      { code: 'ERR_TARGET_RANGE', argument, row: 1, index: 1, value: 3n, message },
      outside,
    );
  });

  test('a class out of range along another axis', () => {
    // Rows of 2 classes now, 3 of them.
    const message = 'target[2] = 2 is outside [0, 2)';
    const wanted = {
      code: 'ERR_TARGET_RANGE',
      argument: 'target',
      row: 2,
      index: 2,
      value: 2,
      message,
    } as const;
    check('RangeError', fn, { axis: 0 }, wanted, new Uint8Array([0, 1, 2]));
  });
});

describe.each(named([loss, distillation]))('%s', (_name, fn) => {
  test('labelSmoothing', () => {
    const [code, argument] = ['ERR_LABEL_SMOOTHING', 'labelSmoothing'] as const;
    for (const value of [-0.1, 1.1, NaN, Infinity, -1e-300]) {
      const message = `labelSmoothing ${value} is outside [0, 1]`;
      check('RangeError', fn, { labelSmoothing: value }, { code, argument, value, message });
    }
    for (const [value, got] of [
      ['0.1', '"0.1"'],
      [null, 'null'],
      [true, 'true'],
      [[0.1], 'a plain array'],
    ] as const) {
      const message = `labelSmoothing must be a number, got ${got}`;
      check('TypeError', fn, { labelSmoothing: value }, { code, argument, value, message });
    }
  });

  test('probabilities', () => {
    const argument = 'target';
    for (const length of [0, 2, 5, 7, 12]) {
      const has = fn === loss ? 'the logits have' : 'studentLogits has';
      const labels = '; float targets are probabilities; class indices need an integer array';
      const message = `target has ${length} elements, but ${has} 6${length === 2 ? labels : ''}`;
      check('RangeError', fn, {}, { code: 'ERR_SHAPE', argument, value: length, message }, zeros(length));
    }
    check('TypeError', fn, {}, { code: 'ERR_DTYPE', argument, value: 'float64' }, new Float64Array(6));
    const transposed = { data: zeros(6), dims: [3, 2] };
    const message = 'target.dims [3, 2] is not the shape [2, 3] that it should have';
    check('RangeError', fn, {}, { code: 'ERR_SHAPE', argument, message }, transposed);
  });

  test('probabilities know no class to ignore', () => {
    const message = 'ignoreIndex cannot be used with probabilities as the target';
    for (const value of [0, 1, 7]) {
      const wanted = { code: 'ERR_OPTION', argument: 'ignoreIndex', value, message } as const;
      check('RangeError', fn, { ignoreIndex: value }, wanted, zeros(6));
    }
    expect(() => lossOf(zeros(6), zeros(6), { ignoreIndex: -100 })).not.toThrow();
  });
});

describe('distillationLoss', () => {
  test('alpha', () => {
    for (const value of [-0.1, 1.01, NaN, Infinity]) {
      const message = `alpha ${value} is outside [0, 1]`;
      const wanted = { code: 'ERR_OPTION', argument: 'alpha', value, message } as const;
      check('RangeError', distillation, { alpha: value }, wanted);
    }
    for (const [alpha, got] of [
      ['1', '"1"'],
      [null, 'null'],
    ]) {
      const message = `alpha must be a number, got ${got}`;
      check('TypeError', distillation, { alpha }, { code: 'ERR_OPTION', argument: 'alpha', message });
    }
  });

  test('options that have no effect without a target', () => {
    for (const [argument, value] of [
      ['alpha', 0.5],
      ['alpha', 0],
      ['labelSmoothing', 0.1],
      ['weight', zeros(3)],
    ] as const) {
      const message = `${argument} needs a target`;
      const options = { [argument]: value, target: undefined };
      check('TypeError', distillation, options, { code: 'ERR_OPTION', argument, value, message });
    }
  });

  test('temperatures without a limit', () => {
    const [code, argument] = ['ERR_TEMPERATURE', 'temperature'] as const;
    const square = 'has a square that is not finite';
    for (const [temperature, text, row] of [
      [0, 'temperature 0 has no limit here', undefined],
      [Infinity, `temperature Infinity ${square}`, undefined],
      [1e200, `temperature 1e+200 ${square}`, undefined],
      [[1, 0], 'temperature[1] = 0 has no limit here', 1],
      [[1, Infinity], `temperature[1] = Infinity ${square}`, 1],
      [[Infinity], `temperature[0] = Infinity ${square}`, 0],
    ] as const) {
      const place = row === undefined ? {} : { row, index: row };
      check('RangeError', distillation, { temperature }, { code, argument, message: text, ...place });
    }
  });

  test('a scale that is too large for the part at temperature 1', () => {
    const options = { scale: 1e39, temperature: 10 };
    check('RangeError', distillation, options, { code: 'ERR_OPTION', argument: 'scale', value: 1e39 });
  });
});
