// The types that the functions promise for what they are given. What they are is checked by tsc; that results have
// them, here.

import {
  crossEntropy,
  type DType,
  type ForwardOptions,
  logSumExp,
  nllLoss,
  type Reduction,
  softmax,
} from 'softmax-native';
import { expect, expectTypeOf, test } from 'vitest';

const x = new Float32Array(6);
const target = new Int32Array(1);

test('arrays: the kind of the input, of out, or of the dtype', () => {
  const same = softmax(x);
  expectTypeOf(same).toEqualTypeOf<Float32Array>();
  const double = softmax(new Float64Array(6), { temperature: 2 });
  expectTypeOf(double).toEqualTypeOf<Float64Array>();
  const brain = softmax(x, { dtype: 'bfloat16' });
  expectTypeOf(brain).toEqualTypeOf<Uint16Array>();
  const written = softmax(x, { dtype: 'float32', out: new Float32Array(6) });
  expectTypeOf(written).toExtend<Float32Array>();
  const results = [same, double, brain, written];
  expect(results.map((result) => result.constructor)).toEqual([
    Float32Array,
    Float64Array,
    Uint16Array,
    Float32Array,
  ]);
});

test('tensors: the same fields', () => {
  const tensor = { data: x, dims: [2, 3], type: 'float32' as const, location: 'cpu' as const, extra: 1 };
  const result = softmax(tensor);
  expectTypeOf(result.data).toEqualTypeOf<Float32Array>();
  expectTypeOf(result.dims).toEqualTypeOf<number[]>();
  expectTypeOf(result.type).toEqualTypeOf<'float32'>();
  expectTypeOf<keyof typeof result>().toEqualTypeOf<'data' | 'dims' | 'type'>();
  expect(Object.keys(result).sort()).toEqual(['data', 'dims', 'type']);
  const brain = logSumExp({ data: x, shape: [2, 3], dtype: 'float32' }, { dtype: 'bfloat16' });
  expectTypeOf(brain.data).toEqualTypeOf<Uint16Array>();
  expectTypeOf(brain.dtype).toEqualTypeOf<'bfloat16'>();
  expect(brain).toMatchObject({ data: expect.any(Uint16Array), dtype: 'bfloat16', shape: [2] });
});

test('losses: by reduction, and what was asked for', () => {
  const mean = crossEntropy(x, target, { grad: true });
  expectTypeOf(mean.loss).toEqualTypeOf<number>();
  expectTypeOf(mean.grad).toEqualTypeOf<Float32Array>();
  expectTypeOf(mean.logProbs).toEqualTypeOf<undefined>();
  expect(Object.keys(mean).sort()).toEqual(['count', 'grad', 'logSumExp', 'loss']);
  const none = crossEntropy({ data: new Float64Array(6), dims: [6] }, target, {
    reduction: 'none',
    grad: x.length > 9,
  });
  expectTypeOf(none.loss.data).toEqualTypeOf<Float64Array>();
  expectTypeOf(none.grad).toEqualTypeOf<
    { readonly data: Float64Array; readonly dims: number[] } | undefined
  >();
  expect(none.loss.data).toBeInstanceOf(Float64Array);
  const unknown = nllLoss(x, target, { reduction: 'sum' as Reduction });
  expectTypeOf(unknown.loss).toEqualTypeOf<number | Float32Array>();
});

test('options that are none, and arrays that are none of floats, do not compile', () => {
  // @ts-expect-error: a slip of the pen
  expect(() => softmax(x, { temprature: 2 })).toThrow();
  // @ts-expect-error: integers
  expect(() => softmax(new Int32Array(3))).toThrow();
  // @ts-expect-error: no dtype
  expect(() => softmax(x, { dtype: 'float8' })).toThrow();
  // Options of any kind may give a result of any kind.
  const options: ForwardOptions = {};
  expectTypeOf(softmax(x, options)).not.toEqualTypeOf<Float32Array>();
  expectTypeOf<DType>().toEqualTypeOf<'float32' | 'float64' | 'float16' | 'bfloat16'>();
});

test('16-bit tensors read as float32', () => {
  const half = { type: 'float16' as const, data: new Uint16Array(2), dims: [2] };
  const wide = softmax(half, { dtype: 'float32' });
  expectTypeOf(wide.data).toEqualTypeOf<Float32Array>();
  expect(wide.data).toBeInstanceOf(Float32Array);
});

test('losses in a place that says what it wants', () => {
  const step = (): { loss: number; grad: Float32Array } => crossEntropy(x, new Int32Array(1), { grad: true });
  expect(step().grad).toBeInstanceOf(Float32Array);
});

test('one number per row where the data may be of two types', () => {
  const either = { data: x as Float32Array | Float64Array, dims: [6] };
  const { logSumExp: perRow } = crossEntropy(either, target);
  expectTypeOf(perRow.data).toEqualTypeOf<Float32Array | Float64Array>();
  expect(perRow.data).toBeInstanceOf(Float32Array);
});
