// What is wrong with a call that is wrong: values where they do not belong, and where that may be.

import { draws, resultsOf, signatureOf } from './functions.js';

/** Values by name. Each world makes its own: an error that names one is compared by that name. */
export const badValues: Readonly<Record<string, (ran: (what: string) => void) => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  '-1': () => -1,
  '0': () => 0,
  '-0': () => -0,
  '1.5': () => 1.5,
  '1e-300': () => 1e-300,
  '1e300': () => 1e300,
  '2 ** 31': () => 2 ** 31,
  '2 ** 32': () => 2 ** 32,
  '2 ** 53': () => 2 ** 53,
  "''": () => '',
  "'1'": () => '1',
  "'float32'": () => 'float32',
  "'float64'": () => 'float64',
  "'bfloat16'": () => 'bfloat16',
  "'bool'": () => 'bool',
  "'gpu'": () => 'gpu',
  'a long string': () => 'x'.repeat(1000),
  '1n': () => 1n,
  'a symbol': () => Symbol('bad'),
  'a function': () => () => 1,
  'a class': () => class Bad {},
  '{}': () => ({}),
  '[]': () => [],
  '[1]': () => [1],
  '[3, 2]': () => [3, 2],
  '[NaN]': () => [Number.NaN],
  '[-1, 2]': () => [-1, 2],
  "['1']": () => ['1'],
  '[1n]': () => [1n],
  '[[1]]': () => [[1]],
  'an array with holes': () => new Array(3),
  'an array of holes without end': () => new Array(2 ** 32 - 1),
  'numbers with an overflowing product': () => [2 ** 40, 2 ** 40, 2 ** 40],
  'an object with valueOf': (ran) => ({
    valueOf() {
      ran('valueOf');
      return 1;
    },
    toString() {
      ran('toString');
      return 'float32';
    },
    [Symbol.toPrimitive]() {
      ran('toPrimitive');
      return 1;
    },
  }),
  'an object like an array': () => ({ length: 2, 0: 2, 1: 3 }),
  'an object like a typed array': () => ({
    buffer: new ArrayBuffer(8),
    byteOffset: 0,
    byteLength: 8,
    length: 2,
    [Symbol.toStringTag]: 'Float32Array',
  }),
  'a prototype of arrays': () => Float32Array.prototype,
  'a tensor without data': () => ({ dims: [1], type: 'float32' }),
  'a tensor of an array': () => ({ data: [1, 2], dims: [2] }),
  'a tensor on another device': () => ({ data: new Float32Array(2), dims: [2], location: 'gpu-buffer' }),
  'a tensor with other dims': () => ({ data: new Float32Array(4), dims: [5] }),
  'a boxed number': () => new Number(1),
  'a boxed string': () => new String('mean'),
  'a date': () => new Date(0),
  'a map': () => new Map(),
  'a promise': () => Promise.resolve(1),
  'an ArrayBuffer': () => new ArrayBuffer(8),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'an empty Float32Array': () => new Float32Array(0),
  'a Float32Array': () => Float32Array.of(1, 2, 3),
  'a Float64Array': () => Float64Array.of(1, 2, 3),
  'an Int32Array': () => Int32Array.of(0, 1, 2),
  'a Uint8Array': () => Uint8Array.of(0, 1, 2),
  'a Uint16Array': () => Uint16Array.of(0, 1, 2),
  'a Uint8ClampedArray': () => Uint8ClampedArray.of(0, 1, 2),
  'a BigInt64Array': () => BigInt64Array.of(0n, -1n),
  'a Buffer': () => Buffer.from([0, 1, 2]),
};
export const badNames = Object.keys(badValues);

/** Options of other functions and of other libraries. */
const foreignOptions = [
  ...['dim', 'dims', 'ignore_index', 'label_smoothing', 'temperature', 'labelSmoothing'],
  ...['temp', 'weights', 'reduce', 'attention_mask', 'ignoreindex', 'Axis', 'grads', '0'],
];
const fields = [
  ...['data', 'dims', 'shape', 'type', 'dtype', 'location'],
  ...['stride', 'strides', 'offset', 'fortranOrder', 'order'],
];

const nestedOptions = [
  ...['penalties.tokens', 'penalties.offsets', 'penalties.repetition'],
  ...['bias.indices', 'bias.values', 'bias.offsets'],
];

/** Where a value may be wrong: an argument, an option, a field of a tensor, or the memory of an array. */
export function placesOf(fn: string): readonly string[] {
  const signature = signatureOf(fn);
  const { inputs, target, options, count, shards } = signature;
  const arrays = [...inputs, ...(target === 'none' ? [] : ['target'])];
  const others = [
    ...(count === undefined ? [] : [count]),
    ...(shards === 'state' ? ['state'] : []),
    ...(shards === 'parts' ? ['parts', 'parts[0]'] : []),
    ...(shards === 'chunks' ? ['chunks[0]'] : []),
  ];
  const nested = options.includes('penalties') ? nestedOptions : [];
  const all = [...options, ...foreignOptions, 'signal', 'transfer'];
  const ofSampling = nested.length > 0 ? [...nested, 'allowed', 'bias', 'seed', 'topP'] : [];
  const outs = Object.keys(resultsOf(signature) ?? {}).map((name) => `out.${name}`);
  const memories = [
    ...arrays,
    ...others,
    ...ofSampling,
    ...outs,
    'out',
    'grad',
    'logProbs',
    'mask',
    'temperature',
    'weight',
    'gradOutput',
  ];
  return [
    ...arrays,
    ...others,
    ...nested,
    // Without options there is no seed, and every backend has one of its own.
    ...(draws(signature) ? [] : ['options']),
    ...all.map((name) => `options.${name}`),
    ...arrays.flatMap((name) => fields.map((field) => `${name}.${field}`)),
    ...['options.shape[0]', 'options.temperature[0]', 'options.weight[0]', 'options.topP[0]', 'target[0]'],
    ...memories.map((name) => `memory of ${name}`),
    // Twice: what is given up or too short is what a kernel would suffer from most.
    ...memories.map((name) => `memory of ${name}`),
  ];
}
