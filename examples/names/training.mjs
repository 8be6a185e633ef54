// Training: Adam (Kingma and Ba, 2015) on batches of whole names, and how well a model predicts names.

import { alphabet } from './data.mjs';
import { computeGradient, computeLogits, createModel, examplesOf } from './model.mjs';
import { mulberry32, shuffle } from './random.mjs';

const classes = alphabet.length;
const namesOfBatch = 32;
const rate = 0.005;

/** `onEpoch(epoch, loss, model)` may be async. */
export async function train({ crossEntropyAsync }, names, { epochs, seed, onEpoch }) {
  const model = createModel(seed);
  const random = mulberry32(seed + 1);
  const shuffled = [...names];
  const step = createAdam(model.all);
  const batches = Math.ceil(names.length / namesOfBatch);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(shuffled, random);
    let sum = 0;
    let count = 0;
    for (let batch = 0; batch < batches; batch++) {
      const some = shuffled.slice(batch * namesOfBatch, (batch + 1) * namesOfBatch);
      const { contexts, targets } = examplesOf(some);
      const { logits, layer } = computeLogits(model, contexts);

      // transfer: nobody needs the logits any more, so the gradient comes in their memory.
      const options = { shape: [targets.length, classes], grad: true, transfer: true };
      const { loss, grad } = await crossEntropyAsync(logits, targets, options);

      const gradient = computeGradient(model, contexts, layer, grad);
      // The rate falls evenly to zero, which lets the weights settle.
      step(gradient.all, rate * (1 - ((epoch - 1) * batches + batch) / (epochs * batches)));
      sum += loss * targets.length;
      count += targets.length;
    }
    await onEpoch?.(epoch, sum / count, model);
  }
  return model;
}

function createAdam(weights) {
  const means = new Float64Array(weights.length);
  const squares = new Float64Array(weights.length);
  // 0.9 and 0.99 to the power of the number of steps. (Math.pow may be of other bits in other engines.)
  let meansLeft = 1;
  let squaresLeft = 1;
  return (gradient, length) => {
    meansLeft *= 0.9;
    squaresLeft *= 0.99;
    for (let i = 0; i < weights.length; i++) {
      means[i] = 0.9 * means[i] + 0.1 * gradient[i];
      squares[i] = 0.99 * squares[i] + 0.01 * gradient[i] * gradient[i];
      const size = Math.sqrt(squares[i] / (1 - squaresLeft)) + 1e-8;
      weights[i] -= (length * (means[i] / (1 - meansLeft))) / size;
    }
  };
}

/** e to the mean loss of a letter: among so many equally likely letters the model still has to guess. */
export async function perplexity({ crossEntropyAsync }, model, names) {
  const { contexts, targets } = examplesOf(names);
  const { logits } = computeLogits(model, contexts);
  const options = { shape: [targets.length, classes], transfer: true };
  const { loss } = await crossEntropyAsync(logits, targets, options);
  return Math.exp(loss);
}

/** That of a model that only knows how frequent each letter is. */
export function unigramPerplexity(training, names) {
  const counts = new Float64Array(classes).fill(1); // nothing is impossible
  const { targets } = examplesOf(training);
  for (const token of targets) counts[token]++;
  const total = counts.reduce((sum, count) => sum + count);
  const heldOut = examplesOf(names).targets;
  const loss = heldOut.reduce((sum, token) => sum - Math.log(counts[token] / total), 0);
  return Math.exp(loss / heldOut.length);
}
