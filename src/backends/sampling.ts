// What the sampling kernel takes, beside the seam of kernels.ts.

import type { Elements, Multipliers, RowResults, Rows, ScaledRows } from './kernels.js';

/** One for all rows, or one per row. */
export type PerRow = number | Float64Array;

/** What changes logits before filters do. */
export interface Adjustments {
  /** 32 classes a word, the lowest bit first; each row's begin `step` after those of the row before. */
  readonly allowed: { readonly words: Int32Array | Uint32Array; readonly step: number } | undefined;
  /** One per class. */
  readonly bias: Elements | undefined;
  readonly sparseBias: SparseBias | undefined;
  readonly penalties: Penalties | undefined;
}

/** Of row r those from offsets[r] on and before offsets[r + 1]; without offsets, all. */
export interface SparseBias {
  readonly indices: Int32Array;
  readonly values: Float64Array;
  readonly offsets: Float64Array | undefined;
}

export interface Penalties {
  /** Of row r the distinct tokens from offsets[r] on and before offsets[r + 1], and how often each occurs. */
  readonly tokens: Int32Array;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  readonly repetition: PerRow;
  readonly frequency: PerRow;
  readonly presence: PerRow;
}

export interface Filters {
  readonly isTemperatureLast: boolean;
  /** 1 / temperature; Infinity stands for temperature 0. */
  readonly multiplier: Multipliers;
  readonly topK: PerRow;
  readonly topP: PerRow;
  readonly minP: PerRow;
  readonly typicalP: PerRow;
  readonly topNSigma: PerRow;
  readonly minKeep: PerRow;
  readonly keepsTies: boolean;
}

/** Where the numbers in [0, 1) come from. */
export interface Randomness {
  /** One a draw, row by row; undefined: by seeds. */
  readonly uniform: Float64Array | undefined;
  /** Two words, the lower one first: for all rows, which their numbers then tell apart, or for each. */
  readonly seeds: Uint32Array;
  readonly hasSeedPerRow: boolean;
  /** The same of steps. */
  readonly steps: Uint32Array;
  readonly hasStepPerRow: boolean;
}

/** Undefined: not wanted. */
export interface SampleOutputs {
  /** `count` a row; −1 where there is nothing to draw. */
  readonly tokens: Int32Array;
  readonly logProbs: RowResults | undefined;
  readonly rawLogProbs: RowResults | undefined;
  /** One a row. */
  readonly kept: Int32Array | undefined;
  /** `top` a row. */
  readonly topTokens: Int32Array | undefined;
  readonly topLogProbs: RowResults | undefined;
}

export interface SampleProblem {
  readonly logits: Elements;
  readonly adjustments: Adjustments;
  readonly filters: Filters;
  readonly randomness: Randomness;
  /** Draws a row. */
  readonly count: number;
  readonly top: number;
  readonly isTopRaw: boolean;
  readonly outputs: SampleOutputs;
}

/** A kernel over rows, whose multiplier is that of the filters. */
export type SampleRows = (problem: SampleProblem, rows: ScaledRows) => unknown;

/** A backend's. */
export interface SamplingKernels {
  /**
   * One after the other, each over all rows. JavaScript does what native code leaves. `isJob`: they are taken later, and
   * calls between them.
   */
  stepsOf(problem: SampleProblem, rows: Rows, isJob: boolean): readonly SampleRows[];
  /** Whether nothing but JavaScript computes it. */
  isJs(problem: Omit<SampleProblem, 'outputs'>, rows: Rows): boolean;
}
