// topK of rows, as in native/kernels/top_k.h.

import type { ArrayRows, Elements, ScaledRows } from '../../kernels.js';
import type { Values } from '../exp.js';
import { someLogSoftmax, someSoftmax } from '../forward.js';
import { logitReader, scalings } from '../kernels.js';
import { fill, isDouble, placeOf, rangeOf, StagedRows } from '../rows.js';
import { canonical, signOf } from '../scaling.js';
import { Largest } from './selection.js';

/** Their places are numbers of native/kernels/top_k.h. */
export const placeValues = ['logits', 'probabilities', 'logProbabilities'] as const;

/** Of all rows. */
export const signOfRows = ({ multiplier }: ScaledRows): number =>
  signOf(typeof multiplier === 'number' ? multiplier : (multiplier[0] ?? 1));

export const topKRows: ArrayRows = ([x, values, indices], [k, which], rows) => {
  const { length, mask } = rows;
  const logits = x as Elements;
  const reader = logitReader(logits, rows);
  const writer = new StagedRows(values as Elements, { ...rows, length: k, mask: undefined }, 0);
  const scaling = scalings(rows.multiplier, isDouble(logits));
  const sign = signOfRows(rows);
  const largest = new Largest(k);
  const some: Values = isDouble(logits) ? new Float64Array(k) : new Float32Array(k);
  const { begin: first, end } = rangeOf(rows);
  for (let row = first; row < end; row++) {
    reader.read(row);
    writer.start(row);
    const { values: of, begin } = reader;
    const kept = largest.find({ logits: of, begin, length, sign, mask, row });
    for (let j = 0; j < k; j++) {
      const index = largest.indices[j] as number;
      some[j] = of[begin + index] as number;
      (indices as Elements).data[placeOf(rows, k, row, j)] = index;
    }
    const [to, at] = [writer.values, writer.begin];
    if (which === 0) for (let j = 0; j < kept; j++) to[at + j] = canonical(some[j] as number);
    else if (which === 1) someSoftmax(of, begin, length, scaling(row), some, kept, to, at);
    else someLogSoftmax(of, begin, length, scaling(row), some, 0, kept, to, at);
    fill(to, at + kept, k - kept, which === 1 ? 0 : Number.NEGATIVE_INFINITY);
    writer.finish(row);
  }
};
