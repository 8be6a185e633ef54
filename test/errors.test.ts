// Errors of arrays, shapes, scaling and outputs: type, code, details and message, and nothing written.

import { describe, expect, test } from 'vitest';
import {
  backward,
  cases,
  detached,
  expectError,
  forward,
  functions,
  loss,
  lossOf,
  marked,
  named,
  scaled,
  type Wanted,
  withOut,
  zeros,
} from './helpers/calls.js';
import { firstDifference } from './helpers/reference.js';

describe('an input that is no Float32Array', () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [1.5, '1.5'],
    [-0, '-0'],
    [3n, '3n'],
    ['1,2', '"1,2"'],
    [Symbol('logits'), 'a symbol'],
    [() => 0, 'a function'],
    [[1, 2], 'an array'],
    [{ length: 6 }, 'an object'],
    [Object.create(Float32Array.prototype), 'an object'],
    [new Proxy(zeros(6), {}), 'an object'],
    [new Int32Array(6), 'Int32Array'],
    [new Uint16Array(6), 'Uint16Array'],
    [new Float64Array(6), 'Float64Array'],
    [new BigInt64Array(6), 'BigInt64Array'],
    [new DataView(new ArrayBuffer(24)), 'an object'],
    [new ArrayBuffer(24), 'an ArrayBuffer'],
    [new SharedArrayBuffer(24), 'an object'],
  ];
  test.each(cases(functions))('%s: %s', (name, argument, fn) => {
    for (const [value, got] of wrong) {
      const message = `${name}: ${argument} must be a Float32Array, got ${got}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument, value, message } as const;
      expectError('TypeError', wanted, () => fn.call(argument, value));
      const out = marked(6);
      if (withOut.includes(fn))
        expectError('TypeError', wanted, () => fn.call(argument, value, { out }), out);
      if (fn === loss) expectError('TypeError', wanted, () => fn.call(argument, value, { grad: out }), out);
    }
  });
  test.each(named(withOut))('%s: out', (name, fn, input) => {
    for (const [value, got] of wrong) {
      if (value === undefined) continue;
      const message = `${name}: out must be a Float32Array, got ${got}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'out', value, message } as const;
      expectError('TypeError', wanted, () => fn.call(input, zeros(6), { out: value }));
    }
  });
  test('crossEntropy: grad', () => {
    for (const [value, got] of wrong) {
      if (value === undefined || value === null) continue;
      const message = `crossEntropy: grad must be a Float32Array, got ${got}`;
      const wanted = { code: 'ERR_DTYPE', fn: 'crossEntropy', argument: 'grad', value, message } as const;
      expectError('TypeError', wanted, () => loss.call('logits', zeros(6), { grad: value }));
    }
  });
});

describe('shape and axis', () => {
  const wrong: readonly (readonly ['TypeError' | 'RangeError', unknown, string, object?])[] = [
    ['TypeError', 6, 'shape must be an array, got 6', { value: 6 }],
    ['TypeError', null, 'shape must be an array, got null'],
    ['TypeError', '6', 'shape must be an array, got "6"'],
    ['TypeError', { length: 1, 0: 6 }, 'shape must be an array, got an object'],
    ['RangeError', [], 'shape has no axes'],
    ['RangeError', [-6], 'shape[0] = -6 is no non-negative integer', { index: 0, value: -6 }],
    ['RangeError', [2, 1.5, 2], 'shape[1] = 1.5 is no non-negative integer', { index: 1, value: 1.5 }],
    ['RangeError', [1, NaN], 'shape[1] = NaN is no non-negative integer', { index: 1, value: NaN }],
    ['RangeError', [Infinity], 'shape[0] = Infinity is no non-negative integer'],
    ['RangeError', [2 ** 53], 'shape[0] = 9007199254740992 is no non-negative integer'],
    ['RangeError', ['6'], 'shape[0] = "6" is no non-negative integer', { index: 0, value: '6' }],
    ['RangeError', [6n], 'shape[0] = 6n is no non-negative integer'],
    ['RangeError', [2, undefined], 'shape[1] = undefined is no non-negative integer'],
    // biome-ignore lint/suspicious/noSparseArray: a hole is a wrong entry
    ['RangeError', [6, , 1], 'shape[1] = undefined is no non-negative integer'],
    ['RangeError', [7], 'shape [7] has 7 elements, but INPUT has 6', { value: 7 }],
    ['RangeError', [2, 2], 'shape [2, 2] has 4 elements, but INPUT has 6'],
    ['RangeError', [0, 6], 'shape [0, 6] has 0 elements, but INPUT has 6'],
    [
      'RangeError',
      [2 ** 40, 2 ** 40],
      'shape [1099511627776, 1099511627776] has 1.2089258196146292e+24 elements, but INPUT has 6',
    ],
  ];
  test.each(named(functions))('%s: bad shapes', (name, fn, input) => {
    for (const [type, shape, text, details] of wrong) {
      const message = `${name}: ${text.replace('INPUT', input)}`;
      const wanted = { code: 'ERR_SHAPE', fn: name, argument: 'shape', message, ...details } as const;
      expectError(type, wanted, () => fn.call(input, marked(6), { shape }));
    }
  });
  test('a detached shape', () => {
    const shape = detached(new Int32Array(2));
    for (const [fn, input] of functions.map((fn) => [fn, fn.inputs.at(-1) ?? ''] as const)) {
      const wanted = { code: 'ERR_DETACHED', fn: fn.name, argument: 'shape' } as const;
      expectError('TypeError', wanted, () => fn.call(input, marked(6), { shape }));
    }
  });

  test.each(named(functions))('%s: bad axes', (name, fn, input) => {
    const wanted = (axis: unknown, text: string) =>
      ({
        code: 'ERR_AXIS',
        fn: name,
        argument: 'axis',
        value: axis,
        message: `${name}: axis ${text}`,
      }) as const;
    const call = (axis: unknown, shape?: number[]) => () => fn.call(input, marked(6), { axis, shape });
    expectError('RangeError', wanted(1, '1 is outside [-1, 1)'), call(1));
    expectError('RangeError', wanted(-2, '-2 is outside [-1, 1)'), call(-2));
    expectError('RangeError', wanted(2, '2 is outside [-2, 2)'), call(2, [2, 3]));
    expectError('RangeError', wanted(0.5, '0.5 is outside [-2, 2)'), call(0.5, [2, 3]));
    expectError('RangeError', wanted(NaN, 'NaN is outside [-2, 2)'), call(NaN, [2, 3]));
    expectError('RangeError', wanted('1', '"1" is outside [-2, 2)'), call('1', [2, 3]));
    expectError('RangeError', wanted(null, 'null is outside [-2, 2)'), call(null, [2, 3]));
    const notLast = '0 is not the last of 2, the only one this version supports';
    expectError('RangeError', wanted(0, notLast), call(0, [2, 3]));
  });

  test.each(named(backward))('%s: gradOutput of another length', (name, fn) => {
    const message = `${name}: gradOutput has 5 elements, but output has 6`;
    const wanted = { code: 'ERR_SHAPE', fn: name, argument: 'gradOutput', value: 5, message } as const;
    const out = marked(6);
    expectError('RangeError', wanted, () => fn.call('gradOutput', zeros(5), { out }), out);
  });
});

describe('temperature and scale', () => {
  test.each(named(scaled))('%s', (name, fn, input) => {
    const outputs = [marked(name === 'logSumExp' ? 1 : 6)];
    const [out] = outputs;
    const check = (type: 'TypeError' | 'RangeError', code: string, options: object, text: string) => {
      const [argument, value] = Object.entries(options)[0] ?? [];
      const wanted = { code, fn: name, argument, value, message: `${name}: ${text}` } as Wanted;
      expectError(type, wanted, () => fn.call(input, marked(6), { ...options, out, grad: out }), ...outputs);
    };
    check('RangeError', 'ERR_TEMPERATURE', { temperature: -1 }, 'temperature -1 is not at least 0');
    check('RangeError', 'ERR_TEMPERATURE', { temperature: NaN }, 'temperature NaN is not at least 0');
    check(
      'RangeError',
      'ERR_TEMPERATURE',
      { temperature: -Infinity },
      'temperature -Infinity is not at least 0',
    );
    check('TypeError', 'ERR_TEMPERATURE', { temperature: '1' }, 'temperature must be a number, got "1"');
    check('TypeError', 'ERR_TEMPERATURE', { temperature: null }, 'temperature must be a number, got null');
    check('TypeError', 'ERR_TEMPERATURE', { temperature: 1n }, 'temperature must be a number, got 1n');
    check('TypeError', 'ERR_TEMPERATURE', { temperature: [1] }, 'temperature must be a number, got an array');
    check('RangeError', 'ERR_OPTION', { scale: NaN }, 'scale must be a finite number, got NaN');
    check('RangeError', 'ERR_OPTION', { scale: -Infinity }, 'scale must be a finite number, got -Infinity');
    check('TypeError', 'ERR_OPTION', { scale: '2' }, 'scale must be a finite number, got "2"');
    check('TypeError', 'ERR_OPTION', { scale: null }, 'scale must be a finite number, got null');
    if (name === 'softmax' || name === 'logSoftmax') return;
    check('RangeError', 'ERR_TEMPERATURE', { temperature: 0 }, 'temperature 0 has no limit here');
    check(
      'RangeError',
      'ERR_TEMPERATURE',
      { temperature: 1e-300 },
      'temperature 1e-300 is too small for scale 1',
    );
  });

  test('a scale beyond float32 where there is no limit', () => {
    for (const fn of [...backward, loss, ...forward.slice(2)]) {
      const wanted = { fn: fn.name, code: 'ERR_OPTION', argument: 'scale', value: 1e39 } as const;
      expectError('RangeError', wanted, () => fn.call(fn.inputs.at(-1) ?? '', marked(6), { scale: 1e39 }));
    }
  });
});

describe('out and grad', () => {
  test.each(named(withOut))('%s: out of a wrong length', (name, fn, input) => {
    const wanted = name === 'logSumExp' ? 1 : 6;
    for (const length of [0, wanted - 1, wanted + 1, 24]) {
      const out = marked(length);
      const message = `${name}: out has ${length} elements, but the result has ${wanted}`;
      const error = { code: 'ERR_SHAPE', fn: name, argument: 'out', value: length, message } as const;
      expectError('RangeError', error, () => fn.call(input, marked(6), { out }), out);
    }
  });
  test('crossEntropy: grad of a wrong length', () => {
    const grad = marked(5);
    const message = 'crossEntropy: grad has 5 elements, but the logits have 6';
    const wanted = { code: 'ERR_SHAPE', fn: 'crossEntropy', argument: 'grad', value: 5, message } as const;
    expectError('RangeError', wanted, () => loss.call('logits', marked(6), { grad }), grad);
  });

  const sliding = [...withOut, loss].flatMap((fn) => fn.inputs.map((input) => [fn.name, input, fn] as const));
  test.each(sliding)('%s: an output that slides over %s', (name, argument, fn) => {
    const key = fn === loss ? 'grad' : 'out';
    const outLength = name === 'logSumExp' ? 1 : 64;
    const text = `${name}: ${key} overlaps ${argument}; it may be the same array or share nothing`;
    const wanted = { code: 'ERR_OUT_OVERLAP', fn: name, argument: key, message: text } as const;
    for (const begin of [0, 96, 192])
      for (let offset = 0; offset + outLength <= 256; offset++) {
        const memory = marked(256);
        const input = memory.subarray(begin, begin + 64);
        const call = () =>
          fn.call(argument, input, { [key]: memory.subarray(offset, offset + outLength) }, 64);
        const isSame = offset === begin && outLength === 64;
        if (!isSame && offset < begin + 64 && begin < offset + outLength) {
          expectError('RangeError', wanted, call, memory);
        } else {
          expect(call).not.toThrow();
          const rest = (values: Float32Array) =>
            Float32Array.of(...values.subarray(0, offset), ...values.subarray(offset + outLength));
          expect(firstDifference(rest(memory), rest(marked(256))), `at ${offset}`).toBeUndefined();
        }
      }
  });

  test('crossEntropy: grad may not share anything with the target', () => {
    const message = 'crossEntropy: grad overlaps target; it must share nothing';
    const wanted = { code: 'ERR_OUT_OVERLAP', fn: 'crossEntropy', argument: 'grad', message } as const;
    const buffer = new ArrayBuffer(24);
    const grad = new Float32Array(buffer);
    for (const offset of [0, 4, 20])
      expectError(
        'RangeError',
        wanted,
        () => lossOf(zeros(6), new Int32Array(buffer, offset, 1), { grad }),
        grad,
      );
  });
});
