// Tensors whose elements are not one after the other: strides, offsets, column-major order, on every array argument of
// every function. The results are those of the row-major array, bit for bit.

import { describe, expect, test } from 'vitest';
import { functionOf } from './helpers/calls.js';
import { Random } from './helpers/random.js';
import {
  argumentsOf,
  isLoss,
  newOut,
  outKey,
  outShape,
  type Signature,
  signatures,
  takes,
  takesClasses,
} from './helpers/signatures.js';

// biome-ignore lint/suspicious/noExplicitAny: arguments and results of all functions
type Any = any;
type Fields = Record<string, Any>;
type Numbers = Float32Array | Float64Array | Uint8Array | Uint16Array | Int32Array | BigInt64Array;

const shape = [2, 3, 4];
const random = new Random(171);
const x = random.normals(24);
const other = random.normals(24);
const classes = random.classes(6, 4);
const mask = Uint8Array.from({ length: 24 }, (_, i) => (i % 5 === 0 ? 0 : 1));

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Every index of a shape, in row-major order. */
const indices = (sizes: readonly number[]): number[][] =>
  sizes.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );

const placeOf = (index: readonly number[], { strides, offset }: { strides: number[]; offset: number }) =>
  index.reduce((at, i, axis) => at + i * (strides[axis] as number), offset);

/** Strides as if the axes lay in another order in memory. */
function stridesOf(sizes: readonly number[], order: readonly number[], first = 1): number[] {
  const strides = sizes.map(() => 0);
  let stride = first;
  for (const axis of order) {
    strides[axis] = stride;
    stride *= sizes[axis] as number;
  }
  return strides;
}
const axesOf = (sizes: readonly number[]) => sizes.map((_, axis) => axis);

interface Places {
  readonly strides: number[];
  readonly offset: number;
  readonly length: number;
}

/** Where the elements of a shape are. */
const layouts: Readonly<Record<string, (sizes: readonly number[]) => Places>> = {
  'row-major, from an offset on': (sizes) => ({
    ...{ strides: stridesOf(sizes, axesOf(sizes).reverse()), offset: 5 },
    length: product(sizes) + 7,
  }),
  transposed: (sizes) => ({ strides: stridesOf(sizes, axesOf(sizes)), offset: 0, length: product(sizes) }),
  'every second element': (sizes) => ({
    ...{ strides: stridesOf(sizes, axesOf(sizes).reverse(), 2), offset: 1 },
    length: 2 * product(sizes),
  }),
  reversed: (sizes) => ({
    strides: stridesOf(sizes, axesOf(sizes).reverse()).map((stride) => -stride),
    offset: Math.max(0, product(sizes) - 1),
    length: product(sizes),
  }),
  'last axis outermost, first one reversed, in threes': (sizes) => {
    const strides = stridesOf(sizes, [...axesOf(sizes).slice(0, -1).reverse(), sizes.length - 1], 3);
    const offset = 4 + ((sizes[0] as number) - 1) * (strides[0] as number);
    const length = offset + 3 * product(sizes) + 4;
    return { strides: strides.map((stride, axis) => (axis === 0 ? -stride : stride)), offset, length };
  },
};

/** The same elements elsewhere, with 99 in the gaps. */
function spread(data: Numbers, sizes: readonly number[], places: Places): Numbers {
  const spreaded = new (data.constructor as Any)(places.length) as Numbers;
  const gap = typeof data[0] === 'bigint' ? 99n : 99;
  (spreaded as Any).fill(gap);
  indices(sizes).forEach((index, i) => {
    spreaded[placeOf(index, places)] = data[i] as never;
  });
  return spreaded;
}

const read = (data: Numbers, sizes: readonly number[], places: Places): unknown[] =>
  indices(sizes).map((index) => data[placeOf(index, places)]);

/** In a container by the names of an ndarray. */
function viewOf(data: Numbers, sizes: readonly number[], name: string): Fields {
  const places = (layouts[name] as (typeof layouts)[string])(sizes);
  const { strides, offset } = places;
  return { data: spread(data, sizes, places), shape: [...sizes], stride: strides, offset };
}

const optionsOf = (signature: Signature): Fields => ({
  ...(isLoss(signature) && { reduction: 'none', grad: true }),
  ...(takes(signature, 'logProbs') && { logProbs: true }),
  ...(takes(signature, 'target') && { target: { data: classes, shape: [2, 3] } }),
});

const bare = (data: unknown): Any => (data as Fields)?.data ?? data;

/** The elements of each result, with the shape in the tensor that it came in. */
function partsOf(result: unknown): Fields {
  const parts: Fields =
    'data' in (result as Fields) || ArrayBuffer.isView(result) ? { out: result } : (result as Fields);
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, bare(part)]));
}

describe.each(signatures.map((signature) => [signature.name, signature] as const))(
  '%s',
  (name, signature) => {
    const arrays = [x, other].slice(0, signature.inputs.length);
    const target = { data: classes, shape: [2, 3] };
    const call = (inputs: unknown[], given: unknown, options: Fields) =>
      functionOf(name)(...argumentsOf(signature, inputs, given, options));
    const packed = arrays.map((data) => ({ data, shape }));
    const wanted = partsOf(call(packed, target, optionsOf(signature)));

    describe.each(Object.keys(layouts))('%s', (layout) => {
      test.each(signature.inputs.map((input, i) => [input, i] as const))('%s', async (_, i) => {
        const inputs: unknown[] = [...packed];
        const view = viewOf(arrays[i] as Float32Array, shape, layout);
        const before = view.data.slice();
        inputs[i] = view;
        expect(partsOf(call(inputs, target, optionsOf(signature)))).toEqual(wanted);
        expect(
          partsOf(
            await functionOf(`${name}Async`)(...argumentsOf(signature, inputs, target, optionsOf(signature))),
          ),
        ).toEqual(wanted);
        expect(view.data).toEqual(before);
      });

      test('float64, float16 as its bits', () => {
        for (const [Kind, dtype] of [
          [Float64Array, 'float64'],
          [Uint16Array, 'float16'],
        ] as const) {
          const values = arrays.map((data) =>
            dtype === 'float64'
              ? Float64Array.from(data)
              : Uint16Array.from(data, (v) => 0x3c00 + Math.round(v * 100)),
          );
          expect(Kind).toBe(values[0]?.constructor);
          const options = optionsOf(signature);
          const ofPacked = call(
            values.map((data) => ({ data, shape, dtype })),
            target,
            options,
          );
          const ofViews = call(
            values.map((data) => ({ ...viewOf(data, shape, layout), dtype })),
            target,
            options,
          );
          expect(partsOf(ofViews)).toEqual(partsOf(ofPacked));
        }
      });

      if (takesClasses(signature) || takes(signature, 'target'))
        test('target', () => {
          const ofTarget = (data: Numbers, sizes: number[]) => {
            const given = viewOf(data, sizes, layout);
            const options = optionsOf(signature);
            return partsOf(
              takesClasses(signature)
                ? call(packed, given, options)
                : call(packed, undefined, { ...options, target: given }),
            );
          };
          expect(ofTarget(classes, [2, 3])).toEqual(wanted);
          expect(ofTarget(BigInt64Array.from(classes, BigInt), [2, 3])).toEqual(wanted);
          if (signature.target === 'classes') return;
          const probabilities = Float32Array.from(x, Math.abs);
          const given = { data: probabilities, shape };
          const options = optionsOf(signature);
          const ofPacked = takesClasses(signature)
            ? call(packed, given, options)
            : call(packed, undefined, { ...options, target: given });
          expect(ofTarget(probabilities, shape)).toEqual(partsOf(ofPacked));
        });

      if (takes(signature, 'mask'))
        test('mask', () => {
          const options = optionsOf(signature);
          const ofPacked = partsOf(call(packed, target, { ...options, mask: { data: mask, shape } }));
          expect(partsOf(call(packed, target, { ...options, mask: viewOf(mask, shape, layout) }))).toEqual(
            ofPacked,
          );
          const wide = BigInt64Array.from(mask, BigInt);
          expect(partsOf(call(packed, target, { ...options, mask: viewOf(wide, shape, layout) }))).toEqual(
            ofPacked,
          );
        });

      test.each(['temperature', 'weight', 'gradOutput'].filter((option) => takes(signature, option as Any)))(
        '%s',
        (option) => {
          const count = option === 'weight' ? 4 : 6;
          const numbers = Float64Array.from({ length: count }, (_, i) => 0.5 + i);
          const options = optionsOf(signature);
          const ofPacked = partsOf(call(packed, target, { ...options, [option]: numbers }));
          const view = viewOf(numbers, [count], layout);
          expect(partsOf(call(packed, target, { ...options, [option]: view }))).toEqual(ofPacked);
        },
      );

      test('an output', async () => {
        const key = outKey(signature);
        const sizes = outShape(signature, shape);
        const make = () => viewOf(newOut(signature, product(sizes)), sizes, layout);
        const check = (out: Fields, result: unknown) => {
          const given = isLoss(signature) ? (result as Fields).grad : result;
          expect(given).toBe(out);
          const places = (layouts[layout] as (typeof layouts)[string])(sizes);
          expect(read(out.data, sizes, places)).toEqual([...wanted[isLoss(signature) ? 'grad' : 'out']]);
          // Nothing is written beside it.
          const gaps = out.data.length - product(sizes);
          expect(out.data.filter((value: number) => value === 99).length).toBe(gaps);
        };
        const out = make();
        check(out, call(packed, target, { ...optionsOf(signature), [key]: out }));
        const later = make();
        check(
          later,
          await functionOf(`${name}Async`)(
            ...argumentsOf(signature, packed, target, { ...optionsOf(signature), [key]: later }),
          ),
        );
      });

      if (signature.mayReplace && signature.result === 'rows')
        test('in place', () => {
          const view = viewOf(x, shape, layout);
          const inputs: unknown[] = [view, ...packed.slice(1)];
          call(inputs, target, { ...optionsOf(signature), [outKey(signature)]: view });
          const places = (layouts[layout] as (typeof layouts)[string])(shape);
          expect(read(view.data, shape, places)).toEqual([...wanted[isLoss(signature) ? 'grad' : 'out']]);
        });
    });
  },
);
