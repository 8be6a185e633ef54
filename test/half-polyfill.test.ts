// A Float16Array of @petamoriken/float16, as programs with onnxruntime have it: a proxy, no typed array. Its elements are
// used as their bits, and what comes back is what Node without Float16Array gets.
import { Float16Array as Polyfill } from '@petamoriken/float16';
import * as loadedBefore from 'softmax-native';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { any, functionOf } from './helpers/calls.js';
import { argumentsOf, isLoss, outKey, outLength, signatures, takes } from './helpers/signatures.js';

const native: unknown = Reflect.get(globalThis, 'Float16Array');
beforeAll(() => {
  vi.stubGlobal('Float16Array', Polyfill);
});
afterAll(() => {
  vi.unstubAllGlobals();
});

type Fields = Record<string, unknown>;
const values = [0.5, -1.25, 3, 2, 0, -7];
const bitsOf = (array: Polyfill) => new Uint16Array(array.buffer, array.byteOffset, array.length);
const polyfilled = () => new Polyfill(values);
const bits = bitsOf(polyfilled());
const shape = [2, 3];

describe.each(signatures.map((signature) => [signature.name, signature] as const))(
  '%s',
  (name, signature) => {
    const classes = Int32Array.of(1, 2);
    const more = (options: Fields): Fields => ({
      ...(isLoss(signature) && { reduction: 'none', grad: true }),
      ...(takes(signature, 'target') && { target: classes }),
      ...options,
    });
    const call = (fn: string, make: () => unknown, options: Fields) =>
      functionOf(fn)(...argumentsOf(signature, signature.inputs.map(make), classes, more(options)));
    const wanted = call(name, () => bits.slice(), { shape, dtype: 'float16' });

    test('bare', async () => {
      expect(call(name, polyfilled, { shape })).toEqual(wanted);
      expect(await call(`${name}Async`, polyfilled, { shape })).toEqual(wanted);
    });

    test('in a tensor, in a part of a buffer, transposed', () => {
      const tensor = (data: unknown, fields: Fields = {}) => ({
        data,
        dims: shape,
        type: 'float16',
        ...fields,
      });
      const ofTensor = call(name, () => tensor(bits.slice()), {});
      expect(call(name, () => tensor(polyfilled()), {})).toEqual(ofTensor);
      const unsaid = () => ({ data: polyfilled(), dims: shape });
      expect(call(name, unsaid, {})).toEqual(ofTensor);
      const part = () => tensor(new Polyfill(new Polyfill([9, ...values]).buffer, 2));
      expect(call(name, part, {})).toEqual(ofTensor);
      const turned = (data: unknown) => tensor(data, { strides: [1, 2] });
      expect(call(name, () => turned(polyfilled()), {})).toEqual(call(name, () => turned(bits.slice()), {}));
    });

    test.skipIf(signature.holds)('an output, which comes back as it is', async () => {
      const key = outKey(signature);
      const result = isLoss(signature) ? (wanted as Fields).grad : wanted;
      for (const fn of [name, `${name}Async`]) {
        const out = new Polyfill(outLength(signature, 2, 3));
        const given = (await call(fn, polyfilled, { shape, [key]: out })) as Fields;
        expect(isLoss(signature) ? given.grad : given).toBe(out);
        expect(bitsOf(out)).toEqual(result);
      }
    });

    if (signature.mayReplace)
      test('in place', () => {
        const x = polyfilled();
        const options = { shape, [outKey(signature)]: x };
        const inputs = signature.inputs.map((_, i) => (i === 0 ? x : polyfilled()));
        if (signature.result !== 'rows') return;
        functionOf(name)(...argumentsOf(signature, inputs, classes, more(options)));
        expect(bitsOf(x)).toEqual(isLoss(signature) ? (wanted as Fields).grad : wanted);
      });
  },
);

test('probabilities, weights, temperatures', () => {
  const { crossEntropy } = loadedBefore;
  const x = Float32Array.from(values);
  const probabilities = new Polyfill([0.5, 0.25, 0.25, 0, 1, 0]);
  const wanted = crossEntropy(x, Float32Array.from(probabilities), {
    shape,
    temperature: [0.5, 2],
    weight: [1, 2, 4],
  });
  const options = { shape, temperature: any(new Polyfill([0.5, 2])), weight: any(new Polyfill([1, 2, 4])) };
  expect(crossEntropy(x, any(probabilities), options)).toEqual(wanted);
});

test("new results of float16 are the engine's, or bits", async () => {
  vi.resetModules();
  const loadedAfter: typeof loadedBefore = await import('softmax-native');
  const x = Float32Array.of(0, 0);
  for (const { softmax } of [loadedBefore, loadedAfter]) {
    const half = softmax(x, { dtype: 'float16' });
    expect(Object.getPrototypeOf(half).constructor).not.toBe(Polyfill);
    // A package that is loaded where the polyfill stands in the engine's place does not know that one.
    if (native === undefined || softmax === loadedAfter.softmax)
      expect(half).toEqual(Uint16Array.of(0x3800, 0x3800));
    const tensor = softmax(any({ data: x, dims: [2], type: 'float32' }), { dtype: 'float16' });
    expect(tensor).toEqual({ data: half, dims: [2], type: 'float16' });
  }
});

test('what only looks like one', () => {
  const { softmax } = loadedBefore;
  const alike = (fields: Fields) => any({ [Symbol.toStringTag]: 'Float16Array', ...fields });
  const message = 'softmax: x must be an array of floats or a tensor of them, got an object';
  expect(() => softmax(alike({}))).toThrow(message);
  expect(() => softmax(alike({ buffer: 1, byteOffset: 0, length: 1 }))).toThrow(message);
  expect(() => softmax(alike({ buffer: new ArrayBuffer(4), byteOffset: 1, length: 1 }))).toThrow(message);
  expect(() => softmax(alike({ buffer: new ArrayBuffer(4), byteOffset: 0, length: 9 }))).toThrow(message);
  const gone = new Polyfill(2);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  expect(() => softmax(any(gone))).toThrow(expect.objectContaining({ code: 'ERR_DETACHED', argument: 'x' }));
  const said = { data: new Polyfill(2), dims: [2], type: 'bfloat16' };
  expect(() => softmax(any(said))).toThrow(expect.objectContaining({ code: 'ERR_DTYPE', argument: 'x' }));
});
