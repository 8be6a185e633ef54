// The steps of a call as jobs, one after the other.

import type { Abortable } from '../api/options.js';
import type { Job, Jobs, Step } from '../backends/jobs.js';
import { listen, stopListening } from './abort-signals.js';

/** Takes steps one after the other. Rejects with the signal's reason as soon as that is aborted. */
export async function runSteps(
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
      // User code may have aborted it since it was read: a getter of an option, or the line above.
      if (signal?.aborted) abort();
      else next(0);
    });
  } finally {
    if (signal) stopListening(signal, abort);
  }
}
