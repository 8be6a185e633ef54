// Nothing of a caller's runs between the checks of a call and its copies.

import * as api from 'softmax-native';
import { expect, test } from 'vitest';
import { bitsOf, large } from './helpers/async-calls.js';
import { any, detached } from './helpers/calls.js';

test("no code of a caller's runs between the checks and the copies", async () => {
  const shape = [80, 1000];
  const x = large(80_000);
  const wanted = bitsOf(api.softmax(x, { shape }));
  const ran: string[] = [];
  for (const [object, name] of [
    [x, 'constructor'],
    [x, 'buffer'],
    [x, 'length'],
    [x, Symbol.iterator],
    [x, 'slice'],
    [x, 'subarray'],
    [x.buffer, 'constructor'],
    [x.buffer, 'slice'],
    [x.buffer, 'byteLength'],
  ] as const)
    Object.defineProperty(object, name, {
      get() {
        ran.push(String(name));
        detached({ buffer: bufferOfView } as never);
        return undefined;
      },
    });
  const bufferOfView = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Float32Array.prototype),
    'buffer',
  )?.get?.call(x);
  expect(bitsOf(await api.softmaxAsync(x, { shape }))).toEqual(wanted);
  expect(bitsOf(await api.softmaxAsync(x, { shape, transfer: true }))).toEqual(wanted);
  expect(ran).toEqual([]);
});

test("a mask's own iterator never runs", async () => {
  const data = new Int32Array(40_000).fill(1);
  Object.defineProperty(data, Symbol.iterator, {
    value: () => {
      throw new Error('it ran');
    },
  });
  const x = large(40_000);
  const options = { shape: [40, 1000], mask: { data, dims: [40, 1000] } };
  const wanted = bitsOf(api.softmax(x, { shape: [40, 1000] }));
  expect(bitsOf(api.softmax(x, options))).toEqual(wanted);
  expect(bitsOf(await api.softmaxAsync(x, options))).toEqual(wanted);
});

test('a getter of signal or transfer that detaches the input: ERR_DETACHED', async () => {
  for (const key of ['signal', 'transfer']) {
    const x = large(80_000);
    const options = {
      get [key]() {
        detached(x);
        return undefined;
      },
    };
    const promise = api.softmaxAsync(x, any(options));
    await expect(promise).rejects.toMatchObject({ code: 'ERR_DETACHED', argument: 'x' });
  }
});
