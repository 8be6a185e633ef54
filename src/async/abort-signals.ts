// One listener on each signal for all calls that it may abort. Node takes more than ten for a leak and warns of them,
// and looks for each among all others.

/** What is used of an AbortSignal; any object that has it will do. */
export interface Abortable {
  /** Whether it is aborted already. */
  readonly aborted: boolean;
  /** What a call that is aborted rejects with. */
  readonly reason?: unknown;
  /** Calls the listener when it is aborted. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Does so no longer. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

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
