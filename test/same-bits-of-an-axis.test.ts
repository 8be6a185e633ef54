// A row's result does not depend on the axis that it lies along, nor on its neighbours: alone along the last axis it has
// the bits that it has as one of many along any other, in every dtype, masked or not, in place or not.

import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { arrayOf, type DType, dtypes, Grid } from './helpers/grid.js';
import { Random } from './helpers/random.js';

type Values = Float32Array | Float64Array | Uint16Array;
const bytesOf = ({ buffer, byteOffset, byteLength }: Values) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** Elements at some places, one after the other. */
function taken<Taken extends Values | Uint8Array>(values: Taken, places: readonly number[]): Taken {
  const picked = new (values.constructor as new (length: number) => Taken)(places.length);
  places.forEach((place, k) => {
    picked[k] = values[place] as number;
  });
  return picked;
}

interface Batch {
  readonly x: Values;
  readonly other: Values;
  readonly mask: Uint8Array | undefined;
  readonly temperature: readonly number[];
  readonly classes: Int32Array;
}

/** Every function's results: those of x's size, then those of one element per row. */
function results({ x, other, mask, temperature, classes }: Batch, dtype: DType, place: object) {
  const half = dtype === 'float16' || dtype === 'bfloat16' ? { dtype } : {};
  const options = any({ ...half, ...place, temperature, mask });
  const losses = any({ ...half, ...place, temperature, mask, reduction: 'none', grad: true });
  const smooth = any({ ...half, ...place, mask, reduction: 'none', grad: true, labelSmoothing: 0.2 });
  const p = softmax(any(x), options) as Values;
  const y = logSoftmax(any(x), options) as Values;
  const target = half.dtype ? { data: p, shape: [...(any(place) as { shape: number[] }).shape], dtype } : p;
  const found = [
    crossEntropy(any(x), classes, losses),
    crossEntropy(any(x), classes, smooth),
    crossEntropy(any(x), any(target), losses),
    distillationLoss(any(x), any(other), losses),
  ] as unknown as { loss: Values; grad: Values; logSumExp?: Values }[];
  const backward = [
    softmaxBackward(any(other), any(p), options),
    logSoftmaxBackward(any(other), any(y), options),
  ];
  return {
    whole: [p, y, ...(backward as Values[]), ...found.map(({ grad }) => grad)],
    single: [
      logSumExp(any(x), options) as Values,
      ...found.flatMap((l) => [l.loss, ...(l.logSumExp ? [l.logSumExp] : [])]),
    ],
  };
}

const layouts: readonly [shape: readonly number[], axis: number][] = [
  [[1, 1], 0],
  [[3, 1], 0],
  [[1, 40], 0],
  [[5, 3], 0],
  [[17, 16], 0],
  [[2, 33, 19], 1],
  [[130, 7], 0],
  [[2, 3, 20, 2], 2],
  [[4097, 3], 0],
];

describe.each(dtypes)('the same bits along any axis: %s', (dtype) => {
  for (const [shape, axis] of layouts)
    for (const isMasked of [false, true])
      test(`[${shape.join(', ')}], axis ${axis}${isMasked ? ', masked' : ''}`, () => {
        const random = new Random(shape.length + axis + Number(isMasked));
        const grid = new Grid(shape, axis);
        const values = (scale: number) =>
          arrayOf(
            Float64Array.from({ length: grid.size }, () => random.normal(scale)),
            dtype,
          ) as Values;
        const batch: Batch = {
          x: values(8),
          other: values(2),
          mask: isMasked ? Uint8Array.from({ length: grid.size }, () => random.integer(4)) : undefined,
          temperature: grid.rows.map(() => random.uniform(0.5, 2)),
          classes: random.classes(grid.rows.length, grid.length),
        };
        const together = results(batch, dtype, { shape, axis });
        grid.rows.forEach((places, row) => {
          const alone: Batch = {
            x: taken(batch.x, places),
            other: taken(batch.other, places),
            mask: batch.mask && taken(batch.mask, places),
            temperature: [batch.temperature[row] as number],
            classes: batch.classes.slice(row, row + 1),
          };
          const expected = results(alone, dtype, { shape: [1, grid.length], axis: 1 });
          expected.whole.forEach((wanted, i) => {
            const found = taken(together.whole[i] as Values, places);
            expect(bytesOf(found).equals(bytesOf(wanted)), `array ${i} of row ${row}`).toBe(true);
          });
          expected.single.forEach((wanted, i) => {
            const found = taken(together.single[i] as Values, [row]);
            expect(bytesOf(found).equals(bytesOf(wanted)), `number ${i} of row ${row}`).toBe(true);
          });
        });
        const out = batch.x.slice();
        const half = dtype === 'float16' || dtype === 'bfloat16' ? { dtype } : {};
        softmax(
          any(out),
          any({ ...half, shape, axis, mask: batch.mask, temperature: batch.temperature, out }),
        );
        expect(bytesOf(out).equals(bytesOf(together.whole[0] as Values)), 'in place').toBe(true);
      });
});
