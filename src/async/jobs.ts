// Work away from the caller: jobs of a backend, and the promise of several one after the other.

import { type Abortable, listen, stopListening } from './abort-signals.js';
import type { Step } from './call-plan.js';

/** A backend's jobs. */
export interface Jobs {
  /** A call of at most this cost (calls.ts) is computed at once: that takes no longer than to begin a job. */
  readonly inlineCost: number;
  /**
   * Begins a step that costs about `cost`. `done` is called when it is computed: later, or at once where no job could be
   * begun; with an error that was thrown. A job keeps its memory alive itself, also for as long as it takes to stop
   * after `cancel`, when `done` means nothing.
   */
  start(step: Step, cost: number, done: (error?: unknown) => void): Job;
}

/** A job that has begun. */
export interface Job {
  cancel(): void;
}

/** Takes steps one after the other. Rejects with the signal's reason as soon as that is aborted. */
export async function take(
  jobs: Jobs,
  steps: readonly Step[],
  cost: number,
  signal: Abortable | undefined,
): Promise<void> {
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      let job: Job | undefined;
      let isAborted = false;
      const next = (index: number): void => {
        const step = steps[index];
        if (step === undefined) {
          resolve();
          return;
        }
        try {
          job = jobs.start(step, cost, (error) => {
            if (isAborted) return;
            if (error === undefined) next(index + 1);
            else reject(error);
          });
        } catch (error) {
          reject(error);
        }
      };
      abort = () => {
        isAborted = true;
        job?.cancel();
        reject(signal?.reason);
      };
      if (signal) listen(signal, abort);
      // A caller's code may have run since it was looked at: a getter of an option, or the line above.
      if (signal?.aborted) abort();
      else next(0);
    });
  } finally {
    if (signal) stopListening(signal, abort);
  }
}
