import { CLASSES, type Digits, type Image, PIXELS } from './data.js';
import { mulberry32, shuffle } from './random.js';

export interface Settings {
  epochs: number;
  batchSize: number;
  /** Of the first epoch; it then falls evenly to zero, which lets the weights settle. */
  learningRate: number;
  seed: number;
}

/** Loss and gradient of a batch: crossEntropy of softmax-native, or a plain loop in its place. */
export type CrossEntropy = (
  logits: Float32Array,
  labels: Uint8Array,
  options: { shape: [rows: number, classes: number]; grad: Float32Array },
) => { loss: number };

/** What a run tells while it goes on. */
export interface Progress {
  step(loss: number): void;
  epoch(number: number, loss: number, accuracy: number): void;
}

export interface Run {
  /** [PIXELS + 1, CLASSES], the bias last. */
  weights: Float32Array;
  /** The loss of every step, and the test accuracy after every epoch. */
  losses: number[];
  accuracies: number[];
  milliseconds: number;
}

/**
 * Mini-batch gradient descent. Outside the library it uses the four basic operations only, which every machine
 * rounds alike, in a fixed order: a seed leads to the same weights, bit for bit, everywhere.
 */
export function train(
  crossEntropy: CrossEntropy,
  digits: Digits,
  { epochs, batchSize, learningRate, seed }: Settings,
  progress: Progress,
): Run {
  const start = performance.now();
  // The loss is convex, so zeros are as good a start as any.
  const weights = new Float32Array((PIXELS + 1) * CLASSES);
  const losses: number[] = [];
  const accuracies: number[] = [];
  const random = mulberry32(seed);
  const images = [...digits.train];

  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(images, random);
    const rate = learningRate * (1 - (epoch - 1) / epochs);
    let sum = 0;
    for (let first = 0; first < images.length; first += batchSize) {
      const batch = images.slice(first, first + batchSize);
      const labels = Uint8Array.from(batch, ({ label }) => label);
      const logits = computeLogits(batch, weights);

      // `grad: logits` writes the gradient over the logits, which nobody needs any more.
      const { loss } = crossEntropy(logits, labels, { shape: [batch.length, CLASSES], grad: logits });

      descend(batch, logits, rate, weights);
      losses.push(loss);
      sum += loss * batch.length;
      progress.step(loss);
    }
    const accuracy = measureAccuracy(digits.test, computeLogits(digits.test, weights));
    accuracies.push(accuracy);
    progress.epoch(epoch, sum / images.length, accuracy);
  }
  return { weights, losses, accuracies, milliseconds: performance.now() - start };
}

/** logits = X W, one row of CLASSES for each image. */
export function computeLogits(images: Image[], weights: Float32Array): Float32Array {
  const logits = new Float32Array(images.length * CLASSES);
  for (const [row, { inputs, values }] of images.entries()) {
    for (let entry = 0; entry < inputs.length; entry++) {
      const value = at(values, entry);
      const weight = at(inputs, entry) * CLASSES;
      for (let digit = 0; digit < CLASSES; digit++) {
        const logit = row * CLASSES + digit;
        logits[logit] = at(logits, logit) + value * at(weights, weight + digit);
      }
    }
  }
  return logits;
}

/** W -= rate Xᵀ gradient. */
function descend(images: Image[], gradient: Float32Array, rate: number, weights: Float32Array): void {
  for (const [row, { inputs, values }] of images.entries()) {
    for (let entry = 0; entry < inputs.length; entry++) {
      const step = rate * at(values, entry);
      const weight = at(inputs, entry) * CLASSES;
      for (let digit = 0; digit < CLASSES; digit++) {
        const slope = at(gradient, row * CLASSES + digit);
        weights[weight + digit] = at(weights, weight + digit) - step * slope;
      }
    }
  }
}

/** Element `index` of an array that is known to reach that far. */
function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}

/** The digit the model takes each image for: the largest logit of its row. */
export function answers(logits: Float32Array): number[] {
  return Array.from({ length: logits.length / CLASSES }, (_, row) => {
    const scores = logits.subarray(row * CLASSES, (row + 1) * CLASSES);
    return scores.indexOf(Math.max(...scores));
  });
}

function measureAccuracy(images: Image[], logits: Float32Array): number {
  const right = answers(logits).filter((answer, row) => answer === images[row]?.label);
  return right.length / images.length;
}
