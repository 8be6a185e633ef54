// Arrays of more elements than 31 or 32 bits count. A few rows, at both ends and where the counts overflow, have values of
// their own; all others are zeros. They must become what they become in a small call. In JavaScript only those rows are
// computed where all would take minutes.

import * as assert from 'node:assert/strict';
import * as js from 'softmax-native/js';
import * as native from 'softmax-native/native';
import type { DType, Elements, ScaledRows } from '../../src/backends/kernels.js';
import { logSumExp } from '../../src/operations/log-sum-exp.js';
import { softmax } from '../../src/operations/softmax.js';

type Bits = Float32Array | Uint16Array;

export interface Case {
  readonly name: string;
  /** Memory that it takes. */
  readonly gibibytes: number;
  /** Throws where anything is wrong. How many elements there were. */
  run(): number;
}

function mayBe(length: number): boolean {
  try {
    new Uint8Array(length);
    return true;
  } catch (error) {
    // What is no length at all, and not what there is no memory for.
    return !/Invalid typed array length/.test(String(error));
  }
}

/** The longest typed array there may be: 2^32 elements on Node 20. */
export const longest = mayBe(2 ** 52) ? Number.MAX_SAFE_INTEGER : 2 ** 32;

/** As many, if there may be. */
const upTo = (elements: number, multiple: number) =>
  Math.floor(Math.min(elements, longest) / multiple) * multiple;

/** Rows of a layout: where their elements are. */
interface Layout {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

function layoutOf(shape: readonly number[], axis: number): Layout {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const [outer, inner] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
  return { shape, axis, outer, length: shape[axis] as number, inner };
}

/** In exact integers, unlike what is tested. */
function indexOf({ length, inner }: Layout, row: number, k: number): number {
  const [r, n, i] = [BigInt(row), BigInt(length), BigInt(inner)];
  return Number(((r / i) * n + BigInt(k)) * i + (r % i));
}

/** The first and last rows, and those beside the elements where 31 and 32 bits end. */
function sampledRows({ outer, length, inner }: Layout): number[] {
  const rows = outer * inner;
  const rowAt = (index: number) => Math.floor(index / (length * inner)) * inner + (index % inner);
  const near = [0, 2 ** 31, 2 ** 32, rowAt(2 ** 31), rowAt(2 ** 32), rows - 1];
  const around = near.flatMap((row) => [row - 1, row, row + 1]).filter((row) => row >= 0 && row < rows);
  return [...new Set(around)];
}

/** Values of element k of a row, as the bits of bfloat16 or as float32. */
const bitsAt = (data: Bits, row: number, k: number): number => {
  const value = ((row * 7 + k * 13) % 64) / 8 - 4;
  return data instanceof Uint16Array
    ? (new Uint32Array(Float32Array.of(value).buffer)[0] as number) >>> 16
    : value;
};

function writeRow(data: Bits, layout: Layout, row: number): void {
  for (let k = 0; k < layout.length; k++) data[indexOf(layout, row, k)] = bitsAt(data, row, k);
}

const dtypeOf = (data: Bits): DType => (data instanceof Uint16Array ? 'bfloat16' : 'float32');
const sizeOf = (layout: Layout) => layout.outer * layout.length * layout.inner;
const newLike = (data: Bits, length: number): Bits =>
  data instanceof Uint16Array ? new Uint16Array(length) : new Float32Array(length);

/** softmax of a sampled row, alone. */
function expectedRow(data: Bits, layout: Layout, row: number): Bits {
  const values = newLike(data, layout.length);
  for (let k = 0; k < values.length; k++) values[k] = bitsAt(data, row, k);
  return native.softmax(values as Float32Array, { dtype: dtypeOf(data), out: values as Float32Array });
}

function checkRow(data: Bits, layout: Layout, row: number, expected: Bits, backend: string): void {
  for (let k = 0; k < layout.length; k++) {
    const index = indexOf(layout, row, k);
    assert.equal(data[index], expected[k], `${backend}: row ${row}, element ${k}, at ${index}`);
  }
}

/** Rows of zeros that are computed too: everywhere. */
function checkOthers(data: Bits, layout: Layout, sampled: readonly number[], value: number): void {
  const rows = layout.outer * layout.inner;
  for (let i = 0; i < 100_000; i++) {
    const row = Math.floor((rows / 100_000) * i);
    if (sampled.includes(row)) continue;
    assert.equal(data[indexOf(layout, row, i % layout.length)], value, `row ${row} of zeros`);
  }
}

/** In place, in native code; then the sampled rows again in JavaScript. */
function softmaxRows(data: Bits, layout: Layout): number {
  const sampled = sampledRows(layout);
  const expected = sampled.map((row) => expectedRow(data, layout, row));
  const zeros = native.softmax(newLike(data, layout.length) as Float32Array, { dtype: dtypeOf(data) });
  for (const row of sampled) writeRow(data, layout, row);
  const { shape, axis } = layout;
  native.softmax(data as Float32Array, { shape, axis, dtype: dtypeOf(data), out: data as Float32Array });
  sampled.forEach((row, i) => {
    checkRow(data, layout, row, expected[i] as Bits, 'native');
  });
  checkOthers(data, layout, sampled, zeros[0] as number);

  const elements = { data, dtype: dtypeOf(data) } as Elements;
  const { outer, length, inner } = layout;
  for (const row of sampled) writeRow(data, layout, row);
  for (const [i, row] of sampled.entries()) {
    const range = { begin: row, end: row + 1 };
    const rows: ScaledRows = { outer, length, inner, mask: undefined, multiplier: 1, range };
    softmax.kernel.js(elements, elements, rows);
    checkRow(data, layout, row, expected[i] as Bits, 'js');
  }
  return sizeOf(layout);
}

/** Only reads: zeros are nobody's memory. All in native code, the sampled rows in JavaScript. */
function logSumExpOfRows(): number {
  const elements = upTo(2 ** 32 + 5120, 1024);
  const layout = layoutOf([elements / 1024, 1024], 1);
  const data = new Uint16Array(elements);
  const sampled = sampledRows(layout);
  for (const row of sampled) writeRow(data, layout, row);
  const out = new Float32Array(layout.outer);
  native.logSumExp(data, { shape: layout.shape, dtype: 'bfloat16', out });
  const again = new Float32Array(layout.outer);
  const { outer, length, inner } = layout;
  for (const row of sampled) {
    const begin = indexOf(layout, row, 0);
    const [expected] = native.logSumExp(data.slice(begin, begin + length), {
      dtype: 'bfloat16',
      out: new Float32Array(1),
    });
    assert.equal(out[row], expected, `native: row ${row}`);
    const range = { begin: row, end: row + 1 };
    const rows: ScaledRows = { outer, length, inner, mask: undefined, multiplier: 1, range };
    logSumExp.kernel.js({ data, dtype: 'bfloat16' }, { data: again, dtype: 'float32' }, rows);
    assert.equal(again[row], expected, `js: row ${row}`);
  }
  const ofZeros = Math.fround(Math.log(1024));
  for (let row = 0; row < out.length; row++)
    if (!sampled.includes(row)) assert.equal(out[row], ofZeros, `row ${row} of zeros`);
  return elements;
}

/** One row, in which four equal logits alone count: at the ends, and on both sides of 2^31. */
function softmaxOneRow(): number {
  const data = new Float32Array(2 ** 31 + 7);
  const places = [0, 2 ** 31 - 1, 2 ** 31, data.length - 1];
  for (const [backend, api] of [
    ['native', native],
    ['js', js],
  ] as const) {
    data.fill(Number.NEGATIVE_INFINITY);
    for (const place of places) data[place] = 2.5;
    const [logSumExp] = api.logSumExp(data);
    assert.equal(logSumExp, Math.fround(2.5 + Math.log(4)), backend);
    api.softmax(data, { out: data });
    for (const place of places) assert.equal(data[place], 0.25, `${backend}: at ${place}`);
    assert.equal(data.indexOf(0.25, 2 ** 31 + 1), data.length - 1, backend);
    assert.equal(data[1], 0);
  }
  return data.length;
}

/** Reads one element a row, the last; nothing else of the memory is ever there. */
function farClasses(): number {
  const elements = upTo(2 ** 32 + 64, 4);
  const data = new Uint16Array(elements);
  const length = elements / 4;
  data[elements - 1] = 0xbf80;
  data[2 * length - 1] = 0xc000;
  const target = new Int32Array(4).fill(length - 1);
  for (const api of [native, js]) {
    const options = { shape: [4, length], dtype: 'bfloat16', reduction: 'none' } as const;
    assert.deepEqual([...api.nllLoss(data, target, options).loss], [0, 2, 0, 1]);
  }
  return elements;
}

/** Losses of rows whose classes are at their far ends; zeros are nobody's memory. Native code alone. */
function farLosses(): number {
  const elements = upTo(2 ** 32 + 64, 4);
  const data = new Uint16Array(elements);
  const length = elements / 4;
  data[elements - 1] = 0x4200; // 32
  const target = new Int32Array(4).fill(length - 1);
  const options = { shape: [4, length], dtype: 'bfloat16', reduction: 'none' } as const;
  const loss = native.crossEntropy(data, target, options).loss;
  const ofZeros = Math.log(length);
  const ofLast = Math.log1p((length - 1) * Math.exp(-32));
  for (let row = 0; row < 4; row++) {
    const expected = row === 3 ? ofLast : ofZeros;
    assert.ok(Math.abs((loss[row] as number) / expected - 1) < 1e-6, `row ${row}: ${loss[row]}`);
  }
  return elements;
}

/** More rows than there can be results of, and shapes beyond all arrays: refused. */
function refused(): number {
  const data = new Uint16Array(2 ** 31 + 8);
  for (const api of [native, js]) {
    const wanted = { code: 'ERR_SHAPE', name: 'RangeError' };
    for (const shape of [[2 ** 31 + 8 + 2 ** 32], [2 ** 27, 2 ** 27], [8]])
      assert.throws(() => api.softmax(data, { dtype: 'bfloat16', shape }), wanted);
    const target = new Int32Array(1);
    assert.throws(() => api.crossEntropy(data, target, { dtype: 'bfloat16' }), {
      ...wanted,
      message: `crossEntropy: there are ${data.length} classes; class indices go to 2147483647`,
    });
  }
  return data.length;
}

export const cases: readonly Case[] = [
  { name: 'refusals', gibibytes: 1, run: refused },
  { name: 'nllLoss, far classes', gibibytes: 1, run: farClasses },
  { name: 'crossEntropy, far classes', gibibytes: 1, run: farLosses },
  { name: 'logSumExp of rows', gibibytes: 1, run: logSumExpOfRows },
  {
    name: 'float32 rows of 1000',
    gibibytes: 8.1,
    run: () => {
      const rows = Math.ceil(2 ** 31 / 1000) + 3;
      return softmaxRows(new Float32Array(rows * 1000), layoutOf([rows, 1000], 1));
    },
  },
  {
    name: 'bfloat16 rows of 1000',
    gibibytes: 8.1,
    run: () => {
      const elements = upTo(2 ** 32 + 5000, 1000);
      return softmaxRows(new Uint16Array(elements), layoutOf([elements / 1000, 1000], 1));
    },
  },
  {
    name: 'bfloat16 rows of 1',
    gibibytes: 8.1,
    run: () => {
      const elements = upTo(2 ** 32 + 5, 1);
      return softmaxRows(new Uint16Array(elements), layoutOf([elements, 1], 1));
    },
  },
  {
    name: 'bfloat16 columns of 2',
    gibibytes: 8.1,
    run: () => {
      const elements = upTo(2 ** 32 + 16, 2);
      return softmaxRows(new Uint16Array(elements), layoutOf([2, elements / 2], 0));
    },
  },
  {
    name: 'bfloat16 columns of 4 in blocks',
    gibibytes: 8.1,
    run: () => {
      const inner = 2 ** 17 + 1;
      const elements = upTo(2 ** 32 + 4 * inner, 4 * inner);
      return softmaxRows(new Uint16Array(elements), layoutOf([elements / (4 * inner), 4, inner], 1));
    },
  },
  { name: 'one float32 row', gibibytes: 8.1, run: softmaxOneRow },
];
