// Gumbel-softmax: softmax of logits with noise, whose arg max is a draw by the logits' softmax (Jang, Gu and Poole, 2017;
// Maddison, Mnih and Teh, 2017).

import { ElementMemory } from '../../element-memory.js';
import type { ArrayRows, Elements, Rows } from '../../kernels.js';
import { logScaled } from '../log.js';
import { placeOf, rangeOf, StagedRows } from '../rows.js';
import { type Draw, uniformOf } from './philox.js';

/** Of any typed array. 0 has the same bits in all formats. */
const { fill } = Float32Array.prototype;

/** struct DrawKey of native/kernels/gumbel_noise.h: so many numbers a row. */
export const drawNumbers = 5;

/** The logs of 0 and of 1 are none of a Gumbel number. The largest that Philox gives is below 1. */
const least = 2 ** -54;

/** −log(−log u). */
const gumbelOf = (u: number): number => -logScaled(-logScaled(Math.max(u, least), 0), 0);

/** Writes what a row draws to where it has its place. */
export function writeDraw(draws: Float64Array, row: number, draw: Draw): void {
  const { seedLow, seedHigh, stepLow, stepHigh } = draw;
  [seedLow, seedHigh, stepLow, stepHigh, draw.row].forEach((number, i) => {
    draws[row * drawNumbers + i] = number;
  });
}

/** (x, draws, out); numbers: drawNumbers, the scale. What is added is rounded to the type of `out`. */
export const gumbelNoiseRows: ArrayRows = ([x, draws, out], [, scale], rows) => {
  const unmasked = { ...rows, mask: undefined };
  const reader = new StagedRows(x as Elements, unmasked, 0);
  const writer = new StagedRows(out as Elements, unmasked, 0);
  const keys = (draws as Elements).data as Float64Array;
  const { begin, end } = rangeOf(rows);
  for (let r = begin; r < end; r++) {
    const [seedLow, seedHigh, stepLow, stepHigh, row] = keys.slice(r * drawNumbers, (r + 1) * drawNumbers);
    const draw = { seedLow, seedHigh, stepLow, stepHigh, row } as Draw;
    reader.read(r);
    writer.start(r);
    for (let k = 0; k < rows.length; k++)
      writer.values[writer.begin + k] =
        (reader.values[reader.begin + k] as number) * scale + gumbelOf(uniformOf(draw, k));
    writer.finish(r);
  }
};

/** Makes rows of probabilities 1 at `found`, 0 elsewhere. A row without a distribution stays NaN. */
export function makeHardRows(elements: Elements, found: Int32Array, rows: Rows): void {
  const { begin, end } = rangeOf(rows);
  const { length } = rows;
  const out = new ElementMemory(elements);
  for (let row = begin; row < end; row++) {
    const best = found[row] as number;
    if (best < 0 || Number.isNaN(out.get(placeOf(rows, length, row, best)))) continue;
    if (rows.inner === 1) fill.call(out.data, 0, row * length, (row + 1) * length);
    else for (let k = 0; k < length; k++) out.set(placeOf(rows, length, row, k), 0);
    out.set(placeOf(rows, length, row, best), 1);
  }
}
