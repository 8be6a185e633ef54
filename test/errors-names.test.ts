// Errors say which function they leave, whatever a program makes of stacks; functions have their names.

import * as api from 'softmax-native';
import { afterEach, describe, expect, test } from 'vitest';
import { signatures } from './helpers/signatures.js';

const { prepareStackTrace } = Error;
afterEach(() => {
  Error.prepareStackTrace = prepareStackTrace;
});

const wrong = () => api.softmax('x' as never);
const wanted = {
  name: 'TypeError',
  code: 'ERR_DTYPE',
  fn: 'softmax',
  message: 'softmax: x must be an array of floats or a tensor of them, got "x"',
};

describe('an error of a function', () => {
  test('has its name in the stack, too', () => {
    let error: Error | undefined;
    try {
      wrong();
    } catch (caught) {
      error = caught as Error;
    }
    expect(error).toMatchObject(wanted);
    expect(error?.stack).toMatch(/^TypeError: softmax: x must be an array/);
    expect(error?.stack).toContain('errors-names.test.ts');
  });
  test.each<[string, typeof Error.prepareStackTrace]>([
    ['the call sites', (_error, sites) => sites],
    ['nothing', () => undefined],
    [
      'an error',
      () => {
        throw new Error('no stack');
      },
    ],
  ])('where Error.prepareStackTrace makes of it %s', (_what, prepare) => {
    Error.prepareStackTrace = prepare;
    expect(wrong).toThrow(expect.objectContaining(wanted));
  });
  test("of user code's own stays as it is, also one of another call", () => {
    const own = new Error('mine');
    const fail = (error: unknown) => ({
      get shape(): never {
        throw error;
      },
    });
    expect(() => api.softmax(new Float32Array(1), fail(own))).toThrow(own);
    expect(own.message).toBe('mine');
    let inner: unknown;
    try {
      wrong();
    } catch (error) {
      inner = error;
    }
    expect(() => api.logSumExp(new Float32Array(1), fail(inner))).toThrow(wanted.message);
    expect(inner).toMatchObject(wanted);
  });
});

test.each(signatures)('$name has its name, as its twin has', (signature) => {
  const { name, inputs, target } = signature;
  const length = inputs.length + (target === 'none' || target === 'option' ? 1 : 2);
  for (const each of [name, `${name}Async`]) {
    const exported = (api as unknown as Record<string, (...args: unknown[]) => unknown>)[each];
    expect([exported?.name, exported?.length]).toEqual([each, length]);
  }
});
