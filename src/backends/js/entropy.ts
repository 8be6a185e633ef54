// The entropy of one row, as in native/kernels/entropy.h.

import { Normalizer, product, ShiftedLogits, smallestNormal } from './distribution.js';
import { exponentials, singleExponential, type Values } from './exp.js';
import { isHuge, Reference } from './reference.js';
import { canonical, type Scaling } from './scaling.js';
import { blockSize, termSum } from './tree.js';

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);
const reference = new Reference();

/** −Σ p log p, as log S + Σ e · (−d) / S with e = exp(d) and S = Σ e. */
export function entropyRow(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const shifted = new ShiftedLogits(logits, begin, length, scaling);
  const { top } = shifted;
  if (!shifted.isProper) return Number.NaN;
  reference.measure(top, scaling, isHuge(top, scaling));
  const ofTop = singleExponential(top / scaling.sign, scaling, reference);
  const values = scaling.isDouble ? doubleScratch : floatScratch;
  // A count is the same in any order.
  let largest = 0;
  const below = termSum(length, (terms, from, count) => {
    exponentials(logits, begin + from, count, scaling, reference, values, 0);
    for (let i = 0; i < count; i++) {
      const isLargest = -shifted.at(from + i) < smallestNormal;
      if (isLargest) largest++;
      terms[i] = isLargest ? 0 : (values[i] as number);
    }
  });
  const depth = termSum(length, (terms, from, count) => {
    exponentials(logits, begin + from, count, scaling, reference, values, 0);
    for (let i = 0; i < count; i++) terms[i] = product(values[i] as number, 0 - shifted.at(from + i));
  });
  const { log, sum } = new Normalizer(largest, below / ofTop);
  return canonical(log + depth / ofTop / sum);
}
