// Rows of which some classes are in one place and others in another: the bits of one call, in any order of merging.

import * as api from 'softmax-native';
import {
  crossEntropy,
  finishCrossEntropy,
  finishCrossEntropyAsync,
  finishLogSoftmax,
  finishLogSumExp,
  finishSoftmax,
  finishSoftmaxAsync,
  gatherTopK,
  logSumExp,
  mergePartials,
  partial,
  partialAsync,
  sample,
  softmax,
  topK,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { ExactRow, formats, ulpError, ulpOf } from './helpers/exact-row.js';
import { Random } from './helpers/random.js';
import { differenceOf, partOf, problemOf, shardOf, statesOf } from './helpers/shards.js';

const block = 4096;

describe('shards that begin at multiples of 4096 classes', () => {
  test('have the bits of whole rows, in any order of merging', () => {
    for (let seed = 1; seed <= 80; seed++) {
      const problem = problemOf(seed);
      expect(differenceOf(api, problem), problem.label).toBeUndefined();
    }
  });

  test('along any axis, of tensors and of 16-bit floats', () => {
    const random = new Random(3);
    const [outer, classes, inner] = [2, 2 * block, 3];
    const x = {
      type: 'bfloat16',
      data: new Uint16Array(outer * classes * inner),
      dims: [outer, classes, inner],
    };
    // From 0.5 to 8, of both signs.
    for (let i = 0; i < x.data.length; i++)
      x.data[i] = 0x3f00 + random.integer(0x200) + 0x8000 * random.integer(2);
    const cut = (from: Uint16Array, o: number, begin: number) =>
      from.subarray((o * classes + begin) * inner, (o * classes + begin + block) * inner);
    const shards = [0, block].map((offset) => {
      const data = new Uint16Array(outer * block * inner);
      for (let o = 0; o < outer; o++) data.set(cut(x.data, o, offset), o * block * inner);
      return { offset, tensor: { ...x, data, dims: [outer, block, inner] } };
    });
    const state = mergePartials(shards.map(({ tensor, offset }) => partial(tensor, { axis: 1, offset })));
    const expected = softmax(x, { axis: 1 });
    expect(finishLogSumExp(state)).toEqual(logSumExp({ ...x }, { axis: 1, dtype: 'float32' }).data);
    for (const { offset, tensor } of shards) {
      const { data, dims } = finishSoftmax(tensor, state, { axis: 1 });
      expect(dims).toEqual([outer, block, inner]);
      for (let o = 0; o < outer; o++)
        expect(data.subarray(o * block * inner, (o + 1) * block * inner)).toEqual(
          cut(expected.data, o, offset),
        );
    }
  });

  test('in place, and into arrays of the caller', () => {
    const x = new Random(5).normals(block + 100);
    const state = partial(x, { target: [block] });
    const out = new Float32Array(x.length);
    expect(finishSoftmax(x, state, { out })).toBe(out);
    expect(out).toEqual(softmax(x));
    const expected = crossEntropy(x, [block], { grad: true });
    const inPlace = x.slice();
    expect(finishCrossEntropy(inPlace, [block], state, { grad: inPlace }).loss).toBe(expected.loss);
    expect(inPlace).toEqual(expected.grad);
  });

  test('a block of nothing at temperature 0', () => {
    const x = new Float32Array(3 * block).fill(-Infinity);
    x[block + 5] = 1;
    x[2 * block + 7] = 1;
    const expected = new Float32Array(x.length);
    expected[block + 5] = 0.5;
    expected[2 * block + 7] = 0.5;
    expect(softmax(x, { temperature: 0 })).toEqual(expected);
    expect(finishSoftmax(x, partial(x, { temperature: 0 }))).toEqual(expected);
  });

  test('rows across that are near 0 beside others that are not', () => {
    const x = Float32Array.of(-1, 100);
    const options = { shape: [1, 2], axis: 0 };
    expect(finishLogSumExp(partial(x, options))).toEqual(logSumExp(x, options));
  });

  test('a block just below −1024, beside one just above', () => {
    const x = new Float32Array(2 * block).fill(-1000, 0, block).fill(-1030, block);
    const p = softmax(x);
    expect(p[5000]).toBeCloseTo(Math.exp(-30) / block, 20);
    expect(finishSoftmax(x, partial(x))).toEqual(p);
  });

  test('a float64 target that outweighs all others by hundreds, alone in its block', () => {
    const x = new Float64Array(3 * block).fill(-Infinity);
    [x[0], x[block], x[2 * block]] = [700, 7, -14];
    const whole = crossEntropy(x, [0], { grad: true });
    const own = finishCrossEntropy(x, [0], partial(x, { target: [0] }), { grad: true });
    expect(own.loss).toBe(whole.loss);
    expect(own.grad).toEqual(whole.grad);
  });

  test('a state goes through bytes', () => {
    const x = new Random(6).normals(5000);
    const bytes = new Uint8Array(partial(x).buffer);
    // As a socket gives them: at any address.
    const received = Buffer.concat([Buffer.from([7]), bytes]).subarray(1);
    expect(finishLogSumExp(received)).toEqual(logSumExp(x, { shape: [1, -1] }));
  });
});

test('any other shards are as exact: 4 ULP, or an ULP of the largest logit', () => {
  let cuts = 0;
  for (let seed = 1000; seed < 1040; seed++) {
    const random = new Random(seed);
    const classes = 1 + random.integer(3 * block);
    const logits = random.normals(classes, [0.1, 1, 10, 100][seed % 4]);
    const begins = [0, random.integer(classes), random.integer(classes)].sort((a, b) => a - b);
    const shards = begins
      .map((begin, i) => ({ begin, end: begins[i + 1] ?? classes }))
      .filter(({ begin, end }) => begin < end);
    cuts += shards.length - 1;
    const states = shards.map(({ begin, end }) => partial(logits.subarray(begin, end), { offset: begin }));
    const state = mergePartials(states);
    const row = new ExactRow(Array.from(logits), formats.float32);
    const largest = logits.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const [found] = finishLogSumExp(state) as Float32Array;
    expect(
      ulpError(found as number, row.logSumExp(), formats.float32, ulpOf(largest, formats.float32) / 4),
    ).toBeLessThan(4);
    for (const { begin, end } of shards) {
      const p = finishSoftmax(logits.subarray(begin, end), state);
      const whole = softmax(logits).subarray(begin, end);
      p.forEach((value, i) => {
        const other = whole[i] as number;
        expect(Math.abs(value - other)).toBeLessThanOrEqual(8 * ulpOf(other, formats.float32));
      });
    }
  }
  expect(cuts).toBeGreaterThan(50);
});

describe('the fields of a state', () => {
  test('are as they are documented', () => {
    const x = Float32Array.of(1, 3, 2, 4, 0, 0);
    const state = partial(x, { shape: [2, 3], offset: block, temperature: 2, target: [block + 2, 7] });
    expect(state).toHaveLength(7 + 2 + 2 * (4 + 9));
    expect([...state.subarray(0, 9)]).toEqual([0x736d78, 1, 32, 2, 1, 1, 0, block, block + 3]);
    // Of the first row: multiplier, arg max, target, its logit; then the largest logit of its only node.
    expect([...state.subarray(9, 14)]).toEqual([0.5, block + 1, block + 2, 2, 3]);
    // Of the second, whose target is elsewhere.
    expect([...state.subarray(22, 27)]).toEqual([0.5, block, 7, Number.NaN, 4]);
  });
});

describe('asynchronous twins', () => {
  test('give the same, also of arrays that change meanwhile', async () => {
    const x = new Random(7).normals(64 * (block + 904));
    const options = { shape: [64, -1] };
    const target = Int32Array.from({ length: 64 }, (_, row) => row);
    const expected = partial(x, { ...options, target });
    const given = x.slice();
    const pending = partialAsync(given, { ...options, target });
    given.fill(0);
    const state = await pending;
    expect(state).toEqual(expected);
    expect(await finishSoftmaxAsync(x, state, options)).toEqual(softmax(x, options));
    const { loss, grad } = await finishCrossEntropyAsync(x, target, state, { ...options, grad: true });
    const whole = crossEntropy(x, target, { ...options, grad: true });
    expect(loss).toBe(whole.loss);
    expect(grad).toEqual(whole.grad);
  });
});

describe('gatherTopK', () => {
  test('topK and sample give what they give of all logits', () => {
    const [rows, classes] = [3, 10_000];
    const x = new Random(8).normals(rows * classes, 3);
    // Ties across shards: the lower index comes first.
    for (let row = 0; row < rows; row++) for (const k of [9, 5000, 9999]) x[row * classes + k] = 20;
    const cuts = [0, 4096, 7000, classes];
    const parts = cuts.slice(0, -1).map((begin, i) => {
      const end = cuts[i + 1] as number;
      const own = partOf(x, { rows, classes, isAcross: false }, { begin, end });
      return { ...topK(own, 20, { shape: [rows, end - begin] }), offset: begin };
    });
    const logits = gatherTopK(parts, { classes, rows }) as Float32Array;
    const options = { shape: [rows, classes] };
    expect(topK(logits, 20, options)).toEqual(topK(x, 20, options));
    for (const more of [
      { topK: 20 },
      { topK: 7, topP: 0.9, temperature: 3 },
      { topK: 12, minP: 0.01, typicalP: 0.8 },
    ]) {
      const draws = { ...options, ...more, count: 50, seed: 11 };
      // rawLogProbs are of all logits: the gathered ones have not them all.
      const { rawLogProbs: _, ...drawn } = sample(logits, draws as never);
      expect(sample(x, draws as never)).toMatchObject(drawn);
    }
  });
});

test('shards of problems that are no multiple of anything agree with themselves', () => {
  for (let seed = 2000; seed < 2020; seed++) {
    const problem = problemOf(seed, false);
    if (problem.options.temperature === 0) continue;
    const state = mergePartials(statesOf(api, problem));
    const found = finishLogSumExp(state);
    problem.shards.forEach((shard) => {
      const { x, given } = shardOf(problem, shard);
      const logs = finishLogSoftmax(x, state, given) as Float32Array;
      expect(logs, problem.label).toHaveLength(x.length);
    });
    const { rows, classes, isAcross } = problem;
    const whole = logSumExp(problem.logits, {
      ...(isAcross ? { shape: [classes, rows], axis: 0 } : { shape: [rows, classes] }),
      ...problem.options,
      ...(problem.mask && { mask: problem.mask }),
    } as never) as Float32Array;
    whole.forEach((value, row) => {
      const tolerance = 2 ** -20 * Math.max(1, Math.abs(value));
      if (Number.isFinite(value))
        expect(Math.abs((found[row] as number) - value), problem.label).toBeLessThan(tolerance);
      else expect(found[row], problem.label).toBe(value);
    });
  }
});
