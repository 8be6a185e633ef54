// One listener on each signal for all calls that it may abort. Node takes more than ten for a leak and warns of them,
// and looks for each among all others.

import type { Abortable } from '../api/options.js';

interface Listening {
  readonly aborts: Set<() => void>;
  readonly listener: () => void;
}

/** Of signals that calls in flight have. */
const listening = new WeakMap<Abortable, Listening>();

/** Has `abort` called when the signal is aborted. */
export function listen(signal: Abortable, abort: () => void): void {
  const others = listening.get(signal);
  if (others) {
    others.aborts.add(abort);
    return;
  }
  const aborts = new Set([abort]);
  const listener = () => {
    for (const each of aborts) each();
  };
  listening.set(signal, { aborts, listener });
  signal.addEventListener('abort', listener);
}

/** No longer. */
export function stopListening(signal: Abortable, abort: () => void): void {
  const found = listening.get(signal);
  if (!found?.aborts.delete(abort) || found.aborts.size > 0) return;
  listening.delete(signal);
  signal.removeEventListener('abort', found.listener);
}
