// shape, axis, mask, temperature and dtype, all combined, against the definitions in float64, element by element.

import { logSoftmax, logSoftmaxBackward, logSumExp, softmax, softmaxBackward } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { arrayOf, dtypes, exact, expectClose, Grid, numbersOf, type Row, sum } from './helpers/grid.js';
import { Random } from './helpers/random.js';
import { at } from './helpers/rows.js';

const layouts: readonly (readonly [readonly number[], number])[] = [
  [[7], 0],
  [[3, 5], -1],
  [[3, 5], 0],
  [[2, 3, 4], 1],
  [[2, 3, 4], -3],
  [[2, 1, 3, 2], 2],
  [[1, 6, 1], 1],
  [[2, 2, 3, 2, 2], 2],
];

/** Every way to broadcast to a shape from the right: each axis whole or of size 1, leading axes left out. */
function maskShapes(shape: readonly number[]): number[][] {
  const shapes: number[][] = [[]];
  for (const size of [...shape].reverse())
    for (const tail of shapes.filter(({ length }) => length === Math.max(...shapes.map((s) => s.length))))
      shapes.push([size, ...tail], ...(size === 1 ? [] : [[1, ...tail]]));
  return shapes;
}

/** Elements by rows, put back where they are in the array. */
function scattered(rows: readonly Row[], values: readonly (readonly number[])[], size: number): number[] {
  const all = new Array<number>(size);
  rows.forEach(({ places }, r) => {
    places.forEach((place, k) => {
      all[place] = at(values[r] as number[], k);
    });
  });
  return all;
}

describe.each(dtypes)('%s', (dtype) => {
  test.each(layouts)('shape %j, axis %d', (shape, axis) => {
    const grid = new Grid(shape, axis);
    const random = new Random(95);
    const scale = -0.75;
    for (const dims of [undefined, ...maskShapes(shape)])
      for (const isPerRow of [false, true]) {
        const x = numbersOf(arrayOf(random.normals(grid.size, 3), dtype), dtype);
        const g = numbersOf(arrayOf(random.normals(grid.size), dtype), dtype);
        const mask = dims && {
          data: Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.integer(3) * 85),
          dims,
        };
        const temperatures = grid.rows.map(() => random.uniform(0.5, 3));
        const temperature = isPerRow ? temperatures : at(temperatures, 0);
        const rows = grid.rows.map((places, r) => ({
          places,
          kept: places.map((place) => grid.isKept(mask, place)),
          multiplier: scale / (isPerRow ? at(temperatures, r) : at(temperatures, 0)),
        }));
        const tensor = (values: readonly number[]) => ({
          data: arrayOf(values, dtype),
          dims: [...shape],
          type: dtype,
        });
        const options = { axis, scale, temperature, mask };
        const label = `mask ${JSON.stringify(dims)}, temperature ${isPerRow ? 'of rows' : temperature}`;
        const check = (result: unknown, wanted: readonly number[], name: string, wantedDims = [...shape]) => {
          const { data, dims: resultDims } = result as { data: Float32Array; dims: number[] };
          expect(resultDims, `${name}, ${label}`).toEqual(wantedDims);
          expectClose(numbersOf(data, dtype), wanted, dtype, `${name}, ${label}`);
        };
        const goal = rows.map((row) => exact(x, row));
        const all = (values: readonly (readonly number[])[]) => scattered(rows, values, grid.size);
        check(softmax(tensor(x), options), all(goal.map(({ p }) => p)), 'softmax');
        check(logSoftmax(tensor(x), options), all(goal.map(({ log }) => log)), 'logSoftmax');
        const dropped = shape.filter((_, i) => i !== (axis < 0 ? axis + shape.length : axis));
        check(
          logSumExp(tensor(x), options),
          goal.map(({ logSum }) => logSum),
          'logSumExp',
          dropped,
        );
        // Backward, from rounded outputs.
        const p = numbersOf(arrayOf(all(goal.map((row) => row.p)), dtype), dtype);
        const viaSoftmax = rows.map(({ places, kept, multiplier }) => {
          const dot = sum(places.map((place, k) => (kept[k] ? at(p, place) * at(g, place) : 0)));
          return places.map((place, k) => (kept[k] ? at(p, place) * (at(g, place) - dot) * multiplier : 0));
        });
        check(softmaxBackward(tensor(g), tensor(p), options), all(viaSoftmax), 'softmaxBackward');
        const y = numbersOf(arrayOf(all(goal.map(({ log }) => log)), dtype), dtype);
        const viaLog = rows.map(({ places, kept, multiplier }) => {
          const total = sum(places.map((place, k) => (kept[k] ? at(g, place) : 0)));
          return places.map((place, k) =>
            kept[k] ? (at(g, place) - Math.exp(at(y, place)) * total) * multiplier : 0,
          );
        });
        check(logSoftmaxBackward(tensor(g), tensor(y), options), all(viaLog), 'logSoftmaxBackward');
      }
  });
});

describe('limits of temperatures of rows', () => {
  const shape = [4, 3];
  const x = Float32Array.of(1, 3, 3, 1, 2, -Infinity, 1, 2, 3, 5, 5, 5);
  const temperature = [0, Infinity, 1, 0];
  const row = (index: number) => x.slice(3 * index, 3 * index + 3);

  test.each([
    ['softmax', softmax, [0, 0.5, 0.5, 0.5, 0.5, 0]],
    ['logSoftmax', logSoftmax, [-Infinity, -Math.LN2, -Math.LN2, -Math.LN2, -Math.LN2, -Infinity]],
  ] as const)('%s', (_name, f, limits) => {
    const result = f(x, { shape, temperature });
    expect(result.slice(0, 6)).toEqual(Float32Array.from(limits));
    // Each row is what it is alone.
    temperature.forEach((one, index) => {
      expect(result.slice(3 * index, 3 * index + 3)).toEqual(f(row(index), { temperature: one }));
    });
  });

  test('with a mask: among what is kept', () => {
    const mask = Uint8Array.of(1, 1, 0);
    const expected = Float32Array.of(0, 1, 0, 0.5, 0.5, 0);
    expect(softmax(x, { shape, temperature, mask }).slice(0, 6)).toEqual(expected);
  });
});

test('scale 0 makes all logits alike, at temperature 0 too', () => {
  const x = Float32Array.of(3, -1, 2, 30);
  for (const scale of [0, -0])
    for (const temperature of [0, 1, Infinity]) {
      expect(softmax(x, { scale, temperature })).toEqual(new Float32Array(4).fill(0.25));
      expect(logSoftmax(x, { scale, temperature })).toEqual(new Float32Array(4).fill(-Math.log(4)));
      const each = { shape: [2, 2], scale, temperature: [temperature, temperature] };
      expect(softmax(x, each)).toEqual(new Float32Array(4).fill(0.5));
    }
});

describe('masks', () => {
  const x = Float32Array.of(1, 2, 3, NaN, Infinity, -Infinity);
  const shape = [2, 3];

  test('a row that is emptied is 0, −Infinity, −Infinity, whatever is in it', () => {
    const mask = Uint8Array.of(1, 1, 0, 0, 0, 0);
    expect(softmax(x, { shape, mask }).slice(3)).toEqual(Float32Array.of(0, 0, 0));
    expect(logSoftmax(x, { shape, mask }).slice(3)).toEqual(new Float32Array(3).fill(-Infinity));
    expect(logSumExp(x, { shape, mask })[1]).toBe(-Infinity);
    expect(softmaxBackward(x, softmax(x, { shape, mask }), { shape, mask }).slice(3)).toEqual(
      new Float32Array(3),
    );
    expect(logSoftmaxBackward(x, x, { shape, mask }).slice(3)).toEqual(new Float32Array(3));
  });

  test('what is dropped may be NaN or infinite', () => {
    const mask = Uint8Array.of(1, 1, 1, 0, 0, 1);
    expect(softmax(x.subarray(3), { mask: Uint8Array.of(0, 0, 1) })).toEqual(
      Float32Array.of(NaN, NaN, NaN).fill(0, 0, 2),
    );
    expect(softmax(x, { shape, mask }).slice(0, 3)).toEqual(softmax(x.slice(0, 3)));
  });

  test('a mask of nothing, for nothing', () => {
    const empty = new Float32Array(0);
    expect(softmax(empty, { shape: [0, 3], mask: new Uint8Array(3) })).toEqual(empty);
    expect(softmax(empty, { shape: [0, 3], mask: new Uint8Array(0) })).toEqual(empty);
    const sums = logSumExp(empty, { shape: [2, 0], mask: new Uint8Array(0) });
    expect(sums).toEqual(Float32Array.of(-Infinity, -Infinity));
  });
});

test('the axis is counted from either end, and need not be the last', () => {
  const x = new Random(96).normals(24);
  const shape = [2, 3, 4];
  for (const axis of [0, 1, 2]) {
    expect(softmax(x, { shape, axis })).toEqual(softmax(x, { shape, axis: axis - 3 }));
    expect(logSumExp(x, { shape, axis })).toHaveLength(24 / at(shape, axis));
  }
  expect(softmax(x, { shape: Uint8Array.from(shape) })).toEqual(softmax(x, { shape }));
});
