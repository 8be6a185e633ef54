// The types that the functions promise for what they are given. What they are is checked by tsc; that results have
// them, here.

import {
  crossEntropy,
  type DType,
  distillationLossAsync,
  type FloatArray,
  type ForwardOptions,
  type Input,
  logSumExp,
  nllLoss,
  type Reduction,
  type Result,
  SoftmaxStream,
  sample,
  softmax,
  softmaxAsync,
  softmaxBackward,
  softmaxJacobian,
} from 'softmax-native';
import { expect, expectTypeOf, test } from 'vitest';

const x = new Float32Array(6);
const target = new Int32Array(1);

test('arrays: the kind of the input, of out, or of the dtype', () => {
  const same = softmax(x);
  expectTypeOf(same).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  const double = softmax(new Float64Array(6), { temperature: 2 });
  expectTypeOf(double).toEqualTypeOf<Float64Array<ArrayBuffer>>();
  const brain = softmax(x, { dtype: 'bfloat16' });
  expectTypeOf(brain).toEqualTypeOf<Uint16Array<ArrayBuffer>>();
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

test("new results are in an ArrayBuffer, also of shared memory; the caller's own keep their type", async () => {
  const shared = new Float32Array(new SharedArrayBuffer(24));
  const memories: unknown[] = [];
  const expectNew = (...arrays: (Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>)[]) =>
    memories.push(...arrays.map(({ buffer }) => Object.prototype.toString.call(buffer)));
  const tensor = { data: shared, shape: [6] };
  const wanted = { reduction: 'none', grad: true } as const;
  const loss = crossEntropy(shared, target, { ...wanted, logProbs: true });
  expectNew(loss.loss, loss.grad, loss.logSumExp, loss.logProbs);
  const { loss: nll, grad } = nllLoss(tensor, target, wanted);
  expectNew(nll.data, grad.data);
  expectNew(softmax(shared), softmax(shared, { dtype: 'float32' }), logSumExp(tensor).data);
  expectNew(softmaxBackward(shared, shared), softmaxJacobian(tensor).data);
  expectNew(await softmaxAsync(shared), await softmaxAsync(shared, { transfer: true }));
  const later = await distillationLossAsync(tensor, shared, wanted);
  expectNew(later.loss.data, later.grad.data);
  expect(new Set(memories)).toEqual(new Set(['[object ArrayBuffer]']));

  const own = { data: new Float32Array(6), shape: [6] };
  const written = crossEntropy(x, target, { grad: shared, logProbs: own });
  expectTypeOf(written.grad).toEqualTypeOf<Float32Array<SharedArrayBuffer>>();
  expectTypeOf(written.logProbs).toEqualTypeOf<typeof own>();
  expectTypeOf(softmax(x, { out: shared })).toEqualTypeOf<Float32Array<SharedArrayBuffer>>();
  expect(written.grad).toBe(shared);
});

test('arrays of any kind', () => {
  const any = x as FloatArray;
  type New = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  expectTypeOf(softmax(any)).toEqualTypeOf<New>();
  const tensor = { data: x as ArrayLike<unknown>, dims: [6] };
  expectTypeOf(softmax(tensor).data).toEqualTypeOf<New>();
  const ofIntegers = { data: x as Float32Array | Int32Array | string[], dims: [6] };
  expectTypeOf(softmax(ofIntegers).data).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  expect(softmax(tensor).data).toBeInstanceOf(Float32Array);
});

test('tensors: the same fields', () => {
  const tensor = { data: x, dims: [2, 3], type: 'float32' as const, location: 'cpu' as const, extra: 1 };
  const result = softmax(tensor);
  expectTypeOf(result.data).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  expectTypeOf(result.dims).toEqualTypeOf<number[]>();
  expectTypeOf(result.type).toEqualTypeOf<'float32'>();
  expectTypeOf<keyof typeof result>().toEqualTypeOf<'data' | 'dims' | 'type'>();
  expect(Object.keys(result).sort()).toEqual(['data', 'dims', 'type']);
  const brain = logSumExp({ data: x, shape: [2, 3], dtype: 'float32' }, { dtype: 'bfloat16' });
  expectTypeOf(brain.data).toEqualTypeOf<Uint16Array<ArrayBuffer>>();
  expectTypeOf(brain.dtype).toEqualTypeOf<'bfloat16'>();
  expect(brain).toMatchObject({ data: expect.any(Uint16Array), dtype: 'bfloat16', shape: [2] });
});

test('losses: by reduction, and what was asked for', () => {
  const mean = crossEntropy(x, target, { grad: true });
  expectTypeOf(mean.loss).toEqualTypeOf<number>();
  expectTypeOf(mean.grad).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  expectTypeOf(mean.logProbs).toEqualTypeOf<undefined>();
  expect(Object.keys(mean).sort()).toEqual(['count', 'grad', 'logSumExp', 'loss']);
  const none = crossEntropy({ data: new Float64Array(6), dims: [6] }, target, {
    reduction: 'none',
    grad: x.length > 9,
  });
  expectTypeOf(none.loss.data).toEqualTypeOf<Float64Array<ArrayBuffer>>();
  expectTypeOf(none.grad).toEqualTypeOf<
    { readonly data: Float64Array<ArrayBuffer>; readonly dims: number[] } | undefined
  >();
  expect(none.loss.data).toBeInstanceOf(Float64Array);
  const unknown = nllLoss(x, target, { reduction: 'sum' as Reduction });
  expectTypeOf(unknown.loss).toEqualTypeOf<number | Float32Array<ArrayBuffer>>();
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
  expectTypeOf(softmax(x, options)).not.toEqualTypeOf<Float32Array<ArrayBuffer>>();
  expectTypeOf<DType>().toEqualTypeOf<'float32' | 'float64' | 'float16' | 'bfloat16'>();
});

test('layouts: the fields that the tensor has, of row-major order', () => {
  const layout = { stride: [3, 1], strides: Int32Array.of(3, 1), offset: 0, fortranOrder: false };
  const tensor = { data: x, shape: [2, 3], ...layout, order: 'C' as 'C' | 'F' };
  type Row<Tensor extends Input> = Result<Tensor, undefined, undefined>;
  expectTypeOf<Row<typeof tensor>>().toEqualTypeOf<{
    readonly data: Float32Array<ArrayBuffer>;
    readonly shape: number[];
    readonly stride: number[];
    readonly strides: number[];
    readonly offset: number;
    readonly fortranOrder: false;
    readonly order: 'C';
  }>();
  const stdlib = { ...tensor, order: 'row-major' as 'row-major' | 'column-major' };
  expectTypeOf<Row<typeof stdlib>['order']>().toEqualTypeOf<'row-major'>();
  // The order of the axes, which the package ndarray has.
  const axes = { ...tensor, order: [1, 0] };
  expectTypeOf<Row<typeof axes>>().toEqualTypeOf<Omit<Row<typeof tensor>, 'order'>>();
});

test('tensors of libraries: methods by the names of fields, classes that have no types', () => {
  // transformers.js has stride().
  const tensor = { data: x, dims: [2, 3], type: 'float32' as const, stride: () => [3, 1], offset: () => 0 };
  const probabilities = softmax(tensor);
  expectTypeOf(probabilities).toEqualTypeOf<{
    readonly data: Float32Array<ArrayBuffer>;
    readonly dims: number[];
    readonly type: 'float32';
  }>();
  expect(probabilities.data).toEqual(softmax(x, { shape: [2, 3] }));
  // biome-ignore lint/suspicious/noExplicitAny: what JavaScript has, and libraries without types.
  const untyped = tensor as any;
  expectTypeOf(softmax(untyped)).toBeAny();
  expectTypeOf(softmax(untyped, { dtype: 'bfloat16' })).toBeAny();
  expectTypeOf(logSumExp(untyped)).toBeAny();
  expectTypeOf(crossEntropy(untyped, [0, 1], { grad: true }).grad).toBeAny();
  expectTypeOf(softmax(untyped, { out: x })).toEqualTypeOf(x);
});

test('16-bit tensors read as float32', () => {
  const half = { type: 'float16' as const, data: new Uint16Array(2), dims: [2] };
  const wide = softmax(half, { dtype: 'float32' });
  expectTypeOf(wide.data).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  expect(wide.data).toBeInstanceOf(Float32Array);
});

test('losses in a place that says what it wants', () => {
  const step = (): { loss: number; grad: Float32Array } => crossEntropy(x, new Int32Array(1), { grad: true });
  expect(step().grad).toBeInstanceOf(Float32Array);
});

test('one number per row where the data may be of two types', () => {
  const either = { data: x as Float32Array | Float64Array, dims: [6] };
  const { logSumExp: perRow } = crossEntropy(either, target);
  expectTypeOf(perRow.data).toEqualTypeOf<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>();
  expect(perRow.data).toBeInstanceOf(Float32Array);
});

test('of sample, and of a stream', () => {
  const { tokens, kept } = sample(
    { data: new Float32Array(2), dims: [2], type: 'float32' as const },
    { seed: 1 },
  );
  expectTypeOf(tokens.type).toEqualTypeOf<'int32'>();
  expect([tokens.type, tokens.dims, kept.type]).toEqual(['int32', [], 'int32']);
  const { topTokens } = sample({ data: x, shape: [2, 3] }, { seed: 1, top: 2 });
  expect(topTokens?.shape).toEqual([2, 2]);
  expectTypeOf(sample(x, { seed: 1 }).tokens).toEqualTypeOf<Int32Array<ArrayBuffer>>();
  const stream = new SoftmaxStream().push(x);
  const halves = stream.softmax(x, { dtype: 'float16' });
  expectTypeOf(halves).not.toExtend<Float32Array>();
  expectTypeOf(stream.softmax(x)).toEqualTypeOf<Float32Array<ArrayBuffer>>();
  const out = new Float32Array(6);
  expectTypeOf(stream.logSoftmax(x, { out })).toExtend<Float32Array>();
  expect(stream.logSoftmax(x, { out })).toBe(out);
});
