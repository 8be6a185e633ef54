// Cases one after the other: every runner enters, is checked, and those that are right race.

import { type Case, caseName, type DType } from './cases.js';
import { type Entrant, start } from './processes.js';
import { displayProgress, type Progress } from './progress.js';
import { type Budget, type Contestant, type Runner, race, type Times } from './race.js';
import { tolerances } from './reference.js';

export interface Result extends Case {
  /** By contestant: a call in nanoseconds. */
  readonly nanoseconds: Readonly<Record<string, Times>>;
  /** By contestant: how far it is from the reference, as reference.ts defines it. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface Run {
  readonly results: readonly Result[];
  /** By contestant, in the order of their turns. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly cases: readonly Case[];
  readonly budget: Budget;
  readonly entrants: readonly Entrant[];
  /** Who runs all the time, behind the entrants. */
  readonly others?: readonly Runner[];
  /** Which entrants need not be there. */
  readonly isOptional: (name: string) => boolean;
}

async function resultOf(
  runners: readonly Runner[],
  problemCase: Case,
  budget: Budget,
  progress: Progress,
): Promise<Result> {
  const contestants: Contestant[] = [];
  const errors: Record<string, number> = {};
  for (const runner of runners) {
    const contestant = await runner.enter(problemCase);
    if (!contestant) continue;
    const { name, error } = contestant;
    if (error !== undefined) errors[name] = error;
    // NaN is wrong, too.
    if (error === undefined || error <= tolerances[problemCase.dtype]) contestants.push(contestant);
    else progress.note(`${caseName(problemCase)}: ${name} is wrong by ${error.toPrecision(3)}: left out`);
  }
  return { ...problemCase, nanoseconds: await race(contestants, budget), errors };
}

async function startAll({ entrants, isOptional }: Plan): Promise<readonly Runner[]> {
  const started = await Promise.all(
    entrants.map(async (entrant) => ({ entrant, runner: await start(entrant) })),
  );
  return started.flatMap(({ entrant: { name }, runner }) => {
    if (typeof runner !== 'string') return [runner];
    if (isOptional(name)) return [];
    throw new Error(`${name}: ${runner}`);
  });
}

/** Entrants have a new process for each type: compiled code that has seen others is slower. */
export async function run(plan: Plan): Promise<Run> {
  const results: Result[] = [];
  const versions: Record<string, string> = {};
  const progress = displayProgress(plan.cases.length);
  for (const dtype of new Set<DType>(plan.cases.map((problemCase) => problemCase.dtype))) {
    const entrants = await startAll(plan);
    const runners = [...entrants, ...(plan.others ?? [])];
    for (const { name, version } of runners) versions[name] = version;
    for (const problemCase of plan.cases.filter((candidate) => candidate.dtype === dtype)) {
      progress.step(caseName(problemCase));
      results.push(await resultOf(runners, problemCase, plan.budget, progress));
    }
    for (const entrant of entrants) entrant.close();
  }
  progress.stop();
  return { results, versions };
}

/** The largest errors, by type and contestant: `onnxruntime-node 3.1e-7`. */
export function shownErrors(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ dtype }) => dtype))].map((dtype) => {
    const worst: Record<string, number> = {};
    for (const { errors } of results.filter((result) => result.dtype === dtype))
      for (const [name, error] of Object.entries(errors)) worst[name] = Math.max(worst[name] ?? 0, error);
    const list = Object.entries(worst).map(([name, error]) => `${name} ${error.toExponential(1)}`);
    return `${dtype} (at most ${tolerances[dtype]}): ${list.join(', ')}`;
  });
}
