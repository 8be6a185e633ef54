// Errors of float32 probabilities in units in the last place (ULP).

import type { Library } from './library.js';

/** The distance between neighbouring float32 numbers in the binade of an exact value. */
export function ulpOf(exact: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))));
  return 2 ** (exponent - 23);
}

export interface UlpErrors {
  readonly xs: Float32Array;
  readonly naive: Float64Array;
  readonly stable: Float64Array;
  readonly worstNaive: number;
  readonly worstStable: number;
}

/** How far below the maximum the plot begins. */
export const depth = 20;

/**
 * Of the smaller probability of the row [x, max], e / (1 + e) with e = exp(x − max): each step rounded to float32, and the
 * library's. The reference is in float64, in which x − max is exact.
 */
export function computeUlpErrors(library: Library, max: number, count: number): UlpErrors {
  const top = Math.fround(max);
  const xs = Float32Array.from({ length: count }, (_, i) => top - depth + (depth * (i + 0.5)) / count);
  const rows = new Float32Array(2 * count);
  xs.forEach((x, i) => {
    rows[2 * i] = x;
    rows[2 * i + 1] = top;
  });
  const probabilities = library.softmax(rows, { shape: [count, 2] });
  const naive = new Float64Array(count);
  const stable = new Float64Array(count);
  xs.forEach((x, i) => {
    const exact = 1 / (1 + Math.exp(top - x));
    const exponential = Math.fround(Math.exp(Math.fround(x - top)));
    const rounded = Math.fround(exponential / Math.fround(exponential + 1));
    naive[i] = (rounded - exact) / ulpOf(exact);
    stable[i] = ((probabilities[2 * i] as number) - exact) / ulpOf(exact);
  });
  const worst = (errors: Float64Array) => errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0);
  return { xs, naive, stable, worstNaive: worst(naive), worstStable: worst(stable) };
}
