// The tests of errors once more, with asynchronous functions in the place of the others: every error that those throw is
// what these reject with, and none is thrown. Then the errors that only they have.

import * as api from 'softmax-native';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rejections } from '../helpers/calls.js';

vi.mock('softmax-native', async (original) => {
  const all: Record<string, unknown> = { ...(await original<object>()) };
  for (const [name, twin] of Object.entries(all)) {
    if (!name.endsWith('Async')) continue;
    all[name.slice(0, -5)] = (...args: unknown[]) => {
      try {
        return (twin as (...args: unknown[]) => unknown)(...args);
      } catch (error) {
        throw new Error('an error was thrown where a promise should have been rejected', { cause: error });
      }
    };
  }
  return all;
});

import '../errors.test.js';
import '../errors-habits.test.js';
import '../errors-logged.test.js';
import '../errors-losses.test.js';
import '../errors-rows.test.js';
import '../errors-state.test.js';
import '../errors-tensors.test.js';
import { functionsAsync, large, largeCall } from '../helpers/async-calls.js';

let checked = 0;
afterEach(async () => {
  checked += rejections.length;
  await Promise.all(rejections.splice(0));
});

describe.each(functionsAsync)('%s', (name) => {
  const fn = name.slice(0, -5);
  test.each([
    ['null', null],
    ['1', 1],
    ['an object', {}],
    ['an object', { aborted: false, addEventListener() {} }],
    ['an object', { aborted: 0, addEventListener() {}, removeEventListener() {} }],
    ['an object; did you mean signal.signal?', new AbortController()],
    ['an object', new EventTarget()],
  ])('a signal that is none: %s', async (got, signal) => {
    const value = typeof signal === 'object' && signal !== null ? 'an object' : signal;
    const message = `${fn}: signal must be an AbortSignal, got ${got}`;
    const wanted = { name: 'TypeError', code: 'ERR_OPTION', fn, argument: 'signal', value, message };
    await expect(largeCall(name, { signal }).promise).rejects.toMatchObject(wanted);
  });

  test.each([
    ['null', null],
    ['1', 1],
    ['a plain array; true gives up all inputs', []],
  ])('transfer: %s', async (got, transfer) => {
    const message = `${fn}: transfer must be true or false, got ${got}`;
    const wanted = {
      name: 'TypeError',
      code: 'ERR_OPTION',
      fn,
      argument: 'transfer',
      value: Array.isArray(transfer) ? 'a plain array' : transfer,
      message,
    };
    await expect(largeCall(name, { transfer }).promise).rejects.toMatchObject(wanted);
  });
});

test('all calls were asynchronous', () => {
  expect(checked).toBeGreaterThan(1900);
  expect(api.softmax(large(10))).toBeInstanceOf(Promise);
});
