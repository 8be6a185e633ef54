// Rows that a mask covers have the bits of rows with −Infinity in the place of what it drops, whichever way they are computed:
// transposed, in a pipeline, in turn, beyond the memory for copies, in place, to another type. What is dropped is written as it should be.

import {
  argMax,
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
  tokenLogProbs,
  topK,
} from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { Random } from './helpers/random.js';

const random = new Random(20261201);

type Floats = Float32Array | Float64Array;

/** Byte by byte, as `toEqual` takes seconds for so many numbers. */
function expectSame(actual: unknown, expected: unknown): void {
  if (ArrayBuffer.isView(actual) && ArrayBuffer.isView(expected)) {
    const [a, b] = [actual, expected].map((array) =>
      Buffer.from(array.buffer, array.byteOffset, array.byteLength),
    );
    if (a?.equals(b as Buffer)) return;
    expect(actual).toEqual(expected);
    throw new Error('the bits of a zero or of NaN are others');
  }
  if (typeof actual !== 'object' || actual === null) {
    expect(actual).toBe(expected);
    return;
  }
  expect(Object.keys(actual)).toEqual(Object.keys(expected as object));
  for (const [key, value] of Object.entries(actual))
    expectSame(value, (expected as Record<string, unknown>)[key]);
}

/** Logits, a mask with a byte other than 0 for what is kept, and the logits with −Infinity for the others. */
function drawRows(rows: number, length: number, isDouble: boolean) {
  const make = (elementOf: (i: number) => number): Floats =>
    isDouble
      ? Float64Array.from({ length: rows * length }, (_, i) => elementOf(i))
      : Float32Array.from({ length: rows * length }, (_, i) => elementOf(i));
  const logits = make(() => random.uniform(-9, 9));
  const mask = Uint8Array.from({ length: rows * length }, () => random.integer(4) << random.integer(6));
  for (let row = 0; row < rows; row++) mask[row * length] = 1;
  // What is dropped counts for nothing, whatever it is.
  for (let i = 0; i < mask.length; i++)
    if (mask[i] === 0 && i % 3 === 0) logits[i] = [Number.NaN, Infinity, 1e30][((i % 9) / 3) | 0] as number;
  const dropped = make((i) => (mask[i] === 0 ? -Infinity : (logits[i] as number)));
  return { logits, mask, dropped };
}

const shapes = [
  [20, 10],
  [41, 33],
  [17, 128],
  [33, 255],
  [1, 300],
  [7, 257],
  [8, 257],
  [11, 1000],
  [9, 1024],
  [8, 4096],
  [3, 5000],
  [1, 40000],
  [1, 140000],
] as const;

describe.each(shapes)('%i rows of %i', (rows, length) => {
  describe.each([
    ['float32', false],
    ['float64', true],
  ])('of %s', (_, isDouble) => {
    const { logits, mask, dropped } = drawRows(rows, length, isDouble);
    const shape = [rows, length];
    const masked = { shape, mask };
    const first = Int32Array.from({ length: rows }, () => 0);

    it.each([1, -0.75])('softmax and logSoftmax, scale %f', (scale) => {
      const expected = scale < 0 ? dropped.map((x) => (x === -Infinity ? Infinity : x)) : dropped;
      for (const fn of [softmax, logSoftmax]) {
        const results = fn(expected, { shape, scale });
        expectSame(fn(logits, { ...masked, scale }), results);
        const inPlace = logits.slice();
        fn(inPlace, { ...masked, scale, out: inPlace });
        expectSame(inPlace, results);
      }
    });

    it('what has one number per row', () => {
      expectSame(logSumExp(logits, masked), logSumExp(dropped, { shape }));
      expectSame(argMax(logits, masked), argMax(dropped, { shape }));
    });

    it('the largest logits', () => {
      for (const values of ['logits', 'probabilities', 'logProbabilities'] as const)
        expectSame(topK(logits, 9, { ...masked, values }), topK(dropped, 9, { shape, values }));
      const options = { top: 3 };
      expectSame(
        tokenLogProbs(logits, first, { ...masked, ...options }),
        tokenLogProbs(dropped, first, { shape, ...options }),
      );
    });

    it('cross-entropy and its gradient', () => {
      const options = { reduction: 'none', grad: true } as const;
      expectSame(
        crossEntropy(logits, first, { ...masked, ...options }),
        crossEntropy(dropped, first, { shape, ...options }),
      );
    });

    it('backward', () => {
      const p = softmax(dropped, { shape });
      const g = p.map((x, i) => (mask[i] === 0 ? 0 : x - (i % 7)));
      const given = g.map((x, i) => (mask[i] === 0 ? Number.NaN : x));
      const zeroed = (results: Floats) => results.map((x, i) => (mask[i] === 0 ? 0 : x));
      expectSame(softmaxBackward(given, p, masked), zeroed(softmaxBackward(g, p, { shape }) as Floats));
      const logP = logSoftmax(dropped, { shape });
      expectSame(
        logSoftmaxBackward(given, logP, masked),
        zeroed(logSoftmaxBackward(g, logP, { shape }) as Floats),
      );
    });

    it('a row with NaN beside one that the mask empties', () => {
      if (rows < 3) return;
      const some = logits.slice();
      const kept = mask.slice();
      kept.fill(0, length, 2 * length);
      some[0] = Number.NaN;
      const p = softmax(some, { shape, mask: kept });
      const logP = logSoftmax(some, { shape, mask: kept });
      const { grad } = crossEntropy(some, first, { shape, mask: kept, grad: true, reduction: 'sum' });
      const expected = (dropped: number) =>
        p
          .map((x, i) => (i >= 2 * length ? x : i >= length || mask[i] === 0 ? dropped : Number.NaN))
          .subarray(0, 2 * length);
      expectSame(p.subarray(0, 2 * length), expected(0));
      expectSame(logP.subarray(0, 2 * length), expected(-Infinity));
      expectSame(grad.subarray(0, 2 * length), expected(0));
    });

    it('a mask that all rows share', () => {
      const kept = mask.slice(0, length);
      const some = dropped.map((x, i) => (kept[i % length] === 0 ? -Infinity : x === -Infinity ? 0 : x));
      expectSame(
        softmax(
          dropped.map((x) => (x === -Infinity ? 0 : x)),
          { shape, mask: kept },
        ),
        softmax(some, { shape }),
      );
    });

    it('a mask of whole rows', () => {
      const kept = Uint8Array.from({ length: rows }, (_, row) => (row % 3 === 1 ? 0 : 1));
      const p = softmax(dropped, { shape, mask: { data: kept, shape: [rows, 1] } });
      const whole = softmax(dropped, { shape });
      expectSame(
        p,
        whole.map((x, i) => (kept[Math.floor(i / length)] === 0 ? 0 : x)),
      );
    });
  });

  it.each(['float16', 'bfloat16'] as const)('of %s, masked or not', (dtype) => {
    const { logits, mask } = drawRows(rows, length, false);
    const bits = softmax(
      logits.map((x) => (Number.isFinite(x) ? x : 0)),
      { shape: [rows, length] },
    );
    const halves = Uint16Array.from(bits, (x) => Math.floor(x * 65535) % 0x4c00);
    const wide = widened(halves, dtype);
    const options = { shape: [rows, length], dtype };
    const first = Int32Array.from({ length: rows }, () => 0);
    for (const more of [{}, { mask }]) {
      const of32 = { shape: options.shape, ...more };
      expectSame(argMax(halves, { ...options, ...more }), argMax(wide, of32));
      expectSame(topK(halves, 5, { ...options, ...more }).indices, topK(wide, 5, of32).indices);
      expectSame(
        tokenLogProbs(halves, first, { ...options, ...more }).ranks,
        tokenLogProbs(wide, first, of32).ranks,
      );
      const out = new Float32Array(rows * length);
      softmax(halves, { ...options, ...more, out });
      expectSame(out, softmax(wide, of32));
    }
  });
});

it('masks that some neighbours share, and others do not', () => {
  const { logits, mask } = drawRows(48, 10, false);
  const shape = [2, 24, 10];
  const kept = mask.slice(0, 20);
  const x = logits.map((value) => (Number.isFinite(value) ? value : 0));
  const some = x.map((value, i) => (kept[(i % 10) + (i < 240 ? 0 : 10)] === 0 ? -Infinity : value));
  expectSame(softmax(x, { shape, mask: { data: kept, shape: [2, 1, 10] } }), softmax(some, { shape }));
});

/** What the bits stand for, by a function that the rows are not read by. */
function widened(halves: Uint16Array, dtype: 'float16' | 'bfloat16'): Float32Array {
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
  return Float32Array.from(halves, (bits) => {
    const exponent = bits >> 10;
    const fraction = bits & 1023;
    return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  });
}
