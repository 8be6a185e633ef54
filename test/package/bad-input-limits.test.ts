// Input beyond what memory and numbers hold, and callers' code that throws: on both backends.

import * as js from 'softmax-native/js';
import * as native from 'softmax-native/native';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AnyFunction, any } from '../helpers/calls.js';
import { isLoss, signatures } from '../helpers/signatures.js';

const backends = [
  ['native', native],
  ['js', js],
] as const;
const most = 2 ** 53 - 1;
const x = () => Float32Array.of(1, 2, 3, 1, 2, 3);
const labels = Int32Array.of(0, 1);
const shape = [2, 3];

describe.each(backends)('%s: empty arrays with axes whose product no number holds', (_name, api) => {
  const long = Array(30).fill(most);
  const empty = new Float32Array(0);
  test('no rows', () => {
    expect(api.logSumExp(empty, { shape: [0, ...long, 3] })).toHaveLength(0);
    expect(api.logSumExp(empty, { shape: [...long, 3, 0], axis: 0 })).toHaveLength(0);
    for (const signature of signatures)
      if (signature.result !== 'row' && !isLoss(signature))
        expect(
          (api as never as Record<string, AnyFunction>)[signature.name]?.(
            ...signature.inputs.map(() => empty),
            { shape: [...long, 0] },
          ),
          signature.name,
        ).toHaveLength(0);
    const options = { shape: [0, ...long, 3], grad: true } as const;
    const { loss, grad, count } = api.crossEntropy(empty, new Int32Array(0), options);
    expect({ loss, grad, count }).toEqual({ loss: Number.NaN, grad: empty, count: 0 });
    expect(api.distillationLoss(empty, empty, options).count).toBe(0);
  });
  test('no elements, asynchronously', async () => {
    expect(await api.softmaxAsync(empty, { shape: [...long, 0] })).toHaveLength(0);
    expect(await api.logSumExpAsync(empty, { shape: [0, ...long, 3] })).toHaveLength(0);
  });
  test('rows without elements, more than memory holds', () => {
    const details = { name: 'RangeError', code: 'ERR_SHAPE', fn: 'logSumExp' };
    for (const [rows, sizes] of [
      [2 ** 52, [2 ** 52, 0]],
      [2 ** 80, [2 ** 40, 2 ** 40, 0]],
      [Infinity, [...long, 0]],
    ] as const) {
      const message = `logSumExp: no memory for a result of ${rows} elements`;
      expect(() => api.logSumExp(empty, { shape: sizes })).toThrow(
        expect.objectContaining({ ...details, message }),
      );
    }
  });
});

describe.each(backends)('%s: shapes whose product is beyond', (_name, api) => {
  test.each([
    ['2 ** 31', [2 ** 16, 2 ** 15]],
    ['2 ** 32', [2 ** 16, 2 ** 16]],
    ['2 ** 32, six more', [2, 2 ** 31 + 3]],
    ['2 ** 53', [2 ** 27, 2 ** 27]],
    ['2 ** 64', [2 ** 32, 2 ** 32]],
    ['2 ** 64, six more', [3, (2 ** 53 - 2) * 2 ** -1, 2 ** 12]],
    ['all numbers', Array(64).fill(most)],
  ])('%s', (_product, sizes) => {
    const product = sizes.reduce((a: number, b: number) => a * b, 1);
    const out = x();
    const shown =
      sizes.length > 8
        ? `[${sizes.slice(0, 6).join(', ')}, …] of ${sizes.length} axes`
        : `[${sizes.join(', ')}]`;
    const message = `softmax: shape ${shown} has ${product} elements, but x has 6`;
    const error = { name: 'RangeError', code: 'ERR_SHAPE', argument: 'shape', value: product, message };
    for (const axis of [0, 1, -1])
      expect(() => api.softmax(x(), { shape: sizes, axis, out })).toThrow(expect.objectContaining(error));
    expect(out).toEqual(x());
  });
});

describe.each(backends)('%s: no memory', (_name, api) => {
  afterEach(() => vi.unstubAllGlobals());
  /** From now on no array of these kinds can be made, as when memory is short. */
  const takeAway = (...names: ('Float32Array' | 'Float64Array' | 'Int32Array' | 'Uint8Array')[]) => {
    for (const name of names)
      vi.stubGlobal(
        name,
        new Proxy(globalThis[name], {
          construct() {
            throw new RangeError('Array buffer allocation failed');
          },
        }),
      );
  };
  const wanted = (message: string) =>
    expect.objectContaining({
      name: 'RangeError',
      code: 'ERR_SHAPE',
      message,
      cause: expect.objectContaining({ message: 'Array buffer allocation failed' }),
    });

  test('for temperatures, masks, weights and classes', () => {
    const [logits, out, temperatures, bytes] = [x(), x(), Float64Array.of(1, 2), new Int8Array(3).fill(1)];
    const mask = { data: bytes, dims: [3] };
    takeAway('Float64Array');
    const options = { shape, out };
    for (const [size, more] of [
      [2, { temperature: temperatures }],
      [2, { temperature: [1, 2] }],
      [2, { mask }],
    ] as const)
      expect(() => api.softmax(logits, { ...options, ...more })).toThrow(
        wanted(`softmax: no memory for ${size} elements`),
      );
    expect(() => api.crossEntropy(logits, labels, { shape, weight: [1, 2, 3] })).toThrow(
      wanted('crossEntropy: no memory for 3 elements'),
    );
    vi.unstubAllGlobals();
    takeAway('Uint8Array');
    expect(() => api.softmax(logits, { ...options, mask })).toThrow(
      wanted('softmax: no memory for 3 elements'),
    );
    vi.unstubAllGlobals();
    takeAway('Int32Array');
    expect(() => api.nllLoss(logits, labels, { shape })).toThrow(wanted('nllLoss: no memory for 2 elements'));
    expect(out).toEqual(x());
  });

  test('for a row that JavaScript has to gather', () => {
    const bits = new Uint16Array(6);
    takeAway('Float32Array');
    const call = () => js.softmax(bits, { dtype: 'bfloat16', out: bits });
    expect(call).toThrow(wanted('softmax: no memory for a row of 6 elements'));
    expect(bits).toEqual(new Uint16Array(6));
  });

  test('for results', () => {
    const logits = x();
    takeAway('Float32Array');
    expect(() => api.softmax(logits)).toThrow(wanted('softmax: no memory for a result of 6 elements'));
    expect(() => api.crossEntropy(logits, labels, { shape, grad: logits, reduction: 'none' })).toThrow(
      wanted('crossEntropy: no memory for a result of 2 elements'),
    );
    vi.unstubAllGlobals();
    expect(logits).toEqual(x());
  });
});

describe.each(backends)("%s: callers' code", (_name, api) => {
  const own = new Error('of the caller');
  const throwing = (name: string, more: object = {}) =>
    Object.defineProperty({ ...more }, name, {
      enumerable: true,
      get() {
        throw own;
      },
    });
  const names = ['shape', 'axis', 'dtype', 'temperature', 'scale', 'mask', 'grad', 'logProbs', 'weight'];
  const others = ['reduction', 'emptyMean', 'ignoreIndex', 'labelSmoothing', 'gradOutput'];
  test.each([...names, ...others])('an option %s that throws', async (name) => {
    const grad = x();
    const options = any(throwing(name, { shape, ...(name === 'grad' ? {} : { grad }) }));
    expect(() => api.crossEntropy(x(), labels, options)).toThrow(own);
    await expect(api.crossEntropyAsync(x(), labels, options)).rejects.toBe(own);
    expect(grad).toEqual(x());
  });
  test.each(['data', 'dims', 'type', 'location'])('the field %s of a tensor that throws', async (name) => {
    const tensor = any(throwing(name, { data: x(), dims: shape }));
    expect(() => api.softmax(tensor)).toThrow(own);
    await expect(api.softmaxAsync(tensor)).rejects.toBe(own);
  });
  test.each(['signal', 'transfer'])('an option %s that throws', async (name) => {
    await expect(api.softmaxAsync(x(), any(throwing(name)))).rejects.toBe(own);
  });

  test('a revoked proxy where it is only shown', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const call = () => api.softmax(x(), any({ dtype: proxy }));
    expect(call).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_DTYPE' }));
    const target = () => api.nllLoss(x(), any({ data: proxy, dims: [2] }), { shape });
    expect(target).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_DTYPE' }));
  });

  test('an option that is none asks for nothing as undefined or null, or if all objects have it', () => {
    expect(api.softmax(x(), any({ signal: undefined, reduction: null }))).toHaveLength(6);
    const options = Object.create({ ofAllObjects: 1 });
    expect(api.softmax(x(), Object.assign(options, { shape }))).toHaveLength(6);
  });
});
