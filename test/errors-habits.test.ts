// What users of PyTorch, NumPy, TensorFlow.js and ONNX Runtime bring along, in every argument of every function: what can
// be read is taken, of the rest the message says what to write here.

import { describe, expect, test } from 'vitest';
import {
  expectError,
  type Fn,
  functionOf,
  functions,
  marked,
  markedOut,
  outKey,
  zeros,
} from './helpers/calls.js';
import {
  argumentsOf,
  markedOut as markedOutOf,
  outLength,
  outShape,
  takes,
  takesClasses,
} from './helpers/signatures.js';

type Options = Record<string, unknown>;

/** A call for 2 rows of 3 elements with `value` for an argument or option. */
function call({ signature }: Fn, argument: string, value: unknown, more: Options = {}): unknown {
  const inputs = signature.inputs.map((input) => (input === argument ? value : (more[input] ?? marked(6))));
  const isArgument =
    signature.inputs.includes(argument) || (argument === 'target' && takesClasses(signature));
  const classes = argument === 'target' ? value : Int32Array.of(2, 0);
  // The weights of a distillation need a target.
  const target = takes(signature, 'target') ? { target: Int32Array.of(2, 0) } : {};
  const options = { shape: [2, 3], ...target, ...more, ...(isArgument ? {} : { [argument]: value }) };
  return functionOf(signature.name)(...argumentsOf(signature, inputs, classes, options));
}

/** The arrays that a function takes, with data for each that is good; and how many elements it has. */
function arraysOf({ signature }: Fn): [argument: string, data: () => ArrayBufferView, shape: number[]][] {
  const floats = (shape: number[]) => () => marked(shape.reduce((a, b) => a * b, 1));
  const optional = [
    ['temperature', floats([2]), [2]],
    ['weight', floats([3]), [3]],
    ['mask', () => Uint8Array.of(1, 0, 1), [3]],
    ['out', () => markedOutOf(signature, outLength(signature, 2, 3)), outShape(signature, [2, 3])],
    ['grad', floats([2, 3]), [2, 3]],
    ['logProbs', floats([2, 3]), [2, 3]],
  ] as const;
  const target = takesClasses(signature) || takes(signature, 'target');
  return [
    ...signature.inputs.map((input) => [input, floats([2, 3]), [2, 3]] as const),
    ...optional.filter(([name]) => takes(signature, name)),
    ...(target ? [['target', () => Int32Array.of(2, 0), [2]] as const] : []),
  ].map(([name, data, shape]) => [name, data, [...shape]]);
}
const arrays = functions.flatMap((fn) =>
  arraysOf(fn).map(([argument, data, shape]) => [fn.name, argument, { fn, data, shape }] as const),
);
const withTarget = functions.filter((fn) => arraysOf(fn).some(([argument]) => argument === 'target'));
const named = (fns: readonly Fn[]) => fns.map((fn) => [fn.name, fn] as const);
const having = (option: Parameters<typeof takes>[1]) =>
  named(functions.filter(({ signature }) => takes(signature, option)));

/** Of losses and of arrays: values that toEqual compares. */
const settled = async (value: unknown) => await value;

describe.each(arrays)('%s: %s', (name, argument, { fn, data, shape }) => {
  const isOutput = argument === 'out' || argument === 'grad';
  test('a tensor whose data is a method', () => {
    const wanted = { code: 'ERR_DTYPE', fn: name, argument } as const;
    const methods = { data: async () => data(), shape, dtype: 'float32' };
    for (const [tensor, how] of [
      [{ ...methods, dataSync: data }, `${argument}.dataSync()`],
      [methods, `await ${argument}.data()`],
    ] as const) {
      const hint = isOutput ? '' : `; make { data: ${how}, shape: ${argument}.shape }`;
      const message = `${name}: ${argument}.data is a function, not an array${hint}`;
      expectError('TypeError', { ...wanted, message }, () => call(fn, argument, tensor));
    }
  });
  test('a tensor in pinned memory is read as any other; of one elsewhere, how to get it', async () => {
    const onCpu = await settled(call(fn, argument, { data: data(), dims: shape, location: 'cpu' }));
    const pinned = await settled(call(fn, argument, { data: data(), dims: shape, location: 'cpu-pinned' }));
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll('"cpu-pinned"', '"cpu"'));
    expect(plain(pinned)).toEqual(plain(onCpu));
    const hint = isOutput ? '' : `: await ${argument}.getData() first`;
    const message = `${name}: ${argument} is on gpu-buffer; its data must be on cpu${hint}`;
    const wanted = { code: 'ERR_NOT_ON_CPU', fn: name, argument, value: 'gpu-buffer', message } as const;
    const tensor = { location: 'gpu-buffer', dims: shape, getData: async () => data() };
    expectError('TypeError', wanted, () => call(fn, argument, tensor));
  });
});

describe.each(named(functions))('%s: null is not the same as nothing', (name, fn) => {
  test.each(fn.signature.options)('%s', (option) => {
    const wanted = { fn: name, argument: option, value: null } as const;
    expectError('TypeError', wanted, () => call(fn, option, null));
  });
});

describe('dtypes by other names', () => {
  const spellings = [
    ['float32', ['f4', '<f4', '=f4', '|f4', 'F4', 'f32', 'fp32', 'single', 'Float32Array', 'torch.float32']],
    ['float32', ['torch.float', 'np.float32', 'jnp.float32', ' float32', 'FLOAT32']],
    ['float64', ['f8', '<f8', 'double', 'fp64', 'np.float', 'np.float_', 'torch.double', 'Float64Array']],
    ['float16', ['f2', '<f2', 'half', 'fp16', 'e', 'torch.half', 'np.float16']],
    ['bfloat16', ['bf16', 'BF16', 'torch.bfloat16', 'jnp.bfloat16', 'ml_dtypes.bfloat16']],
  ] as const;
  test.each(named(functions))('%s: the option', (name, fn) => {
    const must = `${name}: dtype must be one of 'float32', 'float64', 'float16', 'bfloat16', got`;
    const check = (dtype: unknown, text: string) => {
      const message = `${must} ${text}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument: 'dtype', value: dtype, message } as const;
      const output = markedOut(fn, 2);
      expectError('TypeError', wanted, () => call(fn, 'dtype', dtype, { [outKey(fn)]: output }), output);
    };
    for (const [own, others] of spellings)
      for (const other of others) check(other, `"${other}"; that is '${own}' here`);
    check('float', `"float"; that is 'float32' here, and 'float64' if it is NumPy's`);
    check(Float32Array, `a function; that is 'float32' here`);
    for (const none of ['>f4', 'int8', 'i4', 'torch.int64', 'complex64']) check(none, `"${none}"`);
  });
  test.each(named(functions))('%s: the type of a tensor', (name, fn) => {
    const argument = fn.inputs.at(-1) ?? '';
    const tensor = (data: ArrayBufferView, dtype: string) => ({ data, shape: [2, 3], dtype });
    const check = (data: ArrayBufferView, dtype: string, text: string) => {
      const message = `${name}: ${argument}'s type "${dtype}" ${text}`;
      const wanted = { code: 'ERR_DTYPE', fn: name, argument, value: dtype, message } as const;
      expectError('TypeError', wanted, () => call(fn, argument, tensor(data, dtype)));
    };
    for (const [own, others] of spellings)
      for (const other of others) {
        const kinds = {
          float32: Float32Array,
          float64: Float64Array,
          float16: Uint16Array,
          bfloat16: Uint16Array,
        };
        check(new kinds[own](6), other, `is '${own}' here`);
      }
    check(zeros(6), 'f8', `does not fit its data, Float32Array, whose type is 'float32'`);
    check(zeros(6), '>f4', `does not fit its data, Float32Array, whose type is 'float32'`);
    check(
      new Uint16Array(6),
      'f4',
      `does not fit its data, Uint16Array, whose type is 'float16' or 'bfloat16'`,
    );
    check(
      new Int32Array(6),
      'f4',
      `does not fit its data, Int32Array; make Float32Array.from(${argument}.data)`,
    );
    const data = `${argument}.data`;
    const bytes = `new Float32Array(${data}.buffer, ${data}.byteOffset, ${data}.byteLength / 4)`;
    const raw = `if it is the bytes of floats make ${bytes}, else Float32Array.from(${data})`;
    check(Buffer.alloc(24), 'float32', `does not fit its data, Uint8Array; ${raw}`);
    check(new Uint8Array(6), 'uint8', `is not a float type; make Float32Array.from(${data})`);
    check(
      new BigInt64Array(6),
      'int64',
      `is not a float type; make Float32Array.from(${argument}.data, Number)`,
    );
  });
});

describe.each(named(withTarget))('%s: targets', (name, fn) => {
  const check = (
    type: 'TypeError' | 'RangeError',
    code: 'ERR_SHAPE' | 'ERR_DTYPE',
    target: unknown,
    text: string,
    more: Options = {},
  ) => {
    const message = `${name}: ${text}`;
    const grad = marked(6);
    const wanted = { code, fn: name, argument: 'target', message } as const;
    expectError(type, wanted, () => call(fn, 'target', target, { grad, ...more }), grad);
  };
  const has = name === 'crossEntropy' ? 'the logits have' : `${fn.inputs.at(-1)} has`;

  test('a tensor of bool holds the classes 0 and 1', async () => {
    const data = Uint8Array.of(1, 0);
    for (const tensor of [
      { data, dims: [2], type: 'bool' },
      { data, shape: [2], dtype: 'bool' },
    ])
      expect(await settled(call(fn, 'target', tensor))).toEqual(await settled(call(fn, 'target', data)));
    const type = `target's type "bool" does not fit its data, Int8Array, whose type is 'int8'`;
    check('TypeError', 'ERR_DTYPE', { data: new Int8Array(2), dims: [2], type: 'bool' }, type);
  });
  test('classes as floats', () => {
    const labels = 'float targets are probabilities; class indices need an integer array';
    for (const target of [zeros(2), new Float64Array(2)]) {
      const kind = target.constructor.name;
      const integers = `${labels}: Int32Array.from(target`;
      if (fn.signature.target === 'classes') {
        check('TypeError', 'ERR_DTYPE', target, `target must be an integer array, got ${kind}; ${integers})`);
        const must = `target.data must be a typed array of integers, got ${kind}; ${integers}.data)`;
        check('TypeError', 'ERR_DTYPE', { data: target, dims: [2] }, must);
        continue;
      }
      const text = `target has 2 elements, but ${has} 6; ${labels}`;
      check('RangeError', 'ERR_SHAPE', target, text);
      check('RangeError', 'ERR_SHAPE', target, text, { shape: undefined });
      const dims = `target.dims [2] is not the shape [2, 3] that it should have; ${labels}`;
      check('RangeError', 'ERR_SHAPE', { data: target, dims: [2] }, dims);
    }
  });
  test('more of them than rows', () => {
    const none = '; give shape and axis, as without them there is one row';
    const bare = `target has 2 elements, but ${has} 1 row${none}`;
    check('RangeError', 'ERR_SHAPE', new Int32Array(2), bare, { shape: undefined });
    // PyTorch's layout: classes on axis 1 of [1, 3, 2].
    const layout = `target has 2 elements, but ${has} 3 rows; with axis 1 there would be as many`;
    check('RangeError', 'ERR_SHAPE', new Int32Array(2), layout, { shape: [1, 3, 2] });
    check('RangeError', 'ERR_SHAPE', new Int32Array(5), `target has 5 elements, but ${has} 2 rows`);
    const dims = { data: new Int32Array(2), dims: [1, 2] };
    const torch = 'target.dims [1, 2] is not the shape [1, 3] that it should have with the classes on axis 2';
    const hint = '; with axis 1 there would be as many';
    check('RangeError', 'ERR_SHAPE', dims, torch + hint, { shape: [1, 3, 2] });
  });
  test('plain arrays in plain arrays, of bigints; one class', () => {
    const nested = 'target[0] must be a number, got a plain array; make target.flat(Infinity)';
    check('TypeError', 'ERR_DTYPE', [[2], [0]], nested);
    check('TypeError', 'ERR_DTYPE', [2n, 0n], 'target[0] must be a number, got 2n; make target.map(Number)');
    const wanted = fn.signature.target === 'classes' ? '' : ' or probabilities';
    check(
      'TypeError',
      'ERR_DTYPE',
      2,
      `target must be an integer array${wanted}, got 2; make [2] for one row`,
    );
    const plain = `target.data must be a typed array of integers${wanted}, got a plain array; make Int32Array.from(target.data)`;
    check('TypeError', 'ERR_DTYPE', { data: [2, 0], dims: [2], type: 'int32' }, plain);
  });
});

describe('one row where there should be several', () => {
  const shape = undefined;
  test.each(having('mask'))('%s: mask, temperature', (name, fn) => {
    const hint = '; give shape if there are several rows';
    const check = (argument: string, value: unknown, text: string) => {
      const code = argument === 'mask' ? 'ERR_MASK' : 'ERR_SHAPE';
      const wanted = { code, fn: name, argument, message: `${name}: ${text}` } as const;
      expectError('RangeError', wanted, () =>
        call(fn, argument, value, { shape, ...(takes(fn.signature, 'reduction') && { reduction: 'none' }) }),
      );
    };
    // A loss looks at its target before.
    if (name === 'distillationLoss' || !takesClasses(fn.signature)) {
      const bare = `mask has 3 elements, which matches no trailing axes of the shape [6]${hint}`;
      check('mask', new Uint8Array(3), bare);
      const tensor = { data: new Uint8Array(6), dims: [2, 3] };
      check('mask', tensor, `mask of shape [2, 3] has more axes than the shape [6]${hint}`);
      const rows = 'temperature has 2 elements, but there is 1 row; give shape if there are several';
      check('temperature', [1, 2], rows);
    }
  });
  test.each(having('weight'))('%s: weight', (name, fn) => {
    const hint = '; give shape and axis, as without them there is one row';
    const message = `${name}: weight has 3 elements, but there are 6 classes${hint}`;
    const wanted = { code: 'ERR_SHAPE', fn: name, argument: 'weight', message } as const;
    const target = Int32Array.of(0);
    expectError('RangeError', wanted, () =>
      call(fn, 'weight', zeros(3), { shape, ...(name === 'distillationLoss' && { target }) }),
    );
  });
});
