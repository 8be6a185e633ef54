// Contestants take turns within one run and the medians of their turns are compared, as other processes come and go.

import type { Case } from './cases.js';

/** One who is ready to run a case. */
export interface Contestant {
  readonly name: string;
  /** Nanoseconds of a call, roughly. */
  readonly expected: number;
  /** How far its result is from the reference; undefined where there is nothing to compare. */
  readonly error: number | undefined;
  /** The median nanoseconds of a call, over some `budget` nanoseconds of calls. */
  turn(budget: number): Promise<number>;
}

/** One who can be asked for any case. */
export interface Runner {
  readonly name: string;
  readonly version: string;
  /** Undefined where it has no such function. */
  enter(problemCase: Case): Promise<Contestant | undefined>;
  close(): void;
}

export interface Times {
  readonly median: number;
  readonly lowQuartile: number;
  readonly highQuartile: number;
}

export interface Budget {
  readonly turns: number;
  /** Nanoseconds of a turn, at least a call. */
  readonly turn: number;
  /** Nanoseconds of the whole race: long calls get fewer turns, at least one. */
  readonly race: number;
}

function quartiles(turns: readonly number[]): Times {
  const sorted = turns.toSorted((a, b) => a - b);
  const at = (fraction: number) => sorted[Math.round(fraction * (sorted.length - 1))] as number;
  return { median: at(0.5), lowQuartile: at(0.25), highQuartile: at(0.75) };
}

export async function race(
  contestants: readonly Contestant[],
  budget: Budget,
): Promise<Record<string, Times>> {
  // A turn warms up by a call before it times at least one.
  const round = contestants.reduce((sum, { expected }) => sum + Math.max(budget.turn, 2 * expected), 0);
  const count = Math.max(1, Math.min(budget.turns, Math.floor(budget.race / round)));
  const turns = contestants.map(() => [] as number[]);
  for (let turn = 0; turn < count; turn++)
    for (const [i, contestant] of contestants.entries()) turns[i]?.push(await contestant.turn(budget.turn));
  return Object.fromEntries(contestants.map(({ name }, i) => [name, quartiles(turns[i] as number[])]));
}
