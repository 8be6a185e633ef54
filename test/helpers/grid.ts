// Arrays of any shape, axis, mask and dtype, and what softmax is there by its definition in float64.

import { expect } from 'vitest';
import { formats } from './exact-row.js';
import { bitsOf, numberOf, roundTo } from './half-bits.js';
import { at } from './rows.js';

/** An array of any shape, and where its rows are. */
export class Grid {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly size: number;
  readonly length: number;
  /** Places of the elements of each row. */
  readonly rows: number[][] = [];

  constructor(shape: readonly number[], axis: number) {
    this.shape = shape;
    this.axis = axis;
    this.size = shape.reduce((a, b) => a * b, 1);
    const along = axis < 0 ? axis + shape.length : axis;
    this.length = at(shape, along);
    // Rows in the order of the other axes: those of equal coordinates there belong together.
    const rowOf = new Map<string, number[]>();
    for (let place = 0; place < this.size; place++) {
      const key = this.coordinates(place)
        .filter((_, axis) => axis !== along)
        .join();
      const row = rowOf.get(key) ?? [];
      if (row.length === 0) this.rows.push(row);
      rowOf.set(key, row);
      row.push(place);
    }
  }

  coordinates(place: number): number[] {
    let rest = place;
    return [...this.shape]
      .reverse()
      .map((size) => {
        const coordinate = rest % size;
        rest = (rest - coordinate) / size;
        return coordinate;
      })
      .reverse();
  }

  /** Whether a mask that is broadcast from the right keeps an element. */
  isKept(mask: { data: Uint8Array; dims: readonly number[] } | undefined, place: number): boolean {
    if (!mask) return true;
    const coordinates = this.coordinates(place).slice(this.shape.length - mask.dims.length);
    const index = mask.dims.reduce((sum, size, i) => sum * size + (size === 1 ? 0 : at(coordinates, i)), 0);
    return mask.data[index] !== 0;
  }
}

export interface Row {
  readonly places: readonly number[];
  readonly kept: readonly boolean[];
  readonly multiplier: number;
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Probabilities, log-probabilities and log-sum-exp of a row by their definitions. */
export function exact(x: ArrayLike<number>, { places, kept, multiplier }: Row) {
  const z = places.map((place, k) => (kept[k] ? at(x, place) * multiplier : Number.NEGATIVE_INFINITY));
  const top = Math.max(...z);
  const isEmpty = !kept.includes(true);
  const total = sum(z.map((value) => Math.exp(value - top)));
  const logSum = isEmpty ? Number.NEGATIVE_INFINITY : top + Math.log(total);
  const log = z.map((value) => (isEmpty ? Number.NEGATIVE_INFINITY : value - logSum));
  return { log, logSum, p: log.map(Math.exp) };
}

export const dtypes = ['float32', 'float64', 'float16', 'bfloat16'] as const;
export type DType = (typeof dtypes)[number];

export function arrayOf(values: ArrayLike<number>, dtype: DType) {
  if (dtype === 'float32') return Float32Array.from(values);
  if (dtype === 'float64') return Float64Array.from(values);
  return Uint16Array.from(values, (value) => bitsOf(roundTo(value, formats[dtype]), formats[dtype]));
}

export const numbersOf = (data: ArrayLike<number>, dtype: DType): number[] =>
  Array.from(data, (value) =>
    dtype === 'float16' || dtype === 'bfloat16' ? numberOf(value, formats[dtype]) : value,
  );

/** Relative to the values of up to 10 that logits and their logarithms have. */
const tolerances = { float32: 2e-6, float64: 1e-13, float16: 5e-3, bfloat16: 4e-2 } as const;

export function expectClose(
  actual: readonly number[],
  wanted: readonly number[],
  dtype: DType,
  label: string,
) {
  expect(actual.length, label).toBe(wanted.length);
  const index = actual.findIndex((value, i) => {
    const goal = at(wanted, i);
    if (value === goal || (Number.isNaN(value) && Number.isNaN(goal))) return false;
    return !(Math.abs(value - goal) <= tolerances[dtype] * Math.max(1, Math.abs(goal)));
  });
  const message = `${label}: [${index}] is ${actual[index]}, not ${wanted[index]}`;
  expect(index, message).toBe(-1);
}
