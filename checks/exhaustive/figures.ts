// What a run finds, what is promised of it, and whether it is what was published (measured.json).

import type { HalfWorst } from './half.js';
import type { Sweep, SweepName } from './rows.js';

/** A sweep's inputs, its worst error in ULP and the pattern of its argument, and a hash of all results. */
export interface SweepFigures {
  readonly inputs: number;
  readonly error: number;
  readonly pattern: number;
  readonly results: string;
}

/** Of steps, in how many arguments a fused multiply-add and double arithmetic differ. */
export interface Steps {
  readonly arguments: Readonly<Record<string, number>>;
  readonly series: Readonly<Record<string, number>>;
  readonly products: Readonly<Record<string, number>>;
}

export interface HalfFigures {
  readonly compared: number;
  readonly results: string;
  readonly worst: Readonly<Record<string, HalfWorst>>;
}

export interface Figures {
  /** What ran, JavaScript last. */
  readonly backends: readonly string[];
  readonly sweeps: Readonly<Record<string, SweepFigures>>;
  readonly steps: Steps | undefined;
  readonly halves: HalfFigures | undefined;
}

/** measured.json. */
export type Published = Readonly<Record<'full' | 'quick', Figures>>;

interface NamedSweep {
  readonly label: string;
  readonly name: SweepName;
  readonly multiplier: number;
  /** ULP. */
  readonly promised: number;
}

export const sweeps: readonly NamedSweep[] = [
  { label: 'exp(x)', name: 'exp', multiplier: 1, promised: 1 },
  { label: 'exp(x / 0.7)', name: 'exp', multiplier: 1 / 0.7, promised: 1 },
  { label: 'exp(−3.3 x)', name: 'exp', multiplier: -3.3, promised: 1 },
  { label: 'exp(x) beside a logit of 0', name: 'exp-beside-0', multiplier: 1, promised: 1 },
  { label: 'exp(x) in float64', name: 'exp-double', multiplier: 1, promised: 1 },
  { label: 'log(x) in float64', name: 'log', multiplier: 1, promised: 1 },
  { label: 'log(1 + x) in float64', name: 'log-one-plus', multiplier: 1, promised: 1 },
];

export const sweepOf = ({ name, multiplier }: NamedSweep, every: number): Sweep => ({
  name,
  multiplier,
  every,
});

/** Steps that may differ where the results do not. */
const harmlessSteps = new Set(['inputs', 'series', 'square']);

/** A float32 result within 4 ULP; a 16-bit one rounded once, whose float32 may tip it; nllLoss copies. */
export function promisedOfHalves(key: string): number {
  const [, call, output] = /^\w+ (.*?)(, gradient|, logSumExp)?$/.exec(key) as unknown as [
    string,
    string,
    string?,
  ];
  if (call === 'nllLoss') return 0;
  const isFloat = /^(crossEntropy|distillationLoss)/.test(call) && output !== ', gradient';
  return isFloat ? 4 : 0.501;
}

export function brokenPromises({ sweeps: found, steps, halves }: Figures): string[] {
  const problems: string[] = [];
  for (const { label, promised } of sweeps) {
    const { error, pattern } = found[label] ?? {};
    if (error === undefined) continue;
    if (error < 0) problems.push(`${label}: not the stated result at pattern ${pattern}`);
    if (error > promised) problems.push(`${label}: ${error} ULP at pattern ${pattern}, promised ${promised}`);
  }
  for (const [part, counts] of Object.entries(steps ?? {}))
    for (const [step, count] of Object.entries(counts as Record<string, number>))
      if (count > 0 && !harmlessSteps.has(step))
        problems.push(`${part}, step ${step}: ${count} results differ between fma and double arithmetic`);
  for (const [key, { error, where }] of Object.entries(halves?.worst ?? {}))
    if (error === null || error > promisedOfHalves(key))
      problems.push(
        `${key}: ${error ?? 'not the stated result:'} ULP (${where}), promised ${promisedOfHalves(key)}`,
      );
  return problems;
}

/** The references are the C library's and the engine's, and may differ in their last bits. */
const isClose = (a: number | null | undefined, b: number | null | undefined) =>
  a === b || Math.abs((a ?? 0) - (b ?? 0)) <= 1e-4 * Math.abs(b ?? 0);

/** Of what ran. */
export function differencesFrom(published: Figures, now: Figures): string[] {
  const problems: string[] = [];
  for (const [label, found] of Object.entries(now.sweeps)) {
    const then = published.sweeps[label];
    if (found.results !== then?.results) problems.push(`${label}: other results than published`);
    if (found.inputs !== then?.inputs || !isClose(found.error, then.error))
      problems.push(
        `${label}: ${found.error} ULP of ${found.inputs} inputs, published ${then?.error} of ${then?.inputs}`,
      );
  }
  if (now.steps && JSON.stringify(now.steps) !== JSON.stringify(published.steps))
    problems.push(`steps: ${JSON.stringify(now.steps)}, published ${JSON.stringify(published.steps)}`);
  if (!now.halves) return problems;
  if (now.halves.results !== published.halves?.results)
    problems.push('16 bits: other results than published');
  for (const [key, { error, where }] of Object.entries(now.halves.worst)) {
    const then = published.halves?.worst[key]?.error;
    if (!isClose(error, then)) problems.push(`${key}: ${error} ULP (${where}), published ${then}`);
  }
  return problems;
}
