// What the sampling kernel takes beside logits and outputs: the settings of each row, and its uniform numbers.

import { allocateOrThrow } from '../typed-arrays.js';
import { perRow } from './js/sampling/adjust.js';
import { writeUniforms } from './js/sampling/uniforms.js';
import { settingsPerRow, writeSettings } from './plain-tokens.js';
import type { SampleProblem } from './sampling.js';

export interface Beside {
  /** What writeSettings writes. */
  readonly settings: Float64Array;
  /** One a draw. */
  readonly uniforms: Float64Array;
  /** Of each row how many classes were kept; or that it is left to JavaScript. */
  readonly kept: Int32Array;
}

function newBeside(rows: number, draws: number): Beside {
  return allocateOrThrow(rows * settingsPerRow + draws, () => ({
    settings: new Float64Array(rows * settingsPerRow),
    uniforms: new Float64Array(draws),
    kept: new Int32Array(rows),
  }));
}

/** Rows and draws of calls that have their arrays one after another: to make new ones takes longer than a short row. */
const fewRows = 64;
const own = newBeside(fewRows, fewRows);

/** `isJob`: it is read later, and there are calls between. */
export function besideOf(problem: SampleProblem, rowCount: number, isJob: boolean): Beside {
  const { filters, randomness, count, outputs } = problem;
  const { multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies } = filters;
  const isSmall = !isJob && rowCount * count <= fewRows;
  const beside = isSmall ? own : newBeside(rowCount, rowCount * count);
  const { settings, uniforms: numbers } = beside;
  for (let row = 0; row < rowCount; row++) {
    writeSettings(
      settings,
      row,
      perRow(multiplier, row),
      perRow(topK, row),
      perRow(topP, row),
      perRow(minP, row),
      perRow(minKeep, row),
      isTemperatureLast,
      keepsTies,
      outputs.kept !== undefined,
    );
    writeUniforms(randomness, row, count, numbers);
  }
  return { settings, uniforms: numbers, kept: outputs.kept ?? beside.kept };
}
