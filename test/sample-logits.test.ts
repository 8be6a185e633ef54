// What sample does to logits before its filters: penalties, bias, masks. Each against the same call with changed logits.

import { sample, sampleAsync } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, bytesOf } from './helpers/calls.js';
import { Random } from './helpers/random.js';

interface Sampled {
  readonly tokens: Int32Array;
  readonly logProbs: Float32Array;
  readonly rawLogProbs: Float32Array;
  readonly kept: Int32Array;
  readonly topTokens: Int32Array;
  readonly topLogProbs: Float32Array;
}
type Row = Float32Array | Float64Array;
const sampled = (row: Row, options: object) =>
  sample(row as Float32Array, any(options)) as unknown as Sampled;

const common = { seed: 9, count: 4, top: 5, logProbsOf: 'processed', topP: 0.99 };
/** The same results, but for the log-probabilities of the logits as given. */
function expectSame(row: Row, options: object, changed: Row, more: object = {}): void {
  const { rawLogProbs: _, ...own } = sampled(row, { ...common, ...more, ...options });
  const { rawLogProbs: __, ...wanted } = sampled(changed, { ...common, ...more });
  expect(own, JSON.stringify(options)).toEqual(wanted);
}

const random = new Random(31);
const length = 70;
const row = random.normals(length, 2);
row[3] = Number.NEGATIVE_INFINITY;
const changedBy = <Values extends Row>(from: Values, change: (logit: number, k: number) => number): Values =>
  from.map(change as (logit: number) => number) as Values;

describe('penalties', () => {
  const tokens = [5, 3, 5, 60, 5, 0, 60];
  const countOf = (k: number) => tokens.filter((token) => token === k).length;

  test.each([
    ['float32', row],
    ['float64', Float64Array.from(row)],
  ])('by their formulas, of %s', (_, own: Row) => {
    for (const [repetition, frequency, presence] of [
      [1.3, 0, 0],
      [0.5, 0, 0],
      [1, 0.7, 0],
      [1, 0, -1.5],
      [1.1, 0.3, 0.2],
    ] as const) {
      // Each of the two steps is rounded to the logits' type.
      const round = own instanceof Float32Array ? Math.fround : (value: number) => value;
      const changed = changedBy(own, (z, k) => {
        if (countOf(k) === 0) return z;
        const repeated = round(z > 0 ? z / repetition : z * repetition);
        return repeated - (frequency * countOf(k) + presence);
      });
      expectSame(own, { penalties: { tokens, repetition, frequency, presence } }, changed);
    }
  });
  test('one row each: by offsets, by equal parts, with numbers of their own', () => {
    const rows = random.normals(3 * 10, 2);
    const shape = { shape: [3, 10] };
    const whole = sampled(rows, {
      ...{ ...shape, ...common, seed: [1, 2, 3] },
      penalties: { tokens: [1, 1, 2, 9], offsets: [0, 2, 2, 4], frequency: [1, 5, 0.5] },
    });
    const changed = rows.slice();
    for (const [k, penalty] of [
      [1, 2],
      [22, 0.5],
      [29, 0.5],
    ] as const)
      changed[k] = (changed[k] as number) - penalty;
    const { rawLogProbs: _, ...wanted } = sampled(changed, { ...shape, ...common, seed: [1, 2, 3] });
    expect(whole).toMatchObject(wanted);
    const equal = { data: BigInt64Array.of(1n, 1n, 4n, 5n, 2n, 9n), dims: [3, 2], type: 'int64' };
    const byTensor = sampled(rows, { ...shape, ...common, penalties: { tokens: equal, presence: 1 } });
    const byOffsets = sampled(rows, {
      ...{ ...shape, ...common },
      penalties: { tokens: [1, 1, 4, 5, 2, 9], offsets: [0, 2, 4, 6], presence: 1 },
    });
    expect(byTensor).toEqual(byOffsets);
  });
});

describe('bias', () => {
  const bias = random.normals(length, 3);
  bias[7] = Number.NEGATIVE_INFINITY;
  test('of all classes', () => {
    const changed = changedBy(row, (z, k) => z + (bias[k] as number));
    expectSame(row, { bias }, changed);
    expectSame(row, { bias: [...bias] }, changed);
    expectSame(row, { bias: { data: bias, dims: [length] } }, changed);
    const halves = { data: Uint16Array.from({ length }, () => 0x3f80), dims: [length], type: 'bfloat16' };
    expectSame(
      row,
      { bias: halves },
      changedBy(row, (z) => z + 1),
    );
  });
  test('of some, which add up', () => {
    const changed = changedBy(row, (z, k) => (k === 0 ? Math.fround(z + 2) + 1 : k === 69 ? -Infinity : z));
    expectSame(row, { bias: { indices: [0, 69, 0], values: [2, -Infinity, 1] } }, changed);
  });
  test('of some in each row', () => {
    const rows = random.normals(2 * 10, 2);
    const changed = changedBy(rows, (z, k) => (k === 2 ? z + 4 : k === 15 ? z - 3 : z));
    const shape = { shape: [2, 10] };
    expectSame(
      rows,
      { bias: { indices: [2, 5], values: [4, -3], offsets: Uint32Array.of(0, 1, 2) } },
      changed,
      shape,
    );
  });
});

describe('masks', () => {
  const keeps = Uint8Array.from({ length }, () => random.integer(2));
  const words = (kept: ArrayLike<number>) => {
    const packed = new Uint32Array(Math.ceil(kept.length / 32));
    for (let k = 0; k < kept.length; k++)
      packed[k >>> 5] = ((packed[k >>> 5] as number) | ((kept[k] ? 1 : 0) << (k & 31))) >>> 0;
    return packed;
  };
  const changed = changedBy(row, (z, k) => (keeps[k] ? z : -Infinity));
  test('bytes and bits', () => {
    expectSame(row, { mask: keeps }, changed);
    expectSame(row, { allowed: words(keeps) }, changed);
    expectSame(row, { allowed: new Int32Array(words(keeps).buffer) }, changed);
    expectSame(
      row,
      { allowed: { data: new Int32Array(words(keeps).buffer), dims: [1, 3], type: 'int32' } },
      changed,
    );
    const odd = Uint8Array.from({ length }, (_, k) => k % 2);
    const both = changedBy(changed, (z, k) => (odd[k] ? z : -Infinity));
    expectSame(row, { mask: keeps, allowed: words(odd) }, both);
  });
  test('bits of each row', () => {
    const rows = random.normals(3 * 40, 1);
    const each = [0, 1, 2].map(() => Uint8Array.from({ length: 40 }, () => random.integer(2)));
    const allowed = Int32Array.from(each.flatMap((own) => [...words(own)]));
    const dropped = changedBy(rows, (z, k) => (each[Math.floor(k / 40)]?.[k % 40] ? z : -Infinity));
    expectSame(rows, { allowed }, dropped, { shape: [3, 40] });
  });
});

describe('places', () => {
  const rows = random.normals(2 * 3 * 4, 2);
  const options = { seed: [1, 2, 3, 4, 5, 6], top: 2, temperature: 0.8 };
  const whole = sampled(rows, { ...options, shape: [2, 3, 4] });

  test('any axis', () => {
    // [2, 4, 3]: classes on axis 1.
    const turned = rows.slice();
    for (let o = 0; o < 2; o++)
      for (let i = 0; i < 3; i++)
        for (let k = 0; k < 4; k++) turned[(o * 4 + k) * 3 + i] = rows[(o * 3 + i) * 4 + k] as number;
    expect(sampled(turned, { ...options, shape: [2, 4, 3], axis: 1 })).toEqual(whole);
  });
  test('tensors in, tensors out', () => {
    const tensor = { data: rows, dims: [2, 3, 4], type: 'float32' };
    const result = sample(tensor, any({ ...options, count: 1 })) as unknown as Record<string, object>;
    const of = (data: object, dims: number[], type: string) => ({ data, dims, type });
    expect(result).toEqual({
      tokens: of(whole.tokens, [2, 3, 1], 'int32'),
      logProbs: of(whole.logProbs, [2, 3, 1], 'float32'),
      rawLogProbs: of(whole.rawLogProbs, [2, 3, 1], 'float32'),
      kept: of(whole.kept, [2, 3], 'int32'),
      topTokens: of(whole.topTokens, [2, 3, 2], 'int32'),
      topLogProbs: of(whole.topLogProbs, [2, 3, 2], 'float32'),
      seed: options.seed,
    });
    const plain = sample({ data: rows, shape: [2, 3, 4] }, any(options)) as unknown as Record<string, object>;
    expect(plain.tokens).toEqual({ data: whole.tokens, shape: [2, 3] });
  });
  test('16-bit logits are computed in float32', () => {
    const bits = Uint16Array.from(
      rows,
      (value) => (new Uint32Array(Float32Array.of(value).buffer)[0] as number) >>> 16,
    );
    const floats = Float32Array.from(
      bits,
      (half) => new Float32Array(Uint32Array.of(half << 16).buffer)[0] as number,
    );
    const halves = sample(any(bits), any({ ...options, shape: [2, 3, 4], dtype: 'bfloat16' }));
    expect(halves).toEqual(sampled(floats, { ...options, shape: [2, 3, 4] }));
  });

  const names = ['tokens', 'logProbs', 'rawLogProbs', 'kept', 'topTokens', 'topLogProbs'] as const;
  const outsOf = () => ({
    tokens: new Int32Array(6),
    logProbs: new Float32Array(6),
    rawLogProbs: new Float32Array(6),
    kept: new Int32Array(6),
    topTokens: new Int32Array(12),
    topLogProbs: new Float32Array(12),
  });
  test('out: what is given is filled, and returned', async () => {
    const all = { ...options, shape: [2, 3, 4] };
    for (const run of [sample, sampleAsync]) {
      const out = outsOf();
      const result = (await run(rows, any({ ...all, out }))) as unknown as Record<string, unknown>;
      for (const name of names) expect(result[name]).toBe(out[name]);
      expect(out).toEqual(Object.fromEntries(names.map((name) => [name, whole[name]])));
      const some = { kept: new Int32Array(6) };
      const few = (await run(rows, any({ ...all, out: some }))) as unknown as Record<string, unknown>;
      expect(Object.keys(few).sort()).toEqual(['kept', 'seed', 'tokens']);
      expect(few.tokens).toEqual(whole.tokens);
      // Every other one, backwards.
      const data = new Int32Array(12).fill(7);
      const spread = { data, dims: [2, 3], strides: [-6, -2], offset: 11 };
      await run(rows, any({ ...all, out: { tokens: spread } }));
      expect([...data]).toEqual([...whole.tokens].reverse().flatMap((token) => [7, token]));
    }
  });
  test('float64 logits have log-probabilities in float64', () => {
    const doubles = Float64Array.from(rows);
    const out = { logProbs: new Float64Array(6), topLogProbs: new Float64Array(12) };
    sampled(doubles, { ...options, shape: [2, 3, 4], out });
    const free = sampled(doubles, { ...options, shape: [2, 3, 4] });
    expect(bytesOf(out.logProbs)).toEqual(bytesOf(free.logProbs));
    expect(free.topLogProbs).toBeInstanceOf(Float64Array);
  });
  test('away from the event loop', async () => {
    const long = random.normals(40 * 5000, 2);
    const all = {
      shape: [40, 5000],
      seed: 4,
      topP: 0.9,
      penalties: { tokens: new Int32Array(40), presence: 1 },
    };
    const wanted = sampled(long, all);
    const copy = long.slice();
    const promise = sampleAsync(copy, any(all));
    copy.fill(0);
    expect(await promise).toEqual(wanted);
    const given = long.slice();
    const out = { tokens: new Int32Array(40) };
    const moved = sampleAsync(given, any({ ...all, out, transfer: true }));
    expect(given.length).toBe(0);
    await moved;
    expect(out.tokens).toEqual(wanted.tokens);
    const reason = new Error('stop');
    await expect(sampleAsync(long, any({ ...all, signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const lost = { tokens: new Int32Array(40) };
    const late = sampleAsync(long, any({ ...all, out: lost }));
    structuredClone(lost.tokens.buffer, { transfer: [lost.tokens.buffer] });
    await expect(late).rejects.toMatchObject({ code: 'ERR_DETACHED', fn: 'sample' });
  });
});
