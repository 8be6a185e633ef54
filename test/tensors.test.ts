// Containers: what goes in comes out, with the same names of its fields, nothing copied, every field read once.

import { crossEntropy, logSumExp, nllLoss, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, functionOf } from './helpers/calls.js';
import { formats } from './helpers/exact-row.js';
import { bitsOf, numberOf, roundTo } from './helpers/half-bits.js';
import { Random } from './helpers/random.js';
import { argumentsOf, isLoss, outShape, type Signature, signatures, takes } from './helpers/signatures.js';

type Fields = Record<string, unknown>;
const shape = [2, 3, 4];
const random = new Random(90);
const x = random.normals(24);
const other = random.normals(24);
const classes = random.classes(6, 4);

/** What a loss returns beside the number of rows. */
const parts = ['loss', 'grad', 'logSumExp', 'logProbs'] as const;
const sizeOfPart = (part: (typeof parts)[number]) =>
  part === 'loss' || part === 'logSumExp' ? shape.slice(0, -1) : shape;

type Result = readonly [value: unknown, shape: number[]];
/** Every function of a tensor (and others like it): each result with the shape that it should have. */
function resultsOf(signature: Signature, make: (data: Float32Array) => unknown, more: object = {}): Result[] {
  const { name, inputs } = signature;
  const isLossy = isLoss(signature);
  const options = {
    ...(isLossy && { reduction: 'none', grad: true }),
    ...(takes(signature, 'logProbs') && { logProbs: true }),
    ...(takes(signature, 'target') && { target: classes }),
    ...more,
  };
  const given = inputs.map((_, i) => make(i === 0 ? x : other));
  const result = functionOf(name)(...argumentsOf(signature, given, classes, options)) as Fields;
  if (!isLossy) return [[result, outShape(signature, shape)]];
  return parts.filter((part) => part in result).map((part) => [result[part], sizeOfPart(part)]);
}

/** The results of bare arrays with the shape in the options. */
const bare: Record<string, unknown[]> = Object.fromEntries(
  signatures.map((signature) => [
    signature.name,
    resultsOf(signature, (data) => data, { shape }).map(([value]) => value),
  ]),
);

describe.each(signatures.map((signature) => [signature.name, signature] as const))(
  '%s',
  (name, signature) => {
    const containers: readonly (readonly [string, Fields, string])[] = [
      ['{ data, dims, type }', { dims: shape, type: 'float32' }, 'dims'],
      ['{ data, dims }', { dims: shape }, 'dims'],
      ['{ data, shape, dtype }', { shape, dtype: 'float32' }, 'shape'],
      ['{ data, shape }', { shape }, 'shape'],
      ['{ data, dims, type, location }', { dims: shape, type: 'float32', location: 'cpu' }, 'dims'],
      ['with dims in a typed array', { dims: Uint32Array.from(shape), type: 'float32' }, 'dims'],
    ];
    test.each(containers)('%s', (_name, fields, shapeName) => {
      resultsOf(signature, (data) => any({ data, ...fields })).forEach(([result, wanted], i) => {
        const { location: _, ...expected } = fields;
        const type = 'type' in expected ? { type: signature.holds ?? 'float32' } : {};
        const dtype = 'dtype' in expected ? { dtype: signature.holds ?? 'float32' } : {};
        expect(result).toStrictEqual({
          ...expected,
          ...type,
          ...dtype,
          [shapeName]: wanted,
          data: (bare[name] as unknown[])[i],
        });
      });
    });

    test('reads every field once, the location first, and no other', () => {
      const proxies: string[][] = [];
      resultsOf(signature, (data) => {
        const reads: string[] = [];
        proxies.push(reads);
        const fields: Fields = {
          data,
          dims: shape,
          type: 'float32',
          location: 'cpu',
          size: 24,
          strides: [12, 4, 1],
        };
        return any(
          new Proxy(fields, {
            get(target, key) {
              reads.push(String(key));
              return target[key as string];
            },
          }),
        );
      });
      for (const reads of proxies) {
        expect(reads[0]).toBe('location');
        // Symbol.toStringTag would be read by a conversion to a string, `then` by an await.
        const layout = ['fortranOrder', 'fortran_order', 'offset', 'order', 'stride', 'strides'];
        expect([...reads].sort()).toEqual(['data', 'dims', 'location', 'type', ...layout].sort());
      }
      expect(proxies.length).toBeGreaterThan(0);
    });

    test('a class with getters, whose elements are not copied', () => {
      class Tensor {
        readonly #data: Float32Array;
        constructor(data: Float32Array) {
          this.#data = data;
        }
        get location() {
          return 'cpu';
        }
        get data() {
          return this.#data;
        }
        get dims() {
          return shape;
        }
        get type() {
          return 'float32';
        }
      }
      resultsOf(signature, (data) => any(new Tensor(data))).forEach(([result, dims], i) => {
        const data = (bare[name] as unknown[])[i];
        expect(result).toStrictEqual({ type: signature.holds ?? 'float32', data, dims });
      });
    });

    test('a shape of the result is its own', () => {
      const dims = [...shape];
      const made = resultsOf(signature, (data) => any({ data, dims })).map(
        ([result]) => (result as { dims: number[] }).dims,
      );
      expect(new Set([dims, ...made]).size).toBe(made.length + 1);
    });
  },
);

describe('out', () => {
  test('is given back as it is, whatever the input came in', () => {
    const expected = bare.softmax?.[0] as Float32Array;
    for (const input of [x, { data: x, dims: shape }]) {
      for (const wrap of [
        (data: Float32Array) => data,
        (data: Float32Array) => ({ data, dims: shape, type: 'float32' }),
        (data: Float32Array) => Object.freeze({ data, shape }),
        (data: Float32Array) => ({ data, dims: [24] }),
      ]) {
        const data = new Float32Array(24);
        const out = wrap(data);
        if ('dims' in out && out.dims.length === 1) {
          expect(() => softmax(any(input), { shape, out })).toThrow(RangeError);
        } else {
          expect(softmax(any(input), { shape, out })).toBe(out);
          expect(data).toEqual(expected);
        }
      }
    }
  });

  test('may be the tensor that came in', () => {
    const tensor = { data: x.slice(), dims: shape, type: 'float32' };
    expect(softmax(tensor, { out: tensor })).toBe(tensor);
    expect(tensor.data).toEqual(bare.softmax?.[0]);
    const logits = { data: x.slice(), dims: shape, type: 'float32' };
    const { grad } = crossEntropy(logits, classes, { grad: logits, reduction: 'none' });
    expect(grad).toBe(logits);
    expect(logits.data).toEqual(bare.crossEntropy?.[1]);
  });

  test.each(['grad', 'logProbs'] as const)('%s over the logits, the other one elsewhere', (over) => {
    const logits = x.slice();
    const wanted = { grad: true as const, logProbs: true as const, [over]: logits };
    const { grad, logProbs } = crossEntropy(logits, classes, { shape, reduction: 'none', ...wanted });
    expect(over === 'grad' ? grad : logProbs).toBe(logits);
    expect([grad, logProbs]).toEqual([bare.crossEntropy?.[1], bare.crossEntropy?.[3]]);
  });

  test('nllLoss: grad over the log-probabilities', () => {
    const logProbs = x.slice();
    const { loss, grad } = nllLoss(logProbs, classes, { shape, reduction: 'none', grad: logProbs });
    expect(grad).toBe(logProbs);
    expect([loss, grad]).toEqual(bare.nllLoss);
  });
});

describe('tensors of no axes', () => {
  test('whose results are scalars', () => {
    const row = { data: x, dims: [24], type: 'float32' };
    expect(logSumExp(row)).toStrictEqual({ type: 'float32', data: logSumExp(x), dims: [] });
    const scalar = { data: new BigInt64Array([5n]), dims: [], type: 'int64' };
    expect(crossEntropy(row, scalar).loss).toBe(crossEntropy(x, Int32Array.of(5)).loss);
  });
});

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const format = formats[dtype];
  const halves = Uint16Array.from(x, (value) => bitsOf(roundTo(value, format), format));
  const singles = Float32Array.from(halves, (bits) => numberOf(bits, format));
  const rounded = (values: ArrayLike<number>) =>
    Uint16Array.from(values, (value) => bitsOf(roundTo(value, format), format));
  const exact = softmax(singles, { shape });

  test('a bare Uint16Array with the option dtype', () => {
    expect(softmax(halves, { shape, dtype })).toEqual(rounded(exact));
    expect(logSumExp(halves, { shape, dtype })).toEqual(rounded(logSumExp(singles, { shape })));
  });
  test('a tensor that says it, and one that does not', () => {
    const tensor = { type: dtype as string, data: halves, dims: shape };
    expect(softmax(tensor)).toStrictEqual({ ...tensor, data: rounded(exact) });
    expect(softmax({ data: halves, shape, dtype })).toStrictEqual({ data: rounded(exact), shape, dtype });
    // The result has to say it, as the option did.
    expect(softmax({ data: halves, dims: shape }, { dtype })).toStrictEqual({
      ...tensor,
      data: rounded(exact),
    });
    expect(softmax({ data: halves, shape }, { dtype })).toStrictEqual({ data: rounded(exact), shape, dtype });
  });
  test('in, float32 out; and the other way round', () => {
    const tensor = { type: dtype as string, data: halves, dims: shape };
    expect(softmax(tensor, { dtype: 'float32' })).toStrictEqual({
      type: 'float32',
      data: exact,
      dims: shape,
    });
    const out = new Float32Array(24);
    expect(softmax(halves, { shape, dtype, out })).toBe(out);
    expect(out).toEqual(exact);
    const narrow = new Uint16Array(24);
    expect(softmax(singles, { shape, dtype, out: narrow })).toBe(narrow);
    expect(narrow).toEqual(rounded(exact));
    // A bare Uint16Array holds what the input does, if nothing else is said.
    expect(softmax(tensor, { out: halves.slice() })).toEqual(rounded(exact));
  });
  test('losses are float32, gradients what the logits are', () => {
    const logits = { type: dtype as string, data: halves, dims: shape };
    const options = { reduction: 'none', grad: true, logProbs: true } as const;
    const result = crossEntropy(logits, classes, options);
    const single = crossEntropy(singles, classes, { ...options, shape });
    expect(result.loss).toStrictEqual({ type: 'float32', data: single.loss, dims: [2, 3] });
    expect(result.logSumExp).toStrictEqual({ type: 'float32', data: single.logSumExp, dims: [2, 3] });
    expect(result.grad).toStrictEqual({ type: dtype, data: rounded(single.grad), dims: shape });
    expect(result.logProbs).toStrictEqual({ type: dtype, data: rounded(single.logProbs), dims: shape });
    const widened = crossEntropy(logits, classes, { ...options, dtype: 'float32' });
    expect(widened.grad).toStrictEqual({ type: 'float32', data: single.grad, dims: shape });
    const { logProbs: _, ...nllOptions } = options;
    const nll = nllLoss(logits, classes, nllOptions);
    expect(nll.loss).toStrictEqual({
      type: 'float32',
      data: nllLoss(singles, classes, { ...nllOptions, shape }).loss,
      dims: [2, 3],
    });
    expect(nll.grad).toStrictEqual({
      type: dtype,
      data: rounded(nllLoss(singles, classes, { ...nllOptions, shape }).grad),
      dims: shape,
    });
  });
});
