// Errors of tensors and dtypes: type, code, details and message, and nothing written.

import { softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  any,
  cases,
  detached,
  expectError,
  functions,
  marked,
  markedOut,
  named,
  ofSeveral,
  outKey,
  outLength,
  outOfBounds,
  type Wanted,
  withOut,
  zeros,
} from './helpers/calls.js';
import { outShape } from './helpers/signatures.js';

const tensor = (dims: number[] = [2, 3]) => ({ data: marked(6), dims, type: 'float32' });

describe('tensors', () => {
  test.each(cases(functions))('%s: %s elsewhere than on cpu', (name, argument, fn) => {
    for (const location of ['gpu-buffer', 'texture', 'ml-tensor', 'none', null, 0]) {
      const elsewhere = {
        location,
        // As in ort.Tensor: to look at it is an error of its own.
        get data(): never {
          throw new Error('the data is not on CPU');
        },
        dims: [6],
        type: 'float32',
      };
      const shown = typeof location === 'string' ? location : String(location);
      const message = `${name}: ${argument} is on ${shown}; its data must be on cpu`;
      const wanted = { code: 'ERR_NOT_ON_CPU', fn: name, argument, value: location, message } as const;
      const output = markedOut(fn);
      expectError('TypeError', wanted, () => fn.call(argument, elsewhere, { [outKey(fn)]: output }), output);
    }
    expect(() => fn.call(argument, { ...tensor([6]), location: 'cpu' })).not.toThrow();
  });

  const wrong: readonly (readonly ['TypeError' | 'RangeError', object, Omit<Wanted, 'fn'>, string])[] = [
    [
      'TypeError',
      { data: [1, 2], dims: [2] },
      { code: 'ERR_DTYPE' },
      'x.data must be an array of floats, got a plain array; make new Float32Array(x.data)',
    ],
    [
      'TypeError',
      { data: new Int32Array(2), dims: [2] },
      { code: 'ERR_DTYPE' },
      'x.data must be an array of floats, got Int32Array; make Float32Array.from(x.data)',
    ],
    [
      'TypeError',
      { data: null, dims: [2] },
      { code: 'ERR_DTYPE' },
      'x.data must be an array of floats, got null',
    ],
    [
      'TypeError',
      { data: undefined, dims: [2] },
      { code: 'ERR_DTYPE' },
      'x must be an array of floats or a tensor of them, got an object',
    ],
    [
      'TypeError',
      { ...tensor(), type: 'int64' },
      { code: 'ERR_DTYPE', value: 'int64' },
      `x's type "int64" does not fit its data, Float32Array, whose type is 'float32'`,
    ],
    [
      'TypeError',
      { ...tensor(), type: 1 },
      { code: 'ERR_DTYPE', value: 1 },
      `x's type 1 does not fit its data, Float32Array, whose type is 'float32'`,
    ],
    [
      'TypeError',
      { ...tensor(), type: 'float64' },
      { code: 'ERR_DTYPE', value: 'float64' },
      `x's type "float64" does not fit its data, Float32Array, whose type is 'float32'`,
    ],
    [
      'TypeError',
      { ...tensor(), type: 'float16' },
      { code: 'ERR_DTYPE', value: 'float16' },
      `x's type "float16" does not fit its data, Float32Array, whose type is 'float32'`,
    ],
    [
      'TypeError',
      { data: new Uint16Array(2), shape: [2], dtype: 'float32' },
      { code: 'ERR_DTYPE' },
      `x's type "float32" does not fit its data, Uint16Array, whose type is 'float16' or 'bfloat16'`,
    ],
    [
      'TypeError',
      { data: [0], dims: [1], type: 'float32' },
      { code: 'ERR_DTYPE' },
      `x's type "float32" does not fit its data, a plain array; make new Float32Array(x.data)`,
    ],
    [
      'TypeError',
      { data: new Int32Array(2), dims: [2], type: 'int32' },
      { code: 'ERR_DTYPE' },
      `x's type "int32" is not a float type; make Float32Array.from(x.data)`,
    ],
    [
      'TypeError',
      { data: new Uint8Array(2), dims: [2], type: 'bool' },
      { code: 'ERR_DTYPE' },
      `x's type "bool" is not a float type; make Float32Array.from(x.data)`,
    ],
    [
      'TypeError',
      { data: new Uint16Array(2), dims: [2], type: 'uint16' },
      { code: 'ERR_DTYPE' },
      `x's type "uint16" is not a float type; make Float32Array.from(x.data)`,
    ],
    [
      'TypeError',
      { data: new Uint16Array(2), dims: [2] },
      { code: 'ERR_DTYPE' },
      `x is a Uint16Array, which does not say whether it holds 'float16' or 'bfloat16'; wrap it: { data, shape, dtype: 'float16' }, or give the option dtype`,
    ],
    [
      'TypeError',
      { data: marked(6), dims: 6 },
      { code: 'ERR_SHAPE', value: 6 },
      'x.dims must be an array, got 6',
    ],
    [
      'RangeError',
      tensor([2, -3]),
      { code: 'ERR_SHAPE', index: 1, value: -3 },
      'x.dims[1] = -3 is not a non-negative integer',
    ],
    ['RangeError', tensor([]), { code: 'ERR_SHAPE' }, 'x.dims is [], but a 0-dimensional array has no axis'],
    ['TypeError', { data: marked(6) }, { code: 'ERR_SHAPE' }, 'x has data, but neither dims nor shape'],
    [
      'TypeError',
      { data: marked(6), dtype: 'float32' },
      { code: 'ERR_SHAPE' },
      'x has data, but neither dims nor shape',
    ],
    ['RangeError', tensor([2, 2]), { code: 'ERR_SHAPE' }, 'x.dims [2, 2] has 4 elements, but its data has 6'],
    [
      'RangeError',
      { data: marked(6), shape: [5] },
      { code: 'ERR_SHAPE' },
      'x.shape [5] has 5 elements, but its data has 6',
    ],
  ];
  test.each(wrong.map((row) => [row[3], ...row] as const))('%s', (_name, type, value, details, text) => {
    const out = marked(6);
    const wanted = { fn: 'softmax', argument: 'x', message: `softmax: ${text}`, ...details } as Wanted;
    expectError(type, wanted, () => softmax(any(value), any({ out })), out);
  });

  test.each(cases(functions))('%s: the shape of %s is not the one in the options', (name, argument, fn) => {
    const message = `${name}: ${argument}.dims [2, 3] is not the shape [3, 2]`;
    const wanted = { code: 'ERR_SHAPE', fn: name, argument, message } as const;
    expectError('RangeError', wanted, () => fn.call(argument, tensor(), { shape: [3, 2] }));
  });

  test.each(named(withOut))('%s: the shape of out is not that of the result', (name, fn, input) => {
    const data = markedOut(fn, 2);
    const result = outShape(fn.signature, [2, 3]);
    // One axis more.
    const dims = [1, ...result];
    const message = `${name}: out.dims [${dims.join(', ')}] is not the shape [${result.join(', ')}] of the result`;
    const wanted = { code: 'ERR_SHAPE', fn: name, argument: 'out', message } as const;
    const shape = [2, 3];
    expectError('RangeError', wanted, () => fn.call(input, marked(6), { shape, out: { data, dims } }), data);
    const torn = `${name}: out.dims [7] has 7 elements, but its data has ${data.length}`;
    const out = { data, dims: [7] };
    expectError(
      'RangeError',
      { ...wanted, message: torn },
      () => fn.call(input, marked(6), { shape, out }),
      data,
    );
  });

  test.each(cases(functions))('%s: %s with detached data', (name, argument, fn) => {
    const wanted = { code: 'ERR_DETACHED', fn: name, argument } as const;
    for (const data of [detached(zeros(6)), outOfBounds(Float32Array, 6)])
      expectError('TypeError', wanted, () => fn.call(argument, { data, dims: [6] }));
    // A getter that is read after the data may run any code.
    const data = zeros(6);
    const late = {
      data,
      dims: [6],
      get type() {
        detached(data);
        return 'float32';
      },
    };
    expectError('TypeError', wanted, () => fn.call(argument, late));
  });
});

describe('dtype', () => {
  test.each(named(functions))('%s: no dtype, or none that goes with the input', (name, fn, input) => {
    const output = markedOut(fn);
    for (const [dtype, shown] of [
      ['float8', '"float8"'],
      ['Float32', `"Float32"; that is 'float32' here`],
      ['int32', '"int32"'],
      [null, 'null'],
      [32, '32'],
    ] as const) {
      const message = `${name}: dtype must be one of 'float32', 'float64', 'float16', 'bfloat16', got ${shown}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'dtype', value: dtype, message } as const;
      const call = () => fn.call(input, zeros(6), { dtype, [outKey(fn)]: output });
      expectError('TypeError', wanted, call, output);
    }
    const options = outKey(fn) === 'grad' ? { grad: true } : {};
    const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'dtype', value: 'float64' } as const;
    expectError('TypeError', wanted, () => fn.call(input, zeros(6), { dtype: 'float64', ...options }));
  });

  test.each(named(withOut))('%s: out holds something else', (name, fn, input) => {
    const out = markedOut(fn);
    const message = `${name}: out is float32, but dtype says 'float16'`;
    const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'out', value: 'float32', message } as const;
    expectError('TypeError', wanted, () => fn.call(input, zeros(6), { dtype: 'float16', out }), out);
  });

  test.each(named(withOut))('%s: out holds the other 16-bit floats', (name, fn, input) => {
    const length = outLength(fn);
    const out = { data: new Uint16Array(length), dims: outShape(fn.signature, [6]), type: 'float16' };
    const message = `${name}: out is float16, but dtype says 'bfloat16'`;
    const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'out', value: 'float16', message } as const;
    expectError('TypeError', wanted, () => fn.call(input, zeros(6), { dtype: 'bfloat16', out }));
    expect(out.data).toEqual(new Uint16Array(length));
  });

  test.each(cases(ofSeveral))('%s: %s of another family', (name, argument, fn) => {
    const output = marked(6);
    const wanted = { code: 'ERR_DTYPE', fn: name } as const;
    const call = () => fn.call(argument, new Float64Array(6), { [outKey(fn)]: output });
    expectError('TypeError', wanted, call, output);
  });
});
