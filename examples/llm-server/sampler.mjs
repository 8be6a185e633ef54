// The tokens of one step: all rows in one call, each with its own settings, seed and step.

import { sample, sampleAsync } from 'softmax-native';

/** Up to so many logits are sampled at once: it takes less than 0.1 ms, about what a way to another thread costs. */
const few = 2 ** 16;

/**
 * Of logits [rows, classes], which it takes away: a token a row, and what was asked for of its log-probabilities, which
 * are those of the logits as given (vLLM's raw_logprobs). A row is a sequence of batch.mjs.
 */
export async function sampleRows(logits, classes, rows) {
  const of = (name) => rows.map(({ settings }) => settings[name]);
  const isFew = logits.length <= few;
  const top = Math.max(...rows.map((row) => row.top ?? -1));
  const { tokens, rawLogProbs, topTokens, topLogProbs } = await (isFew ? sample : sampleAsync)(logits, {
    shape: [rows.length, classes],
    temperature: of('temperature'),
    topK: of('topK'),
    topP: of('topP'),
    minP: of('minP'),
    bias: biasOf(rows),
    penalties: penaltiesOf(rows),
    // A seed a row: what others do in the same step changes nothing. A request's choices are steps far apart.
    seed: rows.map(({ seed }) => seed),
    step: rows.map(({ choice, tokens }) => choice * 2 ** 32 + tokens.length),
    top: Math.max(0, top),
    ...(!isFew && { transfer: true }),
    // What no place is given for is not computed.
    ...(top < 0 && { out: { tokens: new Int32Array(rows.length) } }),
  });
  return rows.map((row, r) => ({
    token: tokens[r],
    logProb: rawLogProbs?.[r],
    top: Array.from({ length: row.top ?? 0 }, (_, i) => ({
      token: topTokens[r * top + i],
      logProb: topLogProbs[r * top + i],
    })),
  }));
}

/** Some numbers a row: all of them, and where each row's begin. */
function ragged(rows, listOf) {
  const lists = rows.map(listOf);
  const offsets = new Int32Array(rows.length + 1);
  for (const [row, { length }] of lists.entries()) offsets[row + 1] = offsets[row] + length;
  return { all: lists.flat(), offsets };
}

function biasOf(rows) {
  const { all, offsets } = ragged(rows, ({ settings }) => settings.bias);
  if (all.length === 0) return undefined;
  return { indices: all.map(({ token }) => token), values: all.map(({ value }) => value), offsets };
}

function penaltiesOf(rows) {
  if (rows.every(({ settings }) => settings.frequency === 0 && settings.presence === 0)) return undefined;
  const { all, offsets } = ragged(rows, ({ tokens }) => tokens);
  const of = (name) => rows.map(({ settings }) => settings[name]);
  return { tokens: Int32Array.from(all), offsets, frequency: of('frequency'), presence: of('presence') };
}
