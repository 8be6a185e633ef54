// That the gradient is right, that the model learns, and that every backend learns the same weights and makes the same
// names: the example runs for two epochs on each.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crossEntropy } from 'softmax-native';
import { alphabet } from './data.mjs';
import { computeGradient, computeLogits, createModel, examplesOf } from './model.mjs';

const main = fileURLToPath(new URL('main.mjs', import.meta.url));

/** Of some weights, against differences of the loss. */
function checkGradient() {
  const model = createModel(1);
  const { contexts, targets } = examplesOf(['ada', 'barbara', 'christabel']);
  const { logits, layer } = computeLogits(model, contexts);
  const options = { shape: [targets.length, alphabet.length] };
  const { grad } = crossEntropy(logits, targets, { ...options, grad: true });
  const gradient = computeGradient(model, contexts, layer, grad).all;
  const lossAt = (weight, value) => {
    const before = model.all[weight];
    model.all[weight] = value;
    const { loss } = crossEntropy(Float64Array.from(computeLogits(model, contexts).logits), targets, options);
    model.all[weight] = before;
    return loss;
  };
  for (let weight = 0; weight < gradient.length; weight += 97) {
    const value = model.all[weight];
    const slope = (lossAt(weight, value + 1e-3) - lossAt(weight, value - 1e-3)) / 2e-3;
    assert.ok(
      Math.abs(slope - gradient[weight]) < 2e-4,
      `weight ${weight}: ${slope} is not ${gradient[weight]}`,
    );
  }
}

/** What the example prints, without what may differ. */
async function run(backend) {
  const env = { ...process.env, SOFTMAX_BACKEND: backend };
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--epochs', '2'], { env });
  const lines = stdout.split('\n');
  assert.match(lines[0], backend === 'js' ? /^backend {2}js/ : /^backend {2}native, /);
  return lines.slice(1).filter((line) => !line.startsWith('training '));
}

checkGradient();
const [native, js] = await Promise.all(['native', 'js'].map(run));
assert.deepEqual(js, native, 'JavaScript learns and draws the same');

const figureOf = (name) => Number(native.find((line) => line.startsWith(name)).slice(name.length));
const perplexity = figureOf('perplexity held out');
const unigram = figureOf('perplexity of a unigram model');
assert.ok(perplexity < 9.5 && unigram > 16, `perplexity ${perplexity}, of a unigram model ${unigram}`);
const names = native.filter((line) => / (known|new) {2}/.test(line));
assert.equal(names.length, 30);
console.log(
  `names: perplexity ${perplexity} (of a unigram model ${unigram}); the same 30 names in JavaScript`,
);
