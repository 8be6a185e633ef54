// What a backend does away from the caller.

import type { Kernels, ScaledRows } from './kernels.js';

/** One kernel over rows. */
export interface Step {
  readonly rows: ScaledRows;
  /** Calls it, once, and returns what it returns. `rows`: those of the step, or some of them. */
  readonly run: (rows: ScaledRows) => unknown;
}

/** A backend's jobs. */
export interface Jobs {
  /** A call of at most this cost (problem/call.ts) is computed at once: that takes no longer than to begin a job. */
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

/** What computes: at once, and away from the caller. */
export interface Engine {
  readonly kernels: Kernels;
  readonly jobs: Jobs;
}
