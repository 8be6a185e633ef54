// The addon's own checks, which TypeScript relies on: operations are called with arrays that are too short, with more
// rows than a small batch has, by a number that there is not, and a job is cancelled.

import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from 'vitest';
import type { ScaledRows } from '../../src/backends/kernels.js';
import { dtypeBits, Exchange } from '../../src/backends/native/exchange.js';
import type { NativeFunctions } from '../../src/backends/native/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { rowOperations } from '../helpers/row-kernels.js';

const { path, operations } = loadAddon();
const addon: { kernelsOf(isa: string): NativeFunctions } = createRequire(import.meta.url)(path);
const functions = addon.kernelsOf('scalar');
const exchange = new Exchange(functions.exchange);
type Arrays = (Float32Array | Float64Array | Int32Array | Uint8Array | undefined)[];

/** 3 rows of 4, every second element of a mask, from the offsets on. */
const rows: ScaledRows = { outer: 3, length: 4, inner: 1, mask: undefined, multiplier: 1 };
const step = 2;
const offsets = () => Float64Array.of(0, 1, 5);
const maskLength = 5 + 3 * step + 1;

const floats = (length: number) => new Float32Array(length).fill(0.25);
const doubles = (length: number) => new Float64Array(length).fill(0.5);
const options = (): Arrays => [new Uint8Array(maskLength).fill(1), offsets(), doubles(3)];

/** Arrays of each function, all that it can have. */
const calls: readonly [string, () => Arrays][] = [
  ...rowOperations.map(({ name, inputs, result }): [string, () => Arrays] => [
    name,
    () => [
      ...inputs.map(() => floats(12)),
      floats(result === 'rows' ? 12 : result === 'row' ? 3 : 48),
      ...(result === 'square' ? [] : options()),
    ],
  ]),
  ['topK', () => [floats(12), floats(3), new Int32Array(3), ...options()]],
  [
    'tokenLogProbs',
    () => [
      ...[floats(12), new Int32Array(3), floats(3), new Int32Array(3), floats(3), undefined, undefined],
      ...options(),
    ],
  ],
  [
    'crossEntropy',
    () => [
      ...[floats(12), floats(12), floats(3), floats(3), undefined, floats(12), doubles(4), doubles(3)],
      ...options(),
    ],
  ],
  [
    'crossEntropy',
    () => [
      ...[floats(12), floats(12), floats(3), floats(3), new Int32Array(3), undefined, doubles(4), doubles(3)],
      ...options(),
    ],
  ],
  [
    'divergence',
    () => [floats(12), floats(12), doubles(3), floats(12), doubles(12), doubles(3), ...options()],
  ],
];

const numberOf = (name: string): number => operations.indexOf(name);

function run(name: string, arrays: Arrays): unknown {
  exchange.writeCall(numberOf(name), rows, 0);
  new Float64Array(functions.exchange)[4] = step;
  exchange.writeNumbers(1, 0);
  const present = arrays.reduce(
    (bits, array, index) => (array === undefined ? bits : bits | (1 << index)),
    0,
  );
  exchange.writePresent(present, false);
  return functions.compute(...arrays);
}

afterEach(() => {
  exchange.job = 0;
});

describe.each(calls)('%s', (name, arraysOf) => {
  it('takes arrays that are just long enough', () => {
    expect(run(name, arraysOf())).toBeUndefined();
  });

  it('refuses each that is an element short, and writes nothing', () => {
    for (const [index, whole] of arraysOf().entries()) {
      if (whole === undefined) continue;
      const arrays = arraysOf();
      arrays[index] = whole.subarray(1);
      const before = arrays.map((array) => array?.slice());
      const wanted = { name: 'TypeError', code: 'ERR_DETACHED', message: 'an array was detached or shrunk' };
      expect(() => run(name, arrays), `argument ${index}`).toThrow(expect.objectContaining(wanted));
      expect(arrays).toEqual(before);
    }
  });
});

it('every operation over rows of the table has a kernel', () => {
  expect(operations).toEqual(expect.arrayContaining(rowOperations.map(({ name }) => name)));
});

it.each([-1, operations.length, Number.NaN])('there is no operation %s', (operation) => {
  exchange.writeCall(operation, rows, 0);
  exchange.writePresent(0, false);
  const wanted = {
    code: 'ERR_BACKEND',
    message: 'the native backend was asked for an operation that it does not have',
  };
  expect(() => functions.compute(floats(12), floats(12))).toThrow(expect.objectContaining(wanted));
});

it('each array has the dtype of its own place', () => {
  const halves = Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400); // float16: 1, 2, 3, 4
  const out = new Float64Array(4);
  const whole = { ...rows, outer: 4, length: 1 };
  exchange.writeCall(
    numberOf('logSoftmaxBackward'),
    whole,
    dtypeBits('float16', 0) | dtypeBits('float32', 1) | dtypeBits('bfloat16', 2),
  );
  exchange.writePresent(0, false);
  functions.compute(halves, new Float32Array(4).fill(-1e9), new Uint16Array(out.buffer, 0, 4));
  expect([...new Uint16Array(out.buffer, 0, 4)]).toEqual([0x3f80, 0x4000, 0x4040, 0x4080]);
});

it('a small batch has no more rows than there is memory for', () => {
  const batch = (rowCount: number) => {
    exchange.writeCall(numberOf('crossEntropy'), { ...rows, outer: rowCount, length: 2 }, 0);
    exchange.writeNumbers(1, 0);
    exchange.writePresent((1 << 1) | (1 << 4), true);
    return functions.compute(floats(2 * rowCount), floats(2 * rowCount));
  };
  expect(batch(64)).toBeUndefined();
  const wanted = { name: 'TypeError', code: 'ERR_SHAPE', message: /more rows than a small batch has/ };
  expect(() => batch(65)).toThrow(
    expect.objectContaining({ ...wanted, message: expect.stringMatching(wanted.message) }),
  );
  exchange.job = 1;
  const ofJob = /a job was given memory that the next call uses/;
  expect(() => batch(2)).toThrow(expect.objectContaining({ message: expect.stringMatching(ofJob) }));
});

it('what is known of a row has no more numbers than there is memory for', () => {
  const sums = (count: number) => {
    exchange.writePlainCall(numberOf('blockSums'), 1, 12);
    exchange.writeNumbers(count, 0);
    exchange.writePresent(0, true);
    return functions.compute(floats(12));
  };
  expect(sums(128)).toBeUndefined();
  const wanted = {
    name: 'TypeError',
    code: 'ERR_SHAPE',
    message: expect.stringMatching(/more numbers than/),
  };
  expect(() => sums(129)).toThrow(expect.objectContaining(wanted));
});

it('a job that is cancelled says so', async () => {
  const ended = new Promise<unknown[]>((resolve) => {
    functions.connect((...told) => resolve(told));
  });
  const [outer, length] = [4000, 1000];
  const [x, out] = [floats(outer * length), floats(outer * length)];
  exchange.job = 7;
  exchange.writeCall(numberOf('softmax'), { ...rows, outer, length }, 0);
  exchange.writePresent(0, false);
  expect(functions.compute(x, out)).toBe(true);
  functions.cancel(7);
  expect(await ended).toEqual([7, true]);
});
