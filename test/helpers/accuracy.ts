// An operation against its reference in float64. Every operation has a file in test/numbers that calls this for it
// (test/package/numbers.test.ts).

import { expect } from 'vitest';
import { functionOf } from './calls.js';
import type { TestRow } from './random.js';
import { largestMagnitude, logTolerance, ulpOf, Worst } from './reference.js';
import { argumentsOf, isLoss, outKey, signatureOf } from './signatures.js';

/** A call with one row. */
export interface RowCall {
  readonly inputs: readonly Float32Array[];
  readonly target?: number;
  readonly options?: object;
  /** What a failing assertion shows. */
  readonly label: string;
}

/** A call for each row. */
export function* callsOf(rows: Iterable<TestRow>, callOf: (row: TestRow) => RowCall): Generator<RowCall> {
  for (const row of rows) yield callOf(row);
}

/** Elements of a result, or of its parts by their names. */
type Parts = ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>;

export interface Comparison {
  readonly calls: Iterable<RowCall>;
  /** What the operation should give. Of plain numbers, which the package refuses: no reference is the operation itself. */
  readonly reference: (inputs: readonly (readonly number[])[], call: RowCall) => Parts;
  /** How far from the exact value an element may be. */
  readonly tolerance: (exact: number, call: RowCall, index: number, part: string) => number;
}

const partsOf = (result: Parts): [string, ArrayLike<number>][] =>
  ArrayBuffer.isView(result) || Array.isArray(result)
    ? [['result', result as ArrayLike<number>]]
    : Object.entries(result as Record<string, ArrayLike<number>>);

/** So many elements must be held to less than a thousandth of themselves. */
const leastElements = 1000;

/** Every element of every call is within its tolerance, and the tolerances would tell an error of a thousandth. */
export function expectAccurate(name: string, { calls, reference, tolerance }: Comparison): void {
  const signature = signatureOf(name);
  const worst = new Worst();
  let told = 0;
  for (const call of calls) {
    const { inputs, target = 0, options = {}, label } = call;
    const exact = partsOf(
      reference(
        inputs.map((input) => [...input]),
        call,
      ),
    );
    const asked = isLoss(signature) ? { [outKey(signature)]: true, reduction: 'none', ...options } : options;
    const args = argumentsOf(signature, inputs, Int32Array.of(target), asked);
    const actual = new Map(partsOf(functionOf(name)(...args) as Parts));
    for (const [part, elements] of exact) {
      const values = actual.get(part);
      expect(values, `${label}: ${part}`).toHaveLength(elements.length);
      for (let i = 0; i < elements.length; i++) {
        const [value, wanted] = [(values as Float32Array)[i] as number, elements[i] as number];
        const most = tolerance(wanted, call, i, part);
        if (most < Math.abs(wanted) / 1000) told++;
        const error = value === wanted ? 0 : Math.abs(value - wanted) / most;
        worst.note(error, `${label}: ${part}[${i}] is ${value}, not ${wanted}`);
      }
    }
  }
  expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  expect(worst.error, 'all results are those of the reference to the bit').toBeGreaterThan(0);
  expect(told, 'elements that are compared closely').toBeGreaterThanOrEqual(leastElements);
}

/** 4 ULP; of what is below 2⁻¹²⁶ of the largest, which may be flushed to 0, nothing. */
export const ofProbabilities = (exact: number): number =>
  Math.max(4 * ulpOf(exact), exact < 2 ** -126 ? exact : 0);

/** 4 ULP, or 1 ULP of the largest |logit|. */
export const ofLogarithms = (exact: number, { inputs }: RowCall): number =>
  logTolerance(exact, largestMagnitude(inputs[0] as Float32Array));

/** A millionth of the exact value, and where it is next to nothing so much. */
export const aMillionth = (floor: number) => (exact: number) => 1e-6 * Math.abs(exact) + floor;
