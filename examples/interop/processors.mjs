// What transformers.js makes of logits before it draws, beside what `sample` does: its processors, its topk (an operator of
// ONNX Runtime) and its sampler keep the same classes with the same probabilities.

import assert from 'node:assert/strict';
import {
  LogitsProcessorList,
  log_softmax as logSoftmaxOfTransformers,
  RepetitionPenaltyLogitsProcessor,
  random,
  SuppressTokensAtBeginLogitsProcessor,
  TemperatureLogitsWarper,
  Tensor,
  TopKLogitsWarper,
  TopPLogitsWarper,
  topk as topkOfTransformers,
} from '@huggingface/transformers';
import { backend, sample, topK } from 'softmax-native';

// The package does not export its sampler.
const samplers = new URL(
  'node_modules/@huggingface/transformers/src/generation/logits_sampler.js',
  import.meta.url,
);
const { LogitsSampler } = await import(samplers.href);

random.seed(20261130);
const uniform = () => random.random();
/** @param {number} count */
const below = (count) => Math.floor(uniform() * count);
/** @template Value @param {Value[]} values */
const pick = (...values) => /** @type {Value} */ (values[below(values.length)]);

/** Logits as a language model's: most of them small, some far above. @param {number} classes */
function someLogits(classes) {
  const logits = new Float32Array(classes);
  for (let i = 0; i < classes; i++) logits[i] = 6 * (uniform() + uniform() + uniform() - 1.5);
  for (let i = 0; i < 8; i++) logits[below(classes)] = 4 + 8 * uniform();
  return logits;
}

/** @param {ArrayLike<number>} actual @param {ArrayLike<number>} wanted @param {number} bound @param {string} label */
function assertClose(actual, wanted, bound, label) {
  assert.equal(actual.length, wanted.length, label);
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [Number(actual[i]), Number(wanted[i])];
    assert.ok(Math.abs(a - b) <= bound, `${label}: ${i} is ${a}, not ${b}`);
  }
}

/** What the processors leave of a row: its classes in order, and their log-probabilities. @param {Float32Array} logits */
function leftOf(logits) {
  const classes = [...logits.keys()].filter((i) => /** @type {number} */ (logits[i]) > -Infinity);
  return {
    classes,
    logProbs: logSoftmaxOfTransformers(classes.map((i) => /** @type {number} */ (logits[i]))),
  };
}

/**
 * sample keeps so many classes, and draws each by a number in the middle of its share, but for shares that rounding moves.
 * @param {Float32Array} logits @param {any} options @param {ReturnType<typeof leftOf>} left @param {string} label
 */
function compare(logits, options, { classes, logProbs }, label) {
  let sum = 0;
  const shares = classes.map((token, i) => {
    const logProb = Number(logProbs[i]);
    sum += Math.exp(logProb);
    return { token, logProb, middle: sum - Math.exp(logProb) / 2 };
  });
  const sure = shares.filter(({ logProb }) => logProb > -11);
  const uniform = sure.map(({ middle }) => middle);
  const { tokens, kept, logProbs: own } = sample(logits, { ...options, uniform, count: sure.length });
  const wanted = { tokens: sure.map(({ token }) => token), logProbs: sure.map(({ logProb }) => logProb) };
  assert.equal(kept[0], classes.length, label);
  assert.deepEqual([...tokens], wanted.tokens, label);
  assertClose(own, wanted.logProbs, 1e-5, label);
}

const rounds = 200;
for (let round = 0; round < rounds; round++) {
  const classes = pick(5, 40, 300, 2000);
  const logits = someLogits(classes);
  const tokens = Array.from({ length: 12 }, () => below(classes));
  const [repetition, temperature] = [pick(1, 1.2, 0.8), pick(1, 0.7, 1.4)];
  // Of the first step, as Whisper has them: what may not be drawn.
  const suppressed = Array.from({ length: pick(0, 3) }, () => below(classes - 1));
  const label = JSON.stringify({ round, classes, repetition, temperature, suppressed });

  const processors = new LogitsProcessorList();
  processors.push(new RepetitionPenaltyLogitsProcessor(repetition));
  processors.push(new SuppressTokensAtBeginLogitsProcessor(suppressed, tokens.length));
  processors.push(new TemperatureLogitsWarper(temperature));
  const ids = [tokens.map(BigInt)];
  const scores = processors(ids, new Tensor('float32', logits.slice(), [1, classes]));

  const mask = new Uint8Array(classes).fill(1);
  for (const token of suppressed) mask[token] = 0;
  const options = { temperature, mask, penalties: { tokens, repetition } };
  compare(logits, options, leftOf(/** @type {Float32Array} */ (scores.data)), label);

  // Of the k largest: ONNX Runtime's operator, and transformers.js's sampler with it.
  const k = pick(1, 3, 20, Math.min(50, classes));
  const of = new Tensor('float32', logits.slice(), [1, classes]);
  const [values, indices] = await topkOfTransformers(of, Math.min(k, classes));
  const top = topK(logits, Math.min(k, classes));
  assert.deepEqual([...top.values], [...values.data], label);
  assert.deepEqual([...top.indices], Array.from(indices.data, Number), label);

  const sampler = LogitsSampler.getSampler({ do_sample: true, top_k: k, num_beams: 4 });
  const left = leftOf(logits.map((logit, i) => (indices.data.includes(BigInt(i)) ? logit : -Infinity)));
  compare(logits, { topK: k }, left, label);
  for (const [token, score] of await sampler(of)) {
    const at = left.classes.indexOf(Number(token));
    assert.ok(at >= 0, `${label}: ${token} is drawn, and not kept here`);
    assertClose([Number(left.logProbs[at])], [score], 1e-5, label);
  }
}
console.log(
  `transformers.js: ${rounds} rows through its processors, topk and sampler (${backend.isa ?? 'js'})`,
);

// It has classes of these names, which do nothing yet. The day they do, they belong above.
for (const warper of [new TopPLogitsWarper(0.9), new TopKLogitsWarper(5)])
  assert.throws(() => warper([[]], new Tensor('float32', new Float32Array(8), [1, 8])), /_call/);
console.log('TopPLogitsWarper and TopKLogitsWarper of transformers.js have no code to compare with');
