// What a run has met: how often each function was called, how each call ended, what was in it.

import type { Verdict } from './property.js';
import { TrapError } from './traps.js';

/** Counts by name. */
export type Counts = Record<string, number>;

/** Of one instruction set, or of all. */
export interface Tally {
  /** Plans, each of which is called on every backend. */
  plans: number;
  /** Calls of the package's functions. */
  calls: number;
  readonly functions: Counts;
  /** Codes of errors, and results. */
  readonly ends: Counts;
  readonly ways: Counts;
  readonly memories: Counts;
  readonly kinds: Counts;
  readonly faults: Counts;
  readonly traps: Counts;
}

export const newTally = (): Tally => ({
  plans: 0,
  calls: 0,
  functions: {},
  ends: {},
  ways: {},
  memories: {},
  kinds: {},
  faults: {},
  traps: {},
});

function add(counts: Counts, name: string, count = 1): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function endOf({ outcome }: Verdict): string {
  const { error, hasFailed } = outcome;
  if (!hasFailed) return 'a result';
  if (error instanceof TrapError) return "the caller's error";
  const { code } = error as { code?: string };
  return code ?? 'aborted';
}

export function note(tally: Tally, verdict: Verdict): void {
  const { outcome, calls } = verdict;
  const { plan, fault, traps, placed } = outcome.world;
  tally.plans++;
  tally.calls += calls;
  add(tally.functions, plan.fn, calls);
  add(tally.ends, endOf(verdict));
  add(tally.ways, plan.way);
  for (const { memory } of placed) add(tally.memories, memory);
  add(tally.kinds, plan.inputs[0].kind);
  if (fault) add(tally.faults, fault.place.startsWith('memory of ') ? `memory: ${fault.value}` : 'a value');
  if (traps.hasFired && plan.trap) add(tally.traps, plan.trap.action);
}

/** Adds what another has. */
export function merge(into: Tally, from: Tally): void {
  into.plans += from.plans;
  into.calls += from.calls;
  for (const key of ['functions', 'ends', 'ways', 'memories', 'kinds', 'faults', 'traps'] as const)
    for (const [name, count] of Object.entries(from[key])) add(into[key], name, count);
}

/** The most frequent first. */
export const listOf = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
    .join(', ');
