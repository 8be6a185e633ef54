// emptyRow: 'zero': a row of nothing but −Infinity becomes what a row is that the mask empties, and no other row changes.

import * as api from 'softmax-native';
import { afterAll, describe, expect, test } from 'vitest';
import { bitsOf } from './helpers/async-calls.js';
import { any, functionOf, type Options } from './helpers/calls.js';
import { arrayOf, dtypes, Grid } from './helpers/grid.js';
import { Random } from './helpers/random.js';
import { at } from './helpers/rows.js';
import { argumentsOf, isLoss, signatureOf, signatures, takes } from './helpers/signatures.js';

const threads = api.getThreads();
afterAll(() => api.setThreads(threads));

const taking = signatures.filter((signature) => takes(signature, 'emptyRow')).map(({ name }) => name);
const masked = taking.filter((name) => name !== 'nllLoss');

test('the functions that have the option', () => {
  expect(taking).toEqual(signatures.map(({ name }) => name).filter((name) => name !== 'softmaxJacobian'));
});

const layouts: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[5, 4], -1],
  [[40, 7], -1],
  [[4, 33], 0],
  [[2, 5, 37], 1],
  [[3, 300], -1],
  [[2, 4200], -1],
  [[4100, 2], 0],
];

/** What an input has in an empty row: what the function's own forward function writes there, or −Infinity. */
const nothing = (name: string, input: string): number => {
  if (input === 'gradOutput') return Number.NaN;
  return name === 'softmaxBackward' ? 0 : -Infinity;
};
/** Of the other rows: some with −Infinity beside numbers, a NaN or +Infinity. */
function valuesOf(
  name: string,
  input: string,
  grid: Grid,
  random: Random,
  isEmpty: (row: number) => boolean,
) {
  const values = [...random.normals(grid.size, 2)];
  grid.rows.forEach((places, row) => {
    if (isEmpty(row)) for (const place of places) values[place] = nothing(name, input);
    else if (row % 4 === 2) values[at(places, places.length - 1)] = nothing(name, input);
    else if (row % 4 === 1 && row > 4)
      values[at(places, 1)] = [Number.NaN, Infinity][((row - 1) / 4) % 2] as number;
  });
  return values;
}

describe.each(masked)('%s: as with a mask', (name) => {
  const signature = signatureOf(name);
  test.each(layouts)('shape %j, axis %i', (shape, axis) => {
    const random = new Random(31);
    const grid = new Grid(shape, axis);
    const isEmpty = (row: number) => row % 3 === 0;
    const mask = new Uint8Array(grid.size).fill(1);
    grid.rows.forEach((places, row) => {
      if (isEmpty(row)) for (const place of places) mask[place] = 0;
    });
    const target = random.classes(grid.rows.length, grid.length);
    const losses: Options[] = [{}, { labelSmoothing: 0.1 }, { reduction: 'none' }];
    const distilled =
      name === 'distillationLoss' ? [{}, { target, alpha: 0.3 }, { target, alpha: 0 }] : losses;
    for (const more of isLoss(signature) ? distilled : [{}, ...limitsOf(name)])
      for (const dtype of dtypes)
        for (const scale of [1, -0.5]) {
          const inputs = signature.inputs.map((input) => {
            const values = valuesOf(name, input, grid, random, isEmpty);
            const isLogits = !name.endsWith('Backward');
            return arrayOf(isLogits && scale < 0 ? values.map((value) => -value) : values, dtype);
          });
          const kind = typeof inputs[0] === 'object' && inputs[0] instanceof Uint16Array ? { dtype } : {};
          const options = {
            ...{ shape, axis, scale, ...more, ...kind },
            ...(isLoss(signature) ? { grad: true } : {}),
          };
          const call = (own: Options) =>
            bitsOf(functionOf(name)(...argumentsOf(signature, inputs, target, { ...options, ...own })));
          const label = JSON.stringify({ dtype, scale, ...more, target: undefined });
          expect(call({ emptyRow: 'zero' }), label).toEqual(call({ mask }));
          expect(call({ emptyRow: 'nan' }), label).toEqual(call({}));
        }
  });
});

function limitsOf(name: string): Options[] {
  return signatureOf(name).hasLimits ? [{ temperature: 0 }, { temperature: Infinity }] : [];
}

const row = (...values: number[]) => Float32Array.from(values);
const lost = row(-Infinity, -Infinity);
const zero = { emptyRow: 'zero' } as const;
const zeros = row(0, 0);

describe('one row of −Infinity', () => {
  test('forward', () => {
    for (const temperature of [1, 0, Infinity, 0.5]) {
      expect(api.softmax(lost, { ...zero, temperature })).toEqual(zeros);
      expect(api.softmax(lost, { temperature })).toEqual(row(NaN, NaN));
      expect(api.logSoftmax(lost, { ...zero, temperature })).toEqual(lost);
      expect(api.logSoftmax(lost, { temperature })).toEqual(row(NaN, NaN));
    }
    expect(api.logSumExp(lost, zero)).toEqual(row(-Infinity));
    expect(api.entropy(lost, zero)).toEqual(row(0));
    expect(api.entropy(lost)).toEqual(row(NaN));
  });

  test('in place, and into an array: the plain way does not know the option', () => {
    const x = row(...lost);
    expect(api.softmax(x, { ...zero, out: x })).toBe(x);
    expect(x).toEqual(zeros);
    expect(api.logSoftmax(lost, { ...zero, out: row(1, 2) })).toEqual(lost);
    const grad = row(1, 2);
    api.crossEntropy(lost, Int32Array.of(1), { ...zero, grad });
    expect(grad).toEqual(zeros);
    expect(api.softmaxBackward(row(NaN, 1), zeros, { ...zero, out: row(1, 2) })).toEqual(zeros);
    expect(api.logSoftmaxBackward(row(NaN, 1), lost, { ...zero, out: row(1, 2) })).toEqual(zeros);
  });

  test('of what the mask keeps', () => {
    const options = { mask: Uint8Array.of(1, 0), ...zero };
    expect(api.softmax(row(-Infinity, 3), options)).toEqual(zeros);
    expect(api.logSoftmax(row(-Infinity, NaN), options)).toEqual(lost);
    expect(api.entropy(row(-Infinity, 3), options)).toEqual(row(0));
    expect(api.softmaxBackward(row(NaN, 1), row(0, 1), options)).toEqual(zeros);
    expect(api.crossEntropy(row(-Infinity, 3), Int32Array.of(0), options).loss).toBe(0);
    expect(api.distillationLoss(row(-Infinity, 3), row(1, 2), options)).toEqual({ loss: NaN, count: 0 });
  });

  test('with a negative scale it is of +Infinity, and −Infinity is none', () => {
    const options = { ...zero, scale: -1 };
    expect(api.softmax(row(Infinity, Infinity), options)).toEqual(zeros);
    expect(api.softmax(lost, options)).toEqual(row(NaN, NaN));
    expect(api.softmax(row(Infinity, Infinity), zero)).toEqual(row(NaN, NaN));
  });

  test('a NaN or +Infinity beside it stays what it is, at every temperature', () => {
    for (const temperature of [1, 0, Infinity])
      for (const bad of [NaN, Infinity])
        for (const x of [row(-Infinity, bad), row(bad, -Infinity)]) {
          expect(api.softmax(x, { ...zero, temperature })).toEqual(row(NaN, NaN));
          expect(api.logSoftmax(x, { ...zero, temperature })).toEqual(row(NaN, NaN));
        }
    expect(api.entropy(row(-Infinity, NaN), zero)).toEqual(row(NaN));
    const { loss, grad } = api.crossEntropy(row(NaN, -Infinity), Int32Array.of(1), { ...zero, grad: true });
    expect([loss, ...grad]).toEqual([NaN, NaN, NaN]);
  });

  test.each([
    ['softmaxBackward', api.softmaxBackward, zeros],
    ['logSoftmaxBackward', api.logSoftmaxBackward, lost],
  ] as const)('%s: a gradient of +0, whatever gradOutput is', (_, backward, output) => {
    for (const gradOutput of [row(-1, 2), row(NaN, 1), row(Infinity, -Infinity)])
      for (const temperature of [1, 0.5]) {
        const grad = backward(gradOutput, output, { ...zero, temperature });
        expect([...grad].every((value) => Object.is(value, 0))).toBe(true);
      }
    expect(backward(row(Infinity, 1), output).some(Number.isNaN)).toBe(true);
  });

  test('losses: none, and the row counts', () => {
    const options = { shape: [2, 2], grad: true, ...zero } as const;
    const x = row(-Infinity, -Infinity, 0, 0);
    const ln2 = Math.fround(Math.log(2));
    for (const target of [Int32Array.of(1, 0), row(0.5, 0.5, 1, 0)]) {
      const { loss, grad, logSumExp, count, logProbs } = api.crossEntropy(x, target, {
        ...options,
        logProbs: true,
      });
      expect([loss, count, ...logSumExp]).toEqual([ln2 / 2, 2, -Infinity, ln2]);
      expect([...grad]).toEqual([0, 0, -0.25, 0.25]);
      expect([...logProbs]).toEqual([-Infinity, -Infinity, -ln2, -ln2]);
    }
    const logProbs = row(-Infinity, -Infinity, -1, -2);
    const nll = api.nllLoss(logProbs, Int32Array.of(1, 0), options);
    expect(nll).toEqual({ loss: 0.5, count: 2, grad: row(0, 0, -0.5, 0) });
    expect(api.nllLoss(row(-Infinity, -1), Int32Array.of(0), { grad: true, ...zero })).toEqual({
      loss: Infinity,
      count: 1,
      grad: row(-1, 0),
    });
    const plain = api.nllLoss(logProbs, Int32Array.of(1, 0), { shape: [2, 2], grad: true });
    expect(plain).toEqual({ loss: Infinity, count: 2, grad: row(0, -0.5, -0.5, 0) });
    const columns = row(-Infinity, -1, -Infinity, -2);
    const strided = api.nllLoss(columns, Int32Array.of(1, 0), { ...options, axis: 0, grad: columns });
    expect(strided).toEqual({ loss: 0.5, count: 2, grad: row(0, -0.5, 0, 0) });
    expect(strided.grad).toBe(columns);
  });
});

test('a row that threads compute in parts', () => {
  api.setThreads(4);
  const length = 2 ** 20 + 5;
  const filled = (value: number) => new Float32Array(length).fill(value);
  const isAll = (values: ArrayLike<number>, wanted: number) =>
    new Float32Array(values).every((value) => Object.is(value, wanted));
  const x = filled(-Infinity);
  expect(isAll(api.softmax(x, zero), 0)).toBe(true);
  expect(isAll(api.softmax(x, { ...zero, temperature: 0 }), 0)).toBe(true);
  expect(isAll(api.softmax(x), NaN)).toBe(true);
  expect(isAll(api.logSoftmax(x, zero), -Infinity)).toBe(true);
  expect(isAll(api.softmaxBackward(filled(NaN), filled(0), zero), 0)).toBe(true);
  expect(isAll(api.logSoftmaxBackward(filled(NaN), x, zero), 0)).toBe(true);
  const { loss, grad } = api.crossEntropy(x, Int32Array.of(length - 1), { ...zero, grad: true });
  expect(loss).toBe(0);
  expect(isAll(grad, 0)).toBe(true);
  expect(api.crossEntropy(x, Int32Array.of(7), zero).loss).toBe(0);
  // One number in another part.
  x[length - 3] = 1;
  const output = filled(0);
  output[length - 3] = 1;
  expect(api.softmax(x, zero)[length - 3]).toBe(1);
  expect(api.logSoftmaxBackward(filled(2), x, zero)[0]).toBe(2);
  expect(api.softmaxBackward(filled(NaN), output, zero)[0]).toBe(NaN);
});

test('asynchronous functions', async () => {
  const rows = 200;
  const x = new Float32Array(rows * 100).fill(-Infinity);
  for (let i = 0; i < rows; i += 2) x[100 * i + (i % 100)] = i;
  const options = { shape: [rows, 100], ...zero };
  for (const name of taking) {
    const signature = signatureOf(name);
    const given = { ...options, ...(isLoss(signature) ? { grad: true } : {}) };
    const args = () =>
      argumentsOf(
        signature,
        signature.inputs.map(() => x.slice()),
        new Int32Array(rows),
        given,
      );
    const wanted = bitsOf(functionOf(name)(...args()));
    expect(bitsOf(await functionOf(`${name}Async`)(...args())), name).toEqual(wanted);
  }
});

test('any other word is refused, and by softmaxJacobian the option', () => {
  const code = 'ERR_OPTION';
  for (const [name, value] of [
    ['RangeError', 'zeros'],
    ['TypeError', 0],
    ['TypeError', null],
  ] as const)
    expect(() => api.softmax(lost, { emptyRow: any(value) })).toThrow(
      expect.objectContaining({ name, code, argument: 'emptyRow', fn: 'softmax', value }),
    );
  expect(() => api.softmaxJacobian(lost, any(zero))).toThrow(
    'softmaxJacobian: emptyRow is not an option of softmaxJacobian',
  );
});

test('rows without elements have nothing of the rows before them', () => {
  const random = new Random(44);
  for (const before of [4, 20, 33, 300]) {
    const x = random.normals(before * 37, 3);
    api.softmax(x, { shape: [before, 37], axis: 0 });
    for (const inner of [1, 16, 37]) {
      const none = new Float32Array(0);
      const options = { shape: [0, inner], axis: 0 };
      const empty = new Float32Array(inner).fill(Number.NEGATIVE_INFINITY);
      expect(api.logSumExp(none, options), `${before}, ${inner}`).toEqual(empty);
      const ignored = new Int32Array(inner).fill(-100);
      const given = { ...options, grad: true } as const;
      expect(api.crossEntropy(none, ignored, given).logSumExp, `${before}, ${inner}`).toEqual(empty);
      expect(api.entropy(none, options)).toEqual(new Float32Array(inner));
    }
  }
});

test('klDivergence: of two rows P decides', () => {
  const nothing = Float32Array.of(-Infinity, -Infinity);
  const some = Float32Array.of(1, 2);
  const broken = Float32Array.of(1, Number.NaN);
  const of = (p: Float32Array, q: Float32Array) => api.klDivergence(p, q, { emptyRow: 'zero' })[0];
  expect(of(nothing, some)).toBe(0);
  expect(of(nothing, nothing)).toBe(0);
  for (const [p, q] of [
    [some, nothing],
    [broken, nothing],
    [nothing, broken],
    [nothing, Float32Array.of(0, Infinity)],
  ] as const)
    expect(of(p, q)).toBeNaN();
  const both = { shape: [2, 2], emptyRow: 'zero', scale: -1 } as const;
  const p = Float32Array.of(1, 2, Infinity, Infinity);
  expect(api.klDivergence(p, Float32Array.of(1, 2, 3, 4), both)).toEqual(new Float32Array(2));
});

test('gumbelSoftmax with a negative scale: +Infinity is nothing, as in softmax', () => {
  for (const hard of [false, true]) {
    const options = { scale: -1, emptyRow: 'zero', seed: 1, hard } as const;
    const { NaN: nan } = Number;
    expect(api.gumbelSoftmax(Float32Array.of(-Infinity, -Infinity), options)).toEqual(
      Float32Array.of(nan, nan),
    );
    expect(api.gumbelSoftmax(Float64Array.of(Infinity, Infinity), options)).toEqual(new Float64Array(2));
  }
});
