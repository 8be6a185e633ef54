// What every asynchronous function does, whatever it computes: it reads and checks its arguments at once, as the
// synchronous function of the same name does and with the same errors, takes the memory of its inputs, and leaves the
// rest to a job. No error is thrown; all of them come as rejections.

import type { Abortable, AsyncOptions } from '../api/options.js';
import type { Jobs } from '../backends/jobs.js';
import { formatValue, inFunction, isArray, typeError } from '../errors.js';
import { requireTimers } from '../host.js';
import { type Call, compute, computeCall } from '../problem/call.js';
import { objectHint } from '../problem/hints.js';
import { asyncBuffers } from './async-buffers.js';
import { runSteps } from './run-steps.js';

interface ReadAsyncOptions {
  readonly signal: Abortable | undefined;
  readonly isAborted: boolean;
  readonly isTransfer: boolean;
}

function readAsyncOptions(options: unknown): ReadAsyncOptions {
  // Whether they are options at all is looked at with the others.
  const { signal, transfer } = (options ?? {}) as AsyncOptions;
  if (transfer !== undefined && typeof transfer !== 'boolean') {
    const message = `transfer must be true or false, got ${formatValue(transfer)}${isArray(transfer) ? '; true gives up all inputs' : ''}`;
    throw typeError('ERR_OPTION', message, { argument: 'transfer', value: transfer });
  }
  const isAborted = signal === undefined ? false : isAbortable(signal) ? signal.aborted : undefined;
  if (typeof isAborted === 'boolean') return { signal, isAborted, isTransfer: transfer === true };
  const message = `signal must be an AbortSignal, got ${formatValue(signal)}${objectHint('signal', signal, 'signal')}`;
  throw typeError('ERR_OPTION', message, { argument: 'signal', value: signal });
}

const isAbortable = (value: unknown): value is Abortable =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Abortable).addEventListener === 'function' &&
  typeof (value as Abortable).removeEventListener === 'function';

/**
 * The promise of a call of the function `name`. `plan`: reads and checks all its arguments. The only asynchronous function
 * on the way: another one around it would look once more whether the caller's tensor, the result, is a promise.
 */
export async function runAsync(
  name: string,
  jobs: Jobs,
  options: unknown,
  plan: () => Call,
): Promise<unknown> {
  try {
    const { signal, isAborted, isTransfer } = readAsyncOptions(options);
    const call = plan();
    if (isAborted) throw signal?.reason;
    const own = call.jobs ?? jobs;
    const isInline = call.cost <= own.inlineCost;
    if (isInline && !isTransfer) return computeCall(call);
    if (!isInline) requireTimers();
    const memory = asyncBuffers(call, isTransfer, isInline);
    const work = call.work(memory, memory.rows);
    if (isInline) return compute(work);
    await runSteps(own, work.steps, call.cost, signal);
    memory.deliver();
    return work.result();
  } catch (error) {
    throw inFunction(name, error);
  }
}
