// Values that arguments and options may wrongly be given, each made anew for every call: a call could change it.

import { detached, outOfBounds } from './calls.js';

/** What a value is, and how it is made. */
export type Bad = readonly [label: string, make: () => unknown];

/** The labels are the values as a message would show them, with what they are used for before. */
const each = (values: readonly unknown[], before = ''): Bad[] =>
  values.map((value) => [`${before}${typeof value} ${String(value)}`, () => value]);

const floats = (length: number) => Float32Array.from({ length }, (_, i) => i / 4);

export const primitives: readonly Bad[] = [
  ['null', () => null],
  ...each([true, false, '', 'x', '1', '1,2,3,4,5,6', 1n, -1n, Symbol.iterator, Symbol('x')]),
];
export const numbers = each([
  0,
  1.5,
  -1,
  -0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
]);
export const callables: readonly Bad[] = [
  ['an arrow function', () => () => 0],
  ['an async function', () => async () => 0],
  ['a generator function', () => function* generate() {}],
  ['a class', () => class {}],
  ['Float32Array', () => Float32Array],
];
const sparse = (length: number) => Object.assign([] as number[], { length });
export const plainArrays: readonly Bad[] = [
  ['[]', () => []],
  ['[1, 2, 3, 4, 5, 6]', () => [1, 2, 3, 4, 5, 6]],
  ['[[1, 2, 3], [4, 5, 6]]', () => [floats(3), floats(3)].map((row) => [...row])],
  ['["1", "2"]', () => ['1', '2']],
  ['[1n, 2n]', () => [1n, 2n]],
  ['[{}, null]', () => [{}, null]],
  ['[undefined]', () => [undefined]],
  ['[NaN, 1.5]', () => [NaN, 'x']],
  ['sparse, 6', () => sparse(6)],
  ['sparse, 2 ** 32 - 1', () => sparse(2 ** 32 - 1)],
];
export const objects: readonly Bad[] = [
  ['{}', () => ({})],
  ['without a prototype', () => Object.create(null)],
  ['an array-like', () => ({ length: 6, 0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6 })],
  ['a Date', () => new Date(0)],
  ['a Map', () => new Map([['data', floats(6)]])],
  ['a Set', () => new Set([1, 2])],
  ['a WeakMap', () => new WeakMap()],
  ['a RegExp', () => /x/],
  ['an Error', () => new Error('x')],
  ['a Promise', () => Promise.resolve(floats(6))],
  ['a String object', () => Object('x')],
  ['a Number object', () => Object(1)],
  ['a BigInt object', () => Object(1n)],
  ['an iterator', () => [1, 2, 3][Symbol.iterator]()],
  ['a URL', () => new URL('file:///')],
  ['an ArrayBuffer', () => new ArrayBuffer(24)],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(24)],
  ['a proxy of an array of floats', () => new Proxy(floats(6), {})],
  ['a prototype of an array of floats', () => Object.create(Float32Array.prototype)],
  ['an AbortController', () => new AbortController()],
];
const integerKinds = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
] as const;
export const integers: readonly Bad[] = integerKinds.map((kind) => [kind.name, () => new kind(6)]);
export const views: readonly Bad[] = [
  ['a DataView', () => new DataView(new ArrayBuffer(24))],
  ['a Buffer', () => Buffer.alloc(24)],
];
/** All of this is no array of floats with 2 × 3 elements. */
export const floatArrays: readonly Bad[] = [
  ...[0, 5, 7, 12].map((length): Bad => [`Float32Array, ${length}`, () => floats(length)]),
  ['Float64Array', () => new Float64Array(6)],
  ['a Float32Array that is detached', () => detached(floats(6))],
  ['a Float64Array that is detached', () => detached(new Float64Array(6))],
  ['a Float32Array that is out of bounds', () => outOfBounds(Float32Array, 6)],
];
export const oneFloat: Bad = ['Float32Array, 1', () => floats(1)];

/** Lengths of axes that do not make a shape [2, 3]. */
const wrongShapes: readonly unknown[] = [
  [],
  [3, 2],
  [7],
  [5],
  [2],
  [2, 3, 2],
  [2, 3, 0],
  [-2, -3],
  [2, -3],
  [2, -0],
  [2, 1.5],
  [2, NaN],
  [2, Infinity],
  [2, '3'],
  [2, 3n],
  [2, null],
  [2, undefined],
  [2, [3]],
  [2, 2 ** 53],
  [2 ** 53 - 1, 2 ** 53 - 1],
  [2 ** 32, 2 ** 32],
  [2 ** 31, 2 ** 33],
  Array(64).fill(2),
  Array(64).fill(2 ** 53 - 1),
  Array(65).fill(1),
];
const shown = (shape: unknown) => (shape as unknown[]).map(String).join(', ').slice(0, 30);
const isOtherOrder = (shape: unknown) => String(shape) === '3,2';
/** [3, 2] is another batch, not a wrong one. */
export const shapes: readonly Bad[] = wrongShapes
  .filter((shape) => !isOtherOrder(shape))
  .map((shape): Bad => [`[${shown(shape)}]`, () => [...(shape as unknown[])]])
  .concat(
    [Int32Array.of(2, 4), Float64Array.of(2, 1.5), Uint8Array.of(7), Int8Array.of(2, -3)].map(
      (shape): Bad => [`${shape.constructor.name} ${shape}`, () => shape.slice()],
    ),
    [['an array-like [2, 3]', () => ({ length: 2, 0: 2, 1: 3 })]],
  );

type Fields = Record<string, unknown>;
const tensor = (label: string, make: () => Fields): Bad => [`a tensor ${label}`, make];
/** Tensors that are none of floats, or none of 2 × 3. */
export const tensors: readonly Bad[] = [
  ...['dims', 'shape'].flatMap((name) => [
    ...wrongShapes.map((shape) =>
      tensor(`of ${name} [${shown(shape)}]`, () => ({ data: floats(6), [name]: [...(shape as unknown[])] })),
    ),
    ...each([null, 6, '2,3', true]).map(([label, make]) =>
      tensor(`of ${name} ${label}`, () => ({ data: floats(6), [name]: make() })),
    ),
  ]),
  ...['type', 'dtype'].flatMap((name) =>
    each([null, 'int8', 'float64', 'float16', 'bfloat16', 'bool', '', 5, {}]).map(([label, make]) =>
      tensor(`of ${name} ${label}`, () => ({ data: floats(6), dims: [2, 3], [name]: make() })),
    ),
  ),
  ...each([null, 'gpu-buffer', 'ml-tensor', '', 0]).map(([label, make]) =>
    tensor(`at ${label}`, () => ({ data: floats(6), dims: [2, 3], location: make() })),
  ),
  ...[...primitives, ...callables, ...plainArrays, ...integers, ...views, ...floatArrays].map(
    ([label, make]) => tensor(`with ${label}`, () => ({ data: make(), dims: [2, 3] })),
  ),
];
