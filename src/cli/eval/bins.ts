// Rows by their confidence, as Guo et al. 2017 (On Calibration of Modern Neural Networks) do it: bins of equal width, of which
// the m-th of M is ((m − 1) / M, m / M].

import { Sum } from './sum.js';

/** What is known of a bin. */
export interface BinFigures {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over its rows; null without any. */
  readonly accuracy: number | null;
  readonly confidence: number | null;
}

export interface Calibration {
  readonly bins: readonly BinFigures[];
  /** Mean over all rows of their bin's |accuracy − confidence|: the expected calibration error. */
  readonly ece: number;
  /** The largest of these: the maximum calibration error. */
  readonly mce: number;
}

interface Bin {
  count: number;
  correct: number;
  readonly confidence: Sum;
}

export class Bins {
  readonly #bins: readonly Bin[];

  constructor(count: number) {
    this.#bins = Array.from({ length: count }, () => ({ count: 0, correct: 0, confidence: new Sum() }));
  }

  add(confidence: number, isCorrect: boolean): void {
    const count = this.#bins.length;
    let index = Math.max(0, Math.ceil(confidence * count) - 1);
    // The product is rounded: edges are as m / M is.
    if (index > 0 && confidence <= index / count) index--;
    else if (confidence > (index + 1) / count) index++;
    // Only rounding makes a probability larger than 1.
    const bin = this.#bins[Math.min(index, count - 1)] as Bin;
    bin.count++;
    if (isCorrect) bin.correct++;
    bin.confidence.add(confidence);
  }

  calibration(): Calibration {
    const rows = this.#bins.reduce((sum, { count }) => sum + count, 0);
    const gaps = new Sum();
    let mce = 0;
    const bins = this.#bins.map(({ count, correct, confidence }, i) => {
      const edges = { from: i / this.#bins.length, to: (i + 1) / this.#bins.length };
      if (count === 0) return { ...edges, count, accuracy: null, confidence: null };
      const gap = Math.abs(confidence.value - correct);
      gaps.add(gap);
      mce = Math.max(mce, gap / count);
      return { ...edges, count, accuracy: correct / count, confidence: confidence.value / count };
    });
    return { bins, ece: gaps.value / rows, mce };
  }
}
