// Gradients by central differences of float64 functions: what they are held against, and on which arrays.

import { expect } from 'vitest';
import type { Random } from './random.js';
import { at } from './rows.js';

/**
 * Differences over ±h and ±2h, weighted so that the third derivative drops out. With h = 2^-9 and logits multiplied by
 * at most 3, two errors are left: h⁴/30 of the fifth derivative, some 1e-12 (5e-13 · 3^5 · a cumulant of
 * probabilities, at most 0.1), and the rounding of f, 1.5 · 2^-53 |f| / h, some 1e-13 |f|.
 */
const step = 2 ** -9;

export function numericalGradient(f: (x: Float64Array) => number, x: Float64Array): Float64Array {
  const moved = x.slice();
  return x.map((value, i) => {
    const valueAt = (steps: number) => {
      moved[i] = value + steps * step;
      return f(moved);
    };
    const gradient = (8 * (valueAt(1) - valueAt(-1)) - (valueAt(2) - valueAt(-2))) / (12 * step);
    moved[i] = value;
    return gradient;
  });
}

/** Ten times what the differences leave for |f| up to 50; float32 anywhere on the way would show a thousandfold. */
const tolerance = 1e-10;

/** In parts of the gradient's largest element, or of 1 where that is larger. */
export function expectGradient(
  actual: unknown,
  f: (x: Float64Array) => number,
  x: Float64Array,
  label: string,
): void {
  expect(actual, label).toBeInstanceOf(Float64Array);
  const gradient = actual as Float64Array;
  const numerical = numericalGradient(f, x);
  expect(gradient.length, label).toBe(x.length);
  const size = numerical.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
  let worst = 0;
  let where = label;
  numerical.forEach((exact, i) => {
    const error = Math.abs(at(gradient, i) - exact) / size;
    if (error <= worst) return;
    worst = error;
    where = `${label} [${i}] is ${gradient[i]}, not ${exact}`;
  });
  // NaN is no smaller than anything, so that it would pass as 0 above.
  expect(gradient.every(Number.isFinite), `${label}: ${gradient}`).toBe(true);
  expect(numerical.every(Number.isFinite), `${label}: ${numerical}`).toBe(true);
  expect(worst, where).toBeLessThanOrEqual(tolerance);
}

export const doubles = (random: Random, length: number, deviation = 1): Float64Array =>
  Float64Array.from({ length }, () => random.normal(deviation));

/** An array and the axis of its rows. */
export interface Layout {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly rows: number;
  readonly length: number;
  /** The index of element k of a row. */
  readonly place: (row: number, k: number) => number;
}

export function layoutOf(shape: readonly number[], axis: number): Layout {
  const index = axis < 0 ? axis + shape.length : axis;
  const product = (sizes: readonly number[]) => sizes.reduce((size, n) => size * n, 1);
  const inner = product(shape.slice(index + 1));
  const length = at(shape, index);
  return {
    shape,
    axis,
    rows: product(shape.slice(0, index)) * inner,
    length,
    place: (row, k) => (Math.floor(row / inner) * length + k) * inner + (row % inner),
  };
}

/** An element a time, except those of `kept` one per row; row `emptied` has none. */
export function elementMask(
  random: Random,
  layout: Layout,
  kept: readonly number[],
  emptied = -1,
): Uint8Array {
  const { rows, length, place } = layout;
  const mask = new Uint8Array(rows * length).fill(1);
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < length; k++)
      if (row === emptied || (k !== kept[row] && random.uniform() < 0.3)) mask[place(row, k)] = 0;
  return mask;
}

/** All combinations of one value for each key. */
export function combinations<Grid extends Record<string, readonly unknown[]>>(
  grid: Grid,
): { [Key in keyof Grid]: Grid[Key][number] }[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(grid))
    all = all.flatMap((made) => values.map((value) => ({ ...made, [key]: value })));
  return all as { [Key in keyof Grid]: Grid[Key][number] }[];
}

/** Options without those that are undefined. */
export const given = <Options extends Record<string, unknown>>(options: Options) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** A loss or an array of them, times the gradient that comes in: what the gradient of a call is that of. */
export function weighted(loss: unknown, gradOutput: number | Float64Array = 1): number {
  const losses = typeof loss === 'number' ? [loss] : Array.from(loss as Float64Array);
  const factor = (row: number) => (typeof gradOutput === 'number' ? gradOutput : at(gradOutput, row));
  return losses.reduce((sum, value, row) => sum + value * factor(row), 0);
}
