// The option `signal`: before, during and after a call, with its reason, and no listener left behind.

import { getEventListeners } from 'node:events';
import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  bitsOf,
  functionsAsync,
  large,
  largeCall,
  markedOut,
  newOut,
  outKey,
} from './helpers/async-calls.js';
import { any } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const random = new Random(20261129);
const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** What a promise rejects with. */
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'it was resolved',
    (error) => error,
  );

describe.each(functionsAsync)('%s', (name) => {
  test('aborted before: the reason, and nothing copied, detached or written', async () => {
    const reason = { why: 'a reason of any kind' };
    const signal = AbortSignal.abort(reason);
    const out = markedOut(name);
    for (const options of [{}, { transfer: true }, { [outKey(name)]: out }]) {
      const { inputs, promise } = largeCall(name, { ...options, signal });
      expect(await reasonOf(promise)).toBe(reason);
      for (const { length } of inputs) expect(length).toBeGreaterThan(0);
    }
    expect(bitsOf(out)).toEqual(bitsOf(markedOut(name)));
    expect(listenersOf(signal)).toBe(0);
    // What is wrong with the arguments comes first.
    await expect(largeCall(name, { signal, axis: 9 }).promise).rejects.toMatchObject({ code: 'ERR_AXIS' });
  });

  test('aborted during: the reason at once, and out is never written', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const out = markedOut(name);
    const { promise } = largeCall(name, { signal, [outKey(name)]: out });
    expect(listenersOf(signal)).toBe(1);
    const reason = Symbol('reason');
    let settled: unknown;
    void reasonOf(promise).then((found) => {
      settled = found;
    });
    controller.abort(reason);
    for (let i = 0; i < 10; i++) await null;
    expect(settled).toBe(reason);
    expect(listenersOf(signal)).toBe(0);
    for (let i = 0; i < 20; i++) await turn();
    expect(bitsOf(out)).toEqual(bitsOf(markedOut(name)));
  });

  test('aborted after: no matter', async () => {
    const controller = new AbortController();
    const { promise, expected } = largeCall(name, { signal: controller.signal });
    const result = await promise;
    expect(listenersOf(controller.signal)).toBe(0);
    controller.abort();
    expect(bitsOf(result)).toEqual(expected);
  });

  test('no listener is left where the result has no place any more', async () => {
    const { signal } = new AbortController();
    const out = newOut(name);
    const { promise } = largeCall(name, { signal, [outKey(name)]: out });
    structuredClone(out, { transfer: [out.buffer as ArrayBuffer] });
    await expect(promise).rejects.toMatchObject({ code: 'ERR_DETACHED' });
    expect(listenersOf(signal)).toBe(0);
  });
});

test("the reasons of the platform's signals", async () => {
  const controller = new AbortController();
  const { promise } = largeCall('softmaxAsync', { signal: controller.signal });
  controller.abort();
  const error = await reasonOf(promise);
  expect(error).toBe(controller.signal.reason);
  expect(error).toMatchObject({ name: 'AbortError' });
  const x = new Float32Array(20_000_000);
  const late = api.softmaxAsync(x, { shape: [20_000, 1000], signal: AbortSignal.timeout(1), transfer: true });
  expect(await reasonOf(late)).toMatchObject({ name: 'TimeoutError' });
});

test('any object that is like an AbortSignal', async () => {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: 'enough',
    addEventListener: (_type: 'abort', listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: 'abort', listener: () => void) => void listeners.delete(listener),
  };
  const { promise } = largeCall('softmaxAsync', { signal });
  expect(listeners.size).toBe(1);
  for (const listener of listeners) listener();
  expect(await reasonOf(promise)).toBe('enough');
  expect(listeners.size).toBe(0);

  const atOnce = { ...signal, addEventListener: (_type: 'abort', listener: () => void) => listener() };
  expect(await reasonOf(largeCall('softmaxAsync', { signal: atOnce }).promise)).toBe('enough');

  const error = new Error('no listeners here');
  for (const key of ['addEventListener', 'removeEventListener']) {
    const throwing = {
      ...signal,
      [key]() {
        throw error;
      },
    };
    expect(await reasonOf(largeCall('softmaxAsync', { signal: throwing }).promise)).toBe(error);
    // Whatever it does, others go on.
    const { promise: next, expected } = largeCall('softmaxAsync');
    expect(bitsOf(await next)).toEqual(expected);
  }
});

test('aborted by a getter of a later option', async () => {
  const controller = new AbortController();
  const options = {
    signal: controller.signal,
    shape: [80, 1000],
    get scale() {
      controller.abort('meanwhile');
      return 1;
    },
  };
  expect(await reasonOf(api.softmaxAsync(large(80_000), options))).toBe('meanwhile');
});

test('one of several with the same signal or none', async () => {
  const controllers = Array.from({ length: 12 }, () => new AbortController());
  const calls = controllers.map(({ signal }) => largeCall('crossEntropyAsync', { signal }));
  const ends = calls.map(({ promise }) => promise.then(bitsOf, (error) => error));
  const common = new AbortController();
  const together = [1, 2, 3].map(() =>
    reasonOf(largeCall('softmaxAsync', { signal: common.signal }).promise),
  );
  controllers[3]?.abort(3);
  controllers[11]?.abort(11);
  common.abort('all');
  for (const [i, { expected }] of calls.entries())
    expect(await ends[i]).toEqual(i === 3 || i === 11 ? i : expected);
  for (const end of together) expect(await end).toBe('all');
});

test('a signal of many calls has one listener, and Node warns of no leak', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on('warning', warn);
  const controller = new AbortController();
  const { signal } = controller;
  const early = largeCall('softmaxAsync', { signal });
  const calls = Array.from({ length: 30 }, () => reasonOf(largeCall('softmaxAsync', { signal }).promise));
  expect(listenersOf(signal)).toBe(1);
  await early.promise;
  const late = reasonOf(largeCall('softmaxAsync', { signal }).promise);
  controller.abort('all');
  expect(await late).toBe('all');
  for (const end of await Promise.all(calls)) expect(end === 'all' || end === 'it was resolved').toBe(true);
  expect(listenersOf(signal)).toBe(0);
  await turn();
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test('many at random times: each ends with its result or its reason', async () => {
  let [resolved, aborted] = [0, 0];
  const one = async (i: number) => {
    const name = functionsAsync[i % functionsAsync.length] ?? 'softmaxAsync';
    const controller = new AbortController();
    const isTransfer = random.uniform() < 0.5;
    const { promise, expected } = largeCall(name, { signal: controller.signal, transfer: isTransfer });
    const reason = { i };
    const abort = () => controller.abort(reason);
    const when = random.uniform();
    if (when < 0.1) queueMicrotask(abort);
    else if (when < 0.3) setImmediate(abort);
    else if (when < 0.9) setTimeout(abort, random.uniform(0, 60));
    try {
      const result = await promise;
      expect(bitsOf(result)).toEqual(expected);
      resolved++;
    } catch (error) {
      if (error !== reason) throw error;
      aborted++;
    }
    expect(listenersOf(controller.signal)).toBe(0);
  };
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 36 }, (_, i) => one(36 * round + i)));
  expect(resolved).toBeGreaterThan(10);
  expect(aborted).toBeGreaterThan(30);
});

test('a signal of a synchronous function does not compile', () => {
  // @ts-expect-error: an option of softmaxAsync
  expect(() => api.softmax(new Float32Array(2), { signal: any(new AbortController().signal) })).toThrow(
    'softmax: signal is not an option of softmax, but of softmaxAsync',
  );
});
