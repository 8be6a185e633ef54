// Jobs on the thread of JavaScript, which WebAssembly computes on, too: a call's rows in slices between turns of the event loop. All jobs take turns, so that a small one
// does not wait for a large one.

import { now, setImmediate } from '../../host.js';
import type { Job, Jobs, Step } from '../jobs.js';

/** How long a turn is: a slice more than this at most, a row that takes longer not being split. */
const turnMilliseconds = 1;

class SlicedJob implements Job {
  readonly #step: Step;
  readonly #rowCount: number;
  readonly #sliceRows: number;
  readonly #done: (error?: unknown) => void;
  #begin = 0;
  #isCancelled = false;

  constructor(step: Step, cost: number, sliceCost: number, done: (error?: unknown) => void) {
    this.#step = step;
    this.#rowCount = step.rows.outer * step.rows.inner;
    this.#sliceRows = Math.max(1, Math.floor((sliceCost / cost) * this.#rowCount));
    this.#done = done;
  }

  /** Computes some rows. Whether there are more to compute. */
  advance(): boolean {
    const { rows, run } = this.#step;
    const begin = this.#begin;
    const end = Math.min(this.#rowCount, begin + this.#sliceRows);
    this.#begin = end;
    try {
      run({ ...rows, range: { begin, end } });
    } catch (error) {
      this.#done(error);
      return false;
    }
    if (end < this.#rowCount) return !this.#isCancelled;
    this.#done();
    return false;
  }

  cancel(): void {
    this.#isCancelled = true;
    open.delete(this);
  }
}

/** Jobs that are not done, the next one first. */
const open = new Set<SlicedJob>();
let isWaiting = false;

/** Jobs that go to the end of a set are met again by the loop over it. */
function turn(): void {
  const end = now() + turnMilliseconds;
  for (const job of open) {
    open.delete(job);
    if (job.advance()) open.add(job);
    if (now() >= end) break;
  }
  isWaiting = open.size > 0;
  if (isWaiting) setImmediate(turn);
}

/** `sliceCost`: that of a slice, and of what is computed at once. */
export const slicedJobs = (sliceCost: number): Jobs => ({
  inlineCost: sliceCost,
  start(step, cost, done) {
    const job = new SlicedJob(step, cost, sliceCost, done);
    open.add(job);
    if (!isWaiting) setImmediate(turn);
    isWaiting = true;
    return job;
  },
});

/** Slices of 30 to 100 µs. */
export const jsJobs = slicedJobs(8192);
