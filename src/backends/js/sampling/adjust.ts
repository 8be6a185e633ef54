// What penalties, bias and masks make of a row's logits.

import { ElementMemory } from '../../element-memory.js';
import type { Rows } from '../../kernels.js';
import type { Adjustments, PerRow } from '../../sampling.js';
import type { Values } from '../exp.js';

export const perRow = (value: PerRow, row: number): number =>
  typeof value === 'number' ? value : (value[row] as number);

const { NEGATIVE_INFINITY: negativeInfinity } = Number;

export const changesLogits = (
  { allowed, bias, sparseBias, penalties }: Adjustments,
  { mask }: Rows,
): boolean => (allowed ?? bias ?? sparseBias ?? penalties ?? mask) !== undefined;

/** Changes the logits of a row, each step rounded to their type. */
export function adjustRow(values: Values, adjustments: Adjustments, rows: Rows, row: number): void {
  penalize(values, adjustments, row);
  addBias(values, adjustments, rows.length, row);
  dropMasked(values, adjustments, rows, row);
}

/**
 * Repetition as in Hugging Face's RepetitionPenaltyLogitsProcessor, then frequency and presence as OpenAI has them; in this
 * order in vLLM and llama.cpp, too. −Infinity stays that.
 */
function penalize(values: Values, { penalties }: Adjustments, row: number): void {
  if (penalties === undefined) return;
  const { tokens, counts, offsets } = penalties;
  const repetition = perRow(penalties.repetition, row);
  const frequency = perRow(penalties.frequency, row);
  const presence = perRow(penalties.presence, row);
  for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
    const token = tokens[i] as number;
    const logit = values[token] as number;
    values[token] = logit > 0 ? logit / repetition : logit * repetition;
    values[token] = (values[token] as number) - (frequency * (counts[i] as number) + presence);
  }
}

function addBias(values: Values, { bias, sparseBias }: Adjustments, length: number, row: number): void {
  if (bias) {
    const memory = new ElementMemory(bias);
    for (let k = 0; k < length; k++) values[k] = (values[k] as number) + memory.get(k);
  }
  if (sparseBias === undefined) return;
  const { indices, values: addends, offsets } = sparseBias;
  const begin = offsets ? (offsets[row] as number) : 0;
  const end = offsets ? (offsets[row + 1] as number) : indices.length;
  for (let i = begin; i < end; i++) {
    const token = indices[i] as number;
    values[token] = (values[token] as number) + (addends[i] as number);
  }
}

function dropMasked(values: Values, { allowed }: Adjustments, { mask, length }: Rows, row: number): void {
  if (allowed) {
    const { words, step } = allowed;
    const first = row * step;
    for (let k = 0; k < length; k++)
      if ((((words[first + (k >>> 5)] as number) >>> (k & 31)) & 1) === 0) values[k] = negativeInfinity;
  }
  if (mask === undefined) return;
  const { data, step } = mask;
  let at = mask.offsets[row] as number;
  for (let k = 0; k < length; k++, at += step) if (data[at] === 0) values[k] = negativeInfinity;
}
