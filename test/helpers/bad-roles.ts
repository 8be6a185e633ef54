// For every argument and option, by its name: values that it must not have in a call of 2 × 3 float32 elements.

import {
  type Bad,
  callables,
  floatArrays,
  integers,
  numbers,
  objects,
  oneFloat,
  plainArrays,
  primitives,
  shapes,
  tensors,
  views,
} from './bad-values.js';
import { detached, outOfBounds } from './calls.js';
import type { OptionName } from './signatures.js';

const nothing: Bad = ['undefined', () => undefined];
const without = (list: readonly Bad[], ...labels: string[]): Bad[] => {
  for (const label of labels)
    if (!list.some(([name]) => name === label)) throw new Error(`there is no ${label} to leave out`);
  return list.filter(([label]) => !labels.includes(label));
};
const these = (...values: unknown[]): Bad[] =>
  values.map((value) => [`${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`, () => value]);

/** No number, no word, no array of any kind. */
const other = [...primitives, ...callables, ...objects, ...views];
const arrays = [...plainArrays, ...integers, ...floatArrays, oneFloat];
const noNumber = [...other, ...arrays, ...tensors];
const noFloats = [...other, ...numbers, ...arrays, ...tensors];
/** For options that are numbers, one per row or a class, neither two nor three of them. One may be enough. */
const noNumbers = [...other, ...plainArrays, ...integers, ...floatArrays, ...tensors];
const words = these('Mean', 'avg', 'batchmean', 'none ', 'SUM', 'zeros', 'NaN', 'null');

const classKinds = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array] as const;
const wide = [BigInt64Array, BigUint64Array] as const;
const classes = (data: () => ArrayBufferView, more: object) => () => ({ data: data(), ...more });
const two = () => new Int32Array(2);
const target: Bad[] = [
  ...other,
  ...numbers,
  ...plainArrays,
  ...integers,
  ...floatArrays,
  oneFloat,
  ...tensors,
  ...[...classKinds, ...wide].flatMap((kind) =>
    [0, 1, 3].map((length): Bad => [`${kind.name}, ${length}`, () => new kind(length)]),
  ),
  ...classKinds.flatMap((kind) =>
    [3, 100, 127].map((value): Bad => [`class ${value} in ${kind.name}`, () => kind.of(0, value)]),
  ),
  ...wide.flatMap((kind) =>
    [3n, 2n ** 32n, 2n ** 63n - 1n].map(
      (value): Bad => [`class ${value} in ${kind.name}`, () => kind.of(0n, value)],
    ),
  ),
  ...[-1, -3, -101].map((value): Bad => [`class ${value}`, () => Int32Array.of(value, 0)]),
  ...[[1, 2], [2, 1], [3], [], [2.5], [-2], 'x', 2, null].map(
    (dims): Bad => [`classes of dims ${dims} ${typeof dims}`, classes(two, { dims })],
  ),
  ...['int64', 'uint8', 'float32', 'bool', 5, null].map(
    (type): Bad => [`classes of type ${type}`, classes(two, { dims: [2], type })],
  ),
  ['classes elsewhere', classes(two, { dims: [2], location: 'gpu-buffer' })],
  ['classes that are detached', () => detached(two())],
  ['classes that are out of bounds', () => outOfBounds(Int32Array, 2)],
];

const bytes = () => new Uint8Array(6);
const maskData = [...classKinds, ...wide].map(({ name }) => name);
const mask: Bad[] = [
  ...other,
  ...numbers,
  ...plainArrays,
  ...without(integers, 'Uint8Array'),
  ...floatArrays,
  // Integers in the shape [2, 3] are one.
  ...without(tensors, ...maskData.map((kind) => `a tensor with ${kind}`)),
  ...[0, 1, 2, 4, 5, 7, 12].map((length): Bad => [`${length} bytes`, () => new Uint8Array(length)]),
  ...[[3, 2], [6], [1, 2, 3], [2, 1], [2, 3, 1], [2, -3], [2, 1.5], 'x', 6, null].map(
    (dims): Bad => [`bytes of dims ${dims} ${typeof dims}`, () => ({ data: bytes(), dims })],
  ),
  ...['int8', 'float32', 'int64', '', null, 1].map(
    (type): Bad => [`bytes of type ${type} ${typeof type}`, () => ({ data: bytes(), dims: [2, 3], type })],
  ),
  ['bytes elsewhere', () => ({ data: bytes(), dims: [2, 3], location: 'gpu' })],
  ['bytes that are detached', () => detached(bytes())],
  ['bytes that are out of bounds', () => outOfBounds(Uint8Array, 6)],
];

const row = (...values: unknown[]): Bad => [`[${values.map(String)}]`, () => [...values]];
/** For what may be one per row. */
const perRow = [...noNumbers, row(1, 1, 1), row(1, '1')];
const outsideOfFractions = these(-0.1, 1.1, 2, -1, 1 + 2 ** -52, NaN, Infinity, -Infinity);
const sparse = (...values: object[]): Bad[] => values.map((value) => [JSON.stringify(value), () => value]);
const integerSeeds = ['bigint 1', 'bigint -1', '[1n, 2n]'];

const wanted = without(noFloats, 'null', 'boolean true', 'boolean false');

/** Without `undefined`, which every option may be. */
export const badOptions = {
  out: noFloats,
  grad: wanted,
  logProbs: wanted,
  shape: [...noFloats, ...shapes],
  axis: [...noNumber, ...these(2, -3, 0.5, NaN, Infinity, -Infinity, 1e9, 2 ** 53, -(2 ** 53), 1.5)],
  temperature: [
    ...noNumbers,
    ...these(-1, -1e-300, -Infinity, NaN, -(2 ** 53), -0.5),
    ...[row(1, -1), row(NaN, 1), row(1, '1'), row(1, null), row(1, 2, 3)],
    ['floats below 0', () => Float32Array.of(1, -1)],
    ['NaN among floats', () => Float64Array.of(NaN, 1)],
  ],
  scale: [...noNumber, ...these(NaN, Infinity, -Infinity)],
  mask,
  dtype: [
    ...noFloats,
    ...these('float', 'f32', 'Float32', 'int8', 'double', 'half', 'FLOAT32', 'float32 ', 'uint16'),
    // Those are types, but not of this call.
    ...these('float64', 'float16', 'bfloat16'),
  ],
  reduction: [...noFloats, ...words, ...these('nan', 'zero')],
  emptyMean: [...noFloats, ...words, ...these('mean', 'sum', 'none')],
  top: [...noNumber, ...these(-1, 4, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 2.5)],
  values: [...noFloats, ...words, ...these('mean', 'none', 'softmax', 'Logits', 'log')],
  emptyRow: [...noFloats, ...words, ...these('mean', 'sum', 'none')],
  weight: [
    ...noNumbers,
    ...numbers,
    oneFloat,
    ...[row(1, 2), row(1, NaN, 1), row(Infinity, 1, 1), row(1, 2, '3'), row(1, 2, null), row(1, 2, 3, 4)],
    ['NaN among weights', () => Float32Array.of(1, NaN, 1)],
  ],
  ignoreIndex: [...noNumber, ...these(0.5, -99.5, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53))],
  labelSmoothing: [...noNumber, ...these(-0.1, 1.1, 2, -1, -1e-9, 1 + 2 ** -52, NaN, Infinity, -Infinity)],
  alpha: [...noNumber, ...these(-0.1, 1.1, 2, -1, -1e-9, 1 + 2 ** -52, NaN, Infinity, -Infinity)],
  gradOutput: noNumbers,
  target,
  topK: [...perRow, ...these(-1, 0.5, NaN, Infinity, -Infinity), row(1, -1), row(1, 0.5), row(NaN, 1)],
  topP: [...perRow, ...outsideOfFractions, ...these(0, -0), row(1, 0), row(1, NaN)],
  typicalP: [...perRow, ...outsideOfFractions, ...these(0, -0), row(1, 0), row(1, NaN)],
  minP: [...perRow, ...outsideOfFractions, row(1, -1), row(1, NaN)],
  topNSigma: [...perRow, ...these(-1, -1e-300, NaN, -Infinity), row(1, -1), row(1, NaN)],
  minKeep: [...perRow, ...these(0, -1, 0.5, NaN, Infinity, -Infinity), row(1, 0), row(1, 1.5)],
  keepTies: without(noFloats, 'boolean true', 'boolean false'),
  hard: without(noFloats, 'boolean true', 'boolean false'),
  // Of sharded rows alone (errors-shards.test.ts).
  ...{ offset: [], classes: [], rows: [] },
  order: [...noFloats, ...words, ...these('temperature', 'Temperature-first')],
  logProbsOf: [...noFloats, ...words, ...these('Raw')],
  allowed: [...noFloats, ['three words', () => new Int32Array(3)]],
  bias: [
    ...noNumbers,
    ...numbers,
    oneFloat,
    ...[row(1, 2), row(1, NaN, 1), row(Infinity, 1, 1), row(1, 2, '3'), row(1, 2, 3, 4)],
    ...sparse(
      { indices: [0], values: [1, 2] },
      { indices: [3], values: [1] },
      { indices: [-1], values: [1] },
    ),
    ...sparse({ indices: [0.5], values: [1] }, { indices: [0], values: [NaN] }, { indices: [0] }),
    ...sparse({ indices: [0], values: [Infinity] }, { indices: [0], values: [1], offset: [0, 1, 1] }),
    ...sparse({ indices: [0], values: [1], offsets: [0, 1] }, { indices: 'x', values: [1] }),
    ...sparse(
      { indices: [0], values: [1], offsets: [0, 2, 2] },
      { indices: new Float32Array(1), values: [1] },
    ),
  ],
  penalties: [
    ...noFloats,
    ...sparse(
      { tokens: [3, 0] },
      { tokens: [-1, 0] },
      { tokens: [0.5, 0] },
      { tokens: 'x' },
      { tokens: [0] },
    ),
    ...sparse(
      { tokens: new Float32Array(2) },
      { tokens: [0, 1], repetition: 0 },
      { tokens: [0, 1], penalty: 1 },
    ),
    ...sparse({ tokens: [0, 1], repetition: -1 }, { tokens: [0, 1], repetition: [1, Infinity] }),
    ...sparse({ tokens: [0, 1], frequency: NaN }, { tokens: [0, 1], presence: [1, 2, 3] }),
    ...sparse({ tokens: [0], offsets: [0, 1] }, { tokens: [0], offsets: [0, 2, 1] }),
    ...sparse({ tokens: [0], offsets: [0, 0, 2] }, { tokens: [0], offsets: [-1, 0, 1] }),
    ...sparse({ tokens: { data: new Int32Array(2), dims: [3] } }, { tokens: [0, 1], presence: '1' }),
  ],
  count: [...noNumber, ...these(0, -1, 0.5, NaN, Infinity, 2 ** 53)],
  seed: [
    ...without(noFloats, ...integerSeeds, 'number 0', 'number -1', 'number 2147483648', 'number 4294967296'),
    ...[row(1, 0.5), row(1, '1'), row(1, 2, 3), row(1), row(2 ** 53, 1)],
    ...these(2n ** 64n, -(2n ** 63n) - 1n),
  ],
  step: [
    ...without(noFloats, ...integerSeeds, 'number 0', 'number 2147483648', 'number 4294967296'),
    ...[row(1, 0.5), row(1, -1), row(1, 2, 3), row(1)],
    ...these(2n ** 64n, -1n),
  ],
  uniform: [...noNumbers, ...numbers, oneFloat, ...[row(0, 1), row(0, -0.5), row(NaN, 0), row(0, 0, 0)]],
  signal: [...noFloats, ['an EventTarget', () => new EventTarget()]],
  transfer: without(noFloats, 'boolean true', 'boolean false'),
} satisfies Record<OptionName | 'signal' | 'transfer', readonly Bad[]>;

export type BadOption = keyof typeof badOptions;

/** Positional arguments. Objects may be options, if they have no names that are none. */
export const badArguments = {
  floats: [nothing, ...noFloats],
  count: [nothing, ...noNumber, ...these(-1, 4, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300, 2.5)],
  target: [nothing, ...target],
  options: [...primitives, ...numbers, ...callables, ...arrays.filter(([label]) => label !== '[]'), ...views],
  threads: [
    nothing,
    ...other,
    ...arrays,
    ...tensors,
    ...these(0, -0, -1, 1025, 2 ** 31, 2 ** 53, NaN, Infinity, -Infinity),
    ...Array.from({ length: 200 }, (_, i) => these(i + 0.5, -2 - i)).flat(),
  ],
};

/** Names that other libraries have for options. */
export const foreignNames = ['dim', 'dims', 'ignore_index', 'label_smoothing'];
