// Every error: its type, code, details and message, and that nothing was written.

import {
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  type SoftmaxErrorCode,
  type SoftmaxErrorDetails,
  softmax,
  softmaxBackward,
  softmaxJacobian,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { firstDifference } from './helpers/reference.js';

type Options = Record<string, unknown> | undefined;
const any = (value: unknown) => value as never;

interface Fn {
  readonly name: string;
  /** Array arguments that may be wrong, in the order in which they are looked at. */
  readonly inputs: readonly string[];
  /** With one input, `value` for `argument`, and the other ones good: zeros of `length`. */
  readonly call: (argument: string, value: unknown, options?: Options, length?: number) => unknown;
}

const zeros = (length: number) => new Float32Array(length);
const oneInput = (name: string, f: (x: never, options: never) => unknown, input = 'x'): Fn => ({
  name,
  inputs: [input],
  call: (_argument, value, options) => f(any(value), any(options)),
});
const twoInputs = (name: string, f: (g: never, p: never, options: never) => unknown): Fn => ({
  name,
  inputs: ['gradOutput', 'output'],
  call: (argument, value, options, length = 6) =>
    argument === 'gradOutput'
      ? f(any(value), any(zeros(length)), any(options))
      : f(any(zeros(length)), any(value), any(options)),
});
const lossOf = (logits: unknown, target: unknown, options?: Options) =>
  crossEntropy(any(logits), any(target), any(options));

const forward = [
  oneInput('softmax', softmax),
  oneInput('logSoftmax', logSoftmax),
  oneInput('logSumExp', logSumExp),
];
const backward = [
  twoInputs('softmaxBackward', softmaxBackward),
  twoInputs('logSoftmaxBackward', logSoftmaxBackward),
];
const jacobian = oneInput('softmaxJacobian', softmaxJacobian, 'output');
const loss: Fn = {
  name: 'crossEntropy',
  inputs: ['logits'],
  call: (_argument, value, options) => lossOf(value, new Int32Array(1), options),
};
const functions = [...forward, ...backward, jacobian, loss];
const scaled = [...forward, ...backward, loss];
const withOut = [...forward, ...backward];
const cases = (fns: readonly Fn[]) =>
  fns.flatMap((fn) => fn.inputs.map((input) => [fn.name, input, fn] as const));
const named = (fns: readonly Fn[]) => fns.map((fn) => [fn.name, fn, fn.inputs.at(-1) ?? ''] as const);

interface Wanted extends SoftmaxErrorDetails {
  readonly code: SoftmaxErrorCode;
  readonly message?: string;
}

/** `call` throws that error, with these details, and leaves every one of the outputs as it was. */
function expectError(
  type: 'TypeError' | 'RangeError',
  { message, ...details }: Wanted,
  call: () => unknown,
  ...outputs: Float32Array[]
): void {
  const before = outputs.map((output) => output.slice());
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'nothing was thrown').toBeDefined();
  expect((error as Error).name, (error as Error).message).toBe(type);
  expect(error).toBeInstanceOf(type === 'TypeError' ? TypeError : RangeError);
  for (const [key, value] of Object.entries(details))
    expect((error as Record<string, unknown>)[key], key).toBe(value);
  if (message !== undefined) expect((error as Error).message).toBe(message);
  outputs.forEach((output, i) => {
    expect(firstDifference(output, before[i] as Float32Array), `output ${i} was written`).toBeUndefined();
  });
}

const marked = (length: number) => Float32Array.from({ length }, (_, i) => i + 0.5);
const detached = <View extends ArrayBufferView>(view: View): View => {
  structuredClone(view.buffer, { transfer: [any(view.buffer)] });
  return view;
};
/** A fixed-length view of a resizable buffer that has shrunk since. Newer than the library's own language level. */
const outOfBounds = <View>(
  kind: new (buffer: ArrayBuffer, offset: number, length: number) => View,
  length: number,
) => {
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => ArrayBuffer & {
    resize(bytes: number): void;
  };
  const buffer = new Resizable(8 * length + 8, { maxByteLength: 8 * length + 8 });
  const view = new kind(buffer, 8, length);
  buffer.resize(8);
  return view;
};

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

describe('detached buffers and views out of bounds', () => {
  test.each(cases(functions))('%s: %s', (name, argument, fn) => {
    const message = `${name}: ${argument} is detached or out of its buffer's bounds`;
    const wanted = { code: 'ERR_DETACHED', fn: name, argument, message } as const;
    const key = fn === loss ? 'grad' : 'out';
    const output = marked(name === 'logSumExp' ? 1 : 6);
    const options = fn === jacobian ? {} : { [key]: output };
    const view = detached(zeros(6));
    expectError('TypeError', wanted, () => fn.call(argument, view, options), output);
    expectError('TypeError', wanted, () => fn.call(argument, outOfBounds(Float32Array, 6), options), output);
    // An empty shape makes no empty array of it.
    if (argument !== 'gradOutput')
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
    const keys = ['shape', 'axis', 'mask'];
    if (fn !== jacobian) keys.push('temperature', 'scale');
    if (withOut.includes(fn)) keys.push('out');
    if (fn === loss) keys.push('grad', 'reduction', 'ignoreIndex', 'emptyMean');
    for (const key of keys) {
      const victim = marked(6);
      const options = {
        get [key]() {
          detached(victim);
          return key === 'shape' ? [2, 3] : undefined;
        },
      };
      const wanted = { code: 'ERR_DETACHED', fn: name, argument: input } as const;
      expectError('TypeError', wanted, () => fn.call(input, victim, options));
    }
  });
  test.each(named(functions))('%s: a shape whose iterator detaches the input', (name, fn, input) => {
    const victim = marked(6);
    const shape = [6];
    shape[Symbol.iterator] = function* () {
      detached(victim);
      yield 6;
    } as never;
    const wanted = { code: 'ERR_DETACHED', fn: name, argument: input } as const;
    expectError('TypeError', wanted, () => fn.call(input, victim, { shape }));
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

  test('a class out of range in a BigInt64Array', () => {
    const target = new BigInt64Array(18);
    for (const value of [3n, -1n, 2n ** 62n, -(2n ** 63n)]) {
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

  test('no integers', () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      [undefined, 'undefined'],
      [0, '0'],
      [[0], 'an array'],
      [{}, 'an object'],
      [new Float32Array(18), 'Float32Array'],
      [new Float64Array(18), 'Float64Array'],
      [new BigUint64Array(18), 'BigUint64Array'],
      [new Uint8ClampedArray(18), 'Uint8ClampedArray'],
      [new ArrayBuffer(18), 'an object'],
    ];
    for (const [target, got] of wrong) {
      const message = `crossEntropy: target must be an integer array, got ${got}`;
      check('TypeError', { code: 'ERR_DTYPE', value: target, message }, target);
    }
  });

  test('a wrong number of them', () => {
    for (const length of [0, 17, 19, 54]) {
      const message = `crossEntropy: target has ${length} elements, but the logits have 18 rows`;
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
      [2, '2'],
      ['x', '"x"'],
      [true, 'true'],
      [() => 0, 'a function'],
    ] as const) {
      const message = `${name}: options must be an object, got ${got}`;
      const wanted = { code: 'ERR_OPTION', fn: name, argument: 'options', message } as const;
      expectError('TypeError', wanted, () => fn.call(input, marked(6), any(options)));
    }
  });

  test.each(named(functions))('%s: options of later versions', (name, fn, input) => {
    const later = ['mask', 'dtype'];
    if (fn === loss) later.push('weight', 'labelSmoothing', 'gradOutput');
    if (fn === jacobian) later.push('temperature', 'scale', 'out');
    for (const option of later)
      for (const value of [1, 0, new Float32Array(6)]) {
        const message = `${name}: ${option} is not supported by this version`;
        const wanted = { code: 'ERR_OPTION', fn: name, argument: option, value, message } as const;
        const output = marked(name === 'logSumExp' ? 1 : 6);
        const options = fn === jacobian ? {} : { out: output, grad: output };
        expectError(
          'TypeError',
          wanted,
          () => fn.call(input, marked(6), { ...options, [option]: value }),
          output,
        );
      }
    for (const option of later)
      expect(() => fn.call(input, marked(6), { [option]: undefined })).not.toThrow();
  });

  test.each([
    ['reduction', 'average', `reduction must be one of 'mean', 'sum', 'none', got "average"`],
    ['reduction', null, `reduction must be one of 'mean', 'sum', 'none', got null`],
    ['reduction', 0, `reduction must be one of 'mean', 'sum', 'none', got 0`],
    ['emptyMean', 'NaN', `emptyMean must be one of 'nan', 'zero', got "NaN"`],
    ['emptyMean', 0, `emptyMean must be one of 'nan', 'zero', got 0`],
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
    expectError('TypeError', wanted, () => loss.call('logits', zeros(6), { [argument]: value, grad }), grad);
  });
});
