// Random calls of all functions on every instruction set of this CPU against JavaScript: some of those that
// `npm run check fuzz-calls` makes a million of. And what such calls have found.
import fc from 'fast-check';
import * as best from 'softmax-native';
import * as wasm from 'softmax-native/wasm';
import { expect, it, test } from 'vitest';
import { jsJobs } from '../../src/backends/js/jobs.js';
import { jsKernels } from '../../src/backends/js/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { computingOn } from '../../src/operations/create.js';
import { calls } from '../helpers/random-calls/arbitraries.js';
import { functionNames } from '../helpers/random-calls/functions.js';
import { interestingCalls } from '../helpers/random-calls/interesting-calls.js';
import type { CallPlan } from '../helpers/random-calls/plan.js';
import { planOf, textOf } from '../helpers/random-calls/plan-text.js';
import { type Api, type Contestant, compare } from '../helpers/random-calls/property.js';
import { listOf, newTally, note } from '../helpers/random-calls/tally.js';
import { signatures } from '../helpers/signatures.js';

const addon = loadAddon();
const js = computingOn({ kernels: jsKernels, jobs: jsJobs });
const native = addon.supported.map((isa) => ({ name: isa, api: computingOn(addon.engineOf(isa)) }));
const javaScript: Contestant = { name: 'JavaScript', api: js };
const all: readonly [Contestant, ...Contestant[]] = [
  javaScript,
  ...native,
  { name: 'WebAssembly', api: wasm },
  { name: 'the package', api: best },
];

/** The first problem of so many calls; undefined: there is none. */
async function firstProblem(
  contestants: readonly [Contestant, ...Contestant[]],
  numRuns: number,
  tally = newTally(),
): Promise<string | undefined> {
  const check = async (plan: CallPlan) => {
    const verdict = await compare(plan, contestants);
    if (verdict.problem !== undefined) throw new Error(verdict.problem);
    note(tally, verdict);
  };
  const options = { numRuns, seed: 20261129, endOnFailure: true };
  const details = await fc.check(fc.asyncProperty(calls, check), options);
  const [plan] = details.counterexample ?? [];
  return details.failed ? `${(details.errorInstance as Error).message}: ${plan && textOf(plan)}` : undefined;
}

test('random calls: the same results, errors, writes and reads', async () => {
  const tally = newTally();
  expect(await firstProblem(all, 2500, tally)).toBeUndefined();
  // What was met: every end that a call may have, and every kind of memory.
  const codes = ['DTYPE', 'SHAPE', 'AXIS', 'TEMPERATURE', 'MASK', 'TARGET_RANGE', 'OUT_OVERLAP', 'DETACHED'];
  for (const code of [...codes, 'OPTION', 'NOT_ON_CPU', 'LABEL_SMOOTHING'])
    expect(tally.ends[`ERR_${code}`], listOf(tally.ends)).toBeGreaterThan(0);
  expect(tally.ends['a result']).toBeGreaterThan(500);
  expect(Object.keys(tally.functions)).toHaveLength(functionNames.length);
  expect(Object.keys(tally.memories).length).toBeGreaterThanOrEqual(12);
});

it.each(interestingCalls)('%s', async (_what, plan, code) => {
  const { problem, outcome } = await compare(plan, all);
  expect(problem).toBeUndefined();
  expect((outcome.error as { code?: string } | undefined)?.code).toBe(code);
  expect(outcome.world.traps.hasFired, 'whether its trap went off').toBe(plan.trap !== undefined);
  expect(outcome.hasFailed).toBe(code !== undefined || plan.way === 'aborted');
});

// The check must be able to fail: backends with one thing wrong each.
type AnyFunction = (...given: unknown[]) => unknown;
type Wrap = (right: AnyFunction, given: unknown[]) => unknown;
/** JavaScript, but for functions of these names. */
function broken(names: readonly string[], wrap: Wrap): Api {
  const wrapped = names.map((name) => {
    const right = js[name] as AnyFunction;
    return [name, (...given: unknown[]) => wrap(right, given)];
  });
  return { ...js, ...Object.fromEntries(wrapped) };
}
/** Functions whose result is never in the memory of an input. */
const neverInPlace = signatures.filter(({ mayReplace }) => !mayReplace).map(({ name }) => name);
const isPlain = (value: unknown): value is Float32Array =>
  Object.getPrototypeOf(value ?? 0) === Float32Array.prototype;
const faults: readonly [what: string, api: Api, problem: RegExp][] = [
  [
    'a bit of a result',
    broken(neverInPlace, (right, given) => {
      const result = right(...given);
      if (result instanceof Float32Array && result.length > 1) result[1] = (result[1] as number) * 1.0000001;
      return result;
    }),
    /result\[1\] of \d+|memory of out differs/,
  ],
  [
    'a byte beside an array',
    broken(['logSumExp'], (right, given) => {
      const [x] = given;
      const result = right(...given);
      if (isPlain(x) && x.byteOffset > 0) new Uint8Array(x.buffer)[0] = 1;
      return result;
    }),
    /memory of x differs/,
  ],
  [
    'another token',
    broken(['sample'], (right, given) => {
      const result = right(...given) as { tokens?: unknown };
      if (result.tokens instanceof Int32Array && result.tokens.length > 0) result.tokens[0] = -2;
      return result;
    }),
    /tokens\[0\]|memory of out.tokens differs/,
  ],
  [
    'another number in a state',
    broken(['mergePartials'], (right, given) => {
      const state = right(...given) as Float64Array;
      // The arg max of the first row, behind the nodes' ranges.
      const at = 8 + 2 * (state[4] as number);
      if (at < state.length) state[at] = (state[at] as number) + 1;
      return state;
    }),
    /result\[\d+\]|memory of state differs/,
  ],
  [
    "an error's text",
    broken(['nllLoss'], (right, given) => {
      try {
        return right(...given);
      } catch (error) {
        throw Object.assign(error as Error, { message: 'nllLoss: no' });
      }
    }),
    /error\.message/,
  ],
  [
    'an option that is read twice',
    broken(['softmaxBackward'], (right, given) => {
      const options = given[2] as { axis?: unknown } | undefined;
      return options?.axis === 'never' ? undefined : right(...given);
    }),
    /options\.axis is read 2 times|not the same is read/,
  ],
  [
    'an array that is asked for its length',
    broken(neverInPlace, (right, given) => {
      if (ArrayBuffer.isView(given[0])) void (given[0] as Float32Array).length;
      return right(...given);
    }),
    /a caller's code ran: length/,
  ],
  [
    'an asynchronous function that throws',
    broken(['distillationLossAsync'], (right, given) => {
      if (isPlain(given[1]) && given[1].length === 0) throw new TypeError('distillationLoss: no elements');
      return right(...given);
    }),
    /thrown: TypeError/,
  ],
];
it.each(faults)('random calls find %s', async (_what, api, problem) => {
  expect(await firstProblem([javaScript, { name: 'broken', api }], 4000)).toMatch(problem);
});

test('a plan as text comes back', () => {
  const plan = { temperature: Number.NaN, scale: -0, sizes: [1, 2], ignoreIndex: Number.NEGATIVE_INFINITY };
  expect(planOf(textOf(plan as unknown as CallPlan))).toEqual(plan);
});
