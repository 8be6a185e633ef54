// The cross-entropy of two logits: at a point with its gradient, and over a square of them.

import type { Library } from './library.js';

/** The square reaches from −extent to extent on both axes. */
export const extent = 5;
/** Points along an axis of the grid. */
export const side = 61;

export interface LossPoint {
  readonly loss: number;
  readonly gradient: readonly [number, number];
  readonly probabilities: readonly [number, number];
}

const pair = (values: ArrayLike<number>): [number, number] => [values[0] as number, values[1] as number];

export function computeLoss(library: Library, logits: readonly [number, number], target: 0 | 1): LossPoint {
  const row = Float32Array.from(logits);
  const { loss, grad } = library.crossEntropy(row, Int32Array.of(target), { grad: true });
  return { loss, gradient: pair(grad), probabilities: pair(library.softmax(row)) };
}

export const gridValue = (index: number): number => (2 * extent * index) / (side - 1) - extent;

/** Losses of all points of the grid in one call: row by row, z₁ from above, in each z₀ from the left. */
export function computeGrid(library: Library, target: 0 | 1): Float32Array {
  const logits = new Float32Array(2 * side * side);
  for (let i = 0; i < side * side; i++) {
    logits[2 * i] = gridValue(i % side);
    logits[2 * i + 1] = -gridValue(Math.floor(i / side));
  }
  const targets = new Int32Array(side * side).fill(target);
  return library.crossEntropy(logits, targets, { shape: [side * side, 2], reduction: 'none' }).loss;
}

export interface Segment {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

/** Where a grid crosses a level, in grid units: marching squares, a saddle cut in two pieces. */
export function findContour(values: ArrayLike<number>, width: number, level: number): Segment[] {
  const segments: Segment[] = [];
  const height = values.length / width;
  const at = (x: number, y: number) => values[y * width + x] as number;
  for (let y = 0; y < height - 1; y++)
    for (let x = 0; x < width - 1; x++) {
      const corners = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
      ] as const;
      const crossings: [number, number][] = [];
      corners.forEach(([x0, y0], i) => {
        const [x1, y1] = corners[(i + 1) % 4] as readonly [number, number];
        const a = at(x0, y0);
        const b = at(x1, y1);
        if (a < level === b < level) return;
        const share = (level - a) / (b - a);
        crossings.push([x0 + share * (x1 - x0), y0 + share * (y1 - y0)]);
      });
      for (let i = 0; i + 1 < crossings.length; i += 2)
        segments.push({ from: crossings[i] as [number, number], to: crossings[i + 1] as [number, number] });
    }
  return segments;
}
