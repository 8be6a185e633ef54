// What the layer learns: a made-up text of distinct tokens, in which each tells the next. A token's hidden vector is fixed,
// as if the model's body were frozen: only the output layer is trained. (The gradient of the hidden vectors would be a sum
// over shards, whose bits depend on the order of adding.)

import { uniform } from './numbers.mjs';

const seedOfText = 2;
const seedOfHidden = 3;

/** The sizes of the demonstration: 128256 classes are those of Llama 3. */
export const large = {
  classes: 128256,
  size: 32,
  rows: 16,
  length: 64,
  steps: 20,
  draws: 8,
  rate: 5,
  seed: 7,
};

/** For checks: 6 blocks, of which the last is not whole. */
export const small = { ...large, classes: 20603, rows: 8, length: 24, steps: 12, rate: 2 };

export class Task {
  constructor(model) {
    this.model = model;
    const { classes, length, seed } = model;
    const text = new Set();
    for (let i = 0; text.size < length; i++) text.add(Math.floor(uniform(seed + seedOfText, i) * classes));
    this.text = [...text];
  }

  /** [tokens, size], in [−1, 1). */
  hidden(tokens) {
    const { size, seed } = this.model;
    const rowOf = (token) =>
      Array.from({ length: size }, (_, i) => 2 * uniform(seed + seedOfHidden, token * size + i) - 1);
    return Float32Array.from([...tokens].flatMap(rowOf));
  }

  next(token) {
    return this.text[(this.text.indexOf(token) + 1) % this.text.length];
  }

  /** The rows of a step: the text over and over. */
  batch(step) {
    const { rows, length } = this.model;
    const tokens = Array.from({ length: rows }, (_, row) => this.text[(step * rows + row) % length]);
    return { hidden: this.hidden(tokens), targets: Int32Array.from(tokens, (token) => this.next(token)) };
  }

  /** With what each row of the drawn tokens begins. */
  get prompts() {
    const { rows, length } = this.model;
    return Int32Array.from({ length: rows }, (_, row) => this.text[Math.floor((row * length) / rows)]);
  }
}
