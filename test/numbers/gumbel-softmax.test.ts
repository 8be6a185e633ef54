// gumbelSoftmax: the noise by its formula, the draws by their frequencies, seeds, axes and dtypes, bad input, its bits.

import { createHash } from 'node:crypto';
import * as api from 'softmax-native';
import { gumbelSoftmax, gumbelSoftmaxAsync, sample, softmax } from 'softmax-native';
import * as js from 'softmax-native/js';
import { describe, expect, test } from 'vitest';
import { uniformOf } from '../../src/backends/js/sampling/philox.js';
import { type Module, outcomeOf } from '../helpers/bad-calls.js';
import { badArguments, badOptions } from '../helpers/bad-roles.js';
import { any } from '../helpers/calls.js';
import { Random } from '../helpers/random.js';

const { NaN: nan, NEGATIVE_INFINITY: none } = Number;
const noiseOf = (seed: number, step: number, row: number, k: number): number =>
  -Math.log(-Math.log(uniformOf({ seedLow: seed, seedHigh: 0, stepLow: step, stepHigh: 0, row }, k)));
const x = new Random(5).normals(4 * 7, 2);
const shape = [4, 7];

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs((actual[i] as number) - (expected[i] as number)), `[${i}]`).toBeLessThanOrEqual(
      tolerance,
    );
}

describe('gumbelSoftmax', () => {
  test('is the softmax of logits and noise', () => {
    for (const [temperature, scale] of [
      [1, 1],
      [0.5, -2],
    ] as const) {
      const doubles = Float64Array.from(x);
      const noisy = doubles.map((z, i) => scale * z + noiseOf(8, 3, Math.floor(i / 7), i % 7));
      const options = { shape, temperature, scale, seed: 8, step: 3 };
      expectClose(gumbelSoftmax(doubles, options), softmax(noisy, { shape, temperature }), 1e-14);
      const floats = softmax(Float32Array.from(noisy), { shape, temperature });
      expectClose(gumbelSoftmax(x, options), floats, 1e-6);
    }
  });

  test('hard: one 1 a row, at its largest; as often as softmax says', () => {
    const rows = 20_000;
    const logits = new Float32Array(rows * 3).map((_, i) => Math.log((i % 3) + 1));
    const soft = gumbelSoftmax(logits, { shape: [rows, 3], seed: 2 });
    const hard = gumbelSoftmax(logits, { shape: [rows, 3], seed: 2, hard: true });
    const counts = [0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const some = [...soft.subarray(3 * row, 3 * row + 3)];
      const at = some.indexOf(Math.max(...some));
      expect([...hard.subarray(3 * row, 3 * row + 3)]).toEqual([0, 1, 2].map((k) => Number(k === at)));
      counts[at] = (counts[at] as number) + 1;
    }
    const squares = counts.map((count, k) => (count - (rows * (k + 1)) / 6) ** 2 / ((rows * (k + 1)) / 6));
    // The 99.9 % quantile of chi-square with 2 degrees of freedom.
    expect(squares.reduce((a, b) => a + b)).toBeLessThan(13.8);
  });

  test('a row with a seed of its own does not depend on others', () => {
    const all = gumbelSoftmax(x, { shape, seed: [5, 6, 7, 8], step: 2 });
    for (let row = 0; row < 4; row++) {
      const alone = gumbelSoftmax(x.slice(7 * row, 7 * row + 7), { seed: [5 + row], step: 2 });
      expect(all.slice(7 * row, 7 * row + 7)).toEqual(alone);
    }
    const fresh = () => gumbelSoftmax(x, { shape });
    expect(fresh()).not.toEqual(fresh());
    expect(gumbelSoftmax(x, { shape, seed: 1 })).not.toEqual(gumbelSoftmax(x, { shape, seed: 1, step: 1 }));
  });

  test('axes, dtypes, tensors, masks, in place, away from the event loop', async () => {
    const options = { shape, seed: 3, temperature: 0.7 };
    const expected = gumbelSoftmax(x, options);
    const columns = Float32Array.from(x, (_, i) => x[(i % 4) * 7 + Math.floor(i / 4)] as number);
    const transposed = gumbelSoftmax(columns, { ...options, shape: [7, 4], axis: 0 });
    expect(Float32Array.from(x, (_, i) => transposed[(i % 7) * 4 + Math.floor(i / 7)] as number)).toEqual(
      expected,
    );
    expect(await gumbelSoftmaxAsync(x, options)).toEqual(expected);
    const over = x.slice();
    expect(gumbelSoftmax(over, { ...options, out: over })).toBe(over);
    expect(over).toEqual(expected);
    const tensor = { data: x, dims: [4, 7], type: 'float32' };
    expect(gumbelSoftmax(tensor, { seed: 3, temperature: 0.7 })).toEqual({ ...tensor, data: expected });
    const halves = gumbelSoftmax(any({ data: Uint16Array.of(0x3f80, 0x3f80), dims: [2], type: 'bfloat16' }), {
      seed: 3,
      dtype: 'float32',
    });
    expectClose(
      (halves as { data: Float32Array }).data,
      gumbelSoftmax(Float32Array.of(1, 1), { seed: 3 }),
      0,
    );
    const mask = Uint8Array.of(1, 0, 1, 1, 1, 0, 1);
    const masked = gumbelSoftmax(x, { ...options, scale: -1, mask });
    for (let i = 0; i < x.length; i++) expect(masked[i] === 0, `[${i}]`).toBe(mask[i % 7] === 0);
  });

  test('has the bits of JavaScript in any layout, type and length', () => {
    const random = new Random(9);
    const pick = <Value>(...values: Value[]): Value => values[random.integer(values.length)] as Value;
    for (let i = 0; i < 150; i++) {
      const [rows, length] = [pick(1, 2, 5), pick(1, 7, 16, 100, 511, 513, 1100)];
      const floats = random.normals(rows * length, pick(1, 30));
      if (i % 4 === 0) floats[random.integer(floats.length)] = pick(nan, none, Infinity);
      const words = new Uint32Array(floats.buffer);
      const bits = () => Uint16Array.from(words, (word) => word >>> 16);
      const [logits, dtype] = pick<[unknown, string | undefined]>(
        [floats, undefined],
        [Float64Array.from(floats), undefined],
        [bits(), 'bfloat16'],
      );
      const isByRow = random.integer(2) === 0;
      const options = {
        ...(isByRow ? { shape: [rows, length] } : { shape: [length, rows], axis: 0 }),
        ...pick<object>({}, { mask: Uint8Array.from(floats, () => random.integer(3)) }),
        ...{ dtype, seed: i, step: i % 3, hard: pick(true, false) },
        ...{ temperature: pick(1, 0.5, 0), scale: pick(1, -2) },
      };
      expect(
        gumbelSoftmax(any(logits), any(options)),
        JSON.stringify({ ...options, mask: undefined }),
      ).toEqual(js.gumbelSoftmax(any(logits), any(options)));
    }
  });

  test('rows without a distribution, the limits of temperature', () => {
    const rows = Float32Array.of(1, nan, none, none, 1, Infinity, 0, none);
    const nans = [nan, nan, nan, nan, nan, nan, 1, 0];
    expect([...gumbelSoftmax(rows, { shape: [4, 2], seed: 1 })]).toEqual(nans);
    expect([...gumbelSoftmax(rows, { shape: [4, 2], seed: 1, hard: true })]).toEqual(nans);
    const cold = gumbelSoftmax(x, { shape, seed: 4, temperature: 0 });
    expect(cold).toEqual(gumbelSoftmax(x, { shape, seed: 4, hard: true }));
    expect([...gumbelSoftmax(Float32Array.of(1, 2), { seed: 4, temperature: Infinity })]).toEqual([0.5, 0.5]);
    expect(gumbelSoftmax(new Float32Array(0))).toEqual(new Float32Array(0));
  });

  test('refuses what is wrong, and writes nothing then', async () => {
    const module = api as unknown as Module;
    for (const name of ['gumbelSoftmax', 'gumbelSoftmaxAsync']) {
      for (const option of ['hard', 'seed', 'step', 'shape', 'axis', 'temperature', 'scale', 'mask'] as const)
        for (const [label, make] of badOptions[option]) {
          const out = new Float32Array(6).fill(77);
          const given = () => [Float32Array.of(1, 2, 3, 3, 2, 1), { shape: [2, 3], out, [option]: make() }];
          const { error, touched } = await outcomeOf(module, name, { label, make: given });
          expect((error as { code?: string })?.code, `${name}, ${option}: ${label}`).toMatch(/^ERR_/);
          expect(touched, label).toBeUndefined();
        }
      for (const [label, make] of badArguments.floats) {
        const { error } = await outcomeOf(module, name, {
          label,
          make: () => [make(), { shape: [2, 3], out: new Float32Array(6) }],
        });
        expect((error as { fn?: string })?.fn, label).toBe('gumbelSoftmax');
      }
    }
    const seeds = new Int32Array(new SharedArrayBuffer(8));
    const out = new Float32Array(seeds.buffer);
    expect(() => gumbelSoftmax(Float32Array.of(1, 2), { shape: [2, 1], seed: seeds, out })).toThrow(
      /out .* seed/,
    );
    expect(() => gumbelSoftmax(x, any({ top: 1 }))).toThrow(/top/);
    expect(() => sample(x, any({ hard: true }))).toThrow(/hard/);
  });

  test('its bits', () => {
    const many = gumbelSoftmax(new Random(6).normals(5000, 3), { shape: [10, 500], seed: 77n, step: 5 });
    expect(createHash('sha256').update(many).digest('hex').slice(0, 16)).toBe('7a3a1c00c8ea7ab9');
  });
});
