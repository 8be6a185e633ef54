// Asynchronous calls with several arrays, and several calls: what one does not do to another.

import * as api from 'softmax-native';
import { expect, test } from 'vitest';
import { bitsOf, large } from './helpers/async-calls.js';
import { any, detached, marked } from './helpers/calls.js';

const [rows, length] = [80, 1000];
const shape = [rows, length];
const size = rows * length;

test('inputs that overlap, given up: the result is not computed over memory that is still read', async () => {
  for (const offset of [-16, 0, 1, 16, 1000]) {
    const memory = large(size + 2000);
    const g = memory.subarray(1000, 1000 + size);
    const y = memory.subarray(1000 + offset, 1000 + offset + size);
    for (const [sync, later] of [
      [api.softmaxBackward, api.softmaxBackwardAsync],
      [api.logSoftmaxBackward, api.logSoftmaxBackwardAsync],
    ] as const) {
      const copy = memory.slice();
      const at = (view: Float32Array) => copy.subarray(view.byteOffset / 4, view.byteOffset / 4 + size);
      const wanted = bitsOf(sync(g, y, { shape }));
      expect(bitsOf(await later(at(g), at(y), { shape, transfer: true })), `${offset}`).toEqual(wanted);
    }
  }
});

test('a result stays what it is when calls of the same size follow', async () => {
  const results: Float32Array[] = [];
  const wanted: unknown[] = [];
  for (let i = 0; i < 6; i++) {
    const x = large(size);
    wanted.push(bitsOf(api.softmax(x, { shape })));
    results.push(await api.softmaxAsync(x, { shape }));
    const { grad } = await api.crossEntropyAsync(x, new Int32Array(rows), { shape, grad: true });
    wanted.push(bitsOf(api.crossEntropy(x, new Int32Array(rows), { shape, grad: true }).grad));
    results.push(grad);
  }
  expect(results.map(bitsOf)).toEqual(wanted);
  expect(new Set(results.map(({ buffer }) => buffer)).size).toBe(results.length);
});

test('two results: neither is written where the memory of one is gone', async () => {
  for (const gone of ['grad', 'logProbs'] as const) {
    const outputs = { grad: marked(size), logProbs: marked(size) };
    const promise = api.crossEntropyAsync(large(size), new Int32Array(rows), { shape, ...outputs });
    detached(outputs[gone]);
    const wanted = { name: 'TypeError', code: 'ERR_DETACHED', fn: 'crossEntropy', argument: gone };
    await expect(promise).rejects.toMatchObject(wanted);
    const other = outputs[gone === 'grad' ? 'logProbs' : 'grad'];
    expect(bitsOf(other), gone).toEqual(bitsOf(marked(size)));
  }
});

test('a signal of two calls: when one is over, the other still hears it', async () => {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: 'enough',
    addEventListener: (_type: 'abort', listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: 'abort', listener: () => void) => void listeners.delete(listener),
  };
  const small = api.softmaxAsync(large(size), { shape, signal });
  const longest = api.softmaxAsync(large(50 * size), { shape: [50 * rows, length], signal: any(signal) });
  const end = longest.then(
    () => 'computed',
    (reason) => reason,
  );
  await small;
  expect(listeners.size).toBe(1);
  signal.aborted = true;
  for (const listener of listeners) listener();
  expect(await end).toBe('enough');
  expect(listeners.size).toBe(0);
});
