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

function arraysOf({ filters, randomness, count, outputs }: SampleProblem, rowCount: number): SampleArrays {
  const { multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies } = filters;
  const [settings, numbers] = allocateOrThrow(rowCount * (settingsPerRow + count), () => [
    new Float64Array(rowCount * settingsPerRow),
    new Float64Array(rowCount * count),
  ]);
  for (let row = 0; row < rowCount; row++) {
    const at = row * settingsPerRow;
    settings[at] = perRow(multiplier, row);
    settings[at + 1] = perRow(topK, row);
    settings[at + 2] = perRow(topP, row);
    settings[at + 3] = perRow(minP, row);
    settings[at + 4] = perRow(minKeep, row);
    settings[at + 5] = isTemperatureLast ? 1 : 0;
    settings[at + 6] = keepsTies ? 1 : 0;
    const uniform = uniforms(randomness, row, count);
    for (let i = 0; i < count; i++) numbers[row * count + i] = uniform(i);
  }
  return { settings, uniforms: numbers, kept: outputs.kept ?? new Int32Array(rowCount) };
}

export const nativeSampling = (run: Run): SamplingKernels => ({
  isJs: (problem, rows) => !isNative(problem, rows),
  stepsOf(problem, rows) {
    if (!isNative(problem, rows)) return [sampleRows];
    const arrays = arraysOf(problem, rows.outer * rows.inner);
    return [
      (_, some) => run(problem, arrays, some),
      (_, some) => sampleSome(problem, some, (row) => arrays.kept[row] === left),
    ];
  },
});
