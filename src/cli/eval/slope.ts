// How the mean cross-entropy L changes with s = 1 / temperature. With p = softmax(s z) and label y, of a row
// L' = Σ p z − z_y and L'' = Σ p z² − (Σ p z)²: L is convex in s. L' grows from mean z − z_y, at s = 0, to max z − z_y.

import { Sum } from './sum.js';

export interface SlopeFigures {
  /** L'. */
  readonly slope: number;
  /** L''. */
  readonly curvature: number;
  /** L' at s = 0, at temperature Infinity. */
  readonly atZero: number;
  /** L' as s becomes infinite, at temperature 0. */
  readonly atInfinity: number;
}

export class Slope {
  readonly #slope = new Sum();
  readonly #curvature = new Sum();
  readonly #atZero = new Sum();
  readonly #atInfinity = new Sum();

  /** A row's logits and probabilities, from `begin` to `end`; `top` and `target`: where its largest logit and its label's are. */
  add(
    logits: Float64Array,
    probabilities: Float64Array,
    begin: number,
    end: number,
    top: number,
    target: number,
  ): void {
    const largest = logits[top] as number;
    let [mean, square, total, finite] = [0, 0, 0, 0];
    // Logits less the largest: what p is small for is small in the sums, too, and near 0 nothing cancels.
    for (let i = begin; i < end; i++) {
      const below = (logits[i] as number) - largest;
      // −Infinity has no share at any temperature.
      if (below === Number.NEGATIVE_INFINITY) continue;
      const part = (probabilities[i] as number) * below;
      mean += part;
      square += part * below;
      total += below;
      finite++;
    }
    const gap = largest - (logits[target] as number);
    this.#slope.add(gap + mean);
    this.#curvature.add(square - mean * mean);
    this.#atZero.add(gap + total / finite);
    this.#atInfinity.add(gap);
  }

  figures(rows: number): SlopeFigures {
    return {
      slope: this.#slope.value / rows,
      curvature: this.#curvature.value / rows,
      atZero: this.#atZero.value / rows,
      atInfinity: this.#atInfinity.value / rows,
    };
  }
}
