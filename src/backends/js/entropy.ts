// The entropy of one row, as in native/kernels/entropy.h.

import { BlockMemory, eachBlock, product, ShiftedLogits } from './distribution.js';
import type { Values } from './exp.js';
import { canonical, type Scaling } from './scaling.js';
import { BlockSums, blockSize } from './tree.js';

const memory = new BlockMemory();
const terms = new Float64Array(blockSize);

/** −Σ p log p, as log S + Σ e · (−d) / S with e = exp(d) and S = Σ e. */
export function entropyRow(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const shifted = new ShiftedLogits(logits, begin, length, scaling, memory);
  if (!shifted.isProper) return Number.NaN;
  const depths = new BlockSums();
  eachBlock(length, (from, count) => {
    shifted.take(from, count);
    setTerms(count);
    depths.add(terms, count);
  });
  const { log, sum } = shifted.normalizer();
  return canonical(log + depths.total() / sum);
}

/** e · (−d) of a block, but of the largest logits nothing. */
function setTerms(count: number): void {
  const { d, e } = memory;
  for (let i = 0; i < count; i++) terms[i] = product(e[i] as number, 0 - (d[i] as number));
}
