// What every asynchronous function does, whatever it computes: it reads and checks its arguments at once, as the
// synchronous function of the same name does and with the same errors, takes the memory of its inputs, and leaves the
// rest to a job. No error is thrown; all of them come as rejections.

import type { Kernels } from '../backends/kernels.js';
import { shown, typeError } from '../errors.js';
import type { Abortable } from './abort-signals.js';
import { privateMemory } from './async-buffers.js';
import { type Call, callersMemory, compute } from './call-plan.js';
import { type Jobs, take } from './jobs.js';

/** Options of every asynchronous function, beside those of the synchronous one. */
export interface AsyncOptions {
  /** An AbortSignal: when it is aborted, the call rejects with its reason. */
  readonly signal?: Abortable | undefined;
  /**
   * true: the arrays of floats that the call reads are given up. Their buffers are detached at once, as by postMessage,
   * and not copied; a result of the same size and type comes back in that memory. No effect on a SharedArrayBuffer,
   * which is never copied. Default false.
   */
  readonly transfer?: boolean | undefined;
}

/** What computes: at once, and away from the caller. */
export interface Engine {
  readonly kernels: Kernels;
  readonly jobs: Jobs;
}

interface ReadAsyncOptions {
  readonly signal: Abortable | undefined;
  readonly isAborted: boolean;
  readonly isTransfer: boolean;
}

function readAsyncOptions(fn: string, options: AsyncOptions | undefined): ReadAsyncOptions {
  // Whether they are options at all is looked at with the others.
  const { signal, transfer } = options ?? {};
  if (transfer !== undefined && typeof transfer !== 'boolean') {
    const message = `transfer must be true or false, got ${shown(transfer)}`;
    throw typeError('ERR_OPTION', message, { fn, argument: 'transfer', value: transfer });
  }
  const isAborted = signal === undefined ? false : isAbortable(signal) ? signal.aborted : undefined;
  if (typeof isAborted === 'boolean') return { signal, isAborted, isTransfer: transfer === true };
  const message = `signal must be an AbortSignal, got ${shown(signal)}`;
  throw typeError('ERR_OPTION', message, { fn, argument: 'signal', value: signal });
}

const isAbortable = (value: unknown): value is Abortable =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Abortable).addEventListener === 'function' &&
  typeof (value as Abortable).removeEventListener === 'function';

/** The promise of a call. `read`: reads and checks all its arguments. */
export async function later(
  { kernels, jobs }: Engine,
  fn: string,
  options: AsyncOptions | undefined,
  read: () => Call,
): Promise<unknown> {
  const { signal, isAborted, isTransfer } = readAsyncOptions(fn, options);
  const call = read();
  if (isAborted) throw signal?.reason;
  const isInline = call.cost <= jobs.inlineCost;
  if (isInline && !isTransfer) return compute(kernels, call.work(callersMemory, call.rows));
  const memory = privateMemory(call, isTransfer, isInline);
  const work = call.work(memory, memory.rows);
  if (isInline) return compute(kernels, work);
  await take(jobs, work.steps, call.cost, signal);
  memory.deliver();
  return work.result();
}
