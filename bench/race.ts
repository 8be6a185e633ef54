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

/** Between neighbours where there is none at that place. */
function quantile(sorted: readonly number[], fraction: number): number {
  const at = fraction * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return below + (above - below) * (at - Math.floor(at));
}

function timesOf(turns: readonly number[]): Times {
  const sorted = turns.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowQuartile: quantile(sorted, 0.25),
    highQuartile: quantile(sorted, 0.75),
  };
}

export async function race(
  contestants: readonly Contestant[],
  budget: Budget,
): Promise<Record<string, Times>> {
  const racers = contestants.map((contestant) => {
    // A turn warms up by a call before it times at least one. Who takes many times as long sits some rounds out.
    const cost = Math.max(budget.turn, 2 * contestant.expected);
    return { contestant, cost, every: Math.ceil(cost / (4 * budget.turn)), turns: [] as number[] };
  });
  const round = racers.reduce((sum, { cost, every }) => sum + cost / every, 0);
  const rounds = Math.max(1, Math.min(budget.turns, Math.floor(budget.race / round)));
  for (let i = 0; i < rounds; i++)
    for (const { contestant, every, turns } of racers)
      if (i % every === 0) turns.push(await contestant.turn(budget.turn));
  return Object.fromEntries(racers.map(({ contestant, turns }) => [contestant.name, timesOf(turns)]));
}
