// setThreads and getThreads: what they accept, and that no bit of a result depends on them.

import * as api from 'softmax-native';
import { afterAll, describe, expect, test } from 'vitest';
import { chooseBackend, chooseNative } from '../src/backends/choose.js';
import { chooseJs } from '../src/backends/chosen.js';
import { oneThread, readThreads } from '../src/backends/threads.js';
import { bitsOf, functionsAsync, largeCall } from './helpers/async-calls.js';
import { any } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const before = api.getThreads();
afterAll(() => api.setThreads(before));

describe('setThreads', () => {
  test.each([
    ['RangeError', 0, '0'],
    ['RangeError', -1, '-1'],
    ['RangeError', 1025, '1025'],
    ['RangeError', 1.5, '1.5'],
    ['RangeError', Number.NaN, 'NaN'],
    ['RangeError', Number.POSITIVE_INFINITY, 'Infinity'],
    ['TypeError', '2', '"2"'],
    ['TypeError', 2n, '2n'],
    ['TypeError', null, 'null'],
    ['TypeError', undefined, 'undefined'],
    ['TypeError', new Number(2), 'an object'],
  ])('%s: %s', (name, threads, got) => {
    const count = api.getThreads();
    const message = `setThreads: threads must be an integer in [1, 1024], got ${got}`;
    const wanted = {
      name,
      code: 'ERR_OPTION',
      fn: 'setThreads',
      argument: 'threads',
      value: typeof threads === 'bigint' ? '2' : threads instanceof Number ? got : threads,
      message,
    };
    expect(() => api.setThreads(any(threads))).toThrow(expect.objectContaining(wanted));
    expect(api.getThreads()).toBe(count);
  });

  test('is what getThreads says, but in JavaScript and WebAssembly', () => {
    for (const threads of [1, 2, 3]) {
      expect(api.setThreads(threads)).toBeUndefined();
      expect(api.getThreads()).toBe(api.backend.kind === 'native' ? threads : 1);
    }
    const js = chooseJs('a test');
    js.threads.set(7);
    expect(js.threads).toBe(oneThread);
    expect(js.threads.get()).toBe(1);
  });

  test('the same bits with any number of them', async () => {
    for (const threads of [1, 2, 3, 8]) {
      api.setThreads(threads);
      for (const name of functionsAsync) {
        const { promise, expected } = largeCall(name);
        expect(bitsOf(await promise), `${name}, ${threads} threads`).toEqual(expected);
      }
    }
  });
});

describe('SOFTMAX_THREADS', () => {
  test('unset or empty: none', () => {
    expect(readThreads(undefined)).toBeUndefined();
    expect(readThreads('')).toBeUndefined();
    expect(readThreads('12')).toBe(12);
    expect(readThreads('1024')).toBe(1024);
  });

  test.each(['0', '1025', '-1', '1.5', ' 2', '2 ', '1e2', '0x2', 'two', '99999999999999999999'])(
    '%s',
    (value) => {
      const message = `SOFTMAX_THREADS=${JSON.stringify(value)} is not an integer in [1, 1024]`;
      const argument = 'SOFTMAX_THREADS';
      const wanted = { name: 'RangeError', code: 'ERR_BACKEND', argument, value, message };
      for (const more of [{}, { SOFTMAX_BACKEND: 'js' }, { SOFTMAX_BACKEND: 'native' }])
        expect(() => chooseBackend({ ...more, SOFTMAX_THREADS: value })).toThrow(
          expect.objectContaining(wanted),
        );
      expect(() => chooseNative({ SOFTMAX_THREADS: value })).toThrow(expect.objectContaining(wanted));
    },
  );

  test('is a default of native code: without effect once anything was set', () => {
    chooseBackend({}).threads.set(5);
    for (const threads of [3, 1]) {
      const { backend, threads: own } = chooseBackend({ SOFTMAX_THREADS: String(threads) });
      expect(own.get()).toBe(backend.kind === 'js' ? 1 : 5);
    }
  });
});

test('losses of long rows in double: the same bits in one part and in many', () => {
  const random = new Random(11);
  for (const [isDouble, length] of [
    [false, 70_001],
    [false, 131_072],
    [true, 40_000],
  ] as const) {
    const rowsOf = (deviation: number) => {
      const floats = random.normals(2 * length, deviation);
      return isDouble ? Float64Array.from(floats, (z) => z * 1.1) : floats;
    };
    const x = rowsOf(3);
    const shape = [2, length];
    const probabilities = api.softmax(rowsOf(2), { shape });
    const classes = [length - 1, 12_288];
    const weight = Float64Array.from({ length }, () => random.uniform(0.5, 2));
    const cases = [
      [classes, { labelSmoothing: 0.1 }],
      [classes, { labelSmoothing: 0.1, weight, temperature: [2, 0.5] }],
      [[-100, 5], { labelSmoothing: 1, scale: -1 }],
      [probabilities, {}],
      [probabilities, { labelSmoothing: 0.3, weight }],
    ] as const;
    for (const [target, options] of cases) {
      const results = [1, 2, 5].map((threads) => {
        api.setThreads(threads);
        const inPlace = x.slice();
        const wanted = { shape, reduction: 'none', ...options } as const;
        const { loss, logSumExp } = api.crossEntropy(x, any(target), any({ ...wanted }));
        const given = api.crossEntropy(inPlace, any(target), any({ ...wanted, grad: inPlace }));
        return [loss, logSumExp, given.loss, inPlace];
      });
      const label = JSON.stringify([length, Object.keys(options)]);
      expect(bitsOf(results[1]), label).toEqual(bitsOf(results[0]));
      expect(bitsOf(results[2]), label).toEqual(bitsOf(results[0]));
    }
    const student = rowsOf(4);
    const results = [1, 2, 5].map((threads) => {
      api.setThreads(threads);
      const grad = student.slice();
      const distilled = { shape, temperature: 2, target: Int32Array.from(classes), alpha: 0.3 };
      return [
        api.entropy(x, any({ shape, temperature: 3 })),
        api.klDivergence(x, student, any({ shape })),
        api.distillationLoss(grad, x, any({ ...distilled, grad })).loss,
        grad,
        api.distillationLoss(student, x, any({ shape, grad: true, reduction: 'none' })).grad,
      ];
    });
    expect(bitsOf(results[1]), `${length}`).toEqual(bitsOf(results[0]));
    expect(bitsOf(results[2]), `${length}`).toEqual(bitsOf(results[0]));
  }
});

test('a long row whose maximum is subtracted: the same bits in one part and in many', () => {
  // All of it above the cut, in blocks that have maxima of their own; a float32 would round away what differs.
  const random = new Random(4);
  // Of several rows: the sums of one may agree by chance.
  for (let row = 0; row < 6; row++) {
    const x = Float64Array.from({ length: 300_001 }, () => random.uniform(5000, 5000 + 2 ** row));
    const results = [1, 4].map((threads) => {
      api.setThreads(threads);
      return [api.softmax(x), api.logSoftmax(x), api.crossEntropy(x, [7], { grad: true }).grad];
    });
    expect(bitsOf(results[1]), `row ${row}`).toEqual(bitsOf(results[0]));
  }
});

test('a long row in parts, of which the first alone is above the cut', () => {
  // So long that waking threads pays.
  const logits = new Float32Array(400_000).fill(-95).fill(-87, 0, 16_384);
  logits[7] = 0;
  const exact = 16_383 * Math.exp(-87) + (400_000 - 16_384) * Math.exp(-95);
  const losses = [1, 4].map((threads) => {
    api.setThreads(threads);
    return api.crossEntropy(logits, [7], { grad: true }).loss as number;
  });
  expect((losses[0] as number) / exact).toBeCloseTo(1, 6);
  expect(losses[1]).toBe(losses[0]);
});
