// Every array argument and option as a tensor, in shared memory, and as a Float16Array where the runtime has that.

import { crossEntropy, distillationLoss, nllLoss, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, functionOf } from './helpers/calls.js';
import { formats } from './helpers/exact-row.js';
import { bitsOf, roundTo } from './helpers/half-bits.js';
import { Random } from './helpers/random.js';
import { isLoss, signatures, takes } from './helpers/signatures.js';

type Typed = Float32Array | Float64Array | Int32Array | Uint8Array;

const random = new Random(91);
const shape = [3, 4];
const inputs = {
  x: random.normals(12),
  other: random.normals(12),
  q: softmax(random.normals(12), { shape }),
  target: random.classes(3, 4),
  mask: Uint8Array.of(1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0),
  columns: Uint8Array.of(1, 0, 1, 1),
  weight: Float64Array.of(1, 0.5, 2, 0.25),
  temperature: Float32Array.of(0.5, 1, 3),
  gradOutput: Float64Array.of(1, -2, 0.5),
  out: new Float32Array(12),
} satisfies Record<string, Typed>;
type Inputs = typeof inputs;
inputs.target.set([0, 3, 2]);

/** Results of calls in which every array argument and option of the functions occurs. */
function resultsOf(make: (array: Typed, name: keyof Inputs) => never): unknown[] {
  const get = (name: keyof Inputs) => make(inputs[name], name);
  const { x, q, target, mask, weight, temperature, gradOutput, out } = Object.fromEntries(
    Object.keys(inputs).map((name) => [name, get(name as keyof Inputs)]),
  ) as Record<keyof Inputs, never>;
  const loss = { shape, reduction: 'none' as const, weight, gradOutput, grad: true as const };
  return [
    softmax(x, { shape, temperature, mask, out }),
    ...signatures
      .filter((signature) => !isLoss(signature))
      .map((signature) => {
        const arrays = signature.inputs.map((_, i) => get(i === 0 ? 'x' : 'other'));
        const scaling = takes(signature, 'mask') && { temperature: get('temperature'), mask: get('columns') };
        return functionOf(signature.name)(...arrays, { shape, ...scaling });
      }),
    crossEntropy(get('x'), target, loss),
    crossEntropy(get('x'), q, {
      ...loss,
      weight: get('weight'),
      gradOutput: get('gradOutput'),
      mask: get('mask'),
    }),
    nllLoss(get('x'), get('target'), { ...loss, weight: get('weight'), gradOutput: get('gradOutput') }),
    distillationLoss(get('x'), get('other'), {
      ...loss,
      weight: get('weight'),
      gradOutput: get('gradOutput'),
      temperature: get('temperature'),
      target: get('target'),
    }),
  ];
}

/** What results hold, in whatever container. */
function dataOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return [...(value as Float32Array)];
  if (typeof value !== 'object' || value === null) return value;
  if ('data' in value) return dataOf(value.data);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, dataOf(part)]));
}

const dimsOf: Record<keyof Inputs, number[]> = {
  x: shape,
  other: shape,
  q: shape,
  target: [3],
  mask: shape,
  columns: [4],
  weight: [4],
  temperature: [3],
  gradOutput: [3],
  out: shape,
};
const types: Record<string, string> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint8Array: 'bool',
};
const typeOf = (array: Typed) => types[array.constructor.name] as string;
const copyOf = <Array extends Typed>(array: Array): Array => array.slice() as Array;
const expected = resultsOf((array) => any(copyOf(array))).map(dataOf);

describe('every array argument', () => {
  test('as a tensor whose fields are read once', () => {
    const reads = new Map<object, string[]>();
    const actual = resultsOf((array, name) => {
      const fields = { data: copyOf(array), dims: dimsOf[name], type: typeOf(array), location: 'cpu' };
      const keys: string[] = [];
      reads.set(fields, keys);
      return any(
        new Proxy(fields, {
          get(target, key) {
            keys.push(String(key));
            return target[key as keyof typeof target];
          },
        }),
      );
    });
    for (const [{ type }, keys] of reads as Map<{ type: string }, string[]>) {
      // One that was made and not used, or the one whose data the result is looked at.
      if (keys.length === 0) continue;
      expect([...new Set(keys)], type).toEqual(keys);
      expect(keys, type).toEqual(expect.arrayContaining(['data', 'dims', 'location', 'type']));
    }
    expect(actual.map(dataOf)).toEqual(expected);
  });

  test('as a tensor by the other names, with nothing about its type', () => {
    const make = (array: Typed, name: keyof Inputs) => any({ data: copyOf(array), shape: dimsOf[name] });
    expect(resultsOf(make).map(dataOf)).toEqual(expected);
  });

  test('in shared memory, anywhere in it', () => {
    for (const offset of [0, 8, 64]) {
      const make = (array: Typed) => {
        const buffer = new SharedArrayBuffer(array.byteLength + 128);
        const Kind = array.constructor as unknown as new (b: object, o: number, l: number) => Typed;
        const view = new Kind(buffer, offset, array.length);
        view.set(array);
        return any(view);
      };
      expect(resultsOf(make).map(dataOf)).toEqual(expected);
    }
  });

  test('numbers of rows and classes in plain arrays', () => {
    const numbers = ['weight', 'temperature', 'gradOutput'];
    const make = (array: Typed, name: string) => any(numbers.includes(name) ? [...array] : copyOf(array));
    expect(resultsOf(make).map(dataOf)).toEqual(expected);
  });

  test('class indices of every kind', () => {
    const x = inputs.x;
    const wanted = crossEntropy(x, inputs.target, { shape, grad: true });
    const kinds = {
      int32: Int32Array,
      uint32: Uint32Array,
      uint16: Uint16Array,
      uint8: Uint8Array,
      int16: Int16Array,
      int8: Int8Array,
    };
    for (const [type, Kind] of Object.entries(kinds)) {
      const data = Kind.from(inputs.target);
      expect(crossEntropy(x, data, { shape, grad: true }), type).toEqual(wanted);
      expect(crossEntropy(x, { data, dims: [3], type }, { shape, grad: true }), type).toEqual(wanted);
    }
    for (const [type, Kind] of [
      ['int64', BigInt64Array],
      ['uint64', BigUint64Array],
    ] as const) {
      const data = Kind.from([...inputs.target].map(BigInt));
      expect(crossEntropy(x, data, { shape, grad: true }), type).toEqual(wanted);
      expect(crossEntropy(x, { data, dims: [3], type }, { shape, grad: true }), type).toEqual(wanted);
    }
    const ignored = BigInt64Array.of(0n, -100n, 2n);
    expect(crossEntropy(x, ignored, { shape }).count).toBe(2);
  });

  test('one temperature in an array is that of all rows', () => {
    const { x } = inputs;
    for (const temperature of [[2], Float32Array.of(2), { data: Float64Array.of(2), dims: [] }])
      expect(softmax(x, { shape, temperature })).toEqual(softmax(x, { shape, temperature: 2 }));
  });

  test('gradOutput in an array of one', () => {
    const { x, target } = inputs;
    const wanted = crossEntropy(x, target, { shape, grad: true, gradOutput: 3 });
    for (const gradOutput of [[3], { data: Float32Array.of(3), dims: [] }])
      expect(crossEntropy(x, target, { shape, grad: true, gradOutput })).toEqual(wanted);
  });
});

describe('16-bit numbers of rows and classes', () => {
  test.each(['float16', 'bfloat16'] as const)('%s', (type) => {
    const format = formats[type];
    // All of them are numbers of both formats.
    const make = (array: Typed, name: string) => {
      if (!['weight', 'temperature', 'gradOutput'].includes(name)) return any(copyOf(array));
      const data = Uint16Array.from(array, (value) => bitsOf(roundTo(value, format), format));
      return any({ data, dims: [array.length], type });
    };
    expect(resultsOf(make).map(dataOf)).toEqual(expected);
  });
});

const HalfArray = (globalThis as { Float16Array?: typeof Float32Array }).Float16Array;
describe.skipIf(HalfArray === undefined)('Float16Array', () => {
  const Half = HalfArray as typeof Float32Array;
  test('in and out, with the bits of a Uint16Array', () => {
    const halves = Half.from(inputs.x);
    const bits = new Uint16Array(halves.buffer.slice(0));
    const bitsOfResult = (value: unknown) => new Uint16Array((value as Float32Array).buffer);
    const wanted = softmax(bits, { shape, dtype: 'float16' });
    const result = softmax(any(halves), { shape });
    expect(result).toBeInstanceOf(Half);
    expect(bitsOfResult(result)).toEqual(wanted);
    const tensor = { data: halves, dims: shape, type: 'float16' };
    expect(softmax(any(tensor))).toStrictEqual({ ...tensor, data: result });
    const out = new Half(12);
    expect(softmax(bits, { shape, dtype: 'float16', out: any(out) })).toBe(out);
    expect(bitsOfResult(out)).toEqual(wanted);
    // In place, and from float32.
    expect(softmax(any(halves), { shape, out: any(halves) })).toBe(halves);
    expect(bitsOfResult(halves)).toEqual(wanted);
    expect(softmax(inputs.x, { shape, dtype: 'float16' })).toBeInstanceOf(Half);
    expect(softmax(bits, { shape, dtype: 'float16' })).toBeInstanceOf(Uint16Array);
    const loss = nllLoss(any(Half.from(inputs.x)), inputs.target, { shape, grad: true });
    expect(loss.grad).toBeInstanceOf(Half);
  });
});
