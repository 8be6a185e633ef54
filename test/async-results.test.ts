// What asynchronous functions resolve with: the bits of the synchronous ones, of all dtypes, options and sizes.

import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  bitsOf,
  callOf,
  functionsAsync,
  inputsOf,
  isLoss,
  largeCall,
  newOut,
  type Options,
  outKey,
  outLength,
  sizeOf,
  syncName,
} from './helpers/async-calls.js';
import { any } from './helpers/calls.js';
import { arrayOf, type DType, dtypes, numbersOf } from './helpers/grid.js';
import { Random } from './helpers/random.js';
import { outputKeys, outShape, type Signature, signatureOf, signatures } from './helpers/signatures.js';

const random = new Random(20261128);

/** Small ones, which are computed at once, and large ones, along the last axis and along the middle one. */
const shapes = [
  [[3, 7], 1],
  [[2, 5, 3], 1],
  [[3, 400, 30], 1],
  [[2100, 2], 1],
  [[1, 70_001], 1],
] as const;
const inputCount = (name: string) => inputsOf(name).length;

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
  const target = random.classes(rows, length);
  const special: Options[] = [
    { grad: true, logProbs: true, labelSmoothing: 0.1 },
    { target, alpha: 0.3, grad: true, labelSmoothing: 0.1, weight: losses[2]?.weight },
  ];
  const { options, target: kind } = signatureOf(name);
  return [...plain, ...scaled, ...losses, ...special].filter(
    (some) =>
      Object.keys(some).every((option) => options.some((own) => own === option)) &&
      // Without a target there are no weights of classes.
      !(kind === 'option' && 'weight' in some && !('target' in some)),
  );
}

describe.each(functionsAsync)('%s', (name) => {
  const fn = syncName(name);

  test.each(dtypes)('%s: arrays and tensors, all options', async (dtype) => {
    for (const [given, axis] of shapes) {
      const isSquare = signatureOf(fn).result === 'square';
      if (isSquare && (axis !== given.length - 1 || given[axis] > 1000)) continue;
      const shape = isSquare && given[0] > 100 ? [24, 60] : given;
      const problem = problemOf(fn, dtype, shape, axis);
      const { inputs, classes } = problem;
      const isHalf = dtype === 'float16' || dtype === 'bfloat16';
      for (const options of optionsOf(fn, dtype, problem)) {
        const all = isSquare ? options : { axis, ...options };
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
      const out = newOut(name).fill(Number.NaN);
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
    const types = signatureOf(name).holds ? [] : (['float16', 'bfloat16'] as const);
    for (const type of types) {
      const dims = outShape(signatureOf(name), [rows, length]);
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

/** The inputs that an output may take the place of. */
const placesFor = (signature: Signature): number[] =>
  isLoss(signature.name) ? [0] : signature.inputs.map((_, i) => i);

test('in place, where the synchronous functions may', async () => {
  const shape = [80, 1000];
  const logits = random.normals(80_000, 3);
  const classes = random.classes(80, 1000);
  // Rows of one class have as many results as elements.
  const lengthOf = (result: string) => (result === 'row' ? 1 : 1000);
  for (const signature of signatures.filter(({ mayReplace }) => mayReplace)) {
    const { name, inputs, result } = signature;
    const shape = [logits.length / lengthOf(result), lengthOf(result)];
    const labels = result === 'row' ? new Int32Array(logits.length) : classes;
    for (const key of outputKeys(signature)) {
      const asked = key === 'out' ? {} : { [key]: true };
      const wanted = bitsOf(
        callOf(
          name,
          inputs.map(() => logits),
          labels,
          { shape, ...asked },
        ),
      );
      const check = async (given: readonly Float32Array[], label: string, more: object) => {
        const found = await callOf(`${name}Async`, given, labels, { shape, ...asked, ...more });
        expect(bitsOf(found), `${name}, ${key}, ${label}`).toEqual(wanted);
        return key === 'out' ? found : (found as Record<string, unknown>)[key];
      };
      for (const input of placesFor(signature)) {
        const given = inputs.map(() => logits.slice());
        const over = given[input] as Float32Array;
        const written = await check(given, `over ${inputs[input]}`, { [key]: over });
        expect(written).toBe(over);
        if (result === 'rows') expect(over).not.toEqual(logits);
      }
      const one = logits.slice();
      const same = inputs.map(() => one);
      // The teacher of a student's gradient stays as it is.
      if (placesFor(signature).length === inputs.length) await check(same, 'over all', { [key]: one });
      const other = logits.slice();
      await check(
        inputs.map(() => other),
        'given up',
        { transfer: true },
      );
    }
  }
  const x = logits.slice();
  const smoothed = { shape, labelSmoothing: 0.2 };
  const wanted = bitsOf(api.crossEntropy(logits, classes, { ...smoothed, grad: true }));
  const result = await api.crossEntropyAsync(x, classes, { ...smoothed, grad: x });
  expect(result.grad).toBe(x);
  expect(bitsOf(result)).toEqual(wanted);
  const both = bitsOf(api.crossEntropy(logits, classes, { shape, grad: true, logProbs: true }));
  const y = logits.slice();
  expect(bitsOf(await api.crossEntropyAsync(y, classes, { shape, grad: y, logProbs: true }))).toEqual(both);
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
