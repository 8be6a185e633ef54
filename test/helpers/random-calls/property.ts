// The property: whichever code computes a call, it comes to the same.

import { argumentsOf } from './arguments.js';
import { signatureOf } from './functions.js';
import { bytesOf, detach, hostileReads, type Placed } from './memory.js';
import {
  errorProblem,
  isWithoutMemory,
  memoryDifference,
  type Outcome,
  readProblem,
  resultDifference,
  snapshotOf,
  takeHostileReads,
  untouchedProblem,
} from './outcome.js';
import type { CallPlan } from './plan.js';
import { type Api, streamed, streamedAsync } from './shards.js';
import { faultOf, World } from './world.js';

type AnyFunction = (...given: unknown[]) => unknown;

export type { Api };

/** A backend that is compared. */
export interface Contestant {
  readonly name: string;
  readonly api: Api;
}

function functionOf(api: Api, name: string): AnyFunction {
  if (name === 'SoftmaxStream') return streamed(api);
  return name === 'SoftmaxStreamAsync' ? streamedAsync(api) : (api[name] as AnyFunction);
}

interface Prepared {
  readonly world: World;
  readonly given: unknown[];
}

function prepare(plan: CallPlan, api: Api, more: Record<string, unknown>): Prepared {
  const world = new World(plan, api);
  const given = argumentsOf(world, more);
  world.traps.reads.length = 0;
  hostileReads.length = 0;
  return { world, given };
}

function callNow({ world, given }: Prepared, api: Api): Outcome {
  try {
    const result = functionOf(api, world.plan.fn)(...given);
    return { world, result, error: undefined, hasFailed: false, ran: takeHostileReads() };
  } catch (error) {
    return { world, result: undefined, error, hasFailed: true, ran: takeHostileReads() };
  }
}

/** Arrays of floats that a call reads: those in shared memory are read later than when it returns. */
const isReadLater = ({ name, buffer }: Placed, { plan }: World): boolean =>
  buffer instanceof SharedArrayBuffer && [...signatureOf(plan.fn).inputs, 'target'].includes(name);

/** What the caller may do with its arrays, all but those that it waits for. */
function goOn(world: World): void {
  const { meanwhile } = world.plan;
  if (meanwhile === 'nothing') return;
  for (const placed of world.placed) {
    const { buffer } = placed;
    const isAwaited = world.outputs.some((output) => output.buffer === buffer);
    if (isAwaited || isReadLater(placed, world)) continue;
    if (meanwhile === 'detach' && bytesOf(buffer)) detach(buffer);
    else bytesOf(buffer)?.fill(1);
  }
}

async function callLater({ world, given }: Prepared, api: Api): Promise<Outcome> {
  let promise: unknown;
  let ran: readonly string[] = [];
  try {
    promise = functionOf(api, `${world.plan.fn}Async`)(...given);
    ran = takeHostileReads();
    goOn(world);
  } catch (error) {
    // Nothing is ever thrown: that is found, as this error has no code.
    promise = Promise.reject(new Error(`thrown: ${error}`));
  }
  try {
    const result = await promise;
    return { world, result, error: undefined, hasFailed: false, ran: [...ran, ...takeHostileReads()] };
  } catch (error) {
    return { world, result: undefined, error, hasFailed: true, ran: [...ran, ...takeHostileReads()] };
  }
}

/** float32 and nothing else: such a call may go the short way (src/operations/fast-path.ts), and with a dtype it may not. */
function mayBePlain({ plan, layout, placed }: World): boolean {
  const kinds = [...plan.inputs, plan.out?.array, plan.logProbs?.array];
  const isFloat32 = kinds.every((array) => array === undefined || array.kind === 'float32');
  const isQuiet = plan.fault === undefined && plan.trap === undefined;
  const hasDType = signatureOf(plan.fn).options.includes('dtype');
  return isFloat32 && isQuiet && hasDType && layout.dtype === undefined && placed.length > 0;
}

export interface Verdict {
  /** What is not as it should be; undefined if all is well. */
  readonly problem: string | undefined;
  /** What it comes to where it is compared with. */
  readonly outcome: Outcome;
  /** How many functions were called. */
  readonly calls: number;
}

/** What is wrong with an outcome by itself. `before`: the memory as it was. */
const ownProblem = (
  outcome: Outcome,
  before: readonly (Uint8Array | undefined)[],
  isGivenUp: boolean,
): string | undefined =>
  errorProblem(outcome) ?? readProblem(outcome) ?? untouchedProblem(outcome, before, isGivenUp);

function difference(outcome: Outcome, reference: Outcome): string | undefined {
  const reads = outcome.world.traps.reads.join() === reference.world.traps.reads.join();
  return (
    resultDifference(reference, outcome) ??
    memoryDifference(reference.world, outcome.world) ??
    (reads ? undefined : 'not the same is read')
  );
}

/** All synchronous functions against the first. */
function compareNow(plan: CallPlan, [first, ...others]: readonly [Contestant, ...Contestant[]]): Verdict {
  const prepared = prepare(plan, first.api, {});
  const before = snapshotOf(prepared.world);
  const reference = callNow(prepared, first.api);
  let calls = 1;
  const fail = (name: string, problem: string): Verdict => ({
    problem: `${name}: ${problem}`,
    outcome: reference,
    calls,
  });
  const own = ownProblem(reference, before, false);
  if (own !== undefined) return fail(first.name, own);
  for (const { name, api } of others) {
    calls++;
    const outcome = callNow(prepare(plan, api, {}), api);
    const problem = readProblem(outcome) ?? difference(outcome, reference);
    if (problem !== undefined) return fail(`${first.name} and ${name}`, problem);
  }
  // What an error says of a wrong dtype depends on the option.
  const isOfDType = (reference.error as { code?: string } | undefined)?.code === 'ERR_DTYPE';
  if (mayBePlain(reference.world) && !isOfDType)
    for (const { name, api } of [first, ...others]) {
      calls++;
      const outcome = callNow(prepare(plan, api, { dtype: 'float32' }), api);
      const problem =
        resultDifference(reference, outcome) ?? memoryDifference(reference.world, outcome.world);
      if (problem !== undefined) return fail(`${first.name} and ${name} with a dtype`, problem);
    }
  return { problem: undefined, outcome: reference, calls };
}

/** Whether an asynchronous call has, or was refused for, what only such a call has. */
function isOfAsync({ world, error, hasFailed }: Outcome): boolean {
  if (world.fault?.place === 'options.signal' || world.fault?.place === 'options.transfer') return true;
  if (!hasFailed) return false;
  const { argument, message } = error as { argument?: unknown; message: string };
  return argument === 'signal' || argument === 'transfer' || /transfer/.test(message);
}

/** All that is wrong with a call comes before its abort, but for memory, which is not even asked for. */
function abortProblem(now: Outcome): string | undefined {
  const isHidden = now.hasFailed && !isWithoutMemory(now);
  return isHidden ? `an abort hides an error: ${now.error}` : undefined;
}

/** The asynchronous functions against each other, and against the synchronous one of the first. */
async function compareLater(
  plan: CallPlan,
  [first, ...others]: readonly [Contestant, ...Contestant[]],
): Promise<Verdict> {
  const reason = new Error('aborted');
  const isGivenUp = plan.way === 'transfer' || faultOf(plan)?.place === 'options.transfer';
  const signal = plan.way === 'aborted' ? AbortSignal.abort(reason) : undefined;
  const more = { ...(signal && { signal }), ...(plan.way === 'transfer' && { transfer: true }) };
  const prepared = prepare(plan, first.api, more);
  const before = snapshotOf(prepared.world);
  const reference = await callLater(prepared, first.api);
  let calls = 1;
  const fail = (name: string, problem: string): Verdict => ({
    problem: `${name}: ${problem}`,
    outcome: reference,
    calls,
  });
  const isAborted = reference.error === reason;
  const own = isAborted
    ? (readProblem(reference) ?? untouchedProblem(reference, before, isGivenUp))
    : ownProblem(reference, before, isGivenUp);
  if (own !== undefined) return fail(`${first.name}, later`, own);
  for (const { name, api } of others) {
    calls++;
    const outcome = await callLater(prepare(plan, api, more), api);
    const problem = readProblem(outcome) ?? difference(outcome, reference);
    if (problem !== undefined) return fail(`${first.name} and ${name}, later`, problem);
  }
  // A stream has a second pass only where it can wait.
  const isStream = signatureOf(plan.fn).shards === 'chunks';
  if (isStream || plan.trap !== undefined || isOfAsync(reference))
    return { problem: undefined, outcome: reference, calls };
  calls++;
  const now = callNow(prepare(plan, first.api, {}), first.api);
  const problem = isAborted ? abortProblem(now) : resultDifference(now, reference);
  return problem === undefined
    ? { problem, outcome: reference, calls }
    : fail(`${first.name}, now and later`, problem);
}

/** Whether all contestants come to the same. The first is what the others are held against. */
export const compare = (
  plan: CallPlan,
  contestants: readonly [Contestant, ...Contestant[]],
): Verdict | Promise<Verdict> =>
  plan.way === 'sync' ? compareNow(plan, contestants) : compareLater(plan, contestants);
