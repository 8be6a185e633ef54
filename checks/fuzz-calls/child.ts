// One process of a run: one instruction set, by the entry points of the built package, against JavaScript.
//   SOFTMAX_BACKEND=... SOFTMAX_ISA=... node --import tsx child.ts --calls N --seed S --last FILE [--replay PLAN]
// Prints a line of JSON now and then, and at last what it has met; a plan that fails, shrunk, as its last line. `--last`:
// where it writes each plan before it is called, so that a crash leaves it behind.

import { openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import * as best from 'softmax-native';
import * as js from 'softmax-native/js';
import { calls } from '../../test/helpers/random-calls/arbitraries.js';
import type { CallPlan } from '../../test/helpers/random-calls/plan.js';
import { planOf, textOf } from '../../test/helpers/random-calls/plan-text.js';
import { type Contestant, compare } from '../../test/helpers/random-calls/property.js';
import { newTally, note } from '../../test/helpers/random-calls/tally.js';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    last: { type: 'string' },
    replay: { type: 'string' },
  },
});

/** An entry point of its own has other rules for the tiniest calls than the package has. */
const own =
  best.backend.kind === 'wasm' ? await import('softmax-native/wasm') : await import('softmax-native/native');
const contestants: readonly [Contestant, ...Contestant[]] = [
  { name: 'JavaScript', api: js },
  { name: `${own.backend.kind} (${own.backend.isa})`, api: own },
  { name: `the package (${best.backend.isa ?? best.backend.kind})`, api: best },
];

/** Plans of one run of fast-check: a failure is found again by the seed of such a run. */
const plansAtOnce = 500;
/** Milliseconds between two lines about how far it is. */
const pace = 1000;

// A stack trace costs as much as the rest of a call that is refused.
Error.stackTraceLimit = 0;

const tally = newTally();
const last = values.last === undefined ? undefined : openSync(values.last, 'w');
let said = performance.now();

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

class Difference extends Error {}
/** How many plans were fine before the first that was not: shrinking tries more. */
let plansBefore: number | undefined;

async function check(plan: CallPlan): Promise<void> {
  if (last !== undefined) writeSync(last, `${textOf(plan)}\n`, 0);
  const verdict = await compare(plan, contestants);
  if (verdict.problem !== undefined) {
    plansBefore ??= tally.plans;
    throw new Difference(verdict.problem);
  }
  note(tally, verdict);
  if (performance.now() < said + pace) return;
  said = performance.now();
  say({ plans: tally.plans, calls: tally.calls });
}

async function run(): Promise<void> {
  const [most, seed] = [Number(values.calls), Number(values.seed)];
  for (let part = 0; tally.calls < most; part++) {
    const options = { seed: (seed * 7919 + part) | 0, numRuns: plansAtOnce };
    const details = await fc.check(fc.asyncProperty(calls, check), options);
    if (!details.failed) continue;
    const [plan] = details.counterexample ?? [];
    const { message, stack } = details.errorInstance as Error;
    const problem = details.errorInstance instanceof Difference ? message : `${message} ${stack}`;
    say({ problem, plan: plan && textOf(plan), plans: plansBefore ?? tally.plans });
    process.exitCode = 1;
    return;
  }
  say({ tally });
}

if (values.replay === undefined) {
  await run();
} else {
  const { problem } = await compare(planOf(values.replay), contestants);
  say({ problem: problem ?? 'none' });
  process.exitCode = problem === undefined ? 0 : 1;
}
