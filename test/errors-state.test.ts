// Errors of detached arrays, targets and options: type, code, details and message, and nothing written.

import { nllLoss } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  any,
  cases,
  detached,
  expectError,
  functions,
  loss,
  lossOf,
  marked,
  markedOut,
  named,
  outKey,
  outOfBounds,
  type Wanted,
  withOut,
  zeros,
} from './helpers/calls.js';
import { refusedOptions } from './helpers/signatures.js';

describe('detached buffers and views out of bounds', () => {
  test.each(cases(functions))('%s: %s', (name, argument, fn) => {
    const message = `${name}: ${argument} is detached or out of its buffer's bounds`;
    const wanted = { code: 'ERR_DETACHED', fn: name, argument, message } as const;
    const output = markedOut(fn);
    const options = { [outKey(fn)]: output };
    const view = detached(zeros(6));
    expectError('TypeError', wanted, () => fn.call(argument, view, options), output);
    expectError('TypeError', wanted, () => fn.call(argument, outOfBounds(Float32Array, 6), options), output);
    // An empty shape makes no empty array of it.
    if (argument === fn.inputs.at(-1))
      expectError('TypeError', wanted, () => fn.call(argument, view, { shape: [0, 3] }));
  });
  test.each(named(withOut))('%s: out', (name, fn, input) => {
    const wanted = { code: 'ERR_DETACHED', fn: name, argument: 'out' } as const;
    for (const out of [detached(zeros(6)), outOfBounds(Float32Array, 6)])
      expectError('TypeError', wanted, () => fn.call(input, zeros(6), { out }));
  });
  test('crossEntropy: grad and target', () => {
    const wanted = (argument: string) => ({ code: 'ERR_DETACHED', fn: 'crossEntropy', argument }) as const;
    for (const grad of [detached(zeros(6)), outOfBounds(Float32Array, 6)])
      expectError('TypeError', wanted('grad'), () => loss.call('logits', zeros(6), { grad }));
    for (const target of [detached(new Int32Array(1)), outOfBounds(Uint8Array, 1)]) {
      const grad = marked(6);
      expectError('TypeError', wanted('target'), () => lossOf(zeros(6), target, { grad }), grad);
    }
  });

  test.each(named(functions))('%s: a getter of the options that detaches the input', (name, fn, input) => {
    for (const key of fn.signature.options) {
      const victim = marked(6);
      let reads = 0;
      const options = {
        get [key]() {
          reads++;
          detached(victim);
          return key === 'shape' ? [2, 3] : undefined;
        },
      };
      const wanted = { code: 'ERR_DETACHED', fn: name, argument: input } as const;
      expectError('TypeError', wanted, () => fn.call(input, victim, options));
      expect(reads, `reads of ${key}`).toBe(1);
    }
  });
  test.each(named(functions))('%s: a shape that detaches the input', (name, fn, input) => {
    const victim = marked(6);
    let reads = 0;
    const shape = Object.defineProperty([6], 0, {
      get() {
        reads++;
        detached(victim);
        return 6;
      },
    });
    const wanted = { code: 'ERR_DETACHED', fn: name, argument: input } as const;
    expectError('TypeError', wanted, () => fn.call(input, victim, { shape }));
    expect(reads).toBe(1);
  });
});

describe('targets', () => {
  const shape = [18, 3];
  const grad = marked(54);
  const check = (
    type: 'TypeError' | 'RangeError',
    wanted: Omit<Wanted, 'fn'>,
    target: unknown,
    options = {},
  ) =>
    expectError(
      type,
      { fn: 'crossEntropy', argument: 'target', ...wanted } as Wanted,
      () => lossOf(zeros(54), target, { shape, grad, ...options }),
      grad,
    );
  const kinds = [Int32Array, Uint32Array, Uint16Array, Uint8Array, Int16Array, Int8Array];

  test.each(kinds.map((kind) => [kind.name, kind] as const))(
    'a class out of range in an %s',
    (_name, kind) => {
      const target = new kind(18);
      target[17] = 3;
      const details = { code: 'ERR_TARGET_RANGE', row: 17, index: 17 } as const;
      check(
        'RangeError',
        { ...details, value: 3, message: 'crossEntropy: target[17] = 3 is outside [0, 3)' },
        target,
      );
      target[17] = -1;
      const value = target[17] as number;
      const message = `crossEntropy: target[17] = ${value} is outside [0, 3)`;
      check('RangeError', { ...details, value, message }, target);
      // The first of several; and −100 is one where it is not ignored.
      target[4] = kind.name.startsWith('I') ? -100 : 100;
      const first = target[4] as number;
      check('RangeError', { code: 'ERR_TARGET_RANGE', row: 4, index: 4, value: first }, target, {
        ignoreIndex: 7,
      });
    },
  );

  test('a class out of range in a BigInt64Array or BigUint64Array', () => {
    for (const value of [3n, -1n, 2n ** 62n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 63n]) {
      const target = value >= 2n ** 63n ? new BigUint64Array(18) : new BigInt64Array(18);
      target[17] = value;
      const message = `crossEntropy: target[17] = ${value} is outside [0, 3)`;
      check('RangeError', { code: 'ERR_TARGET_RANGE', row: 17, index: 17, value, message }, target);
    }
  });

  test('a vocabulary one too small', () => {
    const target = new Int32Array(18).fill(50256);
    target[17] = 50257;
    const logits = zeros(18 * 50257);
    const message = 'crossEntropy: target[17] = 50257 is outside [0, 50257)';
    const wanted = {
      code: 'ERR_TARGET_RANGE',
      fn: 'crossEntropy',
      row: 17,
      index: 17,
      value: 50257,
      message,
    } as const;
    expectError(
      'RangeError',
      wanted,
      () => lossOf(logits, target, { shape: [18, 50257], grad: logits }),
      logits,
    );
    // A kind too narrow for the classes is fine as long as its values are.
    expect(() => lossOf(logits, new Int8Array(18), { shape: [18, 50257] })).not.toThrow();
  });

  test('neither integers nor probabilities', () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      [undefined, 'undefined'],
      [0, '0; make [0] for one row'],
      [1.5, '1.5'],
      [Promise.resolve(new Int32Array(18)), 'an object; it is a promise: await it first'],
      [{}, 'an object'],
      [new Uint8ClampedArray(18), 'Uint8ClampedArray; make Int32Array.from(target)'],
      [new ArrayBuffer(18), 'an ArrayBuffer'],
    ];
    for (const [target, got] of wrong) {
      const message = `crossEntropy: target must be an integer array or probabilities, got ${got}`;
      check('TypeError', { code: 'ERR_DTYPE', value: target, message }, target);
    }
    const floats =
      'Float32Array; float targets are probabilities; class indices need an integer array: Int32Array.from(target)';
    for (const [target, got] of [...wrong, [zeros(18), floats] as const]) {
      const message = `nllLoss: target must be an integer array, got ${got}`;
      const wanted = {
        code: 'ERR_DTYPE',
        fn: 'nllLoss',
        argument: 'target',
        value: target,
        message,
      } as const;
      expectError('TypeError', wanted, () => nllLoss(zeros(54), any(target), { shape, grad }), grad);
    }
  });

  test('a wrong number of them', () => {
    for (const length of [0, 17, 19, 53, 3]) {
      const hint = length === 3 ? '; with axis 0 there would be as many' : '';
      const message = `crossEntropy: target has ${length} elements, but the logits have 18 rows${hint}`;
      check('RangeError', { code: 'ERR_SHAPE', value: length, message }, new Int32Array(length));
    }
    const message = 'crossEntropy: target has 2 elements, but the logits have 1 row';
    check('RangeError', { code: 'ERR_SHAPE', message }, new Int32Array(2), { shape: [54] });
  });
});

describe('options', () => {
  test.each(named(functions))('%s: no object', (name, fn, input) => {
    for (const [options, got] of [
      [null, 'null'],
      [2, '2; the axis is the option { axis: 2 }'],
      [[2, 3], 'a plain array'],
      ['x', '"x"'],
      [true, 'true'],
      [() => 0, 'a function'],
    ] as const) {
      const message = `${name}: options must be an object, got ${got}`;
      const wanted = { code: 'ERR_OPTION', fn: name, argument: 'options', message } as const;
      expectError('TypeError', wanted, () => fn.call(input, marked(6), any(options)));
    }
  });

  test.each(named(functions.filter(({ signature }) => refusedOptions(signature).length > 0)))(
    '%s: options of other functions',
    (name, fn, input) => {
      for (const option of refusedOptions(fn.signature)) {
        for (const value of [1, 0, new Float32Array(6)]) {
          const message = `${name}: ${option} is not an option of ${name}`;
          const wanted = { code: 'ERR_OPTION', fn: name, argument: option, value, message } as const;
          const output = markedOut(fn);
          const options = { [outKey(fn)]: output, [option]: value };
          expectError('TypeError', wanted, () => fn.call(input, marked(6), options), output);
        }
        expect(() => fn.call(input, marked(6), { [option]: undefined })).not.toThrow();
      }
    },
  );

  const reductions = "reduction must be one of 'mean', 'sum', 'none'";
  const batchmean = "'mean' of distillationLoss, in other losses 'sum' divided by the batch size";
  test.each([
    [
      'reduction',
      'average',
      `reduction must be one of 'mean', 'sum', 'none', got "average"; that is 'mean' here`,
    ],
    ['reduction', 'elementwise_mean', `${reductions}, got "elementwise_mean"; that is 'mean' here`],
    ['reduction', 'Sum', `${reductions}, got "Sum"; that is 'sum' here`],
    ['reduction', 'batchmean', `${reductions}, got "batchmean"; that is ${batchmean}`],
    ['reduction', 'median', `${reductions}, got "median"`],
    ['reduction', null, `reduction must be one of 'mean', 'sum', 'none', got null; that is 'none' here`],
    ['reduction', 0, `reduction must be one of 'mean', 'sum', 'none', got 0; that is 'none' here`],
    ['emptyMean', 'NaN', `emptyMean must be one of 'nan', 'zero', got "NaN"; that is 'nan' here`],
    ['emptyMean', 0, `emptyMean must be one of 'nan', 'zero', got 0; that is 'zero' here`],
    ['emptyMean', NaN, `emptyMean must be one of 'nan', 'zero', got NaN; that is 'nan' here`],
    ['ignoreIndex', 0.5, 'ignoreIndex must be an integer, got 0.5'],
    ['ignoreIndex', NaN, 'ignoreIndex must be an integer, got NaN'],
    ['ignoreIndex', '0', 'ignoreIndex must be an integer, got "0"'],
    ['ignoreIndex', null, 'ignoreIndex must be an integer, got null'],
    ['ignoreIndex', -100n, 'ignoreIndex must be an integer, got -100n'],
  ])('crossEntropy: %s %o', (argument, value, text) => {
    const grad = marked(6);
    const wanted = {
      code: 'ERR_OPTION',
      fn: 'crossEntropy',
      argument,
      value,
      message: `crossEntropy: ${text}`,
    } as const;
    // A string is of the right kind for these options, if out of range.
    const type = typeof value === 'string' && argument !== 'ignoreIndex' ? 'RangeError' : 'TypeError';
    expectError(type, wanted, () => loss.call('logits', zeros(6), { [argument]: value, grad }), grad);
  });
});
