// Learns from 7,563 first names how names are spelt, and makes new ones.
//   npm run setup && npm start [-- --epochs 10 --seed 1]        (after `npm run build:all` of the package)
//
// crossEntropyAsync gives loss and gradient of each step, sample draws the letters. Every backend of softmax-native gives
// the same weights and the same names.

import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as library from 'softmax-native';
import { alphabet, decode, loadNames } from './data.mjs';
import { generate } from './generate.mjs';
import { context } from './model.mjs';
import { perplexity, train, unigramPerplexity } from './training.mjs';

const { values: options } = parseArgs({
  options: { epochs: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const epochs = Number(options.epochs);
const seed = Number(options.seed);
if (!(Number.isInteger(epochs) && epochs > 0))
  throw new RangeError('--epochs must be a whole number above 0');
if (!Number.isInteger(seed)) throw new RangeError('--seed must be a whole number');

const { kind, isa } = library.backend;
console.log(`backend  ${kind}${isa ? `, ${isa}` : ''}`);
const { read, training, heldOut } = await loadNames(seed);
console.log(`names  ${read.join(' + ')} read, ${training.length} to learn from, ${heldOut.length} held out`);
console.log(`model  the last ${context} letters of ${alphabet.length}\n`);

const start = performance.now();
const model = await train(library, training, {
  epochs,
  seed,
  onEpoch: async (epoch, loss, model) => {
    const held = await perplexity(library, model, heldOut);
    const number = `${epoch}`.padStart(`${epochs}`.length);
    console.log(`epoch ${number}/${epochs}  training loss ${loss.toFixed(4)}  perplexity ${held.toFixed(3)}`);
  },
});
const seconds = (performance.now() - start) / 1000;

const known = new Set(training);
for (const temperature of [0.5, 1, 1.5]) {
  const names = generate(library, model, { count: 10, temperature, topP: 0.95, seed: 100 * seed });
  console.log(
    `\ntemperature ${temperature}, topP 0.95: log-probabilities of the name, of its letters and its end`,
  );
  for (const { tokens, logProbs } of names) {
    const name = decode(tokens).trimEnd();
    const sum = logProbs.reduce((sum, logProb) => sum + logProb, 0);
    const letters = logProbs.map((logProb, i) => `${name[i] ?? '.'} ${logProb.toFixed(2)}`).join('  ');
    console.log(
      `  ${name.padEnd(20)} ${known.has(name) ? 'known' : 'new  '} ${sum.toFixed(2).padStart(6)}   ${letters}`,
    );
  }
}

const weights = Buffer.alloc(model.all.byteLength);
for (const [i, weight] of model.all.entries()) weights.writeDoubleLE(weight, 8 * i);
const held = (await perplexity(library, model, heldOut)).toFixed(3);
console.log(`\nperplexity held out  ${held}`);
console.log(`perplexity of a unigram model  ${unigramPerplexity(training, heldOut).toFixed(3)}`);
console.log(`weights sha256  ${createHash('sha256').update(weights).digest('hex')}`);
console.log(`training  ${seconds.toFixed(1)} s`);
