// argMax, topK, tokenLogProbs, klDivergence, gumbelSoftmax and sample against PyTorch's operators and the processors of
// Hugging Face transformers: the same classes, the same kept sets and tokens, values to a few roundings.

import {
  argMax,
  gumbelSoftmax,
  klDivergence,
  logSoftmax,
  sample,
  softmax,
  tokenLogProbs,
  topK,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { decoded } from './helpers/pytorch.js';
import {
  classesOf,
  floatsOf,
  Inputs,
  type Logits,
  laidOut,
  ofRows,
  type ProcessorsCase,
  readTokenCases,
  shapeOf,
} from './helpers/pytorch-tokens.js';
import { at } from './helpers/rows.js';

const cases = readTokenCases();

/** Each to 2e-6 of its own size or of 1: references are rounded to float32. `beside`: what else may be lost. */
function expectClose(actual: readonly number[], wanted: ArrayLike<number>, label: string, beside = 0): void {
  expect(actual.length, label).toBe(wanted.length);
  actual.forEach((value, i) => {
    const exact = at(wanted, i);
    if (!Number.isFinite(exact)) expect(value, `${label}, ${i}`).toBe(exact);
    else {
      const bound = 2e-6 * Math.max(1, Math.abs(exact)) + beside;
      expect(Math.abs(value - exact), `${label}, ${i}`).toBeLessThan(bound);
    }
  });
}

test('there are cases of everything', () => {
  const { largest, processors, tokenLogProbs: ofTokens, divergence, gumbel } = cases;
  for (const some of [largest, ofTokens, divergence, gumbel]) expect(some.length).toBeGreaterThanOrEqual(20);
  const names = ['temperature', 'topK', 'topP', 'minP', 'typicalP', 'topNSigma'] as const;
  const others = ['repetition', 'frequency', 'presence', 'bias', 'dropped', 'minKeep', 'keepTies'] as const;
  for (const name of [...names, ...others, 'order'] as const)
    expect(processors.filter((one) => one[name] !== undefined).length, name).toBeGreaterThanOrEqual(12);
});

test('argMax and topK: torch.argmax and torch.topk, NaN first', () => {
  for (const given of cases.largest) {
    const label = JSON.stringify(given);
    const x = any(laidOut(given, new Inputs(given).logits()));
    const options = { shape: shapeOf(given), axis: given.axis };
    expect([...argMax(x, options)], label).toEqual(given.argMax);
    const { values, indices } = topK(x, given.k, options) as { values: Logits; indices: Int32Array };
    // −0 and 0 are equal: which comes first is nobody's promise.
    const numbers = ofRows(given, values).flat();
    expect(
      numbers.map((z) => z + 0),
      label,
    ).toEqual([...decoded(given.values)].map((z) => z + 0));
    if (given.indices) expect(ofRows(given, indices), label).toEqual(given.indices);
    for (const kind of ['probabilities', 'logProbabilities'] as const) {
      const found = topK(x, given.k, { ...options, values: kind }).values as Logits;
      expectClose(ofRows(given, found).flat(), floatsOf(given[kind]), label);
      // Whatever ties: an index is that of its value.
      const whole = (kind === 'probabilities' ? softmax : logSoftmax)(x, options) as Logits;
      const [from, to] = [ofRows(given, indices), ofRows(given, found)];
      const of = ofRows(given, whole);
      expect(to, label).toEqual(from.map((row, i) => row.map((k) => of[i]?.[k])));
    }
  }
});

/** The case's own options, as sample has them, for one of its rows or for all. */
function optionsOf(given: ProcessorsCase, previous: Int32Array): object {
  const { repetition, frequency, presence, classes } = given;
  const names = ['temperature', 'topK', 'topP', 'minP', 'typicalP', 'topNSigma', 'minKeep', 'keepTies'];
  const filters = [...names, 'order'].map((name) => [name, given[name as 'topK']]);
  const isPenalised = (repetition ?? frequency ?? presence) !== undefined;
  return {
    ...Object.fromEntries(filters),
    ...(isPenalised && { penalties: { tokens: previous, repetition, frequency, presence } }),
    ...(given.bias && { bias: { indices: [0, classes - 1], values: [1.5, -2] } }),
  };
}

/** Penalties and biases are rounded to the logits' type, before the temperature. */
const lostOf = ({ dtype, spread, temperature = 1 }: ProcessorsCase) =>
  dtype === 'float32' ? (spread * 2 ** -23) / temperature : 0;

interface Sampled {
  readonly tokens: Int32Array;
  readonly kept: Int32Array;
  readonly logProbs: Logits;
  readonly topTokens: Int32Array;
  readonly topLogProbs: Logits;
}
const sampled = (logits: Logits, options: object): Sampled => sample(any(logits), any(options)) as never;

/** What a row keeps, and the numbers that draw each of it: in the middle of its share. */
function keptOf(given: ProcessorsCase, row: number) {
  const begin = given.counts.slice(0, row).reduce((sum, count) => sum + count, 0);
  const end = begin + at(given.counts, row);
  const kept = [...classesOf(given.kept).subarray(begin, end)];
  const logProbs = [...floatsOf(given.logProbs).subarray(begin, end)];
  let sum = 0;
  const middles = logProbs.map((logProb) => {
    const share = Math.exp(logProb);
    sum += share;
    return sum - share / 2;
  });
  return { kept, logProbs, middles };
}

describe('sample: the processors of Hugging Face transformers', () => {
  test('what all rows keep; the tokens of uniform numbers', () => {
    for (const given of cases.processors) {
      const inputs = new Inputs(given);
      const logits = laidOut(given, inputs.logits());
      const previous = inputs.classes(9);
      const uniform = Array.from({ length: given.rows }, () => inputs.random.uniform());
      const options = {
        ...optionsOf(given, previous),
        shape: shapeOf(given),
        axis: given.axis,
        uniform,
        logProbsOf: 'processed',
      };
      const label = JSON.stringify({ ...given, kept: '', logProbs: '' });
      const { kept, tokens } = sampled(logits, options);
      expect([...kept], label).toEqual(given.counts);
      expect([...tokens], label).toEqual(given.tokens);

      const top = Math.max(...given.counts);
      const { topTokens, topLogProbs } = sampled(logits, { ...options, top });
      for (let row = 0; row < given.rows; row++) {
        const wanted = keptOf(given, row);
        const ofClass = new Map(wanted.kept.map((index, i) => [index, at(wanted.logProbs, i)]));
        const count = wanted.kept.length;
        const first = [...topTokens.subarray(row * top, row * top + count)];
        expect(
          [...first].sort((a, b) => a - b),
          label,
        ).toEqual(wanted.kept);
        expectClose(
          [...topLogProbs.subarray(row * top, row * top + count)],
          first.map((index) => ofClass.get(index) as number),
          label,
          lostOf(given),
        );
      }
    }
  });

  test('each class that is kept is drawn by a number in its share', () => {
    let drawn = 0;
    for (const given of cases.processors) {
      const inputs = new Inputs(given);
      const logits = inputs.logits();
      const previous = inputs.classes(9);
      for (let row = 0; row < given.rows; row++) {
        const { kept, logProbs, middles } = keptOf(given, row);
        // Shares that rounding does not move.
        const sure = kept.map((_, i) => i).filter((i) => at(logProbs, i) > Math.log(2e-6));
        const own = logits.subarray(row * given.classes, (row + 1) * given.classes);
        const uniform = sure.map((i) => at(middles, i));
        const before = previous.subarray(9 * row, 9 * row + 9);
        const result = sampled(own, { ...optionsOf(given, before), uniform, count: sure.length });
        const label = JSON.stringify({ ...given, kept: '', logProbs: '', row });
        expect([...result.tokens], label).toEqual(sure.map((i) => kept[i]));
        expect([...result.kept], label).toEqual([kept.length]);
        const wanted = sure.map((i) => at(logProbs, i));
        expectClose([...result.logProbs], wanted, label, lostOf(given));
        drawn += sure.length;
      }
    }
    expect(drawn).toBeGreaterThan(2000);
  });
});

test('tokenLogProbs: log_softmax, gather, logsumexp, topk; ranks as vLLM counts them', () => {
  for (const given of cases.tokenLogProbs) {
    const label = JSON.stringify(given);
    const inputs = new Inputs(given);
    const logits = laidOut(given, inputs.logits());
    const tokens = laidOut(given, inputs.classes(4));
    const options = { shape: shapeOf(given), axis: given.axis, top: given.top };
    const result = tokenLogProbs(any(logits), tokens, options) as unknown as Record<string, never>;
    expectClose(ofRows(given, result.logProbs as never).flat(), floatsOf(given.logProbs), label);
    expect(ofRows(given, result.ranks as never), label).toEqual(given.ranks);
    expectClose([...(result.logSumExp as never as Logits)], decoded(given.logSumExp), label);
    if (given.top > 0)
      expectClose(ofRows(given, result.topLogProbs as never).flat(), floatsOf(given.topLogProbs), label);
  }
});

test('klDivergence: kl_div', () => {
  for (const given of cases.divergence) {
    const inputs = new Inputs(given);
    const [p, q] = [laidOut(given, inputs.logits()), laidOut(given, inputs.logits())];
    const { temperature, axis } = given;
    const result = klDivergence(any(p), any(q), { shape: shapeOf(given), axis, temperature });
    expectClose([...(result as Logits)], decoded(given.divergence), JSON.stringify(given));
  }
});

test('gumbelSoftmax: gumbel_softmax with our uniform numbers behind its noise, soft and hard', () => {
  for (const given of cases.gumbel) {
    const label = JSON.stringify(given);
    const x = any(laidOut(given, new Inputs(given).logits()));
    const { axis, temperature, step, seed } = given;
    const options = { shape: shapeOf(given), axis, temperature, step, seed };
    const soft = ofRows(given, gumbelSoftmax(x, options) as Logits).flat();
    const wanted = floatsOf(given.soft);
    soft.forEach((value, i) => {
      // Noise of float32 is rounded by up to 2^-21 where it is added, and divided by the temperature.
      expect(Math.abs(value - at(wanted, i)), label).toBeLessThan(given.dtype === 'float32' ? 4e-6 : 1e-7);
    });
    const hard = ofRows(given, gumbelSoftmax(x, { ...options, hard: true }) as Logits);
    expect(hard, label).toEqual(
      given.hard.map((own) => Array.from({ length: given.classes }, (_, c) => Number(c === own))),
    );
  }
});
