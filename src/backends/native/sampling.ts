// sample on the native backend: rows of any layout with all that changes their logits, but for float64. Rows with too many
// candidates are for JavaScript, too. The bits are the same.

import { allocateOrThrow } from '../../typed-arrays.js';
import { perRow } from '../js/sampling/adjust.js';
import { sampleRows, sampleSome } from '../js/sampling/sample.js';
import type { Elements, Rows, ScaledRows } from '../kernels.js';
import { leftToJs, writeMoreSettings } from '../plain-tokens.js';
import { type Beside, besideOf } from '../sample-beside.js';
import type { SampleProblem, SamplingKernels } from '../sampling.js';

/** Changes of single logits: struct SampleCall of native/kernels/sample_call.h. */
interface Edits {
  readonly tokens: Int32Array;
  /** Two an edit: what a logit above 0 is divided by, and others multiplied; what is then added. */
  readonly numbers: Float64Array;
}

/** The arrays of the kernel, as native/operations.h has them. */
export interface SampleArrays extends Beside {
  readonly logits: Elements;
  readonly tokens: Int32Array;
  readonly logProbs: Float32Array | undefined;
  readonly rawLogProbs: Float32Array | undefined;
  readonly bias: Elements | undefined;
  readonly allowed: Int32Array | Uint32Array | undefined;
  readonly edits: Edits | undefined;
  readonly topTokens: Int32Array | undefined;
  readonly topLogProbs: Float32Array | undefined;
}

type Run = (arrays: SampleArrays, problem: SampleProblem, rows: ScaledRows) => unknown;

const newEdits = (count: number): Edits =>
  allocateOrThrow(3 * count, () => ({ tokens: new Int32Array(count), numbers: new Float64Array(2 * count) }));

/** Calls that have theirs one after another have no more of these: a context of some thousand tokens. */
const mostOwn = 2 ** 16;
let own = newEdits(64);

function editsFor(count: number, isJob: boolean): Edits {
  if (isJob || count > mostOwn) return newEdits(count);
  if (own.tokens.length < count) own = newEdits(2 * count);
  return own;
}

/** Writes the edits of each row, and which they are; undefined if there are none. */
function writeEdits(
  { adjustments, filters, isTopRaw }: SampleProblem,
  settings: Float64Array,
  rowCount: number,
  isJob: boolean,
): Edits | undefined {
  const { allowed, sparseBias, penalties } = adjustments;
  // Without penalties, a bias of all rows is there once.
  const isBiasShared = sparseBias !== undefined && sparseBias.offsets === undefined;
  const biases = sparseBias ? sparseBias.indices.length : 0;
  const ofPenalties = penalties ? (penalties.offsets[rowCount] as number) : 0;
  const count = ofPenalties + (isBiasShared && penalties ? rowCount * biases : biases);
  const edits = count > 0 ? editsFor(count, isJob) : undefined;
  let end = 0;
  const add = (token: number, repetition: number, addend: number) => {
    const { tokens, numbers } = edits as Edits;
    tokens[end] = token;
    numbers[2 * end] = repetition;
    numbers[2 * end + 1] = addend;
    end++;
  };
  for (let row = 0; row < rowCount; row++) {
    let first = end;
    if (penalties) {
      const repetition = perRow(penalties.repetition, row);
      const frequency = perRow(penalties.frequency, row);
      const presence = perRow(penalties.presence, row);
      const { tokens, counts, offsets } = penalties;
      for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++)
        add(tokens[i] as number, repetition, -(frequency * (counts[i] as number) + presence));
    }
    if (sparseBias && isBiasShared && row > 0 && !penalties) {
      first = 0;
    } else if (sparseBias) {
      const { indices, values, offsets } = sparseBias;
      const last = offsets ? (offsets[row + 1] as number) : biases;
      for (let i = offsets ? (offsets[row] as number) : 0; i < last; i++)
        add(indices[i] as number, 1, values[i] as number);
    }
    const { typicalP, topNSigma } = filters;
    const firstAllowed = allowed ? row * allowed.step : 0;
    const [typical, sigmas] = [perRow(typicalP, row), perRow(topNSigma, row)];
    writeMoreSettings(settings, row, typical, sigmas, first, end, firstAllowed, isTopRaw);
  }
  return edits;
}

function arraysOf(problem: SampleProblem, rowCount: number, isJob: boolean): SampleArrays {
  const { logits, adjustments, top, outputs } = problem;
  const { settings, uniforms, kept } = besideOf(problem, rowCount, isJob);
  const { bias, allowed } = adjustments;
  const wantsTop = (outputs.topTokens ?? outputs.topLogProbs) !== undefined;
  const places = rowCount * top;
  // The kernel has both or none.
  const newTop = <T>(make: () => T): T | undefined => (wantsTop ? allocateOrThrow(places, make) : undefined);
  // Without a spread, which takes a microsecond.
  return {
    settings,
    uniforms,
    kept,
    logits,
    tokens: outputs.tokens,
    logProbs: outputs.logProbs as Float32Array | undefined,
    rawLogProbs: outputs.rawLogProbs as Float32Array | undefined,
    bias,
    allowed: allowed?.words,
    edits: writeEdits(problem, settings, rowCount, isJob),
    topTokens: outputs.topTokens ?? newTop(() => new Int32Array(places)),
    topLogProbs: (outputs.topLogProbs as Float32Array | undefined) ?? newTop(() => new Float32Array(places)),
  };
}

export const nativeSampling = (run: Run): SamplingKernels => ({
  isJs: ({ logits }) => logits.dtype === 'float64',
  stepsOf(problem, rows: Rows, isJob) {
    if (problem.logits.dtype === 'float64') return [sampleRows];
    const arrays = arraysOf(problem, rows.outer * rows.inner, isJob);
    return [
      (_, some) => run(arrays, problem, some),
      (_, some) => sampleSome(problem, some, (row) => arrays.kept[row] === leftToJs),
    ];
  },
});
