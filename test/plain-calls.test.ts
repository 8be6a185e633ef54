// Calls with nothing but `out` and a shape, or neither, take a short way (src/operations/fast-path.ts): with the results, checks and errors of all others.

import { crossEntropy, logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, bytesOf, expectError, marked, zeros } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const random = new Random(20261127);
type Name = 'softmax' | 'logSoftmax' | 'softmaxBackward' | 'logSoftmaxBackward';
type Call = (x: Float32Array, options: object) => Float32Array;
const y = random.uniforms(6, 0, 1);
const api = { softmax, logSoftmax, softmaxBackward, logSoftmaxBackward };
const one =
  (name: 'softmax' | 'logSoftmax'): Call =>
  (x, options) =>
    api[name](x, options) as Float32Array;
const two =
  (name: 'softmaxBackward' | 'logSoftmaxBackward'): Call =>
  (x, options) =>
    api[name](x, y, options) as Float32Array;
const calls: readonly [Name, Call][] = [
  ['softmax', one('softmax')],
  ['logSoftmax', one('logSoftmax')],
  ['softmaxBackward', two('softmaxBackward')],
  ['logSoftmaxBackward', two('logSoftmaxBackward')],
];

describe.each(calls)('%s', (name, call) => {
  const shape = [2, 3];
  const argument = name.endsWith('Backward') ? 'gradOutput' : 'x';

  test('the bits of the general way', () => {
    for (const given of [shape, [6], [1, 6], [6, 1], [1, 2, 3], undefined]) {
      const x = random.normals(6, 3);
      const out = zeros(6);
      expect(call(x, { shape: given, out })).toBe(out);
      // A tensor is not plain.
      const { data: general } = any(call(any({ data: x, dims: given ?? [6] }), {})) as { data: Float32Array };
      expect(bytesOf(out)).toEqual(bytesOf(general));
      const result = call(x, { shape: given });
      expect(bytesOf(result)).toEqual(bytesOf(out));
      expect(result.buffer.byteLength).toBe(24);
      // The last axis may be named.
      const axis = given ? given.length - 1 : 0;
      expect(bytesOf(call(x, { shape: given, axis }))).toEqual(bytesOf(out));
      const named = zeros(6);
      expect(call(x, { shape: given, axis, out: named })).toBe(named);
      expect(bytesOf(named)).toEqual(bytesOf(out));
      const wrongAxis = { code: 'ERR_AXIS', fn: name } as const;
      expectError(
        'RangeError',
        wrongAxis,
        () => call(x, { shape: given, axis: axis + 1, out: named }),
        named,
      );
      expect(call(x, { shape: given, out: x })).toBe(x);
      expect(bytesOf(x)).toEqual(bytesOf(out));
    }
  });

  test('nothing of the call before shows', () => {
    const x = random.normals(6, 3);
    const wanted = bytesOf(call(x, { shape }));
    const before = [
      () => api.softmax(new Uint16Array(6), { shape, dtype: 'float16' }),
      () => softmaxBackward(new Uint16Array(6), new Uint16Array(6), { shape, dtype: 'bfloat16' }),
      () => logSoftmaxBackward(new Float64Array(6), new Float64Array(6), { shape, axis: 0 }),
      () => softmax(x, { shape, temperature: [3, 4], mask: Uint8Array.of(1, 0, 1) }),
      () => crossEntropy(x, Int32Array.of(0, 1), { shape, grad: new Uint16Array(6), dtype: 'float16' }),
    ];
    for (const [i, run] of before.entries()) {
      const out = zeros(6);
      run();
      expect(bytesOf(call(x, { shape, out })), `after call ${i}`).toEqual(wanted);
    }
  });

  test('an option more', () => {
    const x = random.normals(6);
    const mask = Uint8Array.of(1, 0, 1, 1, 1, 0);
    for (const options of [{ mask }, { temperature: 2 }, { scale: 0.5 }, { axis: 0 }, { dtype: 'float32' }]) {
      const out = zeros(6);
      expect(call(x, { shape, ...options, out })).toBe(out);
      expect(bytesOf(call(x, { shape, ...options })), Object.keys(options)[0]).toEqual(bytesOf(out));
    }
    const error = { code: 'ERR_DTYPE', fn: name } as const;
    expectError('TypeError', error, () => call(x, { shape, dtype: 'float64x', out: x }), x);
  });

  test('the same memory by another view, and a part of it', () => {
    const [x, out] = [random.normals(6), zeros(6)];
    const wanted = call(x, { shape, out }).slice();
    // Arrays that were found apart do not stand for others.
    for (let i = 0; i < 3; i++) {
      const memory = new Float32Array(10);
      memory.set(x, 2);
      const input = memory.subarray(2, 8);
      const message = `${name}: out overlaps ${argument}; it may be the same array or share nothing`;
      const wantedError = { code: 'ERR_OUT_OVERLAP', fn: name, argument: 'out', message } as const;
      const overlapping = memory.subarray(3, 9);
      expect(call(input, { shape, out: zeros(6) })).toEqual(wanted);
      expectError('RangeError', wantedError, () => call(input, { shape, out: overlapping }), memory);
      expectError('RangeError', wantedError, () => call(overlapping, { shape, out: input }), memory);
      expect(call(input, { shape, out: memory.subarray(2, 8) })).toEqual(wanted);
      expect(call(x, { shape, out })).toEqual(wanted);
    }
  });

  test('what is wrong is wrong', () => {
    const fn = { fn: name } as const;
    for (const [given, code] of [
      [[2, 4], 'ERR_SHAPE'],
      [[0, 6], 'ERR_SHAPE'],
      [[-2, -3], 'ERR_SHAPE'],
      [[1.5, 4], 'ERR_SHAPE'],
      [[], 'ERR_SHAPE'],
    ] as const) {
      const [x, out] = [marked(6), marked(6)];
      expectError('RangeError', { code, ...fn }, () => call(x, { shape: given, out }), out);
    }
    const short = marked(5);
    expectError('RangeError', { code: 'ERR_SHAPE', ...fn }, () => call(marked(6), { out: short }), short);
    const out = marked(6);
    const view = zeros(6);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    expectError('TypeError', { code: 'ERR_DETACHED', ...fn }, () => call(view, { shape, out }), out);
    expectError('TypeError', { code: 'ERR_DETACHED', ...fn }, () => call(marked(6), { shape, out: view }));
    expectError(
      'TypeError',
      { code: 'ERR_DTYPE', ...fn },
      () => call(any([1, 2]), { shape: [1, 2], out }),
      out,
    );
  });

  test('options and sizes are read once, also where the call turns out not to be plain', () => {
    for (const out of [zeros(6), zeros(5), undefined]) {
      const reads: Record<string, number> = {};
      const counting = <Value extends object>(prefix: string, value: Value): Value =>
        new Proxy(value, {
          get(target, key, receiver) {
            reads[`${prefix}${String(key)}`] = (reads[`${prefix}${String(key)}`] ?? 0) + 1;
            return Reflect.get(target, key, receiver);
          },
        });
      const options = counting('', { shape: counting('shape.', [2, 3]), out });
      try {
        call(marked(6), options);
      } catch {}
      for (const key of ['shape', 'axis', 'temperature', 'scale', 'mask', 'dtype', 'out'])
        expect(reads[key], key).toBe(1);
      for (const key of ['length', '0', '1']) expect(reads[`shape.${key}`], key).toBe(1);
    }
  });
});

test('inputs in one buffer, without an output', () => {
  const memory = random.uniforms(9, 0, 1);
  const [a, b] = [memory.subarray(0, 6), memory.subarray(3, 9)];
  for (const name of ['softmaxBackward', 'logSoftmaxBackward'] as const)
    expect(bytesOf(api[name](a, b))).toEqual(bytesOf(api[name](a.slice(), b.slice(), { out: zeros(6) })));
  expect(softmax(a)).toEqual(softmax(a.slice(), { out: zeros(6) }));
});

test('shared memory that grows while the shape is read', () => {
  const Growable = SharedArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => SharedArrayBuffer & { grow(bytes: number): void };
  const memory = new Growable(24, { maxByteLength: 4096 });
  const x = new Float32Array(memory);
  const sizes = new Proxy([2, 3], {
    get(target, key, receiver) {
      if (key === '1') memory.grow(memory.byteLength + 4);
      return Reflect.get(target, key, receiver);
    },
  });
  const error = { code: 'ERR_SHAPE', fn: 'softmax' } as const;
  expectError('RangeError', error, () => softmax(x, { shape: sizes }));
  expect(softmax(x)).toHaveLength(7);
});

test('no code of a caller runs when the sizes of buffers are asked for', () => {
  const [x, target, grad] = [random.normals(6, 3), Int32Array.of(0, 2), zeros(6)];
  const asked: string[] = [];
  for (const { buffer } of [x, target, grad])
    for (const name of ['byteLength', 'maxByteLength', 'resizable'])
      Object.defineProperty(buffer, name, { get: () => asked.push(name) });
  const options = { shape: [2, 3], out: grad };
  softmax(x, options);
  logSoftmax(x, options);
  softmaxBackward(x, y, options);
  logSoftmaxBackward(x, y, options);
  crossEntropy(x, target, { shape: [2, 3], grad });
  expect(asked).toEqual([]);
});

test('empty arrays', () => {
  for (const shape of [[0, 3], [3, 0], [0], undefined]) {
    const [x, out] = [zeros(0), zeros(0)];
    expect(softmax(x, { shape, out })).toBe(out);
    expect(logSoftmax(x, { shape, out })).toBe(out);
    expect(softmaxBackward(x, x, { shape, out })).toBe(out);
    expect(logSoftmaxBackward(x, x, { shape, out })).toBe(out);
  }
});

describe('crossEntropy', () => {
  const shape = [3, 2];
  const logits = random.normals(6);
  const target = Int32Array.of(1, -100, 0);

  test('what the general way gives', () => {
    for (const reduction of ['mean', 'sum', undefined] as const) {
      const grad = zeros(6);
      const plain = crossEntropy(logits, target, { shape, grad, reduction });
      // Labels of another type are not plain.
      const general = crossEntropy(logits, BigInt64Array.from(target, BigInt), {
        shape,
        grad: true,
        reduction,
      });
      expect(plain).toEqual(general);
      expect(Object.keys(plain)).toEqual(Object.keys(general));
      expect(plain.grad).toBe(grad);
      const fresh = crossEntropy(logits, target, { shape, grad: true, reduction });
      expect(fresh).toEqual(general);
      expect(fresh.grad.buffer).not.toBe(logits.buffer);
      const inPlace = logits.slice();
      expect(crossEntropy(inPlace, target, { shape, grad: inPlace, reduction })).toEqual(general);
    }
  });

  test('more rows than a small batch has, and just as many', () => {
    for (const rows of [63, 64, 65]) {
      const x = random.normals(rows * 3);
      const classes = random.classes(rows, 3);
      const options = { shape: [rows, 3], grad: zeros(rows * 3) };
      const general = crossEntropy(x, Uint8Array.from(classes), { shape: [rows, 3], grad: true });
      expect(crossEntropy(x, classes, options), `${rows} rows`).toEqual(general);
    }
  });

  test('results are new arrays', () => {
    const grad = zeros(6);
    const first = crossEntropy(logits, target, { shape, grad });
    const kept = first.logSumExp.slice();
    crossEntropy(random.normals(6), target, { shape, grad });
    expect(first.logSumExp).toEqual(kept);
    expect(first.logSumExp.buffer.byteLength).toBe(12);
  });

  test('no row counts, or a class is out of range', () => {
    const grad = zeros(6);
    const none = Int32Array.of(-100, -100, -100);
    expect(crossEntropy(logits, none, { shape, grad })).toMatchObject({ loss: Number.NaN, count: 0, grad });
    expect(crossEntropy(logits, none, { shape, grad, reduction: 'sum' }).loss).toBe(0);
    for (const wrong of [2, -1, -101, 2 ** 31 - 1]) {
      const output = marked(6);
      const message = `crossEntropy: target[2] = ${wrong} is outside [0, 2)`;
      const error = { code: 'ERR_TARGET_RANGE', fn: 'crossEntropy', row: 2, index: 2, message } as const;
      const classes = Int32Array.of(1, 0, wrong);
      expectError('RangeError', error, () => crossEntropy(logits, classes, { shape, grad: output }), output);
    }
  });

  test('a target or logits in the memory of the gradient', () => {
    const memory = new ArrayBuffer(40);
    const [grad, classes] = [new Float32Array(memory, 0, 6), new Int32Array(memory, 12, 3)];
    const bytes = new Uint8Array(memory);
    const wanted = { code: 'ERR_OUT_OVERLAP', fn: 'crossEntropy', argument: 'grad' } as const;
    expectError('RangeError', wanted, () => crossEntropy(logits, classes, { shape, grad }), bytes);
    const part = new Float32Array(memory, 4, 6);
    expectError('RangeError', wanted, () => crossEntropy(part, target, { shape, grad }), bytes);
    // In one buffer, but apart.
    const apart = new Int32Array(memory, 24, 3);
    expect(crossEntropy(logits, apart, { shape, grad }).count).toBe(3);
  });

  test('labels in shared memory', () => {
    const shared = new Int32Array(new SharedArrayBuffer(12));
    shared.set(target);
    const general = crossEntropy(logits, target, { shape, grad: true });
    expect(crossEntropy(logits, shared, { shape, grad: zeros(6) })).toEqual(general);
  });
});
