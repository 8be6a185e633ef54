// Masks as tokenizers give them, and options by the names that other libraries have for them.
import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import {
  argumentsOf,
  isAsync,
  outKey,
  outLength,
  signatureOf,
  signatures,
  syncName,
  takesClasses,
} from './helpers/signatures.js';

const { softmax } = api;
const x = Float32Array.of(1, 2, 3, 1, 2, 3);
const shape = [2, 3];

describe('a mask of integers', () => {
  const wanted = softmax(x, { shape, mask: Uint8Array.of(1, 1, 0, 1, 1, 1) });
  const kept = [1, 1, 0, 1, 1, 1];
  test.each([
    ['int64', BigInt64Array.from(kept, BigInt)],
    ['int64', BigInt64Array.from(kept, (k) => BigInt(k) * -(2n ** 40n))],
    ['int32', Int32Array.from(kept)],
    ['bool', Uint8Array.from(kept)],
    ['int16', Int16Array.from(kept, (k) => k * 256)],
    [undefined, BigUint64Array.from(kept, BigInt)],
  ])('%s', (type, data) => {
    expect(softmax(x, { shape, mask: any({ type, data, dims: shape }) })).toEqual(wanted);
  });

  test('shares nothing with an output, whatever its type', () => {
    const data = new Int32Array(x.buffer.slice(0));
    const out = new Float32Array(data.buffer);
    const call = () => softmax(x, { shape, mask: { data, dims: shape }, out });
    expect(call).toThrow('softmax: out overlaps mask; it must share nothing');
    expect(new Int32Array(x.buffer)).toEqual(data);
  });
});

const functions = api as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
/** A call of a function with options, sync or async, as a promise. */
async function callWith(name: string, options: unknown): Promise<unknown> {
  const signature = signatureOf(name);
  const inputs = signature.inputs.map(() => x);
  return functions[name]?.(...argumentsOf(signature, inputs, Int32Array.of(1), options));
}
const everyFunction = signatures.flatMap(({ name }) => [name, `${name}Async`]);
const every = new Set([...signatures.flatMap(({ options }) => options), 'signal', 'transfer']);
const ownOf = (name: string): string[] => [
  ...signatureOf(name).options,
  ...(isAsync(name) ? ['signal', 'transfer'] : []),
];
/** Errors of a twin name the synchronous function. */
const refused = (fn: string, argument: string, message: string) => ({
  ...{ name: 'TypeError', code: 'ERR_OPTION', fn: syncName(fn), argument },
  message: `${syncName(fn)}: ${message}`,
});

describe.each(everyFunction)('%s', (fn) => {
  test.each(ownOf(fn))('%s spelt otherwise', async (option) => {
    const snake = option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const spellings = [option.toUpperCase(), `${option}s`, `${option}_`, snake, option.slice(0, -1)];
    for (const name of spellings) {
      if (name === option) continue;
      const problem = `${name} is not an option; did you mean ${option}?`;
      // Whatever it holds, also nothing.
      for (const value of [1, undefined, null])
        await expect(callWith(fn, { [name]: value })).rejects.toMatchObject(refused(fn, name, problem));
    }
  });

  test.each([...every].filter((option) => !ownOf(fn).includes(option)))('%s of others', async (option) => {
    const ofTwin = option === 'signal' || option === 'transfer' ? `, but of ${fn}Async` : '';
    const isArgument = option === 'target' && takesClasses(signatureOf(fn));
    const problem = isArgument
      ? 'target is not an option; the target is the argument before the options'
      : `${option} is not an option of ${syncName(fn)}${ofTwin}`;
    await expect(callWith(fn, { [option]: 1 })).rejects.toMatchObject(refused(fn, option, problem));
  });

  test('nothing is written', async () => {
    const signature = signatureOf(fn);
    const key = outKey(signature);
    const out = new Float32Array(outLength(signature, 1, 6)).fill(7);
    await expect(callWith(fn, { [key]: out, reduse: 'sum' })).rejects.toThrow('reduse is not an option');
    expect(out).toEqual(out.map(() => 7));
  });
});

describe('an option by the name that others have for it', () => {
  const losses = ['crossEntropy', 'distillationLoss'];
  test.each([
    ['dim', 'axis', ['softmax', 'softmaxJacobian', 'nllLoss']],
    ['dims', 'shape', ['softmax', 'crossEntropy']],
    ['ignore_index', 'ignoreIndex', [...losses, 'nllLoss']],
    ['ignoreindex', 'ignoreIndex', losses],
    ['label_smoothing', 'labelSmoothing', losses],
    ['smoothing', 'labelSmoothing', losses],
    ['temp', 'temperature', ['softmax', 'crossEntropy', 'logSoftmaxBackward']],
    ['tau', 'temperature', ['logSumExp']],
    ['weights', 'weight', losses],
    ['class_weight', 'weight', losses],
    ['reduce', 'reduction', losses],
    ['attention_mask', 'mask', ['softmax', 'entropy']],
    ['output', 'out', ['softmax']],
    ['output', 'grad', losses],
    ['labels', 'target', ['distillationLoss']],
    ['abortSignal', 'signal', ['softmaxAsync']],
  ])('%s is %s', async (name, own, names) => {
    for (const fn of names) {
      const problem = `${name} is not an option; did you mean ${own}?`;
      await expect(callWith(fn, { [name]: 1 })).rejects.toMatchObject(refused(fn, name, problem));
    }
  });

  test.each(['target', 'targets', 'labels'])('%s of a loss that has it as an argument', async (name) => {
    const problem = `${name} is not an option; the target is the argument before the options`;
    for (const fn of ['crossEntropy', 'nllLoss'])
      await expect(callWith(fn, { [name]: 1 })).rejects.toMatchObject(refused(fn, name, problem));
  });

  test('that a function does not have', async () => {
    const problem = 'weights is not an option; the nearest is weight, which softmax does not have';
    await expect(callWith('softmax', { weights: 1 })).rejects.toMatchObject(
      refused('softmax', 'weights', problem),
    );
  });

  test('a long one is cut', async () => {
    const shown = `${'m'.repeat(40)}…`;
    await expect(callWith('softmax', { ['m'.repeat(1e6)]: 1 })).rejects.toMatchObject({
      argument: shown,
      message: expect.stringMatching(`^softmax: ${shown} is not an option; the nearest is \\w+`),
    });
  });
});

describe('keys that are none of the options', () => {
  test('of a prototype are not looked at', () => {
    expect(softmax(x, Object.create({ shape, strange: 1 }))).toEqual(softmax(x, { shape }));
  });

  test('of a proxy are', () => {
    const options = new Proxy({}, { ownKeys: () => ['dim'], getOwnPropertyDescriptor: () => described });
    const described = { value: 1, enumerable: true, configurable: true };
    expect(() => softmax(x, options)).toThrow('softmax: dim is not an option; did you mean axis?');
  });

  test('that come later are seen', () => {
    const options: Record<string, unknown> = { out: new Float32Array(6) };
    for (let i = 0; i < 1000; i++) softmax(x, options);
    options.temp = 2;
    expect(() => softmax(x, options)).toThrow('softmax: temp is not an option; did you mean temperature?');
  });

  test('of no plain object: what a Map or a promise holds is not seen', () => {
    const others = [new Map([['axis', 0]]), Promise.resolve({ axis: 0 }), new Set(), new Date(0), /x/];
    const names = ['a Map', 'a Promise: await it first', 'a Set', 'a Date', 'a RegExp'];
    others.forEach((options, i) => {
      const message = `softmax: options must be an object, got ${names[i]}`;
      expect(() => softmax(x, any(options))).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_OPTION', argument: 'options', message }),
      );
    });
    class Options {}
    for (const options of [{}, Object.create(null), new Options(), new Proxy({}, {})])
      expect(softmax(x, any(options))).toEqual(softmax(x));
  });

  test('that letters do not show', () => {
    expect(() => softmax(x, any({ '': 1 }))).toThrow('softmax: "" is not an option');
    expect(() => softmax(x, any({ 'axis ': 1 }))).toThrow(
      'softmax: "axis " is not an option; did you mean axis?',
    );
    expect(() => softmax(x, any({ 'a\nxis': 1 }))).toThrow('softmax: "a\\nxis" is not an option');
  });

  test('of an array or a buffer: options are no array', () => {
    for (const options of [[1], [], Float32Array.of(1), new Float32Array(1e7)])
      expect(() => softmax(x, any(options))).toThrow('softmax: options must be an object, got ');
  });
});
