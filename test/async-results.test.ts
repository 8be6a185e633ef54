// What asynchronous functions resolve with: the bits of the synchronous ones, of all dtypes, options and sizes.

import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  bitsOf,
  callOf,
  functionsAsync,
  isLoss,
  largeCall,
  type Options,
  outKey,
  outLength,
  sizeOf,
  syncName,
} from './helpers/async-calls.js';
import { any } from './helpers/calls.js';
import { arrayOf, type DType, dtypes, numbersOf } from './helpers/grid.js';
import { Random } from './helpers/random.js';

const random = new Random(20261128);

/** Small ones, which are computed at once, and large ones, along the last axis and along the middle one. */
const shapes = [
  [[3, 7], 1],
  [[2, 5, 3], 1],
  [[3, 400, 30], 1],
  [[2100, 2], 1],
  [[1, 70_001], 1],
] as const;
const inputCount = (name: string) => (/Backward|distillation/.test(name) ? 2 : 1);

interface Problem {
  readonly inputs: ReturnType<typeof arrayOf>[];
  readonly classes: Int32Array;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly length: number;
  readonly rows: number;
  readonly size: number;
}

function problemOf(name: string, dtype: DType, shape: readonly number[], axis: number): Problem {
  const size = shape.reduce((a, b) => a * b, 1);
  const length = shape[axis] as number;
  const rows = size / length;
  const inputs = Array.from({ length: inputCount(name) }, () => arrayOf(random.normals(size, 3), dtype));
  const classes = random.classes(rows, length).map((c, row) => (row % 5 === 1 ? -100 : c));
  return { inputs, classes, shape, axis, length, rows, size };
}

/** Options that change what is computed. */
function optionsOf(name: string, dtype: DType, { size, length, rows, shape }: Problem): Options[] {
  const mask = Uint8Array.from({ length: size }, () => (random.uniform() < 0.8 ? 1 : 0));
  const scaled: Options[] = [
    { temperature: 2.5, scale: -0.5 },
    { temperature: Float64Array.from({ length: rows }, () => random.uniform(0.5, 2)), mask },
    { mask: { data: new BigInt64Array(shape.at(-1) ?? 0).fill(1n), dims: [shape.at(-1) ?? 0] } },
  ];
  const weight = random.uniforms(length, 0.5, 2);
  const losses: Options[] = [
    { grad: true, reduction: 'none', gradOutput: Array.from({ length: rows }, () => random.uniform()) },
    { reduction: 'sum', grad: true, emptyMean: 'zero' },
    { grad: true, weight: dtype === 'float64' ? Float64Array.from(weight) : weight },
  ];
  const plain: Options[] = dtype === 'float64' ? [{}] : [{}, { dtype: 'float32' }, { dtype: 'float16' }];
  if (name === 'softmaxJacobian') return plain;
  if (name === 'nllLoss') return [...plain, ...losses];
  if (name === 'crossEntropy')
    return [...plain, ...scaled, ...losses, { grad: true, logProbs: true, labelSmoothing: 0.1 }];
  if (name !== 'distillationLoss') return [...plain, ...scaled];
  const target = random.classes(rows, length);
  const withoutWeight = losses.slice(0, 2);
  return [...plain, ...scaled, ...withoutWeight, { target, alpha: 0.3, grad: true, labelSmoothing: 0.1 }];
}

describe.each(functionsAsync)('%s', (name) => {
  const fn = syncName(name);

  test.each(dtypes)('%s: arrays and tensors, all options', async (dtype) => {
    for (const [given, axis] of shapes) {
      const isJacobian = fn === 'softmaxJacobian';
      if (isJacobian && (axis !== given.length - 1 || given[axis] > 1000)) continue;
      const shape = isJacobian && given[0] > 100 ? [24, 60] : given;
      const problem = problemOf(fn, dtype, shape, axis);
      const { inputs, classes } = problem;
      const isHalf = dtype === 'float16' || dtype === 'bfloat16';
      for (const options of optionsOf(fn, dtype, problem)) {
        const all = isJacobian ? options : { axis, ...options };
        const tensors = inputs.map((data) => ({ data, dims: shape, type: dtype }));
        const label = `${shape}, ${Object.keys(options)}`;
        const wanted = bitsOf(callOf(fn, tensors, classes, all));
        expect(bitsOf(await callOf(name, tensors, classes, all)), label).toEqual(wanted);
        const copies = inputs.map((data) => ({ data: data.slice(), dims: shape, type: dtype }));
        const transferred = await callOf(name, copies, classes, { ...all, transfer: true });
        expect(bitsOf(transferred), `${label}, transferred`).toEqual(wanted);
        for (const { data } of copies) expect(data.length).toBe(0);
        const bare = { dtype: isHalf ? dtype : undefined, ...all, shape };
        if (isHalf && 'dtype' in options) continue;
        const wantedArrays = bitsOf(callOf(fn, inputs, classes, bare));
        expect(bitsOf(await callOf(name, inputs, classes, bare)), label).toEqual(wantedArrays);
      }
    }
  });

  test('out or grad: the very array, its bits, what was in it being no matter', async () => {
    for (const isTransferred of [false, true]) {
      const out = new Float32Array(outLength(name)).fill(Number.NaN);
      const options = { [outKey(name)]: out, transfer: isTransferred };
      const { promise, expected } = largeCall(name, options);
      const result = await promise;
      const written = isLoss(name) ? (result as { grad: unknown }).grad : result;
      expect(written).toBe(out);
      expect(bitsOf(result)).toEqual(expected);
    }
  });

  test('out or grad in another type, and as a tensor', async () => {
    const [rows, length] = sizeOf(name);
    const inputs = Array.from({ length: inputCount(name) }, () => random.normals(rows * length, 3));
    const classes = new Int32Array(rows);
    for (const type of ['float16', 'bfloat16'] as const) {
      const dims =
        name === 'logSumExpAsync'
          ? [rows]
          : [rows, length, ...(name === 'softmaxJacobianAsync' ? [length] : [])];
      const [now, later] = [0, 1].map(() => ({ data: new Uint16Array(outLength(name)), dims, type }));
      const shape = [rows, length];
      callOf(fn, inputs, classes, { shape, [outKey(name)]: now });
      const result = await callOf(name, inputs, classes, { shape, [outKey(name)]: later });
      expect(isLoss(name) ? (result as { grad: unknown }).grad : result).toBe(later);
      expect(bitsOf(later)).toEqual(bitsOf(now));
      expect(numbersOf(any(later?.data), type).some((value) => value !== 0)).toBe(true);
    }
  });
});

test('in place, where the synchronous functions may', async () => {
  const shape = [80, 1000];
  const logits = random.normals(80_000, 3);
  const classes = random.classes(80, 1000);
  for (const name of ['softmax', 'logSoftmax'] as const) {
    const x = logits.slice();
    const wanted = bitsOf(callOf(name, [logits], undefined, { shape }));
    expect(await callOf(`${name}Async`, [x], undefined, { shape, out: x })).toBe(x);
    expect(bitsOf(x)).toEqual(wanted);
  }
  for (const name of ['softmaxBackward', 'logSoftmaxBackward'] as const) {
    const wanted = bitsOf(callOf(name, [logits, logits], undefined, { shape }));
    const [g, y] = [logits.slice(), logits.slice()];
    expect(bitsOf(await callOf(`${name}Async`, [g, y], undefined, { shape, out: y }))).toEqual(wanted);
    expect(bitsOf(y)).toEqual(wanted);
    const both = logits.slice();
    expect(bitsOf(await callOf(`${name}Async`, [both, both], undefined, { shape, out: both }))).toEqual(
      wanted,
    );
    const same = logits.slice();
    expect(bitsOf(await callOf(`${name}Async`, [same, same], undefined, { shape, transfer: true }))).toEqual(
      wanted,
    );
  }
  for (const more of [{}, { logProbs: true }, { labelSmoothing: 0.2 }]) {
    const wanted = bitsOf(api.crossEntropy(logits, classes, { shape, grad: true, ...more }));
    const x = logits.slice();
    const result = await api.crossEntropyAsync(x, classes, { shape, grad: x, ...more });
    expect(result.grad).toBe(x);
    expect(bitsOf(result)).toEqual(wanted);
  }
  const x = logits.slice();
  const wanted = bitsOf(api.crossEntropy(logits, classes, { shape, logProbs: true }));
  expect(bitsOf(await api.crossEntropyAsync(x, classes, { shape, logProbs: x }))).toEqual(wanted);
});

test('probabilities as the target, which may be the logits or lie in their buffer', async () => {
  const shape = [80, 1000];
  const logits = random.uniforms(80_000, 0, 1);
  const options = { shape, grad: true } as const;
  const wanted = bitsOf(api.crossEntropy(logits, logits, options));
  expect(bitsOf(await api.crossEntropyAsync(logits, logits, options))).toEqual(wanted);
  const x = logits.slice();
  expect(bitsOf(await api.crossEntropyAsync(x, x, { ...options, transfer: true }))).toEqual(wanted);
  for (const [first, second] of [
    [0, 1],
    [1, 0],
    [40, 0],
  ] as const) {
    const memory = random.uniforms(80_040, 0, 1);
    const [a, b] = [first, second].map((begin) => memory.subarray(begin, begin + 80_000)) as [
      Float32Array,
      Float32Array,
    ];
    const overlapping = bitsOf(api.crossEntropy(a, b, options));
    const backward = bitsOf(api.softmaxBackward(a, b, { shape }));
    expect(bitsOf(await api.crossEntropyAsync(a, b, options))).toEqual(overlapping);
    const other = memory.slice();
    const [g, p] = [first, second].map((begin) => other.subarray(begin, begin + 80_000)) as [
      Float32Array,
      Float32Array,
    ];
    expect(bitsOf(await api.crossEntropyAsync(a, b, { ...options, transfer: true }))).toEqual(overlapping);
    expect(memory.length).toBe(0);
    expect(bitsOf(await api.softmaxBackwardAsync(g, p, { shape, transfer: true }))).toEqual(backward);
  }
  const distilled = { ...options, target: logits, alpha: 0.25, temperature: 2 };
  const both = bitsOf(api.distillationLoss(logits, logits, distilled));
  expect(bitsOf(await api.distillationLossAsync(logits, logits, distilled))).toEqual(both);
});

test('nothing to compute', async () => {
  for (const shape of [[0], [0, 5], [5, 0], [100_000, 0]]) {
    const none = new Float32Array(0);
    const rows = shape.length === 1 ? 1 : (shape[0] as number);
    for (const name of functionsAsync) {
      const inputs = inputCount(name) === 2 ? [none, none] : [none];
      const ignored = new Int32Array(rows).fill(-100);
      const wanted = bitsOf(callOf(syncName(name), inputs, ignored, { shape }));
      expect(bitsOf(await callOf(name, inputs, ignored, { shape })), `${name}, ${shape}`).toEqual(wanted);
      const given = inputs.map(() => new Float32Array(0));
      expect(bitsOf(await callOf(name, given, ignored, { shape, transfer: true }))).toEqual(wanted);
    }
  }
});

test('many at once, of all sizes, end with their own results', async () => {
  const calls = Array.from({ length: 60 }, (_, i) => {
    const length = 1 + random.integer(i % 3 === 0 ? 50_000 : 600);
    const x = random.normals(length);
    return { wanted: bitsOf(api.softmax(x)), promise: api.softmaxAsync(x) };
  });
  for (const { wanted, promise } of calls) expect(bitsOf(await promise)).toEqual(wanted);
});

test('a small call is not stuck behind a large one', async () => {
  const order: string[] = [];
  const [most, some] = [new Float32Array(16_000_000), random.normals(80_000)];
  const largest = api.softmaxAsync(most, { shape: [16_000, 1000], transfer: true });
  const smaller = api.softmaxAsync(some, { shape: [80, 1000] });
  await Promise.all([largest.then(() => order.push('large')), smaller.then(() => order.push('small'))]);
  expect(order).toEqual(['small', 'large']);
});
