// What a contestant's module exports: `open`, called once in a process of its own.

import type { Numbers } from './plain.js';
import type { Problem } from './problem.js';

export interface Call {
  /** What is timed; awaited if it returns a promise. */
  readonly run: () => unknown;
  /** What the last run computed. Nothing to check: undefined. */
  readonly result: () => Numbers | undefined | Promise<Numbers | undefined>;
  readonly close?: () => void;
}

export interface Implementation {
  readonly version: string;
  /** Nanoseconds of calls before each case, where it needs more than others. */
  readonly warmup?: number;
  /** Undefined where there is no such function for the type. */
  prepare(problem: Problem): Call | undefined | Promise<Call | undefined>;
}

export type Open = (argument: string) => Implementation | Promise<Implementation>;
