// Functions that give several arrays: `out` is an object of what they go to. What the sweeps over all others look at, of
// these: out, overlap, tensors, layouts, dtypes, threads, asynchronous calls and what their callers do meanwhile.

import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { detached, expectError, functionOf, outOfBounds, type Wanted } from './helpers/calls.js';
import { Random } from './helpers/random.js';
import { allSignatures, argumentsOf, type Signature } from './helpers/signatures.js';

const random = new Random(1919);
type View = Float32Array | Float64Array | Uint16Array | Int32Array;
type Named = Record<string, View>;
type Tensor = { data: View; dims: number[]; shape: number[]; type: string; dtype: string };
const several = allSignatures.filter(({ results }) => results !== undefined);

/** A call of rows; the classes of each, if it takes some. */
const callOf = (name: string, signature: Signature, x: unknown, rows: number, options: object): unknown =>
  functionOf(name)(...argumentsOf(signature, [x], new Int32Array(rows).fill(1), options, 2));
const optionsOf = (signature: Signature, more: object): Record<string, unknown> => ({
  ...((signature.options as readonly string[]).includes('top') && { top: 2 }),
  ...more,
});
const copyOf = (result: unknown): Named =>
  Object.fromEntries(
    Object.entries(result as Named).map(([name, data]) => [
      name,
      ('data' in data ? (data as { data: View }).data : data).slice(),
    ]),
  );

describe.each(several.map((signature) => [signature.name, signature] as const))('%s', (name, signature) => {
  const names = Object.keys(signature.results ?? {});
  const [rows, length] = [3, 7];
  const x = random.normals(rows * length, 3);
  const options = optionsOf(signature, { shape: [rows, length] });
  const call = (input: unknown, more: object = {}, of = name) =>
    callOf(of, signature, input, rows, { ...options, ...more });
  const expected = copyOf(call(x));
  const newOut = (result: string): View => (expected[result] as View).slice().fill(77);
  const allOut = (): Named => Object.fromEntries(names.map((result) => [result, newOut(result)]));
  const error = (code: string, argument: string) => ({ code, fn: name, argument }) as Wanted;

  test('gives what it says, into out, all or some', () => {
    expect(Object.keys(expected).sort()).toEqual([...names].sort());
    for (const result of names)
      expect(expected[result]).toBeInstanceOf(
        signature.results?.[result] === 'integers' ? Int32Array : Float32Array,
      );
    const out = allOut();
    const given = call(x, { out }) as Named;
    for (const result of names) expect(given[result]).toBe(out[result]);
    expect(copyOf(out)).toEqual(expected);
    for (const result of names) {
      const one = { [result]: newOut(result) };
      const some = call(x, { out: one }) as Named;
      expect(some[result]).toBe(one[result]);
      expect(copyOf(some)).toEqual(expected);
    }
  });

  test('out that is none', () => {
    const victim = allOut();
    const before = copyOf(victim);
    for (const out of [null, 5, 'out', true, [], {}, new Float32Array(6), { data: x, dims: [3, 7] }])
      expectError('TypeError', error('ERR_OPTION', 'out'), () => call(x, { out }));
    expectError('TypeError', error('ERR_OPTION', 'out'), () => call(x, { out: { ...victim, others: x } }));
    for (const result of names) {
      const isOfIntegers = signature.results?.[result] === 'integers';
      const argument = `out.${result}`;
      const { length: size } = newOut(result);
      const wrong = isOfIntegers
        ? [new Float32Array(size), new Uint32Array(size), [1], null, 5]
        : [new Float64Array(size), new Int32Array(size), [1], null, 5];
      for (const value of wrong) {
        const out = { ...victim, [result]: value };
        expectError('TypeError', error('ERR_DTYPE', argument), () => call(x, { out }));
      }
      const kind = newOut(result).constructor as Float32ArrayConstructor;
      for (const wrongSize of [size - 1, size + 1, 0]) {
        const out = { ...victim, [result]: new kind(wrongSize) };
        expectError('RangeError', error('ERR_SHAPE', argument), () => call(x, { out }));
      }
      for (const gone of [detached(new kind(size)), outOfBounds(kind, size)])
        expectError('TypeError', error('ERR_DETACHED', argument), () =>
          call(x, { out: { ...victim, [result]: gone } }),
        );
    }
    expect(victim).toEqual(before);
  });

  test('overlap: with the input, with each other', () => {
    for (const result of names) {
      const argument = `out.${result}`;
      const { length: size } = newOut(result);
      const kind = newOut(result).constructor as Float32ArrayConstructor;
      for (const shift of [-4 * (size - 1), -4, 0, 4, 4 * (x.length - 1)]) {
        const memory = new ArrayBuffer(4 * (x.length + 2 * size));
        const input = new Float32Array(memory, 4 * size, x.length);
        input.set(x);
        const out = { [result]: new kind(memory, 4 * size + shift, size) };
        const bytes = Buffer.from(memory.slice(0));
        expectError('RangeError', error('ERR_OUT_OVERLAP', argument), () => call(input, { out }));
        expect(Buffer.from(memory).equals(bytes)).toBe(true);
      }
      // Side by side.
      const memory = new ArrayBuffer(4 * (x.length + size));
      const input = new Float32Array(memory, 4 * size, x.length);
      input.set(x);
      const beside = new kind(memory, 0, size);
      call(input, { out: { [result]: beside } });
      expect(beside).toEqual(expected[result]);
      for (const other of names) {
        if (other === result) continue;
        const sizes = [size, newOut(other).length] as const;
        const both = new ArrayBuffer(4 * (sizes[0] + sizes[1]));
        const otherKind = newOut(other).constructor as Float32ArrayConstructor;
        const first = new kind(both, 0, size);
        const at = (begin: number) => ({ [result]: first, [other]: new otherKind(both, begin, sizes[1]) });
        expect(() => call(x, { out: at(4 * size - 4) })).toThrow(
          /out\.\w+ overlaps out\.\w+; it must share nothing/,
        );
        expect(copyOf(call(x, { out: at(4 * size) }))).toEqual(expected);
      }
    }
  });

  test('tensors, with their names', () => {
    for (const [dims, type] of [
      ['dims', 'type'],
      ['shape', 'dtype'],
    ] as const) {
      const result = call({ data: x, [dims]: [rows, length], [type]: 'float32' }) as Record<string, Tensor>;
      for (const key of names) {
        const wanted = expected[key] as View;
        const { data, [dims]: shape, [type]: kind } = result[key] as Tensor;
        expect(data).toEqual(wanted);
        expect(shape.reduce((a: number, b: number) => a * b, 1)).toBe(wanted.length);
        expect(kind).toBe(wanted instanceof Int32Array ? 'int32' : 'float32');
        // A tensor for the result, column-major.
        const turned = {
          data: new (wanted.constructor as Float32ArrayConstructor)(wanted.length),
          [dims]: shape,
          order: 'F',
        };
        expect((call(x, { out: { [key]: turned } }) as Named)[key]).toBe(turned);
        expect([...turned.data].sort()).toEqual([...wanted].sort());
      }
    }
  });

  test('of every dtype', () => {
    const wide = copyOf(call(Float64Array.from(x)));
    for (const key of names)
      expect(wide[key]).toBeInstanceOf(signature.results?.[key] === 'integers' ? Int32Array : Float64Array);
    for (const dtype of ['float16', 'bfloat16']) {
      const bits = new Uint16Array(x.length).map((_, i) => 0x3c00 + 8 * ((i * 37) % 61));
      const result = copyOf(call(bits, { dtype }));
      for (const key of names) expect(result[key]).toHaveLength((expected[key] as View).length);
      expectError('TypeError', error('ERR_DTYPE', 'dtype'), () => call(x, { dtype: 'float64' }));
    }
  });

  test('options: an unknown one, null', () => {
    expect(() => call(x, { reduction: 'mean' })).toThrow(`${name}: reduction is not an option of ${name}`);
    for (const option of signature.options)
      expectError('TypeError', { fn: name, argument: option, value: null }, () =>
        call(x, { [option]: null }),
      );
    expectError('RangeError', error('ERR_AXIS', 'axis'), () => call(x, { axis: 2 }));
    expectError('RangeError', error('ERR_TEMPERATURE', 'temperature'), () =>
      call(x, { temperature: [1, -1, 1] }),
    );
  });

  const [many, long] = [90, 3000];
  const large = random.normals(many * long, 3);
  const largeCall = (of: string, input: unknown, more: object = {}) =>
    callOf(of, signature, input, many, { ...optionsOf(signature, { shape: [many, long] }), ...more });

  test('rows alone, in a batch, over threads', () => {
    const before = api.getThreads();
    const wanted = copyOf(largeCall(name, large));
    const columns = { shape: [2, long / 2, many], axis: 1 };
    const ofColumns = copyOf(callOf(name, signature, large, 2 * many, optionsOf(signature, columns)));
    for (const threads of [1, 2, 3, 8]) {
      api.setThreads(threads);
      expect(copyOf(largeCall(name, large))).toEqual(wanted);
      const again = callOf(name, signature, large, 2 * many, optionsOf(signature, columns));
      expect(copyOf(again)).toEqual(ofColumns);
    }
    // The rows of the last axis that these columns are.
    const turned = large.map((_, i) => {
      const [row, k] = [Math.floor(i / (long / 2)), i % (long / 2)];
      return large[(Math.floor(row / many) * (long / 2) + k) * many + (row % many)] as number;
    });
    const ofTurned = copyOf(
      callOf(name, signature, turned, 2 * many, optionsOf(signature, { shape: [2 * many, long / 2] })),
    );
    for (const key of names) {
      const [a, b] = [ofColumns[key] as View, ofTurned[key] as View];
      const places = a.length / (2 * many);
      const same = b.map((_, i) => {
        const [row, k] = [Math.floor(i / places), i % places];
        return a[(Math.floor(row / many) * places + k) * many + (row % many)] as number;
      });
      expect(same).toEqual(b);
    }
    api.setThreads(before);
    for (const row of [0, 41, many - 1]) {
      const alone = callOf(
        name,
        signature,
        large.slice(row * long, (row + 1) * long),
        1,
        optionsOf(signature, {}),
      );
      for (const [key, data] of Object.entries(copyOf(alone))) {
        const size = data.length;
        expect(data).toEqual((wanted[key] as View).slice(row * size, (row + 1) * size));
      }
    }
  });

  describe('Async', () => {
    const async = `${name}Async`;
    const wanted = copyOf(largeCall(name, large));

    test('the same; inputs overwritten, shared, given up; out written at the end', async () => {
      const input = large.slice();
      const promise = largeCall(async, input);
      input.fill(9);
      expect(copyOf(await promise)).toEqual(wanted);
      const shared = new Float32Array(new SharedArrayBuffer(4 * large.length));
      shared.set(large);
      expect(copyOf(await largeCall(async, shared))).toEqual(wanted);
      const out = Object.fromEntries(
        Object.entries(wanted).map(([key, data]) => [key, data.slice().fill(77)]),
      );
      const untouched = copyOf(out);
      const given = large.slice();
      const later = largeCall(async, given, { out, transfer: true });
      expect(given.length).toBe(0);
      expect(copyOf(out)).toEqual(untouched);
      const result = (await later) as Named;
      for (const key of names) expect(result[key]).toBe(out[key]);
      expect(copyOf(out)).toEqual(wanted);
      expect(copyOf(await call(x, {}, async))).toEqual(expected);
    });

    test('out that goes away meanwhile; a signal', async () => {
      for (const key of names) {
        const gone = (wanted[key] as View).slice();
        const promise = largeCall(async, large, { out: { [key]: gone } }) as Promise<unknown>;
        detached(gone);
        await expect(promise).rejects.toMatchObject({
          code: 'ERR_DETACHED',
          fn: name,
          argument: `out.${key}`,
        });
      }
      const controller = new AbortController();
      const promise = largeCall(async, large, { signal: controller.signal }) as Promise<unknown>;
      controller.abort(new Error('enough'));
      await expect(promise).rejects.toThrow('enough');
      const wrong = largeCall(async, large, { out: 5 }) as Promise<unknown>;
      await expect(wrong).rejects.toMatchObject({ code: 'ERR_OPTION', fn: name });
    });
  });
});

test('the functions of several results are there', () =>
  expect(several.map(({ name }) => name)).toContain('topK'));
