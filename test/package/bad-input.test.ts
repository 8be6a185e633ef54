// Wrong calls of everything that the package exports, in native code, in WebAssembly and in JavaScript: a typed error with
// a code, the same on all, and nothing is written or given up.

import * as js from 'softmax-native/js';
import * as native from 'softmax-native/native';
import * as wasm from 'softmax-native/wasm';
import { describe, expect, test } from 'vitest';
import { badCalls, type Module, outcomeOf } from '../helpers/bad-calls.js';
import { notPlain } from '../helpers/plain-errors.js';
import { shardFunctions, syncName, tokenOperations } from '../helpers/signatures.js';

const least = 300;
const calls = badCalls();
/** What has no arguments that could be wrong. */
const withoutArguments = ['backend', 'getThreads'];
/** test/errors-NAME.test.ts has theirs. */
const withOwn = [
  ...tokenOperations.flatMap((name) => [name, `${name}Async`]),
  ...shardFunctions,
  'SoftmaxStream',
];
const codes = [
  ...['ERR_DTYPE', 'ERR_SHAPE', 'ERR_AXIS', 'ERR_TEMPERATURE', 'ERR_TARGET_RANGE', 'ERR_LABEL_SMOOTHING'],
  ...['ERR_MASK', 'ERR_OUT_OVERLAP', 'ERR_DETACHED', 'ERR_NOT_ON_CPU', 'ERR_OPTION', 'ERR_K'],
];

test('every export has its wrong calls', () => {
  const names = [...calls.keys(), ...withOwn, ...withoutArguments].sort();
  expect(Object.keys(native).sort()).toEqual(names);
  expect(Object.keys(js).sort()).toEqual(names);
  expect(Object.keys(wasm).sort()).toEqual([...names, 'init'].sort());
});

/** What of an error is the same on every backend. */
function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof TypeError || error instanceof RangeError)) return { untyped: String(error) };
  const { code, message, fn, argument, row, index, value } = error as native.SoftmaxError;
  const details = { code, message, fn, argument, row, index, value: String(value) };
  return { name: error.name, type: error.constructor.name, ...details };
}

/** What is wrong with an error. */
function complaint(name: string, error: unknown): string | undefined {
  if (error === undefined) return 'nothing was thrown';
  const { untyped, name: type, code, message, fn } = described(error);
  if (untyped !== undefined) return `untyped: ${untyped}`;
  if (type !== 'TypeError' && type !== 'RangeError') return `its name is ${type}`;
  if (!codes.includes(String(code))) return `its code is ${code}: ${message}`;
  if (fn !== syncName(name)) return `its fn is ${fn}: ${message}`;
  return String(message).startsWith(`${fn}: `) ? notPlain(error) : `its message is ${message}`;
}

describe.each([...calls])('%s', (name, ofFunction) => {
  test(`${ofFunction.length} wrong calls on each backend`, async () => {
    expect(new Set(ofFunction.map(({ label }) => label)).size).toBe(ofFunction.length);
    expect(ofFunction.length).toBeGreaterThanOrEqual(least);
    const complaints: string[] = [];
    for (const [i, call] of ofFunction.entries()) {
      const outcomes: Awaited<ReturnType<typeof outcomeOf>>[] = [];
      // What refuses them is the same code: some show that WebAssembly has it, too.
      const modules = i % 8 === 0 ? [native, js, wasm] : [native, js];
      for (const module of modules) outcomes.push(await outcomeOf(module as Module, name, call));
      const own = outcomes.map(({ error, touched }) => complaint(name, error) ?? touched);
      const [first, ...others] = outcomes.map(({ error }) => JSON.stringify(described(error)));
      const other = others.find((text) => text !== first);
      const problem = own.find((text) => text !== undefined) ?? (other && `${first} is not ${other}`);
      if (problem !== undefined) complaints.push(`${call.label}: ${problem}`);
    }
    expect(complaints).toEqual([]);
  });
});

test('setThreads: no wrong call has an effect; getThreads has no arguments', () => {
  for (const module of [native, wasm, js]) {
    const threads = module.getThreads();
    for (const { make } of calls.get('setThreads') ?? []) {
      const wrong = make();
      expect(() => (module.setThreads as (...all: unknown[]) => void)(...wrong)).toThrow();
      expect((module.getThreads as (...all: unknown[]) => number)(...wrong)).toBe(threads);
    }
  }
});

test('backend can not be changed', () => {
  for (const { backend } of [native, wasm, js])
    for (const [key, value] of Object.entries(backend)) {
      const change = () => Object.assign(backend, { [key]: 'other' });
      expect(change).toThrow(TypeError);
      expect(backend[key as keyof typeof backend]).toBe(value);
    }
});
