// How far a result and PyTorch's may be apart. Each element on its own is held to a relative error, 1e-6 for float32
// and 1e-13 for float64. Where it is a difference of terms that nearly cancel, neither side knows it any better than
// the terms, and those only to some roundings: there is room for sixteen, for PyTorch's own p comes from its rounded
// log p and is off by as many roundings as log p is large.

import { expect } from 'vitest';
import type { Case, Inputs } from './pytorch.js';
import { dataOf } from './pytorch-calls.js';
import { referenceSoftmax, type Worst } from './reference.js';
import { at } from './rows.js';

const bounds = { float32: 1e-6, float64: 1e-13 } as const;
const roundings = { float32: 2 ** -20, float64: 2 ** -49 } as const;

/** Notes the largest error, in parts of what is allowed. `terms` are what an element is a difference of. */
export function compare(
  worst: Worst,
  given: Case,
  what: string,
  actual: unknown,
  exact: Float64Array,
  terms?: ArrayLike<number>,
): void {
  const values: ArrayLike<number> = typeof actual === 'number' ? [actual] : dataOf(actual);
  const label = `${what} of ${JSON.stringify({ ...given, loss: undefined, grad: undefined, output: undefined })}`;
  expect(values.length, label).toBe(exact.length);
  exact.forEach((value, i) => {
    const found = at(values, i);
    const isSame = Object.is(found, value) || found === value;
    const room = bounds[given.dtype] * Math.abs(value) + roundings[given.dtype] * (terms?.[i] ?? 0);
    worst.note(isSame ? 0 : Math.abs(found - value) / room, `${found}, not ${value}: [${i}] of ${label}`);
  });
}

const range = (length: number) => Array.from({ length }, (_, i) => i);
const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** The classes of a row that the mask keeps. */
function keptOf(given: Case, { classes, mask, place }: Inputs, row: number): number[] {
  return range(classes).filter((c) => !mask || mask[given.mask === 'classes' ? c : place(row, c)] === 1);
}

/** T, the sum of the target of a row: of w_c (t_c (1 − ε) + ε / K). */
function totalOf(given: Case, inputs: Inputs, row: number): number {
  const { indices, probabilities, weight, place } = inputs;
  const { ignoreIndex = -100, labelSmoothing = 0 } = given;
  const kept = keptOf(given, inputs, row);
  const y = at(indices, row);
  if (!probabilities && y === ignoreIndex) return 0;
  const t = (c: number) => (probabilities ? at(probabilities, place(row, c)) : Number(c === y));
  const q = (c: number) => t(c) * (1 - labelSmoothing) + labelSmoothing / kept.length;
  return sumOf(kept.map((c) => (weight ? at(weight, c) : 1) * q(c)));
}

/** What the mean divides by. */
function divisorOf(given: Case, { rows, indices, probabilities, weight }: Inputs): number {
  if (given.reduction !== 'mean') return 1;
  if (probabilities) return rows;
  const kept = indices.filter((y) => y !== (given.ignoreIndex ?? -100));
  return sumOf(kept.map((y) => (weight ? at(weight, y) : 1)));
}

/**
 * The terms of a cross-entropy in float64. A row's loss is Σ q_c (log Σ exp(z) − z_c), of terms as large as T max |z|;
 * a gradient's element is F (p − q / T), of terms as large as F p, with F = gradOutput · T · scale / temperature.
 */
export function crossEntropyTerms(given: Case, inputs: Inputs): { loss: number[]; grad: Float64Array } {
  const { rows, classes, place, logits, gradOutput, temperature } = inputs;
  const divisor = divisorOf(given, inputs);
  const grad = new Float64Array(rows * classes);
  const losses = range(rows).map((row) => {
    const kept = keptOf(given, inputs, row);
    const multiplier = (given.scale ?? 1) / at(temperature, row);
    const z = kept.map((c) => at(logits, place(row, c)));
    const total = totalOf(given, inputs, row) / divisor;
    const factor = Math.abs(at(gradOutput, row) * total * multiplier);
    const p = referenceSoftmax(z, multiplier);
    kept.forEach((c, i) => {
      grad[place(row, c)] = factor * at(p, i);
    });
    const finite = z.filter(Number.isFinite).map((logit) => Math.abs(logit * multiplier));
    return total * Math.max(...finite);
  });
  return { loss: given.reduction === 'none' ? losses : [sumOf(losses)], grad };
}
