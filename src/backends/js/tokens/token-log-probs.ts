// tokenLogProbs of rows, as in native/kernels/token_log_probs.h.

import { ElementMemory } from '../../element-memory.js';
import type { ArrayRows, Elements } from '../../kernels.js';
import type { Values } from '../exp.js';
import { logSumExpRow, someLogSoftmax } from '../forward.js';
import { countKept, logitReader, scalings } from '../kernels.js';
import { fill, isDouble, isKept, placeOf, rangeOf, StagedRows } from '../rows.js';
import { canonical } from '../scaling.js';
import { Largest } from './selection.js';
import { signOfRows } from './top-k.js';

/** How many logits are larger than one: NaN is, and nothing is larger than NaN. */
function countAbove(logits: Values, begin: number, length: number, sign: number, limit: number): number {
  if (Number.isNaN(limit)) return 0;
  let count = 0;
  for (let i = begin; i < begin + length; i++) if (!((logits[i] as number) * sign <= limit * sign)) count++;
  return count;
}

export const tokenLogProbsRows: ArrayRows = (arrays, [count, top], rows) => {
  const [x, tokens, logProbs, ranks, logSumExp, topLogProbs, topTokens] = arrays as Elements[];
  const logits = x as Elements;
  const { length, mask } = rows;
  const reader = logitReader(logits, rows);
  const writer = (elements: Elements, places: number) =>
    new StagedRows(elements, { ...rows, length: places, mask: undefined }, 0);
  const [ofTokens, ofTop] = [writer(logProbs as Elements, count), topLogProbs && writer(topLogProbs, top)];
  const sums = new ElementMemory(logSumExp as Elements);
  const scaling = scalings(rows.multiplier, isDouble(logits));
  const sign = signOfRows(rows);
  const largest = new Largest(top);
  const newValues = (size: number): Values =>
    isDouble(logits) ? new Float64Array(size) : new Float32Array(size);
  const some = newValues(Math.max(count, top));
  const tokenOf = (row: number, j: number) => tokens?.data[placeOf(rows, count, row, j)] as number;
  const { begin: first, end } = rangeOf(rows);
  for (let row = first; row < end; row++) {
    reader.read(row);
    const { values: of, begin } = reader;
    sums.set(row, canonical(logSumExpRow(of, begin, length, scaling(row))));

    ofTokens.start(row);
    for (let j = 0; j < count; j++) some[j] = of[begin + tokenOf(row, j)] as number;
    someLogSoftmax(of, begin, length, scaling(row), some, 0, count, ofTokens.values, ofTokens.begin);
    for (let j = 0; j < count; j++) {
      const isDropped = !isKept(mask, row, tokenOf(row, j));
      if (isDropped) ofTokens.values[ofTokens.begin + j] = Number.NEGATIVE_INFINITY;
      (ranks as Elements).data[placeOf(rows, count, row, j)] = isDropped
        ? countKept(rows, row)
        : countAbove(of, begin, length, sign, some[j] as number);
    }
    ofTokens.finish(row);

    if (ofTop === undefined) continue;
    ofTop.start(row);
    const kept = largest.find({ logits: of, begin, length, sign, mask, row });
    for (let j = 0; j < top; j++) {
      const index = largest.indices[j] as number;
      some[j] = of[begin + index] as number;
      (topTokens as Elements).data[placeOf(rows, top, row, j)] = index;
    }
    someLogSoftmax(of, begin, length, scaling(row), some, 0, kept, ofTop.values, ofTop.begin);
    fill(ofTop.values, ofTop.begin + kept, top - kept, Number.NEGATIVE_INFINITY);
    ofTop.finish(row);
  }
};
