// One process that has the whole layer, by the functions that take whole rows: what shards must have the bits of.

import { crossEntropy, sample } from 'softmax-native';
import { Layer } from './layer.mjs';
import { hashOfBlocks } from './numbers.mjs';

export class Whole {
  constructor(model) {
    this.model = model;
    this.layer = new Layer({ begin: 0, end: model.classes }, model);
  }

  step(_step, { hidden, targets }, { isHashed = true } = {}) {
    const logits = this.layer.logits(hidden);
    const options = { shape: [targets.length, this.model.classes], grad: logits };
    const { loss, logSumExp, grad } = crossEntropy(logits, targets, options);
    const gradient = hashOfBlocks(isHashed ? this.layer.hashesOf(grad) : []);
    this.layer.descend(grad, hidden, this.model.rate);
    return { loss, logSumExp: [...logSumExp], gradient };
  }

  draw(_step, hidden, options) {
    const shape = [hidden.length / this.model.size, this.model.classes];
    const { tokens, rawLogProbs } = sample(this.layer.logits(hidden), { ...options, shape });
    return { tokens, logProbs: rawLogProbs };
  }

  hashOfWeights() {
    return hashOfBlocks(this.layer.hashesOfWeights());
  }
}
