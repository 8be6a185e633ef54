// Labels and tokens of bare float32 rows into arrays that are there take a short way (src/operations/tokens/fast-*.ts): with
// the results, checks and errors of all others.

import { argMax, sample, tokenLogProbs, topK } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { type AnyFunction, any, bytesOf, expectError, zeros } from './helpers/calls.js';
import { Random } from './helpers/random.js';

type Places = Record<string, Float32Array | Int32Array>;
const random = new Random(20261130);
const integers = (length: number) => new Int32Array(length);

interface Kind {
  readonly name: string;
  /** Of two rows of 6 classes. */
  readonly places: () => Places;
  /** What it reads beside logits. */
  readonly read: Int32Array | Uint32Array | undefined;
  readonly call: (logits: unknown, options: object) => unknown;
}
const tokens = Int32Array.of(5, 0);
const seeds = Uint32Array.of(7, 8);
const kinds: readonly Kind[] = [
  {
    name: 'topK',
    places: () => ({ values: zeros(4), indices: integers(4) }),
    read: undefined,
    call: (x, options) => topK(any(x), 2, any(options)),
  },
  {
    name: 'tokenLogProbs',
    places: () => ({ logProbs: zeros(2), ranks: integers(2), logSumExp: zeros(2) }),
    read: tokens,
    call: (x, options) => tokenLogProbs(any(x), tokens, any(options)),
  },
  {
    name: 'sample',
    places: () => ({ tokens: integers(2), logProbs: zeros(2), rawLogProbs: zeros(2), kept: integers(2) }),
    read: seeds,
    call: (x, options) => (sample as AnyFunction)(x, { seed: seeds, topK: 4, ...options }),
  },
];
const bytes = (places: object) =>
  Object.entries(places).map(([name, array]) => [
    name,
    ArrayBuffer.isView(array) ? bytesOf(any(array)) : array,
  ]);
/** A tensor is not plain. */
const general = (data: Float32Array, shape: readonly number[]) => ({ data, dims: shape });
const shape = [2, 6];

describe.each(kinds)('$name', ({ name, places, read, call }) => {
  test('the bits of the general way, in the same fields', () => {
    for (const options of [{ shape }, { shape: [2, -1] }, { shape, axis: 1 }]) {
      const [x, out] = [random.normals(12, 3), places()];
      const result = call(x, { ...options, out }) as Places;
      for (const key of Object.keys(out)) expect(result[key], key).toBe(out[key]);
      const other = call(general(x, shape), { out: places() }) as Places;
      expect(Object.keys(result)).toEqual(Object.keys(other));
      expect(bytes(result)).toEqual(bytes(other));
    }
  });

  test('places in memory that is read, or of another result', () => {
    const code = 'ERR_OUT_OVERLAP';
    const keys = Object.keys(places());
    for (const key of keys) {
      const memory = new ArrayBuffer(256);
      const own = places()[key] as Float32Array;
      const kind = own.constructor as Float32ArrayConstructor;
      const at = (begin: number) => new kind(memory, begin, own.length);
      const x = new Float32Array(memory, 0, 12);
      const argument = `out.${key}`;
      const into = (place: unknown) => () => call(x, { shape, out: { ...places(), [key]: place } });
      expectError('RangeError', { code, fn: name, argument }, into(at(44)), new Uint8Array(memory));
      // Beside them.
      expect(into(at(48))).not.toThrow();
      if (read) {
        const before = read.slice();
        const over = new kind(read.buffer as ArrayBuffer, 0, 2);
        const run = () => call(zeros(12), { shape, out: { ...places(), [key]: over } });
        expectError('RangeError', { code, fn: name, argument }, run, read);
        expect(read).toEqual(before);
      }
      for (const second of keys) {
        if (second === key) continue;
        const other = places()[second] as Float32Array;
        const also = new (other.constructor as Float32ArrayConstructor)(memory, 64, other.length);
        const out = { ...places(), [key]: at(64), [second]: also };
        const both = () => call(zeros(12), { shape, out });
        expectError('RangeError', { code, fn: name }, both, new Uint8Array(memory));
      }
    }
  });

  test('places and options are read once, also where the call turns out not to be plain', () => {
    for (const length of [12, 11, 0]) {
      const reads: Record<string, number> = {};
      const counting = <Value extends object>(value: Value): Value =>
        new Proxy(value, {
          get(target, key, receiver) {
            reads[String(key)] = (reads[String(key)] ?? 0) + 1;
            return Reflect.get(target, key, receiver);
          },
        });
      const out = places();
      try {
        call(zeros(length), { shape: counting([2, 6]), out: counting(out) });
      } catch {}
      for (const [key, count] of Object.entries(reads)) expect(count, key).toBe(1);
      if (length === 12) for (const key of Object.keys(out)) expect(reads[key], key).toBe(1);
    }
  });

  test('logits that a place of `out` takes away', () => {
    const x = random.normals(12);
    const out = places();
    const [key, place] = Object.entries(out)[0] as [string, Float32Array];
    Object.defineProperty(out, key, {
      enumerable: true,
      get() {
        structuredClone(x.buffer, { transfer: [x.buffer as ArrayBuffer] });
        return place;
      },
    });
    expectError('TypeError', { code: 'ERR_DETACHED', fn: name }, () => call(x, { shape, out }), place);
  });

  test('wrong places', () => {
    const error = { code: 'ERR_SHAPE', fn: name } as const;
    for (const key of Object.keys(places())) {
      const out = places();
      const place = out[key] as Float32Array;
      out[key] = new (place.constructor as Float32ArrayConstructor)(place.length + 1);
      expectError('RangeError', { ...error, argument: `out.${key}` }, () => call(zeros(12), { shape, out }));
    }
    const unknown = { ...places(), values2: zeros(4) };
    expectError('TypeError', { code: 'ERR_OPTION', fn: name, argument: 'out' }, () =>
      call(zeros(12), { shape, out: unknown }),
    );
  });
});

test('argMax: into an array that is there', () => {
  const x = random.normals(12, 3);
  const out = integers(2);
  expect(argMax(x, { shape, out })).toBe(out);
  expect([...out]).toEqual(
    [0, 1].map((row) => {
      const values = [...x.subarray(6 * row, 6 * row + 6)];
      return values.indexOf(Math.max(...values));
    }),
  );
  const error = { code: 'ERR_OUT_OVERLAP', fn: 'argMax', argument: 'out' } as const;
  const over = new Int32Array(x.buffer as ArrayBuffer, 0, 2);
  expectError('RangeError', error, () => argMax(x, { shape, out: over }), x);
});

test('tokenLogProbs: several tokens a row; none that is no class', () => {
  const x = random.normals(12, 3);
  const given = Int32Array.of(1, 2, 3, 3, 0, 5);
  const out = { logProbs: zeros(6), ranks: integers(6), logSumExp: zeros(2) };
  tokenLogProbs(x, given, { shape, out });
  const other = tokenLogProbs(x, [...given], { shape });
  expect(bytes(out)).toEqual(bytes(other));
  for (const wrong of [-1, 6]) {
    const error = { code: 'ERR_TARGET_RANGE', fn: 'tokenLogProbs', argument: 'tokens', index: 1 } as const;
    const places = { logProbs: zeros(2), ranks: integers(2), logSumExp: zeros(2) };
    const call = () => tokenLogProbs(x, Int32Array.of(1, wrong), { shape, out: places });
    expectError('RangeError', error, call, places.logProbs);
  }
});

describe('sample', () => {
  const draw = sample as AnyFunction as (x: unknown, options: object) => Record<string, unknown>;
  const wide = random.normals(3 * 400, 3);
  const rows = [3, 400];
  const settings = [
    {},
    { temperature: 0 },
    { temperature: 0.7, topK: 50, topP: 0.9 },
    { minP: 0.05, minKeep: 3 },
    { topK: 1000 },
    { count: 5 },
    { seed: 2 ** 52 + 5, step: 2 ** 33 + 1 },
    { seed: -3 },
    { seed: Uint32Array.of(1, 2, 2 ** 32 - 1), step: Uint32Array.of(9, 2 ** 31, 0) },
    // Not plain.
    { seed: 5n, step: 6n },
    { order: 'temperature-last', keepTies: true },
    { temperature: [0.5, 1, 2] },
    { typicalP: 0.9 },
  ];
  test.each(settings)('the bits of the general way: %o', (options) => {
    const { count = 1 } = options as { count?: number };
    for (const names of [['tokens'], ['tokens', 'kept'], ['tokens', 'logProbs', 'rawLogProbs', 'kept']]) {
      const all: Places = {
        tokens: integers(3 * count),
        logProbs: zeros(3 * count),
        rawLogProbs: zeros(3 * count),
        kept: integers(3),
      };
      const out = Object.fromEntries(names.map((name) => [name, all[name]]));
      const result = draw(wide, { seed: 1, ...options, shape: rows, out });
      const other = draw(general(wide, rows), { seed: 1, ...options });
      expect(Object.keys(result)).toEqual([...names, 'seed']);
      for (const name of names) {
        expect(result[name]).toBe(all[name]);
        const { data } = other[name] as { data: Int32Array };
        expect(bytesOf(any(all[name])), name).toEqual(bytesOf(any(data)));
      }
      expect(result.seed).toBe(other.seed);
    }
  });

  test('a seed of its own', () => {
    const out = { tokens: integers(3) };
    const first = draw(wide, { shape: rows, out });
    const { seed } = first as { seed: number };
    const drawn = out.tokens.slice();
    expect(Number.isSafeInteger(seed)).toBe(true);
    expect(draw(wide, { shape: rows, seed }).tokens).toEqual(drawn);
    expect(draw(wide, { shape: rows, out }).seed).not.toBe(seed);
  });

  test('rows that native code leaves to JavaScript', () => {
    // More candidates than it has memory for.
    const flat = random.normals(200_000, 0.01);
    const options = { topP: 0.9, seed: 3 };
    const out = { tokens: integers(1), logProbs: zeros(1), kept: integers(1) };
    draw(flat, { ...options, out });
    const other = draw(general(flat, [200_000]), options);
    for (const [name, place] of Object.entries(out))
      expect(bytesOf(any(place)), name).toEqual(bytesOf(any((other[name] as { data: Int32Array }).data)));
    expect(out.kept[0]).toBeGreaterThan(150_000);
  });
});
