// Logits and temperature to probabilities.

import type { Library } from './library.js';

export interface Bars {
  readonly probabilities: readonly number[];
  /** In nats. */
  readonly entropy: number;
  readonly logSumExp: number;
}

export function computeBars(library: Library, logits: readonly number[], temperature: number): Bars {
  const row = Float32Array.from(logits);
  return {
    probabilities: [...library.softmax(row, { temperature })],
    entropy: library.entropy(row, { temperature })[0] as number,
    logSumExp: library.logSumExp(row, { temperature })[0] as number,
  };
}
