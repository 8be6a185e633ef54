// What asynchronous calls use of their runtime, as it is when the library loads: a program may replace it later. It is
// taken from Node's own modules, since globals may be missing, as in jest's jsdom environment, or be a test's clock.

import perfHooks from 'node:perf_hooks';
import timers from 'node:timers';
import workerThreads, { type Transferable } from 'node:worker_threads';
import { typeError } from './errors.js';
import { isDetached } from './typed-arrays.js';

export const { setImmediate, setTimeout } = timers;
const { performance } = perfHooks;
export const now = performance?.now.bind(performance);

const missing = Object.entries({ setImmediate, setTimeout, performance })
  .filter(([, found]) => found === undefined)
  .map(([name]) => name);

/** Throws where no call can go on later. */
export function requireTimers(): void {
  if (missing.length === 0) return;
  const message = `this runtime has no ${missing.join(', ')}, which asynchronous calls need`;
  throw typeError('ERR_RUNTIME', message, {});
}

/** What structuredClone makes of a value, these buffers being transferred. */
export type Move = <Value>(value: Value, buffers: readonly ArrayBufferLike[]) => Value;

const { structuredClone } = globalThis as Partial<typeof globalThis>;
const byClone: Move | undefined =
  structuredClone && ((value, buffers) => structuredClone(value, { transfer: buffers as ArrayBuffer[] }));

const { MessageChannel, receiveMessageOnPort } = workerThreads as Partial<typeof workerThreads>;
/** As structuredClone of Node 20 does it, with the same errors for the same values. */
function byPorts(): Move | undefined {
  if (MessageChannel === undefined || receiveMessageOnPort === undefined) return undefined;
  const { port1, port2 } = new MessageChannel();
  return (value, buffers) => {
    port1.postMessage(value, buffers as Transferable[]);
    return receiveMessageOnPort(port2)?.message;
  };
}

/** Whether it is none of the substitutes in tests' set-ups, which copy what they should transfer. */
function isMoving(move: Move): boolean {
  const probe = new ArrayBuffer(1);
  try {
    move(probe, [probe]);
  } catch {
    return true;
  }
  return isDetached(probe);
}

let chosen: Move | undefined;

/** Throws where nothing transfers buffers. */
export function mover(): Move {
  chosen ??= byClone && isMoving(byClone) ? byClone : byPorts();
  if (chosen !== undefined) return chosen;
  const message = 'this runtime has no structuredClone that transfers buffers';
  throw typeError('ERR_RUNTIME', message, { argument: 'transfer' });
}
