// What a caller does with its memory while a call is open changes nothing: inputs overwritten, transferred, shrunk,
// shared; outputs taken away. And `transfer`: what is given up is gone at once, and the result is in that memory.

import { MessageChannel, markAsUntransferable } from 'node:worker_threads';
import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  arrayOf,
  bitsOf,
  callOf,
  functionsAsync,
  inputsOf,
  isLoss,
  large,
  largeCall,
  markedOut,
  newOut,
  outKey,
  outLength,
  sharedCopy,
  sizeOf,
} from './helpers/async-calls.js';
import { any, detached } from './helpers/calls.js';
import { signatureOf } from './helpers/signatures.js';

/** Newer than the library's own language level. */
type Resizable = ArrayBuffer & { resize(bytes: number): void };
const newResizable = (bytes: number, maxByteLength = 2 * bytes): Resizable =>
  new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(bytes, { maxByteLength });
/** The language library knows nothing of it. */
interface WithWasm {
  readonly WebAssembly: { readonly Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } };
}
const inResizable = (data: Float32Array): Float32Array => {
  const view = new Float32Array(newResizable(data.byteLength), 0, data.length);
  view.set(data);
  return view;
};
const resultsOfInputs = functionsAsync.filter((name) => signatureOf(name).result === 'rows');

describe.each(functionsAsync)('%s', (name) => {
  test('inputs and classes overwritten right after the call', async () => {
    const { inputs, classes, promise, expected } = largeCall(name);
    for (const input of inputs) input.fill(Number.NaN);
    classes.fill(-100);
    expect(bitsOf(await promise)).toEqual(expected);
  });

  test('private memory is used again, but not while a job has it, aborted or not', async () => {
    for (let turn = 0; turn < 6; turn++) {
      const calls = Array.from({ length: 6 }, (_, i) => {
        const abort = new AbortController();
        const options = { [outKey(name)]: markedOut(name), signal: abort.signal };
        const { inputs, promise, expected } = largeCall(name, options);
        for (const input of inputs) input.fill(Number.NaN);
        if (i % 3 === 1) abort.abort('enough');
        return { expected: i % 3 === 1 ? 'enough' : expected, promise };
      });
      const ends = calls.map(({ promise }) => promise.then(bitsOf, (reason) => reason));
      for (const [i, { expected }] of calls.entries()) expect(await ends[i]).toEqual(expected);
    }
  });

  test('inputs transferred right after the call', async () => {
    const { inputs, classes, promise, expected } = largeCall(name);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(
      null,
      [...inputs, classes].map(({ buffer }) => buffer as ArrayBuffer),
    );
    expect(inputs[0]?.length).toBe(0);
    expect(bitsOf(await promise)).toEqual(expected);
    port2.close();
  });

  test('inputs shrunk right after the call', async () => {
    const { inputs, promise, expected } = largeCall(name, {}, inResizable);
    for (const { buffer } of inputs) (buffer as Resizable).resize(0);
    expect(bitsOf(await promise)).toEqual(expected);
    const given = largeCall(name, { transfer: true }, inResizable);
    expect(bitsOf(await given.promise)).toEqual(given.expected);
  });

  test('transfer detaches at once, before anything has run', async () => {
    const { inputs, classes, promise, expected } = largeCall(name, { transfer: true });
    for (const { buffer } of inputs) expect(buffer.byteLength).toBe(0);
    expect(classes.length).toBeGreaterThan(0);
    expect(bitsOf(await promise)).toEqual(expected);
  });

  test('shared memory is read where it is, and neither copied nor detached', async () => {
    for (const transfer of [false, true]) {
      const { inputs, promise, expected } = largeCall(name, { transfer }, sharedCopy);
      const result = await promise;
      expect(bitsOf(result)).toEqual(expected);
      for (const { length } of inputs) expect(length).toBeGreaterThan(0);
      if (name !== 'nllLossAsync') expect(ArrayBuffer.isView(arrayOf(name, result))).toBe(true);
      expect(arrayOf(name, result).buffer).toBeInstanceOf(ArrayBuffer);
    }
  });

  test('out or grad detached or shrunk meanwhile: an error, and nothing is written', async () => {
    const key = outKey(name);
    const fn = name.slice(0, -5);
    const length = outLength(name);
    const Kind = newOut(name).constructor as Float32ArrayConstructor;
    const gone = new Kind(length);
    const first = largeCall(name, { [key]: gone }).promise;
    detached(gone);
    await expect(first).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_DETACHED', fn, argument: key });

    const fixed = new Kind(newResizable(4 * length), 0, length);
    const second = largeCall(name, { [key]: fixed }).promise;
    (fixed.buffer as Resizable).resize(4 * length - 4);
    await expect(second).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_DETACHED',
      fn,
      argument: key,
    });
    expect(new Kind(fixed.buffer).every((value) => value === 0)).toBe(true);

    const tracking = new Kind(newResizable(4 * length));
    const third = largeCall(name, { [key]: tracking }).promise;
    (tracking.buffer as Resizable).resize(4 * length - 4);
    const message = `${fn}: ${key} has ${length - 1} elements now, but the result has ${length}`;
    await expect(third).rejects.toMatchObject({ name: 'RangeError', code: 'ERR_SHAPE', fn, message });
    expect(tracking.every((value) => value === 0)).toBe(true);

    const growing = new Kind(newResizable(4 * length));
    const fourth = largeCall(name, { [key]: growing });
    (growing.buffer as Resizable).resize(4 * length + 8);
    expect(arrayOf(name, await fourth.promise)).toBe(growing);
    expect(growing.slice(length)).toEqual(new Kind(2));
    expect(bitsOf(growing.slice(0, length))).toEqual(bitsOf(await expectedArray(name, fourth)));
  });

  test('out is untouched until the result is there', async () => {
    const out = markedOut(name);
    const { promise } = largeCall(name, { [outKey(name)]: out });
    expect(bitsOf(out)).toEqual(bitsOf(markedOut(name)));
    await promise;
    expect(bitsOf(out)).not.toEqual(bitsOf(markedOut(name)));
  });

  test('out in a buffer that is given up', async () => {
    const [rows, length] = sizeOf(name);
    const memory = new Float32Array(rows * length + outLength(name));
    const wanted = { name: 'RangeError', code: 'ERR_OUT_OVERLAP', argument: outKey(name) };
    const Kind = newOut(name).constructor as Float32ArrayConstructor;
    const out = new Kind(memory.buffer, 4 * rows * length);
    const place = () => memory.subarray(0, rows * length);
    const { promise } = largeCall(name, { transfer: true, [outKey(name)]: out }, place);
    await expect(promise).rejects.toMatchObject(wanted);
    expect(memory.length).toBeGreaterThan(0);
    await largeCall(name, { [outKey(name)]: out }, place).promise;
  });

  test('a buffer that can not be transferred: an error that names it, and nothing is given up', async () => {
    const [rows, length] = sizeOf(name);
    const wasm = new (any(globalThis) as WithWasm).WebAssembly.Memory({ initial: 8 }).buffer;
    const marked = new ArrayBuffer(4 * rows * length);
    markAsUntransferable(marked);
    for (const memory of [wasm, marked]) {
      const { inputs } = largeCall(name);
      for (let bad = 0; bad < inputs.length; bad++) {
        const given = inputs.map((data, i) =>
          i === bad ? new Float32Array(memory, 0, data.length) : data.slice(),
        );
        const classes = new Int32Array(rows);
        const promise = callOf(name, given, classes, { shape: [rows, length], transfer: true });
        const wanted = { name: 'TypeError', code: 'ERR_OPTION', argument: inputsOf(name)[bad] };
        await expect(promise).rejects.toMatchObject(wanted);
        for (const data of given) expect(data.length).toBe(rows * length);
      }
    }
  });

  test('a small call: transferred, too, and the same result', async () => {
    const inputs = inputsOf(name).map(() => large(6));
    const options = { shape: [2, 3], ...(isLoss(name) && { grad: true }) };
    const classes = Int32Array.of(0, 2);
    const expected = bitsOf(callOf(name.slice(0, -5), inputs, classes, options));
    const promise = callOf(name, inputs, classes, { ...options, transfer: true });
    for (const input of inputs) expect(input.length).toBe(0);
    expect(bitsOf(await promise)).toEqual(expected);

    const more = inputsOf(name).map(() => large(6));
    const wanted = callOf(name.slice(0, -5), more, classes, options);
    const out = arrayOf(name, wanted).slice().fill(Number.NaN);
    const given = { ...options, [outKey(name)]: out, transfer: true };
    expect(bitsOf(await callOf(name, more, classes, given))).toEqual(bitsOf(wanted));
    expect(bitsOf(out)).toEqual(bitsOf(arrayOf(name, wanted)));
    expect(more[0]?.length).toBe(0);
  });

  test('an error gives nothing up', async () => {
    const { inputs, promise } = largeCall(name, { transfer: true, axis: 7 });
    await expect(promise).rejects.toMatchObject({ code: 'ERR_AXIS' });
    for (const input of inputs) expect(input.length).toBeGreaterThan(0);
  });
});

/** The array that a call that has just been made should give: by its own, unspoilt arguments. */
async function expectedArray(
  name: (typeof functionsAsync)[number],
  { inputs, classes }: ReturnType<typeof largeCall>,
) {
  const options = { shape: sizeOf(name), ...(isLoss(name) && { grad: true }) };
  return arrayOf(name, await callOf(name, inputs, classes, options));
}

describe.each(resultsOfInputs)('%s: the memory of the result', (name) => {
  /** Where a buffer's memory is can't be seen; but all of the buffer comes back: what is beside the input is still there. */
  const beside = (data: Float32Array): Float32Array => {
    const memory = new Float32Array(data.length + 3).fill(7);
    memory.set(data, 2);
    return memory.subarray(2, data.length + 2);
  };

  test('is that of the first input, given up', async () => {
    const { inputs, promise, expected } = largeCall(name, { transfer: true }, beside);
    const result = await promise;
    expect(bitsOf(result)).toEqual(expected);
    const array = arrayOf(name, result);
    expect(array.byteOffset).toBe(8);
    expect(new Float32Array(array.buffer).filter((_, i) => i < 2 || i >= array.length + 2)).toEqual(
      new Float32Array(3).fill(7),
    );
    for (const input of inputs) expect(input.buffer.byteLength).toBe(0);
  });

  test('is no memory of an input that was not', async () => {
    const { inputs, promise } = largeCall(name, {}, beside);
    const array = arrayOf(name, await promise);
    expect(array.byteOffset).toBe(0);
    expect(array.buffer.byteLength).toBe(array.byteLength);
    expect(inputs.some(({ buffer }) => buffer === array.buffer)).toBe(false);
  });
});

test('two inputs in one buffer are transferred once', async () => {
  const [rows, length] = [80, 1000];
  const memory = large(2 * rows * length);
  const [g, y] = [memory.subarray(0, rows * length), memory.subarray(rows * length)];
  const wanted = bitsOf(api.softmaxBackward(g, y, { shape: [rows, length] }));
  const result = await api.softmaxBackwardAsync(g, y, { shape: [rows, length], transfer: true });
  expect(bitsOf(result)).toEqual(wanted);
  expect(memory.length).toBe(0);
  expect(result.buffer.byteLength).toBe(8 * rows * length);
});

test('masks, weights and temperatures are copied, also where they are shared, and with the input given up', async () => {
  const [rows, length] = [80, 1000];
  const shape = [rows, length];
  const x = large(rows * length);
  const maskOf = (buffer: ArrayBuffer | SharedArrayBuffer) =>
    new Uint8Array(buffer).map((_, i) => (i % 3 ? 1 : 0));
  const mask = maskOf(new ArrayBuffer(rows * length));
  const wanted = bitsOf(api.softmax(x, { shape, mask }));
  const shared = new Uint8Array(new SharedArrayBuffer(rows * length));
  shared.set(mask);
  for (const given of [mask, shared]) {
    const promise = api.softmaxAsync(x, { shape, mask: given });
    given.fill(0);
    expect(bitsOf(await promise)).toEqual(wanted);
  }
  const memory = new Uint8Array(5 * rows * length);
  memory.set(new Uint8Array(x.buffer));
  const [logits, ownMask] = [
    new Float32Array(memory.buffer, 0, rows * length),
    memory.subarray(4 * rows * length),
  ];
  ownMask.set(maskOf(new ArrayBuffer(rows * length)));
  expect(bitsOf(await api.softmaxAsync(logits, { shape, mask: ownMask, transfer: true }))).toEqual(wanted);
  expect(ownMask.length).toBe(0);
  // And a small call, which is computed at once.
  const small = new Uint8Array(20);
  small.set([1, 0, 1, 1], 16);
  const few = new Float32Array(small.buffer, 0, 4);
  const wantedFew = bitsOf(api.softmax(few, { mask: small.subarray(16) }));
  expect(bitsOf(await api.softmaxAsync(few, { mask: small.subarray(16), transfer: true }))).toEqual(
    wantedFew,
  );
});

test('what is written to shared memory after the call shows where it had not been read yet', async () => {
  const shape = [4000, 1000];
  const x = sharedCopy(large(4_000_000));
  const promise = api.softmaxAsync(x, { shape });
  const before = bitsOf(api.softmax(x.slice(-1000)));
  x.fill(0, -1000);
  const after = bitsOf(new Float32Array(1000).fill(Math.fround(0.001)));
  const last = bitsOf((await promise).slice(-1000));
  // Threads may have been as fast as that.
  expect(api.backend.kind === 'js' ? [after] : [after, before]).toContain(last);
});

test('labels in shared memory that change after the checks', async () => {
  const shape = [80, 1000];
  const logits = large(80_000);
  const labels = new Int32Array(new SharedArrayBuffer(320)).fill(5);
  const wanted = bitsOf(api.crossEntropy(logits, labels, { shape, grad: true }));
  const promises = [api.crossEntropyAsync(logits, labels, { shape, grad: true })];
  labels.fill(2 ** 31 - 1);
  for (const promise of promises) expect(bitsOf(await promise)).toEqual(wanted);
  await expect(api.nllLossAsync(logits, labels, { shape })).rejects.toMatchObject({
    code: 'ERR_TARGET_RANGE',
  });
});

test('nllLossAsync without a gradient reads one element per row, at once, and copies nothing', async () => {
  const [rows, length] = [2000, 30];
  const logProbs = large(rows * length);
  const labels = new Int32Array(rows).fill(7);
  const wanted = bitsOf(api.nllLoss(logProbs, labels, { shape: [rows, length] }));
  let result: unknown;
  void api.nllLossAsync(logProbs, labels, { shape: [rows, length] }).then((found) => {
    result = found;
  });
  for (let i = 0; i < 10; i++) await null;
  expect(bitsOf(result)).toEqual(wanted);
});
