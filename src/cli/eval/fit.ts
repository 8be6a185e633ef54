// The temperature with the smallest mean cross-entropy, by Newton's method on its derivative by 1 / temperature.

import { Failure } from '../failures.js';
import type { Measured } from './tally.js';

export interface Fit {
  readonly measured: Measured;
  /** Times that all rows were read, the first time too. */
  readonly passes: number;
}

const tolerance = 1e-6;
/** A step of Newton's changes the temperature by no more than this factor: far from the smallest loss the slope is flat. */
const longest = 10;
const mostPasses = 100;

/** L is convex in s: it has a smallest value at some s in (0, Infinity) if its slope is below 0 first and above 0 last. */
export function requireOptimum({ slope, infiniteRows }: Measured): void {
  if (slope === undefined) throw new Error('the slope was not measured');
  const { count, first } = infiniteRows;
  if (count > 0)
    throw new Failure(
      `no temperature fits: the logit of the label is -Infinity in ${rowsFrom(count, first)}: ` +
        'the loss is infinite at every temperature',
    );
  if (slope.atInfinity === 0)
    throw new Failure(
      'no temperature fits: in each row no logit is larger than that of the label: the loss becomes smaller and ' +
        'smaller towards temperature 0',
    );
  if (slope.atZero >= 0)
    throw new Failure(
      "no temperature fits: the labels' logits are on average no larger than their rows' means: the loss becomes smaller and " +
        'smaller towards temperature Infinity',
    );
}

export const rowsFrom = (count: number, first: number): string =>
  count === 1 ? `row ${first}` : `${count} rows, the first of which is row ${first}`;

/** `measure`: a pass over all rows. `first`: what it found at temperature 1, where there is an optimum. */
export async function fitTemperature(
  first: Measured,
  measure: (temperature: number) => Promise<Measured>,
): Promise<Fit> {
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let [s, measured] = [1, first];
  for (let passes = 1; passes <= mostPasses; passes++) {
    const { slope, curvature } = measured.slope as NonNullable<Measured['slope']>;
    if (slope < 0) low = s;
    else high = s;
    // Newton's step is s − slope / curvature. A factor of its size goes up and down alike, and never below 0.
    const change = slope === 0 ? 0 : Math.abs(slope) / (s * curvature);
    if (change <= tolerance || high / low - 1 <= tolerance) return { measured, passes };
    const factor = 1 + Math.min(longest - 1, change);
    const next = slope < 0 ? s * factor : s / factor;
    s = next > low && next < high ? next : Math.sqrt(low) * Math.sqrt(high);
    measured = await measure(1 / s);
  }
  throw new Failure(`no temperature fits: after ${mostPasses} passes the search had come to ${1 / s}`);
}
