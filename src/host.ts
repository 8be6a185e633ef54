// What asynchronous calls use of their runtime.

import type * as NodeThreads from 'node:worker_threads';
import { typeError } from './errors.js';
import { performance, setImmediate, setTimeout, workerThreads } from './platform.js';
import { isDetached } from './typed-arrays.js';

export { setImmediate, setTimeout };
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

/** As structuredClone of Node 20 does it, with the same errors for the same values. */
function byPorts(): Move | undefined {
  const { MessageChannel, receiveMessageOnPort: receive } = workerThreads() as Partial<typeof NodeThreads>;
  if (MessageChannel === undefined || receive === undefined) return undefined;
  const { port1, port2 } = new MessageChannel();
  return (value, buffers) => {
    port1.postMessage(value, buffers as NodeThreads.Transferable[]);
    return receive(port2)?.message;
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
