// The entropy of one row, as in native/kernels/entropy.h.

import { eachBlock, isProper, Normalizer, product, shiftedLogit, smallestNormal } from './distribution.js';
import { exponentials, singleExponential, type Values } from './exp.js';
import { isHuge, Reference } from './reference.js';
import { rowMaximum } from './row-sum.js';
import { canonical, type Scaling } from './scaling.js';
import { BlockSums, blockSize } from './tree.js';

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);
const depths = new Float64Array(blockSize);
const others = new Float64Array(blockSize);
const reference = new Reference();

/** Whether d is of one of the largest logits. */
const isLargest = (d: number): boolean => -d < smallestNormal;

/** −Σ p log p, as log S + Σ e · (−d) / S with e = exp(d) and S = Σ e. */
export function entropyRow(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const top = rowMaximum(logits, begin, length, scaling);
  if (!isProper(top, scaling)) return Number.NaN;
  reference.measure(top, scaling, isHuge(top, scaling));
  const ofTop = singleExponential(top / scaling.sign, scaling, reference);
  const values = scaling.isDouble ? doubleScratch : floatScratch;
  // A count is the same in any order.
  let largest = 0;
  const below = new BlockSums();
  const depth = new BlockSums();
  eachBlock(length, (from, count) => {
    exponentials(logits, begin + from, count, scaling, reference, values, 0);
    largest += setTerms(logits, begin + from, count, top, scaling, values);
    below.add(others, count);
    depth.add(depths, count);
  });
  const { log, sum } = new Normalizer(largest, below.total() / ofTop);
  return canonical(log + depth.total() / ofTop / sum);
}

/** e · (−d), and e, but 0 for the largest. Returns how many of them there are. */
function setTerms(
  logits: Values,
  begin: number,
  count: number,
  top: number,
  scaling: Scaling,
  exponentials: Values,
): number {
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const d = shiftedLogit(logits[begin + i] as number, top, scaling);
    const e = exponentials[i] as number;
    const isTop = isLargest(d);
    if (isTop) largest++;
    others[i] = isTop ? 0 : e;
    depths[i] = product(e, 0 - d);
  }
  return largest;
}
