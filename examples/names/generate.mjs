// New names: all of them grow together, a letter a step, by one call of sample.

import { alphabet, end } from './data.mjs';
import { computeLogits, context } from './model.mjs';

const mostLetters = 20;

/**
 * The tokens of `count` names, and the log-probability that each was drawn with. Each name has a seed of its own, and the
 * letter's place is the step: so a name is the same whatever others are drawn beside it.
 */
export function generate({ sample }, model, { count, temperature, topP, seed }) {
  const names = Array.from({ length: count }, (_, i) => ({ seed: seed + i, tokens: [], logProbs: [] }));
  for (let growing = names, step = 0; growing.length > 0 && step < mostLetters; step++) {
    const contexts = contextsOf(growing.map(({ tokens }) => tokens));
    const { tokens, logProbs } = sample(computeLogits(model, contexts).logits, {
      shape: [growing.length, alphabet.length],
      temperature,
      topP,
      seed: growing.map((name) => name.seed),
      step,
    });
    for (const [row, name] of growing.entries()) {
      name.tokens.push(tokens[row]);
      name.logProbs.push(logProbs[row]);
    }
    growing = growing.filter((name) => name.tokens.at(-1) !== end);
  }
  return names;
}

/** The last few tokens of each row, padded with ends; of those only what comes after the last end. */
export function contextsOf(rows) {
  const contexts = new Uint8Array(rows.length * context);
  for (const [row, tokens] of rows.entries()) {
    const last = tokens.slice(Math.max(0, tokens.length - context));
    const name = last.slice(last.lastIndexOf(end) + 1);
    contexts.set(name, (row + 1) * context - name.length);
  }
  return contexts;
}
