// sample of rows: penalties, bias, masks, filters, draws.

import type { RowResults, Rows } from '../../kernels.js';
import type { Filters, SampleProblem, SampleRows } from '../../sampling.js';
import type { Values } from '../exp.js';
import { isDouble, rangeOf, StagedRows } from '../rows.js';
import { type Scaling, scalingOf } from '../scaling.js';
import { termSum } from '../tree.js';
import { adjustRow, changesLogits, perRow } from './adjust.js';
import { type LogProbability, logProbabilityOf } from './log-probability.js';
import { boundOfLargest, Survivors } from './survivors.js';
import { uniforms } from './uniforms.js';

const { NaN: nan, NEGATIVE_INFINITY: negativeInfinity, POSITIVE_INFINITY: infinity } = Number;

/** The largest element; NaN if there is a NaN or +Infinity, −Infinity if there is nothing else. */
function properMaximum(values: Values, begin: number, length: number): number {
  let top = negativeInfinity;
  for (let i = begin; i < begin + length; i++) {
    const logit = values[i] as number;
    if (!(logit < infinity)) return nan;
    if (logit > top) top = logit;
  }
  return top;
}

const finiteCount = (values: Values, begin: number, length: number): number => {
  let count = 0;
  for (let i = begin; i < begin + length; i++) if (values[i] !== negativeInfinity) count++;
  return count;
};

/** Σ of what `of` makes of the finite logits. */
const sumOver = (values: Values, begin: number, length: number, of: (logit: number) => number): number =>
  termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) {
      const logit = values[begin + from + i] as number;
      terms[i] = logit === negativeInfinity ? 0 : of(logit);
    }
  });

/** A power of two that keeps the squares of float64 logits in the range of float64. */
function unitOf(values: Values, begin: number, length: number): number {
  let largest = 0;
  for (let i = begin; i < begin + length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > largest && size < infinity) largest = size;
  }
  return largest > 2 ** 500 ? 2 ** -600 : largest < 2 ** -400 ? 2 ** 600 : 1;
}

/** max − n·σ of the finite logits; σ as llama.cpp has it, of the whole population. */
function sigmaBound(values: Values, begin: number, length: number, top: number, n: number): number {
  const unit = unitOf(values, begin, length);
  const count = finiteCount(values, begin, length);
  const mean = sumOver(values, begin, length, (logit) => logit * unit) / count;
  const squares = sumOver(values, begin, length, (logit) => (logit * unit - mean) * (logit * unit - mean));
  return top - n * (Math.sqrt(squares / count) / unit);
}

/** Whether any filter is on. Without one the whole row is what is drawn from. */
const isFiltered = ({ topK, topP, minP, typicalP, topNSigma }: Filters, row: number): boolean =>
  perRow(topK, row) > 0 ||
  perRow(topP, row) < 1 ||
  perRow(minP, row) > 0 ||
  perRow(typicalP, row) < 1 ||
  perRow(topNSigma, row) > 0;

/** Leaves what may be drawn, with its weights. */
function filter(survivors: Survivors, filters: Filters, row: number, scaling: Scaling): void {
  const { isTemperatureLast, keepsTies } = filters;
  const least = perRow(filters.minKeep, row);
  const topK = perRow(filters.topK, row);
  const topP = perRow(filters.topP, row);
  const minP = perRow(filters.minP, row);
  const typicalP = perRow(filters.typicalP, row);
  if (topK > 0) survivors.keepLargest(Math.max(topK, least), keepsTies);
  survivors.weigh(isTemperatureLast ? scalingOf(1, scaling.isDouble) : scaling);
  if (isTemperatureLast && typicalP < 1) {
    survivors.keepTypical(typicalP, least, keepsTies);
    survivors.weigh(scalingOf(1, scaling.isDouble));
  }
  if (topP < 1) survivors.keepMass(topP, least);
  if (minP > 0) survivors.keepRelative(minP, least);
  if (!isTemperatureLast && typicalP < 1) survivors.keepTypical(typicalP, least, keepsTies);
  if (isTemperatureLast) survivors.weigh(scaling);
}

/** The first whose cumulative weight exceeds the point, u · total: below the total, as u is at most 1 − 2⁻⁵³. */
function positionOf(weights: Float64Array, point: number): number {
  let at = 0;
  for (let sum = weights[0] as number; sum <= point; sum += weights[at] as number) at++;
  return at;
}

function accumulate(weights: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) weights[i] = (weights[i] as number) + (weights[i - 1] as number);
}

/** The same where weights have been accumulated. */
function positionAmong(cumulative: Float64Array, count: number, point: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] as number) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Indices and log-probabilities of the largest, equal ones by index. */
function reportTop(
  survivors: Survivors,
  of: LogProbability,
  top: number,
  tokens: Int32Array | undefined,
  logProbs: RowResults | undefined,
  begin: number,
): void {
  survivors.keepLargest(top, false);
  const { indices, logits, count } = survivors;
  const order = Array.from({ length: count }, (_, i) => i);
  // In ascending order of indices: the sort is stable.
  order.sort((a, b) => (logits[b] as number) - (logits[a] as number));
  for (let i = 0; i < top; i++) {
    const at = order[i];
    if (tokens) tokens[begin + i] = at === undefined ? -1 : (indices[at] as number);
    if (logProbs) logProbs[begin + i] = at === undefined ? negativeInfinity : of(logits[at] as number);
  }
}

/** The rows of one call. */
class Sampler {
  readonly #problem: SampleProblem;
  readonly #rows: Rows;
  readonly #reader: StagedRows;
  readonly #isDouble: boolean;
  /** The row as filters see it: a copy where anything changes it. */
  readonly #own: Values | undefined;

  constructor(problem: SampleProblem, rows: Rows) {
    this.#problem = problem;
    this.#rows = rows;
    this.#isDouble = isDouble(problem.logits);
    this.#reader = new StagedRows(problem.logits, { ...rows, mask: undefined }, 0);
    if (!changesLogits(problem.adjustments, rows)) return;
    this.#own = this.#isDouble ? new Float64Array(rows.length) : new Float32Array(rows.length);
  }

  row(row: number): void {
    const { adjustments, filters, top, isTopRaw, outputs } = this.#problem;
    const { length } = this.#rows;
    this.#reader.read(row);
    const { values: raw, begin: rawBegin } = this.#reader;
    const wantsTop = outputs.topTokens !== undefined || outputs.topLogProbs !== undefined;
    const wantsRaw = outputs.rawLogProbs !== undefined || (wantsTop && isTopRaw);
    const one = scalingOf(1, this.#isDouble);
    const ofRaw = wantsRaw ? logProbabilityOf(raw, rawBegin, length, one) : undefined;
    let values = raw;
    let begin = rawBegin;
    if (this.#own) {
      for (let k = 0; k < length; k++) this.#own[k] = raw[rawBegin + k] as number;
      adjustRow(this.#own, adjustments, this.#rows, row);
      values = this.#own;
      begin = 0;
    }
    const maximum = properMaximum(values, begin, length);
    if (maximum > negativeInfinity) {
      const scaling = scalingOf(perRow(filters.multiplier, row), this.#isDouble);
      const survivors = new Survivors(length, scaling);
      this.#filter(survivors, values, begin, maximum, scaling, row);
      const wantsOwn = outputs.logProbs !== undefined || (wantsTop && !isTopRaw);
      let ofOwn: LogProbability | undefined;
      if (wantsOwn && !scaling.isLimit && !isFiltered(filters, row))
        ofOwn = logProbabilityOf(values, begin, length, scaling);
      else if (wantsOwn)
        ofOwn = logProbabilityOf(survivors.logits, 0, survivors.count, scaling.isLimit ? one : scaling);
      if (outputs.kept) outputs.kept[row] = survivors.count;
      this.#draw(survivors, raw, rawBegin, row, ofOwn, ofRaw);
      if (wantsTop && ofOwn && !isTopRaw)
        reportTop(survivors, ofOwn, top, outputs.topTokens, outputs.topLogProbs, row * top);
    } else {
      this.#drawNothing(row);
    }
    if (wantsTop && ofRaw && isTopRaw) this.#reportRaw(raw, rawBegin, ofRaw, row);
  }

  #filter(
    survivors: Survivors,
    values: Values,
    begin: number,
    maximum: number,
    scaling: Scaling,
    row: number,
  ): void {
    const { filters } = this.#problem;
    const { length } = this.#rows;
    // Temperature 0: the first of the largest.
    if (scaling.isLimit) {
      survivors.take(values, begin, length, maximum);
      survivors.keepLargest(1, false);
      survivors.weigh(scalingOf(1, scaling.isDouble));
      return;
    }
    const sigmas = perRow(filters.topNSigma, row);
    // At an infinite temperature all are equal, and σ is 0.
    const isFlat = scaling.factor === 0 && !filters.isTemperatureLast;
    const bound =
      sigmas > 0 && !isFlat ? sigmaBound(values, begin, length, maximum, sigmas) : negativeInfinity;
    const least = perRow(filters.minKeep, row);
    const topK = perRow(filters.topK, row);
    const one = scalingOf(1, this.#isDouble);
    const largest =
      topK > 0 ? boundOfLargest(values, begin, length, Math.max(topK, least), one) : negativeInfinity;
    survivors.take(values, begin, length, largest > bound ? largest : bound);
    if (survivors.count < least) {
      survivors.take(values, begin, length, negativeInfinity);
      survivors.keepLargest(least, false);
    }
    filter(survivors, filters, row, scaling);
  }

  #draw(
    survivors: Survivors,
    raw: Values,
    rawBegin: number,
    row: number,
    ofOwn: LogProbability | undefined,
    ofRaw: LogProbability | undefined,
  ): void {
    const { randomness, count, outputs } = this.#problem;
    const { indices, logits, weights, total } = survivors;
    const uniform = uniforms(randomness, row, count);
    if (count > 1) accumulate(weights, survivors.count);
    for (let i = 0; i < count; i++) {
      const point = uniform(i) * total;
      const at = count > 1 ? positionAmong(weights, survivors.count, point) : positionOf(weights, point);
      const token = indices[at] as number;
      const to = row * count + i;
      outputs.tokens[to] = token;
      if (outputs.logProbs && ofOwn) outputs.logProbs[to] = ofOwn(logits[at] as number);
      if (outputs.rawLogProbs && ofRaw) outputs.rawLogProbs[to] = ofRaw(raw[rawBegin + token] as number);
    }
  }

  #drawNothing(row: number): void {
    const { count, top, isTopRaw, outputs } = this.#problem;
    if (outputs.kept) outputs.kept[row] = 0;
    for (let i = row * count; i < (row + 1) * count; i++) {
      outputs.tokens[i] = -1;
      if (outputs.logProbs) outputs.logProbs[i] = nan;
      if (outputs.rawLogProbs) outputs.rawLogProbs[i] = nan;
    }
    for (let i = row * top; i < (row + 1) * top && !isTopRaw; i++) {
      if (outputs.topTokens) outputs.topTokens[i] = -1;
      if (outputs.topLogProbs) outputs.topLogProbs[i] = nan;
    }
  }

  /** −Infinity is an ordinary, lowest value. */
  #reportRaw(raw: Values, rawBegin: number, of: LogProbability, row: number): void {
    const { top, outputs } = this.#problem;
    const { length } = this.#rows;
    const maximum = properMaximum(raw, rawBegin, length);
    const isProper = maximum > negativeInfinity;
    const survivors = new Survivors(length, scalingOf(1, this.#isDouble));
    if (isProper) survivors.takeAll(raw, rawBegin, length);
    const { topTokens, topLogProbs } = outputs;
    reportTop(survivors, isProper ? of : () => nan, top, topTokens, topLogProbs, row * top);
    if (!isProper && topLogProbs) for (let i = row * top; i < (row + 1) * top; i++) topLogProbs[i] = nan;
  }
}

/** Some of the rows. */
export function sampleSome(problem: SampleProblem, rows: Rows, isWanted: (row: number) => boolean): void {
  let sampler: Sampler | undefined;
  const { begin, end } = rangeOf(rows);
  for (let row = begin; row < end; row++) {
    if (!isWanted(row)) continue;
    sampler ??= new Sampler(problem, rows);
    sampler.row(row);
  }
}

export const sampleRows: SampleRows = (problem, rows) => {
  const sampler = new Sampler(problem, rows);
  const { begin, end } = rangeOf(rows);
  for (let row = begin; row < end; row++) sampler.row(row);
};
