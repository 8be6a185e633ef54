// An output layer, or a shard of one: weights of [classes, size], whose products with hidden vectors are the logits. Plain
// loops: each number is made by the same operations in the same order whatever classes are beside it, so a shard has the
// bits of the whole.

import { hashBlocks, uniform } from './numbers.mjs';

const seedOfWeights = 1;

export class Layer {
  /** Classes from `begin` up to `end`; without `weights` those of the beginning, from the seed. */
  constructor({ begin, end }, { size, seed }, weights) {
    this.begin = begin;
    this.classes = end - begin;
    this.size = size;
    this.weights =
      weights ??
      Float32Array.from(
        { length: this.classes * size },
        (_, i) => (uniform(seed + seedOfWeights, begin * size + i) - 0.5) / 4,
      );
  }

  /** [rows, classes]. */
  logits(hidden) {
    const { weights, classes, size } = this;
    const rows = hidden.length / size;
    const logits = new Float32Array(rows * classes);
    for (let c = 0; c < classes; c++) {
      const from = c * size;
      for (let row = 0; row < rows; row++) {
        const at = row * size;
        let sum = 0;
        for (let i = 0; i < size; i++) sum += weights[from + i] * hidden[at + i];
        logits[row * classes + c] = sum;
      }
    }
    return logits;
  }

  /** Plain gradient descent: the gradient of a weight is a sum over the rows, in their order. */
  descend(gradient, hidden, rate) {
    const { weights, classes, size } = this;
    const rows = hidden.length / size;
    const sums = new Float64Array(size);
    for (let c = 0; c < classes; c++) {
      sums.fill(0);
      for (let row = 0; row < rows; row++) {
        const slope = gradient[row * classes + c];
        const at = row * size;
        for (let i = 0; i < size; i++) sums[i] += slope * hidden[at + i];
      }
      const from = c * size;
      for (let i = 0; i < size; i++) weights[from + i] -= rate * sums[i];
    }
  }

  hashesOfWeights() {
    return hashBlocks(this.classes, (begin, end) => [
      this.weights.subarray(begin * this.size, end * this.size),
    ]);
  }

  /** Of numbers of [rows, classes]. */
  hashesOf(numbers) {
    const { classes } = this;
    const rows = Array.from({ length: numbers.length / classes }, (_, row) => row * classes);
    return hashBlocks(classes, (begin, end) => rows.map((at) => numbers.subarray(at + begin, at + end)));
  }
}
