// sample in WebAssembly: the module has the filters that most calls have. It takes float32 rows of the last axis where they
// are, as a batch; of other calls, one row after another as it is once it is read and adjusted. Rows with too many
// candidates, and all else, are for JavaScript. The bits are the same.

import { partOf } from '../../typed-arrays.js';
import { StagedRows } from '../js/rows.js';
import { adjustRow, changesLogits } from '../js/sampling/adjust.js';
import { sampleRows, sampleSome } from '../js/sampling/sample.js';
import type { Rows, ScaledRows } from '../kernels.js';
import { leftToJs, settingsPerRow } from '../plain-tokens.js';
import { type Beside, besideOf } from '../sample-beside.js';
import type { PerRow, SampleProblem, SamplingKernels } from '../sampling.js';

/** The arrays of the kernel, as native/operations.h has them. */
export interface SampleArrays extends Beside {
  readonly logits: Float32Array;
  /** As they were given; undefined: these are. */
  readonly raw: Float32Array | undefined;
  readonly tokens: Int32Array;
  readonly logProbs: Float32Array | undefined;
  readonly rawLogProbs: Float32Array | undefined;
}

type Run = (arrays: SampleArrays, count: number, rows: ScaledRows) => unknown;

const isAll = (value: PerRow, wanted: number): boolean =>
  typeof value === 'number' ? value === wanted : value.every((each) => each === wanted);

/** Whether the module has the filters, and what is asked for. */
const hasKernel = ({ logits, filters, top }: Omit<SampleProblem, 'outputs'>): boolean =>
  logits.dtype !== 'float64' && top === 0 && isAll(filters.typicalP, 1) && isAll(filters.topNSigma, 0);

/** Whether it can take the rows where they are. */
const isDirect = ({ logits, adjustments }: Omit<SampleProblem, 'outputs'>, rows: Rows): boolean =>
  logits.dtype === 'float32' && rows.inner === 1 && !changesLogits(adjustments, rows);

/** Shorter rows take no longer in JavaScript than what there is around a call of the kernel. */
const shortestAlone = 256;

function arraysOf({ logits, outputs }: SampleProblem, beside: Beside): SampleArrays {
  const { tokens, logProbs, rawLogProbs } = outputs as typeof outputs & SampleArrays;
  return { ...beside, logits: logits.data as Float32Array, raw: undefined, tokens, logProbs, rawLogProbs };
}

const part = <Values extends Float32Array | Float64Array | Int32Array>(
  values: Values | undefined,
  row: number,
  each: number,
): Values | undefined => values && partOf(values, row * each, each);

/** Reads, adjusts and samples one row after another. */
function sampleEach(run: Run, problem: SampleProblem, whole: SampleArrays, rows: ScaledRows): void {
  const { logits, adjustments, count } = problem;
  const { length } = rows;
  const reader = new StagedRows(logits, { ...rows, mask: undefined }, 0);
  const copy = changesLogits(adjustments, rows) ? new Float32Array(length) : undefined;
  const one: ScaledRows = { outer: 1, length, inner: 1, mask: undefined, multiplier: 1 };
  for (let row = 0; row < rows.outer * rows.inner; row++) {
    reader.read(row);
    const raw = partOf(reader.values as Float32Array, reader.begin, length);
    if (copy) {
      for (let k = 0; k < length; k++) copy[k] = raw[k] as number;
      adjustRow(copy, adjustments, rows, row);
    }
    const arrays = {
      logits: copy ?? raw,
      raw: copy && raw,
      settings: part(whole.settings, row, settingsPerRow),
      uniforms: part(whole.uniforms, row, count),
      tokens: part(whole.tokens, row, count),
      kept: part(whole.kept, row, 1),
      logProbs: part(whole.logProbs, row, count),
      rawLogProbs: part(whole.rawLogProbs, row, count),
    };
    run(arrays as SampleArrays, count, one);
  }
}

export const wasmSampling = (run: Run): SamplingKernels => ({
  isJs: (problem, rows) => !(hasKernel(problem) && isDirect(problem, rows)),
  stepsOf(problem, rows, isJob) {
    // A job must not read and adjust rows on the thread of the event loop.
    const isWhole = isDirect(problem, rows);
    const mayBeAlone = !isJob && rows.length >= shortestAlone;
    if (!hasKernel(problem) || !(isWhole || mayBeAlone)) return [sampleRows];
    const arrays = arraysOf(problem, besideOf(problem, rows.outer * rows.inner, isJob));
    return [
      isWhole
        ? (_, some) => run(arrays, problem.count, some)
        : (_, some) => sampleEach(run, problem, arrays, some),
      (_, some) => sampleSome(problem, some, (row) => arrays.kept[row] === leftToJs),
    ];
  },
});
