// exp(z) / Σ exp(z) in float32 as it is written, beside the library's softmax.

import type { Library } from './library.js';

export const mostLogits = 8;

/** Numbers of a text, or what is wrong with it. */
export function parseLogits(text: string): readonly number[] | string {
  const words = text
    .replaceAll('−', '-')
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
  if (words.length === 0) return 'Type at least one number.';
  if (words.length > mostLogits) return `Type at most ${mostLogits} numbers: these are ${words.length}.`;
  const wrong = words.find((word) => Number.isNaN(Number(word)) && word !== 'NaN');
  return wrong === undefined ? words.map(Number) : `“${wrong}” is not a number.`;
}

export interface OverflowRow {
  /** As float32 has it. */
  readonly logit: number;
  readonly exponential: number;
  readonly naive: number;
  readonly stable: number;
}

export interface Overflow {
  readonly rows: readonly OverflowRow[];
  readonly sum: number;
  readonly naiveLogSumExp: number;
  readonly stableLogSumExp: number;
}

export function computeOverflow(library: Library, logits: readonly number[]): Overflow {
  const row = Float32Array.from(logits);
  const exponentials = row.map(Math.exp);
  const sum = exponentials.reduce((total, one) => Math.fround(total + one), 0);
  const naive = exponentials.map((one) => one / sum);
  const stable = library.softmax(row);
  return {
    rows: [...row].map((logit, i) => ({
      logit,
      exponential: exponentials[i] as number,
      naive: naive[i] as number,
      stable: stable[i] as number,
    })),
    sum,
    naiveLogSumExp: Math.fround(Math.log(sum)),
    stableLogSumExp: library.logSumExp(row)[0] as number,
  };
}

/** What went wrong with the formula as it is written, in a sentence. */
export function explainOverflow({ rows, sum }: Overflow): string {
  if (rows.some(({ logit }) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY))
    return 'A logit that is NaN or +∞ makes its row NaN in both.';
  if (sum === Number.POSITIVE_INFINITY) return 'The sum overflows float32, so the naive formula fails.';
  if (sum === 0 && rows.every(({ logit }) => logit === Number.NEGATIVE_INFINITY))
    return 'A row of nothing but −∞ has no probabilities: NaN in both.';
  if (sum === 0) return 'All exponentials underflow to 0, so the naive formula divides 0 by 0.';
  const worst = Math.max(...rows.map(({ naive, stable }) => Math.abs(naive - stable) / (stable || 1)));
  if (worst > 1e-3) return 'Some exponentials lost their digits near 0, so the naive probabilities are off.';
  return 'Here the naive formula still works. Add 90 to each logit and try again.';
}
