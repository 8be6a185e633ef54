// What an error keeps of a value is for logs: short, of a kind that JSON has, and nothing of the caller's. Every other test
// of errors looks at that, too (helpers/plain-errors.ts); here are the values that would be long, or held.

import { softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import {
  any,
  cases,
  expectError,
  functionOf,
  functions,
  marked,
  named,
  scaled,
  zeros,
} from './helpers/calls.js';

/** The error of a call, or what its promise rejects with. */
async function errorOf(call: () => unknown): Promise<Error & Record<string, unknown>> {
  try {
    await call();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('nothing was thrown');
}

const huge = 10n ** 1_000_000n;
const long = 'x'.repeat(2 ** 20);
const axes = Array(64).fill(2 ** 52);

test.each<[string, unknown, unknown]>([
  ['a number', 1.5, 1.5],
  ['a boolean', true, true],
  ['null', null, null],
  ['a string', 'x', 'x'],
  ['a string of a megabyte', long, `${'x'.repeat(80)}…`],
  ['a bigint', -12n, '-12'],
  ['a bigint of a million digits', huge, 'a bigint of more than 40 digits'],
  ['a symbol', Symbol('x'), 'a symbol'],
  ['a function', () => 0, 'a function'],
  ['an array', Array(1e6).fill(0.5), 'a plain array'],
  ['an array of itself', [[]], 'a plain array'],
  ['a typed array', new Int32Array(1e6), 'Int32Array'],
  ['a view', new DataView(new ArrayBuffer(8)), 'a DataView'],
  ['a buffer', new ArrayBuffer(8), 'an ArrayBuffer'],
  ['a shared buffer', new SharedArrayBuffer(8), 'a SharedArrayBuffer'],
  ['an object', { toJSON: () => long, toString: () => long }, 'an object'],
])('%s', async (_what, value, kept) => {
  const error = await errorOf(() => softmax(any(value)));
  expect(error.value).toBe(kept);
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 'ERR_DTYPE',
    fn: 'softmax',
    argument: 'x',
    value: kept,
  });
  expect(error.message.length).toBeLessThan(200);
});

test('NaN and infinities are kept; JSON writes null', async () => {
  const error = await errorOf(() => softmax(zeros(2), { temperature: Number.NaN }));
  expect(error.value).toBeNaN();
  expect(JSON.parse(JSON.stringify(error)).value).toBeNull();
});

test('a bad int64 label', async () => {
  const target = BigInt64Array.of(0n, 9007199254740993n);
  for (const name of ['crossEntropy', 'nllLoss']) {
    const error = await errorOf(() => functionOf(name)(zeros(6), target, { shape: [2, 3] }));
    expect(error).toMatchObject({ row: 1, index: 1, value: '9007199254740993' });
    expect(JSON.stringify({ ...error })).toContain('"value":"9007199254740993"');
  }
});

describe('long values', () => {
  const check = (fn: { name: string }, argument: string, call: () => unknown) =>
    expectError(argument === 'axes' ? 'RangeError' : 'TypeError', { fn: fn.name }, call);

  test.each(named(functions))('%s: options', (_name, fn, input) => {
    for (const option of fn.signature.options)
      for (const value of [huge, { a: long, b: huge }, Symbol(long)])
        check(fn, option, () => fn.call(input, marked(6), { [option]: value }));
    for (const option of ['shape', 'axis', 'dtype'])
      check(fn, option, () => fn.call(input, marked(6), { [option]: long }));
    check(fn, 'options', () => fn.call(input, marked(6), any(huge)));
  });
  test.each(named(functions))('%s: shapes', (_name, fn, input) => {
    check(fn, 'axes', () => fn.call(input, marked(6), { shape: axes }));
    for (const value of [huge, long])
      check(fn, 'axes', () => fn.call(input, marked(6), { shape: [2, value] }));
  });
  test.each(cases(functions))('%s: tensors as %s', (_name, argument, fn) => {
    const data = zeros(6);
    check(fn, 'axes', () => fn.call(argument, { data, dims: axes }));
    check(fn, 'axes', () => fn.call(argument, { data, dims: Array(64).fill(1) }, { shape: axes }));
    check(fn, argument, () => fn.call(argument, { data, dims: [6], type: long }));
    check(fn, argument, () => fn.call(argument, { data, dims: [6], location: long }));
    check(fn, argument, () => fn.call(argument, { data: long, dims: [6] }));
  });
  test.each(named(scaled))('%s: masks', (_name, fn, input) => {
    const data = new Uint8Array(1);
    const mask = { data, dims: Array(64).fill(1) };
    if (fn.name !== 'crossEntropy') check(fn, 'axes', () => fn.call(input, marked(6), { mask }));
    check(fn, 'mask', () => fn.call(input, marked(6), { mask: { data, dims: [1], type: long } }));
    check(fn, 'mask', () => fn.call(input, marked(6), { mask: { data: [huge], dims: [1] } }));
  });
  test('targets', () => {
    for (const name of ['crossEntropy', 'nllLoss'])
      for (const target of [[huge], [long], { data: new Int32Array(1), dims: [1], type: long }])
        check({ name }, 'target', () => functionOf(name)(zeros(3), target));
  });
});
