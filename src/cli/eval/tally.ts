// Figures of logits beside labels at a temperature, from one block of rows after another. All is computed in float64 and
// summed row by row, so that no bit depends on the blocks; exponentials and logarithms are this library's, so that none
// depends on the backend.

import type { Softmax } from '../rows/block.js';
import type { LabelledRows } from '../rows/labelled-rows.js';
import { Bins, type Calibration } from './bins.js';
import { Slope, type SlopeFigures } from './slope.js';
import { Sum } from './sum.js';

export interface Figures extends Calibration {
  /** Rows that count. */
  readonly rows: number;
  readonly ignored: number;
  readonly temperature: number;
  /** Means over the rows. */
  readonly crossEntropy: number;
  readonly accuracy: number;
  readonly top5Accuracy: number;
  /** Σ (p_c − [c = label])², over all classes. */
  readonly brier: number;
  /** exp(crossEntropy). */
  readonly perplexity: number;
}

/** Rows of a kind: how many, and the first. */
export interface Found {
  readonly count: number;
  readonly first: number;
}

export interface Measured {
  readonly figures: Figures;
  /** Only if it was asked for. */
  readonly slope: SlopeFigures | undefined;
  /** Rows without probabilities: a NaN, +Infinity or nothing but −Infinity among their logits. No figures count them. */
  readonly undefinedRows: Found;
  /** Rows whose label has probability 0 at every temperature. */
  readonly infiniteRows: Found;
}

export interface Settings {
  readonly api: Softmax;
  readonly classes: number;
  readonly bins: number;
  readonly temperature: number;
  readonly wantsSlope: boolean;
}

/** exp(x), x at least 0: softmax([x, 0]) is [e^x, 1] / (e^x + 1). */
function exponential({ softmax }: Softmax, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return x;
  const [own, other] = softmax(Float64Array.of(x, 0)) as Float64Array;
  return (own as number) / (other as number);
}

/** [c = y] taken from p_y: near 1 it is then not rounded twice. */
function brierOf(probabilities: Float64Array, begin: number, end: number, target: number): number {
  let sum = (1 - (probabilities[target] as number)) ** 2;
  for (let i = begin; i < target; i++) sum += (probabilities[i] as number) ** 2;
  for (let i = target + 1; i < end; i++) sum += (probabilities[i] as number) ** 2;
  return sum;
}

export class Tally {
  readonly #settings: Settings;
  readonly #loss = new Sum();
  readonly #brier = new Sum();
  readonly #bins: Bins;
  readonly #slope: Slope | undefined;
  #probabilities = new Float64Array(0);
  #rows = 0;
  #ignored = 0;
  #correct = 0;
  #amongFive = 0;
  #undefinedRows: Found = { count: 0, first: -1 };
  #infiniteRows: Found = { count: 0, first: -1 };

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#bins = new Bins(settings.bins);
    this.#slope = settings.wantsSlope ? new Slope() : undefined;
  }

  add({ first, logits, labels }: LabelledRows): void {
    const { api, classes, temperature } = this.#settings;
    const shape = [labels.length, classes];
    if (this.#probabilities.length < logits.length) this.#probabilities = new Float64Array(logits.length);
    const probabilities = this.#probabilities.subarray(0, logits.length);
    api.softmax(logits, { shape, temperature, out: probabilities });
    const options = { shape, temperature, ignoreIndex: -1, reduction: 'none' } as const;
    const losses = api.crossEntropy(logits, labels, options).loss as Float64Array;
    const places = Math.min(5, classes);
    const best = api.topK(logits, places, { shape }).indices as Int32Array;
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row] as number;
      if (label < 0) {
        this.#ignored++;
        continue;
      }
      const loss = losses[row] as number;
      const [begin, end] = [row * classes, (row + 1) * classes];
      const [top, target] = [begin + (best[row * places] as number), begin + label];
      const confidence = probabilities[top] as number;
      if (Number.isNaN(loss) || Number.isNaN(confidence)) {
        this.#undefinedRows = counted(this.#undefinedRows, first + row);
        continue;
      }
      if (loss === Number.POSITIVE_INFINITY) this.#infiniteRows = counted(this.#infiniteRows, first + row);
      this.#rows++;
      this.#loss.add(loss);
      const isCorrect = top === target;
      if (isCorrect) this.#correct++;
      // A view for each row would take longer than the rest.
      let place = row * places;
      while (place < (row + 1) * places && best[place] !== label) place++;
      if (place < (row + 1) * places) this.#amongFive++;
      this.#brier.add(brierOf(probabilities, begin, end, target));
      this.#bins.add(confidence, isCorrect);
      this.#slope?.add(logits, probabilities, begin, end, top, target);
    }
  }

  measured(): Measured {
    const rows = this.#rows;
    const crossEntropy = this.#loss.value / rows;
    return {
      figures: {
        rows,
        ignored: this.#ignored,
        temperature: this.#settings.temperature,
        crossEntropy,
        perplexity: exponential(this.#settings.api, crossEntropy),
        accuracy: this.#correct / rows,
        top5Accuracy: this.#amongFive / rows,
        brier: this.#brier.value / rows,
        ...this.#bins.calibration(),
      },
      slope: this.#slope?.figures(rows),
      undefinedRows: this.#undefinedRows,
      infiniteRows: this.#infiniteRows,
    };
  }
}

const counted = ({ count, first }: Found, row: number): Found => ({
  count: count + 1,
  first: count === 0 ? row : first,
});
