// Results lie in memory that is not filled with zeros (src/unfilled-memory.ts). Here it is filled with a poison instead,
// one byte or another, and no result of any function on any backend depends on which: all of them have the same bits as
// those that are written to the caller's arrays.

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { jsJobs } from '../../src/backends/js/jobs.js';
import { jsKernels } from '../../src/backends/js/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { functionsOn } from '../../src/operations/create.js';
import { unfilledMemory } from '../../src/unfilled-memory.js';
import { root, run } from '../helpers/processes.js';
import { Random } from '../helpers/random.js';
import { argumentsOf, isLoss, outputKeys, type Signature, signatures, takes } from '../helpers/signatures.js';

// Before the package loads.
const poison = vi.hoisted(() => {
  const { allocUnsafeSlow } = Buffer;
  const state = { byte: 0xa5, given: new WeakSet<ArrayBufferLike>(), allocUnsafeSlow };
  Buffer.allocUnsafeSlow = (size) => {
    const bytes = allocUnsafeSlow(size).fill(state.byte);
    state.given.add(bytes.buffer);
    return bytes;
  };
  return state;
});

const addon = loadAddon();
const backends = [
  ['JavaScript', functionsOn({ kernels: jsKernels, jobs: jsJobs })] as const,
  ...addon.supported.map((isa) => [isa, functionsOn(addon.engineOf(isa))] as const),
];

const random = new Random(20261129);
type DType = 'float32' | 'float64' | 'float16' | 'bfloat16';
const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
};
const dtypes = Object.keys(arrays) as DType[];
const specials = [Number.NaN, Infinity, -Infinity, 3e38, -3e38, 0, -0];

/** Numbers, of 16 bits any bits. Some rows of the last axis are −Infinity, or have a special value. */
function floats(dtype: DType, length: number, row: number): Float32Array | Float64Array | Uint16Array {
  if (arrays[dtype] === Uint16Array)
    return Uint16Array.from({ length }, () => 0x3c00 + random.integer(0x600) + 0x8000 * random.integer(2));
  const values = new (arrays[dtype] as typeof Float32Array)(length);
  for (let i = 0; i < length; i++) values[i] = random.uniform(-9, 9);
  for (let begin = 0; begin < length; begin += 4 * row) values.fill(-Infinity, begin, begin + row);
  for (let i = 3; i < length; i += 97) values[i] = specials[random.integer(specials.length)] as number;
  return values;
}

interface Case {
  readonly shape: readonly number[];
  readonly axis?: number;
  readonly options?: Readonly<Record<string, unknown>>;
  /** As the target of a loss. */
  readonly hasProbabilities?: boolean;
}

/** Most results have at least 2048 bytes, also those of one number per row. */
const shapes: readonly Case[] = [
  { shape: [1100, 5] },
  { shape: [5, 1100], axis: 0 },
  { shape: [11, 6, 100], axis: 1 },
  { shape: [3, 701] },
  { shape: [1, 4097] },
  { shape: [1100, 1] },
  { shape: [1100, 0] },
  { shape: [0, 5] },
];
const bytes = (length: number) =>
  Uint8Array.from({ length }, (_, i) => (i % 7 === 0 ? 0 : random.integer(2)));
const rowOptions: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { mask: bytes(5500) },
  // Whole rows.
  { mask: { data: bytes(1100), dims: [1100, 1] }, emptyRow: 'zero' },
  { emptyRow: 'zero' },
  { scale: 0 },
  { temperature: Float64Array.from({ length: 1100 }, (_, i) => 0.5 + i / 1000), scale: -2 },
  { temperature: Infinity },
  { temperature: 0 },
];
const lossOptions: readonly Readonly<Record<string, unknown>>[] = [
  { reduction: 'none' },
  { reduction: 'sum', gradOutput: 0.5, labelSmoothing: 0.25 },
  { reduction: 'none', ignoreIndex: 2, weight: [1, 0, 2, 0.5, 0] },
  { reduction: 'mean', emptyRow: 'zero', mask: { data: bytes(1100), dims: [1100, 1] } },
  { reduction: 'none', alpha: 0.25 },
];

/** Options that the function has, with those that it needs beside them. */
const optionsFor = (signature: Signature, options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([name]) => takes(signature, name as never)));

function casesOf(signature: Signature): readonly Case[] {
  if (signature.result === 'square') return [{ shape: [30, 17] }, { shape: [1, 40] }, { shape: [600, 1] }];
  const more = [...rowOptions, ...(isLoss(signature) ? lossOptions : [])];
  const { hasLimits } = signature;
  const ofProbabilities: Case = { shape: [1100, 5], options: { reduction: 'none' }, hasProbabilities: true };
  return [
    ...shapes,
    ...(isLoss(signature) && signature.target !== 'classes' ? [ofProbabilities] : []),
    ...more
      .filter(({ temperature }) => hasLimits || (temperature !== 0 && temperature !== Infinity))
      .map((options) => ({ shape: [1100, 5], options: optionsFor(signature, options) })),
  ];
}

/** Text that says all of a result: two are the same if they have the same bits. */
function textOf(value: unknown): string {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const hash = createHash('sha1')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex');
    return `${value.constructor.name} of ${byteLength} bytes ${hash}`;
  }
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  return JSON.stringify(Object.entries(value).map(([name, field]) => [name, textOf(field)]));
}

/** All arrays of a result. */
function arraysOf(value: unknown): ArrayBufferView[] {
  if (ArrayBuffer.isView(value)) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(arraysOf) : [];
}

const least = 2048;
/** How many of a result's arrays lie in poisoned memory. They have all of it. */
function countPoisoned(result: unknown): number {
  const found = arraysOf(result).filter(({ buffer }) => poison.given.has(buffer));
  for (const { buffer, byteOffset, byteLength } of found)
    expect([byteOffset, buffer.byteLength]).toEqual([0, byteLength]);
  return found.length;
}

const named = signatures.map((signature) => [signature.name, signature] as const);
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Calls of a case: with new results, and with the caller's arrays for them. */
function callsOf(api: (typeof backends)[number][1], signature: Signature, dtype: DType, one: Case) {
  const { shape, axis = shape.length - 1, options, hasProbabilities = false } = one;
  const elements = product(shape);
  const length = shape[axis] as number;
  const rowCount = product(shape.filter((_, other) => other !== axis));
  const inputs = signature.inputs.map(() => floats(dtype, elements, shape.at(-1) as number));
  const classes = Int32Array.from({ length: rowCount }, (_, i) =>
    length === 0 || i % 9 === 0 ? -100 : random.integer(length),
  );
  const type = arrays[dtype] === Uint16Array ? { dtype } : {};
  const all = { shape, axis, ...type, ...options };
  const target = hasProbabilities ? { data: floats(dtype, elements, 1), shape, ...type } : classes;
  // Options of losses need one.
  if (signature.target === 'option' && options && 'reduction' in options) Object.assign(all, { target });
  if (options && 'ignoreIndex' in options)
    classes.forEach((value, i) => {
      if (value === -100) classes[i] = 2;
    });
  const call = (more: object, suffix = '') =>
    api[signature.name + suffix]?.(...argumentsOf(signature, inputs, target, { ...all, ...more }));
  const keys = outputKeys(signature);
  const perKey = (make: () => unknown) => Object.fromEntries(keys.map((key) => [key, make()]));
  const asked = isLoss(signature) ? perKey(() => true) : {};
  const size =
    signature.result === 'row' ? rowCount : signature.result === 'square' ? elements * length : elements;
  return {
    size,
    fresh: (more = {}, suffix = '') => call({ ...asked, ...more }, suffix),
    given: (suffix = '') =>
      call(
        perKey(() => (signature.holds ? new Int32Array(size) : new arrays[dtype](size)).fill(7)),
        suffix,
      ),
  };
}

/** The same call with one poison and another. */
function resultOf(call: () => unknown): string {
  poison.byte = 0xa5;
  const text = textOf(call());
  poison.byte = 0x5a;
  expect(textOf(call())).toBe(text);
  return text;
}

describe.each(backends)('%s', (_backend, api) => {
  test.each(named)('%s', (_name, signature) => {
    for (const dtype of dtypes)
      for (const one of casesOf(signature)) {
        const { size, fresh, given } = callsOf(api, signature, dtype, one);
        const what = `${dtype} ${JSON.stringify(one.shape)} ${JSON.stringify(one.options)}`;
        expect(resultOf(fresh), what).toBe(textOf(given()));
        const isLarge = size * (signature.holds ? 4 : arrays[dtype].BYTES_PER_ELEMENT) >= least;
        if (isLarge) expect(countPoisoned(fresh()), `${what}: poisoned arrays`).toBeGreaterThan(0);
      }
  });

  test.each(named)('%sAsync', async (_name, signature) => {
    const shape = signature.result === 'square' ? [70, 35] : [1100, 64];
    for (const options of [{}, { mask: bytes(64) }, { reduction: 'none' }]) {
      const one = { shape, options: optionsFor(signature, options) };
      const { fresh, given } = callsOf(api, signature, 'float32', one);
      const wanted = textOf(given());
      for (const byte of [0xa5, 0x5a]) {
        poison.byte = byte;
        const result = await fresh({}, 'Async');
        expect(textOf(result)).toBe(wanted);
        expect(textOf(await given('Async'))).toBe(wanted);
      }
      expect(textOf(await fresh({ transfer: true }, 'Async'))).toBe(wanted);
    }
  });

  test('results of another dtype, of tensors, of layouts', () => {
    const [rows, length] = [1100, 5];
    const data = floats('float32', rows * length, length);
    const bits = floats('bfloat16', rows * length, length);
    for (const dtype of ['float32', 'float16', 'bfloat16'])
      for (const input of [
        { data, dims: [rows, length], type: 'float32' },
        { data: bits, shape: [rows, length], dtype: 'bfloat16' },
        { data, shape: [rows, length], fortran_order: true },
        { data, shape: [rows - 1, length], strides: [length, 1], offset: length },
      ])
        for (const name of ['softmax', 'logSoftmax', 'logSumExp', 'entropy']) {
          const result = resultOf(() => api[name]?.(input, { dtype }));
          expect(countPoisoned(api[name]?.(input, { dtype })), `${name} ${dtype}`).toBe(1);
          poison.byte = 0;
          expect(textOf(api[name]?.(input, { dtype }))).toBe(result);
        }
    // An output that is not row-major has all of its elements written, and no other.
    const [x, out] = [floats('float32', 5500, 5), new Float32Array(11_000).fill(7)];
    const strided = { data: out, shape: [rows, length], strides: [10, 2], offset: 1 };
    resultOf(() => {
      out.fill(7);
      api.softmax?.(x, { shape: [rows, length], out: strided });
      return out;
    });
    expect(out.filter((_, i) => i % 2 === 0).every((value) => value === 7)).toBe(true);
  });
});

test('plain calls, some of whose inputs are in shared memory', () => {
  const data = floats('float32', 4000, 4000);
  const shared = new Float32Array(new SharedArrayBuffer(16_000));
  shared.set(data);
  for (const [, api] of backends)
    for (const x of [data, shared]) {
      const result = api.softmax?.(x) as Float32Array;
      expect(countPoisoned(result)).toBe(1);
      expect(textOf(result)).toBe(textOf(api.softmax?.(x, { out: new Float32Array(4000) })));
    }
});

const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
test.skipIf(header.glibcVersionRuntime === undefined)('results lie in pages that are there already', () => {
  // Of the 63 pages of each.
  const pages = run(`
    import { softmax } from '${root}dist/js.mjs';
    const x = new Float32Array(64_000);
    const faultsOf = (calls) => {
      const before = process.resourceUsage().minorPageFault;
      for (let i = 0; i < calls; i++) softmax(x, { shape: [16_000, 4] });
      return (process.resourceUsage().minorPageFault - before) / calls;
    };
    faultsOf(600);
    console.log(faultsOf(400));
  `);
  expect(pages).toBeLessThan(8);
});

describe('where it is not used', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  test.each([
    [least - 4, false],
    [least, true],
    [2 ** 25, true],
    [2 ** 25 + 4, false],
    [Infinity, false],
  ])('%d bytes: %s', (size, isGiven) => {
    expect(unfilledMemory(size)?.byteLength).toBe(isGiven ? size : undefined);
  });

  const { allocUnsafeSlow } = poison;
  const one = new ArrayBuffer(least);
  test.each<[string, (size: number) => unknown]>([
    ['a part of a pool', (size) => Buffer.from(new ArrayBuffer(2 * size), 64, size)],
    ['a part of memory', (size) => Buffer.from(new ArrayBuffer(2 * size), 0, size)],
    ['less than was asked for', (size) => allocUnsafeSlow(size - 8)],
    ['the same memory again', () => Buffer.from(one)],
    ['shared memory', (size) => Buffer.from(new SharedArrayBuffer(size))],
    ['an error', () => expect.unreachable()],
    ['no array', () => ({})],
  ])('a Buffer that gives %s', async (_what, allocate) => {
    vi.resetModules();
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(allocate as typeof allocUnsafeSlow);
    const fresh = await import('../../src/unfilled-memory.js');
    expect(fresh.unfilledMemory(least)).toBeUndefined();
  });

  test('a Buffer that is replaced later', () => {
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => expect.unreachable());
    expect(unfilledMemory(least)?.byteLength).toBe(least);
  });
});
