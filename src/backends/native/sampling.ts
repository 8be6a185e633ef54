// sample on the native backend: rows of any type and layout, with all that changes their logits. Rows with too many
// candidates are for JavaScript. The tokens are the same.

import { allocateOrThrow, bufferOf, isShared } from '../../typed-arrays.js';
import { changesLogits, perRow } from '../js/sampling/adjust.js';
import { sampleRows, sampleSome } from '../js/sampling/sample.js';
import type { Elements, RowResults, Rows, ScaledRows } from '../kernels.js';
import { leftToJs, writeChanges, writeMoreFilters } from '../plain-tokens.js';
import { type Beside, besideOf } from '../sample-beside.js';
import type { Adjustments, Penalties, SampleProblem, SamplingKernels } from '../sampling.js';

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
  /** These are float64 where logits are, else float32. */
  readonly logProbs: RowResults | undefined;
  readonly rawLogProbs: RowResults | undefined;
  readonly bias: Elements | undefined;
  readonly allowed: Int32Array | Uint32Array | undefined;
  readonly edits: Edits | undefined;
  readonly topTokens: Int32Array | undefined;
  readonly topLogProbs: RowResults | undefined;
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
  { allowed, sparseBias, penalties }: Adjustments,
  settings: Float64Array,
  rowCount: number,
  isJob: boolean,
): Edits | undefined {
  const ofPenalties = penalties ? (penalties.offsets[rowCount] as number) : 0;
  const count = ofPenalties + (sparseBias ? sparseBias.indices.length : 0);
  const edits = count > 0 ? editsFor(count, isJob) : undefined;
  if (penalties && edits) writePenalties(penalties, edits, rowCount);
  if (sparseBias && edits) {
    const { indices, values } = sparseBias;
    for (let i = 0; i < indices.length; i++)
      writeEdit(edits, ofPenalties + i, indices[i] as number, 1, values[i] as number);
  }
  for (let row = 0; row < rowCount; row++) {
    const [first, last] = rangeIn(penalties?.offsets, row, ofPenalties);
    const [firstBias, lastBias] = rangeIn(sparseBias?.offsets, row, count - ofPenalties);
    const firstAllowed = allowed ? row * allowed.step : 0;
    writeChanges(settings, row, first, last, ofPenalties + firstBias, ofPenalties + lastBias, firstAllowed);
  }
  return edits;
}

/** Without offsets, all of a list are each row's. */
const rangeIn = (offsets: Float64Array | undefined, row: number, count: number): [number, number] =>
  offsets ? [offsets[row] as number, offsets[row + 1] as number] : [0, count];

function writeEdit(
  { tokens, numbers }: Edits,
  at: number,
  token: number,
  repetition: number,
  addend: number,
): void {
  tokens[at] = token;
  numbers[2 * at] = repetition;
  numbers[2 * at + 1] = addend;
}

function writePenalties(
  { tokens, counts, offsets, repetition, frequency, presence }: Penalties,
  edits: Edits,
  rowCount: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const [divisor, each, once] = [perRow(repetition, row), perRow(frequency, row), perRow(presence, row)];
    for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++)
      writeEdit(edits, i, tokens[i] as number, divisor, -(each * (counts[i] as number) + once));
  }
}

function writeFilters(problem: SampleProblem, settings: Float64Array, rowCount: number): void {
  const { filters, isTopRaw, logits } = problem;
  const { typicalP, topNSigma } = filters;
  const shared = isShared(bufferOf(logits.data));
  for (let row = 0; row < rowCount; row++)
    writeMoreFilters(settings, row, perRow(typicalP, row), perRow(topNSigma, row), isTopRaw, shared);
}

function arraysOf(problem: SampleProblem, rowCount: number, isJob: boolean): SampleArrays {
  const { logits, adjustments, top, outputs } = problem;
  const { settings, uniforms, kept } = besideOf(problem, rowCount, isJob);
  writeFilters(problem, settings, rowCount);
  const { bias, allowed } = adjustments;
  const isDouble = logits.dtype === 'float64';
  const wantsTop = (outputs.topTokens ?? outputs.topLogProbs) !== undefined;
  const places = rowCount * top;
  // The kernel has both or none.
  const newTop = <T>(make: () => T): T | undefined => (wantsTop ? allocateOrThrow(places, make) : undefined);
  // A spread would take a microsecond.
  return {
    settings,
    uniforms,
    kept,
    logits,
    tokens: outputs.tokens,
    logProbs: outputs.logProbs,
    rawLogProbs: outputs.rawLogProbs,
    bias,
    allowed: allowed?.words,
    edits: writeEdits(adjustments, settings, rowCount, isJob),
    topTokens: outputs.topTokens ?? newTop(() => new Int32Array(places)),
    topLogProbs: outputs.topLogProbs ?? newTop(() => newResults(places, isDouble)),
  };
}

const newResults = (count: number, isDouble: boolean): RowResults =>
  isDouble ? new Float64Array(count) : new Float32Array(count);

/** SampleMemory::longestRow of native/kernels/sample_call.h. */
const longestCopied = { float64: 48 * 4096, others: 64 * 4096 };

/** Whether no row can be computed by the kernel. */
function isForJs({ logits, adjustments, filters }: Omit<SampleProblem, 'outputs'>, rows: Rows): boolean {
  const isDouble = logits.dtype === 'float64';
  if (rows.length <= (isDouble ? longestCopied.float64 : longestCopied.others)) return false;
  const isDirect =
    (isDouble || logits.dtype === 'float32') && rows.inner === 1 && !isShared(bufferOf(logits.data));
  return !isDirect || changesLogits(adjustments, rows) || filters.typicalP !== 1;
}

export const nativeSampling = (run: Run): SamplingKernels => ({
  isJs: isForJs,
  stepsOf(problem, rows, isJob) {
    if (isForJs(problem, rows)) return [sampleRows];
    const arrays = arraysOf(problem, rows.outer * rows.inner, isJob);
    return [
      (_, some) => run(arrays, problem, some),
      (_, some) => sampleSome(problem, some, (row) => arrays.kept[row] === leftToJs),
    ];
  },
});
