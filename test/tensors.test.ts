// Containers: what goes in comes out, with the same names of its fields, nothing copied, every field read once.

import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  nllLoss,
  softmax,
  softmaxBackward,
  softmaxJacobian,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { formats } from './helpers/exact-row.js';
import { bitsOf, numberOf, roundTo } from './helpers/half-bits.js';
import { Random } from './helpers/random.js';

type Fields = Record<string, unknown>;
const shape = [2, 3, 4];
const random = new Random(90);
const x = random.normals(24);
const other = random.normals(24);
const classes = random.classes(6, 4);

/** Every function of a tensor (and others like it): each result with the shape that it should have. */
const results: Record<
  string,
  (make: (data: Float32Array) => never) => readonly (readonly [unknown, number[]])[]
> = {
  softmax: (make) => [[softmax(make(x)), shape]],
  logSoftmax: (make) => [[logSoftmax(make(x)), shape]],
  logSumExp: (make) => [[logSumExp(make(x)), [2, 3]]],
  softmaxBackward: (make) => [[softmaxBackward(make(x), make(other)), shape]],
  logSoftmaxBackward: (make) => [[logSoftmaxBackward(make(x), make(other)), shape]],
  softmaxJacobian: (make) => [[softmaxJacobian(make(x)), [2, 3, 4, 4]]],
  crossEntropy: (make) => {
    const options = { reduction: 'none', grad: true, logProbs: true } as const;
    const { loss, grad, logSumExp: sums, logProbs } = crossEntropy(make(x), classes, options);
    return [
      [loss, [2, 3]],
      [grad, shape],
      [sums, [2, 3]],
      [logProbs, shape],
    ];
  },
  nllLoss: (make) => {
    const { loss, grad } = nllLoss(make(x), classes, { reduction: 'none', grad: true });
    return [
      [loss, [2, 3]],
      [grad, shape],
    ];
  },
  distillationLoss: (make) => {
    const options = { reduction: 'none', grad: true, target: classes } as const;
    const { loss, grad } = distillationLoss(make(x), make(other), options);
    return [
      [loss, [2, 3]],
      [grad, shape],
    ];
  },
};

/** The results of bare arrays with the shape in the options. */
const bare: Record<string, unknown[]> = {
  softmax: [softmax(x, { shape })],
  logSoftmax: [logSoftmax(x, { shape })],
  logSumExp: [logSumExp(x, { shape })],
  softmaxBackward: [softmaxBackward(x, other, { shape })],
  logSoftmaxBackward: [logSoftmaxBackward(x, other, { shape })],
  softmaxJacobian: [softmaxJacobian(x, { shape })],
  crossEntropy: ((r) => [r.loss, r.grad, r.logSumExp, r.logProbs])(
    crossEntropy(x, classes, { shape, reduction: 'none', grad: true, logProbs: true }),
  ),
  nllLoss: ((r) => [r.loss, r.grad])(nllLoss(x, classes, { shape, reduction: 'none', grad: true })),
  distillationLoss: ((r) => [r.loss, r.grad])(
    distillationLoss(x, other, { shape, reduction: 'none', grad: true, target: classes }),
  ),
};

describe.each(Object.entries(results))('%s', (name, resultsOf) => {
  const containers: readonly (readonly [string, Fields, string])[] = [
    ['{ data, dims, type }', { dims: shape, type: 'float32' }, 'dims'],
    ['{ data, dims }', { dims: shape }, 'dims'],
    ['{ data, shape, dtype }', { shape, dtype: 'float32' }, 'shape'],
    ['{ data, shape }', { shape }, 'shape'],
    ['{ data, dims, type, location }', { dims: shape, type: 'float32', location: 'cpu' }, 'dims'],
    ['with dims in a typed array', { dims: Uint32Array.from(shape), type: 'float32' }, 'dims'],
  ];
  test.each(containers)('%s', (_name, fields, shapeName) => {
    resultsOf((data) => any({ data, ...fields })).forEach(([result, wanted], i) => {
      const { location: _, ...expected } = fields;
      expect(result).toStrictEqual({ ...expected, [shapeName]: wanted, data: (bare[name] as unknown[])[i] });
    });
  });

  test('reads every field once, the location first, and no other', () => {
    const proxies: string[][] = [];
    resultsOf((data) => {
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
      expect([...reads].sort()).toEqual(['data', 'dims', 'location', 'type']);
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
    resultsOf((data) => any(new Tensor(data))).forEach(([result, dims], i) => {
      const data = (bare[name] as unknown[])[i];
      expect(result).toStrictEqual({ type: 'float32', data, dims });
    });
  });

  test('a shape of the result is its own', () => {
    const dims = [...shape];
    const made = resultsOf((data) => any({ data, dims })).map(
      ([result]) => (result as { dims: number[] }).dims,
    );
    expect(new Set([dims, ...made]).size).toBe(made.length + 1);
  });
});

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
