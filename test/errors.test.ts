// Errors of arrays, shapes, scaling and outputs: type, code, details and message, and nothing written.

import { describe, test } from 'vitest';
import {
  cases,
  detached,
  expectError,
  functions,
  loss,
  losses,
  marked,
  markedOut,
  named,
  ofSeveral,
  outKey,
  outLength,
  outOfBounds,
  scaled,
  squares,
  type Wanted,
  withIntegers,
  withOut,
  zeros,
} from './helpers/calls.js';
import { outputKeys, outShape, takes } from './helpers/signatures.js';

const floatsOf = 'new Float32Array(IT.buffer, IT.byteOffset, IT.byteLength / 4)';

describe('an array that is none of floats', () => {
  /** What is said of each, and how to make an input of it. */
  const wrong: readonly (readonly [value: unknown, got: string, hint?: string])[] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [1.5, '1.5'],
    [-0, '-0'],
    [3n, '3n'],
    ['1,2', '"1,2"'],
    [Symbol('logits'), 'a symbol'],
    [() => 0, 'a function'],
    [[1, 2], 'a plain array', '; make new Float32Array(IT)'],
    [
      [
        [1, 2],
        [3, 4],
      ],
      'a plain array',
      '; make new Float32Array(IT.flat(Infinity))',
    ],
    [Promise.resolve(zeros(6)), 'an object', '; it is a promise: await it first'],
    [{ logits: { data: zeros(6), dims: [6] } }, 'an object', '; did you mean IT.logits?'],
    [{ values: [[1, 2]], shape: [1, 2] }, 'an object', '; did you mean IT.values?'],
    [{ length: 6 }, 'an object'],
    [Object.create(Float32Array.prototype), 'an object'],
    [new Proxy(zeros(6), {}), 'an object'],
    [new Int32Array(6), 'Int32Array', '; make Float32Array.from(IT)'],
    [
      new Uint8Array(6),
      'Uint8Array',
      `; if it is the bytes of floats make ${floatsOf}, else Float32Array.from(IT)`,
    ],
    [
      Buffer.alloc(24),
      'Uint8Array',
      `; if it is the bytes of floats make ${floatsOf}, else Float32Array.from(IT)`,
    ],
    [new Uint8ClampedArray(6), 'Uint8ClampedArray', '; make Float32Array.from(IT)'],
    [new BigInt64Array(6), 'BigInt64Array', '; make Float32Array.from(IT, Number)'],
    [new DataView(new ArrayBuffer(24)), 'a DataView', `; make ${floatsOf}`],
    [new ArrayBuffer(24), 'an ArrayBuffer', '; make new Float32Array(IT)'],
    [new SharedArrayBuffer(24), 'a SharedArrayBuffer', '; make new Float32Array(IT)'],
  ];
  test.each(cases(functions))('%s: %s', (name, argument, fn) => {
    for (const [value, got, hint = ''] of wrong) {
      const text = `${argument} must be an array of floats or a tensor of them, got ${got}`;
      const message = `${name}: ${text}${hint.replaceAll('IT', argument)}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument, value, message } as const;
      expectError('TypeError', wanted, () => fn.call(argument, value));
      const out = markedOut(fn);
      expectError('TypeError', wanted, () => fn.call(argument, value, { [outKey(fn)]: out }), out);
    }
  });
  test.each(cases(functions))('%s: %s, a Uint16Array of who knows what', (name, argument, fn) => {
    const value = new Uint16Array(6);
    const text = `${argument} is a Uint16Array, which does not say whether it holds 'float16' or 'bfloat16'`;
    const wrapped = "wrap it: { data, shape, dtype: 'float16' }";
    const out = markedOut(fn);
    for (const dtype of [undefined, 'float32', 'float64']) {
      const says = `; the option dtype, '${dtype}', says what results hold`;
      const message = `${name}: ${text}; ${wrapped}${dtype ? says : ', or give the option dtype'}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument, value, message } as const;
      expectError('TypeError', wanted, () => fn.call(argument, value, { dtype, [outKey(fn)]: out }), out);
    }
  });
  test.each(named(withOut))('%s: out', (name, fn, input) => {
    for (const [value, got] of wrong) {
      if (value === undefined) continue;
      const message = `${name}: out must be an array of floats or a tensor of them, got ${got}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'out', value, message } as const;
      expectError('TypeError', wanted, () => fn.call(input, zeros(6), { out: value }));
    }
  });
  test.each(named(losses))('%s: grad, logProbs', (name, fn, input) => {
    for (const [value, got, hint = ''] of wrong)
      for (const argument of outputKeys(fn.signature)) {
        if (value === undefined) continue;
        const own = argument === 'grad' ? '; true asks for a new one' : hint;
        const what = `${got}${own.replaceAll('IT', argument)}`;
        const message = `${name}: ${argument} must be an array of floats or a tensor of them, got ${what}`;
        const wanted = { code: 'ERR_DTYPE', fn: name, argument, value, message } as const;
        expectError('TypeError', wanted, () => fn.call(input, zeros(6), { [argument]: value }));
      }
  });
});

describe('shape and axis', () => {
  const wrong: readonly (readonly ['TypeError' | 'RangeError', unknown, string, object?])[] = [
    ['TypeError', 6, 'shape must be an array, got 6', { value: 6 }],
    ['TypeError', null, 'shape must be an array, got null'],
    ['TypeError', '6', 'shape must be an array, got "6"'],
    ['TypeError', { length: 1, 0: 6 }, 'shape must be an array, got an object'],
    ['RangeError', [], 'shape is [], but a 0-dimensional array has no axis'],
    ['RangeError', new Array(65).fill(1), 'shape has more than 64 axes'],
    ['RangeError', [-6], 'shape[0] = -6 is not a non-negative integer', { index: 0, value: -6 }],
    ['RangeError', [2, 1.5, 2], 'shape[1] = 1.5 is not a non-negative integer', { index: 1, value: 1.5 }],
    ['RangeError', [1, NaN], 'shape[1] = NaN is not a non-negative integer', { index: 1, value: NaN }],
    ['RangeError', [Infinity], 'shape[0] = Infinity is not a non-negative integer'],
    ['RangeError', [2 ** 53], 'shape[0] = 9007199254740992 is not a non-negative integer'],
    ['RangeError', ['6'], 'shape[0] = "6" is not a non-negative integer', { index: 0, value: '6' }],
    ['RangeError', [6n], 'shape[0] = 6n is not a non-negative integer; make Array.from(shape, Number)'],
    [
      'RangeError',
      [...Array(63).fill(2 ** 52), 7],
      'shape [4503599627370496, 4503599627370496, 4503599627370496, 4503599627370496, 4503599627370496, 4503599627370496, …] of 64 axes has Infinity elements, but INPUT has 6',
    ],
    ['RangeError', [2, undefined], 'shape[1] = undefined is not a non-negative integer'],
    // biome-ignore lint/suspicious/noSparseArray: a hole is a wrong entry
    ['RangeError', [6, , 1], 'shape[1] = undefined is not a non-negative integer'],
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
    const one = '; without a shape there is one axis';
    expectError('RangeError', wanted(1, `1 is outside [-1, 1)${one}`), call(1));
    expectError('RangeError', wanted(-2, `-2 is outside [-1, 1)${one}`), call(-2));
    expectError('RangeError', wanted(2, '2 is outside [-2, 2)'), call(2, [2, 3]));
    for (const [axis, got] of [
      [0.5, '0.5'],
      [NaN, 'NaN'],
      [Infinity, 'Infinity'],
      ['1', '"1"'],
      [null, 'null'],
      [true, 'true'],
      [1n, '1n'],
      [[0, 1], 'a plain array; for several axes give a shape in which they are one'],
      [new Int32Array(1), 'Int32Array'],
    ] as const)
      for (const shape of [undefined, [2, 3]])
        expectError('TypeError', wanted(axis, `must be an integer, got ${got}`), call(axis, shape));
  });
  test.each(named(squares))('%s: an axis that is not the last', (name, fn, input) => {
    const message = `${name}: axis 0 is not the last of 2, the only one that ${name} works along`;
    const wanted = { code: 'ERR_AXIS', fn: name, argument: 'axis', value: 0, message } as const;
    expectError('RangeError', wanted, () => fn.call(input, marked(6), { axis: 0, shape: [2, 3] }));
  });

  test.each(named(ofSeveral))('%s: arrays of different lengths', (name, fn, main) => {
    for (const other of fn.inputs.slice(0, -1)) {
      const message = `${name}: ${other} has 5 elements, but ${main} has 6`;
      const wanted = { code: 'ERR_SHAPE', fn: name, argument: other, value: 5, message } as const;
      const output = markedOut(fn);
      expectError('RangeError', wanted, () => fn.call(other, zeros(5), { [outKey(fn)]: output }), output);
    }
  });
});

describe('temperature and scale', () => {
  test.each(named(scaled))('%s', (name, fn, input) => {
    const outputs = [markedOut(fn)];
    const [out] = outputs;
    const check = (type: 'TypeError' | 'RangeError', code: string, options: object, text: string) => {
      const [argument, value] = Object.entries(options)[0] ?? [];
      const wanted = { code, fn: name, argument, value, message: `${name}: ${text}` } as Wanted;
      expectError(
        type,
        wanted,
        () => fn.call(input, marked(6), { ...options, [outKey(fn)]: out }),
        ...outputs,
      );
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
    check('RangeError', 'ERR_OPTION', { scale: NaN }, 'scale must be a finite number, got NaN');
    check('RangeError', 'ERR_OPTION', { scale: -Infinity }, 'scale must be a finite number, got -Infinity');
    check('TypeError', 'ERR_OPTION', { scale: '2' }, 'scale must be a finite number, got "2"');
    check('TypeError', 'ERR_OPTION', { scale: null }, 'scale must be a finite number, got null');
    if (fn.signature.hasLimits) return;
    check('RangeError', 'ERR_TEMPERATURE', { temperature: 0 }, 'temperature 0 has no limit here');
    check(
      'RangeError',
      'ERR_TEMPERATURE',
      { temperature: 1e-300 },
      'temperature 1e-300 is too small for scale 1',
    );
  });

  test('a scale beyond float32 where there is no limit', () => {
    for (const fn of scaled.filter(({ signature }) => !signature.hasLimits)) {
      const wanted = { fn: fn.name, code: 'ERR_OPTION', argument: 'scale', value: 1e39 } as const;
      expectError('RangeError', wanted, () => fn.call(fn.inputs.at(-1) ?? '', marked(6), { scale: 1e39 }));
    }
  });
});

describe('out and grad', () => {
  test.each(named(withOut))('%s: out of a wrong length', (name, fn, input) => {
    const wanted = outLength(fn);
    for (const length of [0, wanted - 1, wanted + 1, 24]) {
      const out = marked(length);
      const message = `${name}: out has ${length} elements, but the result has ${wanted}`;
      const error = { code: 'ERR_SHAPE', fn: name, argument: 'out', value: length, message } as const;
      expectError('RangeError', error, () => fn.call(input, marked(6), { out }), out);
    }
  });
  test.each(named(losses))('%s: grad and logProbs of a wrong length', (name, fn, input) => {
    for (const argument of outputKeys(fn.signature)) {
      const output = marked(5);
      const has = fn === loss ? 'the logits have' : `${input} has`;
      const message = `${name}: ${argument} has 5 elements, but ${has} 6`;
      const wanted = { code: 'ERR_SHAPE', fn: name, argument, value: 5, message } as const;
      expectError('RangeError', wanted, () => fn.call(input, marked(6), { [argument]: output }), output);
    }
  });

  const others = (['out', 'grad', 'logProbs'] as const).map(
    (argument) => [argument, functions.filter(({ signature }) => takes(signature, argument))] as const,
  );
  test.each(others)('%s of another family of dtypes', (argument, fns) => {
    for (const fn of fns) {
      const input = fn.inputs.at(-1) ?? '';
      const length = outLength(fn);
      const wanted = { code: 'ERR_DTYPE', fn: fn.name, argument } as const;
      const double = new Float64Array(length).fill(1);
      expectError('TypeError', wanted, () => fn.call(input, zeros(6), { [argument]: double }), double);
      if (fn.inputs.length > 1) continue;
      const single = marked(length);
      expectError(
        'TypeError',
        wanted,
        () => fn.call(input, new Float64Array(6), { [argument]: single }),
        single,
      );
    }
  });
});

describe('integers', () => {
  test.each(named(withIntegers))('%s: out is an Int32Array, or a tensor of one', (name, fn, input) => {
    const length = outLength(fn);
    const text = `${name}: out must be an Int32Array or a tensor of int32, got `;
    const of = (value: unknown, got: string) =>
      ({ code: 'ERR_DTYPE', fn: name, argument: 'out', value, message: text + got }) as const;
    const call = (out: unknown) => () => fn.call(input, zeros(6), { out });
    const floats = marked(length);
    expectError('TypeError', of(floats, 'Float32Array'), call(floats), floats);
    for (const value of [null, true, 'out', 5, new Uint32Array(length), new BigInt64Array(length)])
      expectError('TypeError', { code: 'ERR_DTYPE', fn: name, argument: 'out', value }, call(value));
    const dims = outShape(fn.signature, [6]);
    for (const type of ['int64', 'float32', 'uint32', 5, null]) {
      const data = new Int32Array(length).fill(7);
      const got = `a tensor of Int32Array and type ${JSON.stringify(type)}`;
      expectError('TypeError', of(type, got), call({ data, dims, type }), data);
    }
    for (const wrong of [length - 1, length + 1, 24]) {
      const data = new Int32Array(wrong).fill(7);
      const message = `${name}: out has ${wrong} elements, but the result has ${length}`;
      const wanted = { code: 'ERR_SHAPE', fn: name, argument: 'out', value: wrong, message } as const;
      expectError('RangeError', wanted, call(data), data);
    }
    const wanted = { code: 'ERR_DETACHED', fn: name, argument: 'out' } as const;
    for (const out of [detached(new Int32Array(length)), outOfBounds(Int32Array, length)])
      expectError('TypeError', wanted, call(out));
  });
});
