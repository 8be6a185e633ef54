// A model of the next letter: the embeddings of the last few letters, one hidden layer, a logit for each letter (Bengio
// et al., 2003). Its own arithmetic is float64, of the four basic operations and the square root only, which every
// machine rounds alike, in a fixed order. Logits are float32, in which softmax-native gives the same bits on every
// backend. So a seed leads to the same weights everywhere.

import { alphabet, end } from './data.mjs';
import { mulberry32 } from './random.mjs';

export const context = 5;
const width = 16;
const hidden = 96;
const inputs = context * width;
const classes = alphabet.length;

/** Views of one array: all zero. */
function createArrays() {
  const sizes = {
    embedding: classes * width,
    weights: inputs * hidden,
    bias: hidden,
    outWeights: hidden * classes,
    outBias: classes,
  };
  const all = new Float64Array(Object.values(sizes).reduce((sum, size) => sum + size));
  let first = 0;
  const views = Object.entries(sizes).map(([name, size]) => {
    first += size;
    return [name, all.subarray(first - size, first)];
  });
  return { all, ...Object.fromEntries(views) };
}

/** Uniform weights of variance 1 for the embedding, 1 / inputs for the layers; no bias. */
export function createModel(seed) {
  const model = createArrays();
  const random = mulberry32(seed);
  for (const [weights, fan] of [
    [model.embedding, 1],
    [model.weights, inputs],
    [model.outWeights, hidden],
  ]) {
    const bound = Math.sqrt(3 / fan);
    for (let i = 0; i < weights.length; i++) weights[i] = bound * (2 * random() - 1);
  }
  return model;
}

/** What comes before each letter of the names, padded with ends, and the letter: [rows, context] and [rows]. */
export function examplesOf(names) {
  const rows = names.reduce((sum, name) => sum + name.length + 1, 0);
  const contexts = new Uint8Array(rows * context);
  const targets = new Uint8Array(rows);
  let row = 0;
  for (const name of names) {
    for (let place = 0; place <= name.length; place++, row++) {
      for (let back = Math.min(place, context); back > 0; back--) {
        contexts[(row + 1) * context - back] = name.charCodeAt(place - back) - 96;
      }
      targets[row] = place < name.length ? name.charCodeAt(place) - 96 : end;
    }
  }
  return { contexts, targets };
}

/**
 * What each letter adds to the hidden layer from each place of the context, [context, classes, hidden]: its embedding times
 * the weights of the place. There are fewer letters and places than rows have inputs.
 */
export function tabulate({ embedding, weights }) {
  const table = new Float64Array(context * classes * hidden);
  for (let place = 0; place < context; place++) {
    for (let letter = 0; letter < classes; letter++) {
      const first = (place * classes + letter) * hidden;
      for (let k = 0; k < width; k++) {
        const value = embedding[letter * width + k];
        const row = (place * width + k) * hidden;
        for (let unit = 0; unit < hidden; unit++) table[first + unit] += value * weights[row + unit];
      }
    }
  }
  return table;
}

/**
 * The logits [rows, classes] of what comes next, and the hidden layer [rows, hidden], which the gradient needs. The table
 * may be kept while the model stays the same.
 */
export function computeLogits(model, contexts, table = tabulate(model)) {
  const { bias, outWeights, outBias } = model;
  const rows = contexts.length / context;
  const layer = new Float64Array(rows * hidden);
  const logits = new Float32Array(rows * classes);
  const units = new Float64Array(hidden);
  const sums = new Float64Array(classes);
  for (let row = 0; row < rows; row++) {
    units.set(bias);
    for (let place = 0; place < context; place++) {
      const first = (place * classes + contexts[row * context + place]) * hidden;
      for (let unit = 0; unit < hidden; unit++) units[unit] += table[first + unit];
    }
    sums.set(outBias);
    for (let unit = 0; unit < hidden; unit++) {
      const value = tanh(units[unit]);
      layer[row * hidden + unit] = value;
      for (let i = 0, first = unit * classes; i < classes; i++) sums[i] += value * outWeights[first + i];
    }
    logits.set(sums, row * classes);
  }
  return { logits, layer };
}

/** The gradient of the weights, from that of the logits. */
export function computeGradient(model, contexts, layer, ofLogits) {
  const { outWeights } = model;
  const gradient = createArrays();
  const ofTable = new Float64Array(context * classes * hidden);
  const ofUnits = new Float64Array(hidden);
  const slopes = new Float64Array(classes);
  for (let row = 0; row < contexts.length / context; row++) {
    slopes.set(ofLogits.subarray(row * classes, (row + 1) * classes));
    for (let i = 0; i < classes; i++) gradient.outBias[i] += slopes[i];
    for (let unit = 0; unit < hidden; unit++) {
      const value = layer[row * hidden + unit];
      let sum = 0;
      for (let i = 0, first = unit * classes; i < classes; i++) {
        sum += slopes[i] * outWeights[first + i];
        gradient.outWeights[first + i] += slopes[i] * value;
      }
      ofUnits[unit] = sum * (1 - value * value);
      gradient.bias[unit] += ofUnits[unit];
    }
    for (let place = 0; place < context; place++) {
      const first = (place * classes + contexts[row * context + place]) * hidden;
      for (let unit = 0; unit < hidden; unit++) ofTable[first + unit] += ofUnits[unit];
    }
  }
  addGradientOfTable(model, ofTable, gradient);
  return gradient;
}

/** The chain rule through tabulate. */
function addGradientOfTable({ embedding, weights }, ofTable, gradient) {
  for (let place = 0; place < context; place++) {
    for (let letter = 0; letter < classes; letter++) {
      const first = (place * classes + letter) * hidden;
      for (let k = 0; k < width; k++) {
        const value = embedding[letter * width + k];
        const row = (place * width + k) * hidden;
        let sum = 0;
        for (let unit = 0; unit < hidden; unit++) {
          sum += ofTable[first + unit] * weights[row + unit];
          gradient.weights[row + unit] += ofTable[first + unit] * value;
        }
        gradient.embedding[letter * width + k] += sum;
      }
    }
  }
}

/**
 * Lambert's continued fraction to x⁷: within 1e-4 of tanh, which is enough for a hidden layer. Math.tanh may be of other
 * bits in other engines.
 */
function tanh(x) {
  if (Math.abs(x) > 4.97) return Math.sign(x);
  const square = x * x;
  return (
    (x * (135135 + square * (17325 + square * (378 + square)))) /
    (135135 + square * (62370 + square * (3150 + 28 * square)))
  );
}
