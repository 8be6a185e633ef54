// What topK, topP and minP leave of a distribution, and what is drawn from that.

import type { Library } from './library.js';

export interface Distribution {
  readonly tokens: readonly string[];
  readonly logits: readonly number[];
}

export interface Settings {
  readonly temperature: number;
  /** 0: all. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
  /** Draws. */
  readonly count: number;
}

export interface TokenRow {
  readonly token: string;
  /** Before the filters. */
  readonly probability: number;
  readonly isKept: boolean;
  /** After them. */
  readonly renormalised: number;
  readonly draws: number;
}

export interface CutOffs {
  /** The most likely token first. */
  readonly rows: readonly TokenRow[];
  /** How many tokens are left after each filter. */
  readonly afterTopK: number;
  readonly afterTopP: number;
  readonly kept: number;
  /** What the kept tokens had of the probability before. */
  readonly mass: number;
  /** minP times the largest probability. */
  readonly threshold: number;
}

export function computeCutOffs(
  library: Library,
  { tokens, logits }: Distribution,
  { temperature, topK, topP, minP, seed, count }: Settings,
): CutOffs {
  const row = Float32Array.from(logits);
  const sorted = library.topK(row, row.length, { values: 'probabilities', temperature });
  const keptBy = (filters: object) =>
    library.sample(row, { temperature, ...filters, seed }).kept[0] as number;
  const drawn = library.sample(row, { temperature, topK, topP, minP, seed, count });
  const kept = drawn.kept[0] as number;

  // Each filter keeps the most likely of what it is given.
  const mask = new Uint8Array(row.length);
  for (const index of sorted.indices.subarray(0, kept)) mask[index] = 1;
  const renormalised = library.softmax(row, { temperature, mask });
  const draws = new Uint32Array(row.length);
  for (const token of drawn.tokens) draws[token] = (draws[token] as number) + 1;

  const rows = [...sorted.indices].map((index, rank) => ({
    token: tokens[index] as string,
    probability: sorted.values[rank] as number,
    isKept: rank < kept,
    renormalised: renormalised[index] as number,
    draws: draws[index] as number,
  }));
  return {
    rows,
    afterTopK: keptBy({ topK }),
    afterTopP: keptBy({ topK, topP }),
    kept,
    mass: rows.slice(0, kept).reduce((sum, { probability }) => sum + probability, 0),
    threshold: minP * (rows[0]?.probability ?? 0),
  };
}
