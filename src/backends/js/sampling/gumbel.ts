// Gumbel-softmax: softmax of logits with noise, whose arg max is a draw by the logits' softmax (Jang, Gu and Poole, 2017;
// Maddison, Mnih and Teh, 2017).

import type { Elements, ScaledRows } from '../../kernels.js';
import type { Randomness } from '../../sampling.js';
import { softmaxRow } from '../forward.js';
import { logitReader, scalings } from '../kernels.js';
import { logScaled } from '../log.js';
import { isDouble, rangeOf, StagedRows } from '../rows.js';
import { uniforms } from './uniforms.js';

/** The logs of 0 and of 1 are none of a Gumbel number. The largest that Philox gives is below 1. */
const least = 2 ** -54;

/** −log(−log u). */
const gumbelOf = (u: number): number => -logScaled(-logScaled(Math.max(u, least), 0), 0);

/** Its number 1, all others 0. The first of the largest. */
function makeHard(out: Float32Array | Float64Array, begin: number, noisy: Float32Array | Float64Array): void {
  let best = 0;
  for (let k = 1; k < noisy.length; k++) if ((noisy[k] as number) > (noisy[best] as number)) best = k;
  for (let k = 0; k < noisy.length; k++) out[begin + k] = k === best ? 1 : 0;
}

/** `rows`: of logits that are divided by the temperature alone. */
export function gumbelRows(
  x: Elements,
  out: Elements,
  rows: ScaledRows,
  scale: number,
  isHard: boolean,
  randomness: Randomness,
): void {
  const reader = logitReader(x, { ...rows, multiplier: scale });
  const writer = new StagedRows(out, rows, 0);
  const scaling = scalings(rows.multiplier, isDouble(x));
  const { length } = rows;
  // What is added is rounded to the logits' type, as the noise of a float32 tensor is.
  const noisy = isDouble(x) ? new Float64Array(length) : new Float32Array(length);
  const { begin, end } = rangeOf(rows);
  for (let r = begin; r < end; r++) {
    reader.read(r);
    writer.start(r);
    const uniform = uniforms(randomness, r, length);
    for (let k = 0; k < length; k++)
      noisy[k] = (reader.values[reader.begin + k] as number) * scale + gumbelOf(uniform(k));
    softmaxRow(noisy, 0, length, scaling(r), writer.values, writer.begin);
    // A row without a distribution stays NaN.
    if (isHard && length > 0 && !Number.isNaN(writer.values[writer.begin]))
      makeHard(writer.values as Float32Array, writer.begin, noisy);
    writer.finish(r);
  }
}
