// sample on the native backend: native code takes float32 rows of the last axis as they are, with the filters that most
// calls have, and leaves rows with too many candidates to JavaScript, as all other calls. The bits are the same.

import { allocateOrThrow } from '../../typed-arrays.js';
import { perRow } from '../js/sampling/adjust.js';
import { sampleRows, sampleSome, uniforms } from '../js/sampling/sample.js';
import type { Rows, ScaledRows } from '../kernels.js';
import type { PerRow, SampleProblem, SamplingKernels } from '../sampling.js';

/** What the kernel takes beside logits and outputs. */
export interface SampleArrays {
  /** struct SampleSettings of native/kernels/sample_candidates.h, one a row. */
  readonly settings: Float64Array;
  /** One a draw. */
  readonly uniforms: Float64Array;
  /** Of each row how many classes were kept; or that it is left to JavaScript. */
  readonly kept: Int32Array;
}

/** sampleLeft of native/kernels/sample.h. */
const left = -2;
/** softmaxSettings of native/kernels/kernel-abi.h. */
const settingsPerRow = 8;

type Run = (problem: SampleProblem, arrays: SampleArrays, rows: ScaledRows) => unknown;

const isAll = (value: PerRow, wanted: number): boolean =>
  typeof value === 'number' ? value === wanted : value.every((each) => each === wanted);

/** Whether native code may take it. */
function isNative(
  { logits, adjustments, filters, top }: Omit<SampleProblem, 'outputs'>,
  { inner, mask }: Rows,
): boolean {
  const { allowed, bias, sparseBias, penalties } = adjustments;
  const changes = allowed ?? bias ?? sparseBias ?? penalties ?? mask;
  const isPlain = logits.dtype === 'float32' && inner === 1 && changes === undefined && top === 0;
  return isPlain && isAll(filters.typicalP, 1) && isAll(filters.topNSigma, 0);
}

function newArrays(rows: number, draws: number): SampleArrays {
  return allocateOrThrow(rows * settingsPerRow + draws, () => ({
    settings: new Float64Array(rows * settingsPerRow),
    uniforms: new Float64Array(draws),
    kept: new Int32Array(rows),
  }));
}

/** Rows and draws of calls that have their arrays one after another: to make new ones takes longer than a short row. */
const fewRows = 64;
const own = newArrays(fewRows, fewRows);

function arraysOf(
  { filters, randomness, count, outputs }: SampleProblem,
  rowCount: number,
  isJob: boolean,
): SampleArrays {
  const { multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies } = filters;
  const isSmall = !isJob && rowCount * count <= fewRows;
  const { settings, uniforms: numbers, kept } = isSmall ? own : newArrays(rowCount, rowCount * count);
  for (let row = 0; row < rowCount; row++) {
    const at = row * settingsPerRow;
    settings[at] = perRow(multiplier, row);
    settings[at + 1] = perRow(topK, row);
    settings[at + 2] = perRow(topP, row);
    settings[at + 3] = perRow(minP, row);
    settings[at + 4] = perRow(minKeep, row);
    settings[at + 5] = isTemperatureLast ? 1 : 0;
    settings[at + 6] = keepsTies ? 1 : 0;
    settings[at + 7] = outputs.kept ? 1 : 0;
    const uniform = uniforms(randomness, row, count);
    for (let i = 0; i < count; i++) numbers[row * count + i] = uniform(i);
  }
  return { settings, uniforms: numbers, kept: outputs.kept ?? kept };
}

export const nativeSampling = (run: Run): SamplingKernels => ({
  isJs: (problem, rows) => !isNative(problem, rows),
  stepsOf(problem, rows, isJob) {
    if (!isNative(problem, rows)) return [sampleRows];
    const arrays = arraysOf(problem, rows.outer * rows.inner, isJob);
    return [
      (_, some) => run(problem, arrays, some),
      (_, some) => sampleSome(problem, some, (row) => arrays.kept[row] === left),
    ];
  },
});
