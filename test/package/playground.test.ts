// What the playground computes (site/figures): numbers, as the site shows them.

import * as softmaxNative from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { computeBars } from '../../site/figures/bars.js';
import { computeCutOffs, type Settings } from '../../site/figures/cut-offs.js';
import { formatNumber, formatPercent } from '../../site/figures/format.js';
import type { Library } from '../../site/figures/library.js';
import {
  computeGrid,
  computeLoss,
  extent,
  findContour,
  gridValue,
  side,
} from '../../site/figures/loss-surface.js';
import { computeOverflow, explainOverflow, parseLogits } from '../../site/figures/overflow.js';
import distribution from '../../site/figures/tokens.json' with { type: 'json' };
import { computeUlpErrors, ulpOf } from '../../site/figures/ulp.js';

// The published types are those of the sources by other names, which TypeScript does not see in generics.
const library = softmaxNative as unknown as Library;

it('numbers and shares as text', () => {
  const numbers = [0, 0.65900111, -1.5, 5.4e-8, -2e9, 1e-4, 123_456.789, Number.NaN, -Infinity];
  expect(numbers.map((one) => formatNumber(one))).toEqual([
    ...['0.0000', '0.6590', '−1.5000', '5.4 · 10⁻⁸', '−2.0 · 10⁹', '0.0001', '123456.7890', 'NaN', '−∞'],
  ]);
  expect(formatNumber(-16.875, 2)).toBe('−16.88');
  expect([0, 0.0032, 0.099, 0.1, 0.6435, 1].map(formatPercent)).toEqual([
    ...['0 %', '0.3 %', '10 %', '10 %', '64 %', '100 %'],
  ]);
});

it('bars: probabilities, entropy, log-sum-exp; a temperature divides first', () => {
  const { probabilities, entropy, logSumExp } = computeBars(library, [2, 1, 0.1], 1);
  expect(probabilities.map((p) => formatNumber(p))).toEqual(['0.6590', '0.2424', '0.0986']);
  expect(entropy).toBeCloseTo(0.84674, 5);
  expect(logSumExp).toBeCloseTo(2.41703, 5);
  expect(computeBars(library, [2, 1, 0.1], 2).probabilities[0]).toBeCloseTo(0.50169, 5);
});

describe('cut-offs', () => {
  const all: Settings = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1, count: 1000 };

  it('the distribution: 236 words that follow “I am”', () => {
    expect(distribution.tokens).toHaveLength(236);
    expect(new Set(distribution.tokens).size).toBe(236);
    const shares = distribution.logits.map(Math.exp);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 3);
  });

  it('without filters all stay, with the probability that they had', () => {
    const { rows, kept, mass, threshold } = computeCutOffs(library, distribution, all);
    expect([kept, threshold]).toEqual([236, 0]);
    expect(mass).toBeCloseTo(1, 6);
    expect(rows.every(({ probability, renormalised }) => probability === renormalised)).toBe(true);
    expect(rows.slice(0, 4).map(({ token }) => token)).toEqual(['sure', 'not', 'very', 'afraid']);
    expect(rows.reduce((sum, { draws }) => sum + draws, 0)).toBe(1000);
  });

  it('each filter cuts what the earlier ones left; the kept sum to 1, and all draws are theirs', () => {
    const settings = { ...all, topK: 40, topP: 0.8, minP: 0.1 };
    const { rows, afterTopK, afterTopP, kept, mass, threshold } = computeCutOffs(
      library,
      distribution,
      settings,
    );
    expect([afterTopK, afterTopP, kept]).toEqual([40, 15, 6]);
    expect(threshold).toBeCloseTo(0.026633, 6);
    expect(mass).toBeCloseTo(0.50465, 4);
    expect(rows.filter(({ isKept }) => isKept).map(({ token }) => token)).toEqual([
      ...['sure', 'not', 'very', 'afraid', 'quite', 'sorry'],
    ]);
    const sum = (key: 'renormalised' | 'draws', isKept: boolean) =>
      rows.filter((row) => row.isKept === isKept).reduce((total, row) => total + row[key], 0);
    expect(sum('renormalised', true)).toBeCloseTo(1, 6);
    expect([sum('renormalised', false), sum('draws', false), sum('draws', true)]).toEqual([0, 0, 1000]);
  });

  it('a seed draws the same again, another one others', () => {
    const drawsOf = (seed: number) =>
      computeCutOffs(library, distribution, { ...all, seed }).rows.map(({ draws }) => draws);
    expect(drawsOf(3)).toEqual(drawsOf(3));
    expect(drawsOf(3)).not.toEqual(drawsOf(4));
    expect(drawsOf(1).slice(0, 3)).toEqual([249, 77, 55]);
  });
});

describe('the loss of two classes', () => {
  it('loss, probabilities and the gradient p − y', () => {
    const { loss, gradient, probabilities } = computeLoss(library, [1, -1], 1);
    expect(loss).toBeCloseTo(Math.log(1 + Math.exp(2)), 6);
    expect(probabilities[1]).toBeCloseTo(1 / (1 + Math.exp(2)), 7);
    expect(gradient).toEqual([probabilities[0], -probabilities[0]]);
  });

  it('the grid has the losses of its points', () => {
    const grid = computeGrid(library, 0);
    expect(grid).toHaveLength(side * side);
    expect([gridValue(0), gridValue(side - 1)]).toEqual([-extent, extent]);
    expect(grid[0]).toBe(computeLoss(library, [-extent, extent], 0).loss);
    expect(grid[side * side - 1]).toBe(computeLoss(library, [extent, -extent], 0).loss);
    expect(grid[side - 1]).toBeCloseTo(Math.LN2, 6);
  });

  it('contours: where edges cross the level, and none where nothing does', () => {
    expect(findContour([0, 0, 1, 1], 2, 0.25)).toEqual([{ from: [1, 0.25], to: [0, 0.25] }]);
    expect(findContour([0, 1, 1, 0], 2, 0.5)).toHaveLength(2);
    expect(findContour([0, 0, 1, 1], 2, 2)).toEqual([]);
    // log 2 is the loss of equal logits: the diagonal.
    const segments = findContour(computeGrid(library, 0), side, Math.LN2 + 1e-4);
    expect(segments.length).toBeGreaterThan(side);
    for (const { from } of segments) expect(Math.abs(from[0] + from[1] - (side - 1))).toBeLessThan(0.01);
  });
});

describe('overflow', () => {
  it('reads numbers, and says what is none', () => {
    expect(parseLogits('1000, 1001;1002')).toEqual([1000, 1001, 1002]);
    expect(parseLogits(' −1e3 -Infinity NaN ')).toEqual([-1000, -Infinity, Number.NaN]);
    expect(parseLogits('')).toBe('Type at least one number.');
    expect(parseLogits('1, two')).toBe('“two” is not a number.');
    expect(parseLogits('1 2 3 4 5 6 7 8 9')).toBe('Type at most 8 numbers: these are 9.');
  });

  it('1000, 1001, 1002: NaN by the naive formula', () => {
    const overflow = computeOverflow(library, [1000, 1001, 1002]);
    expect(overflow.rows.map(({ naive }) => naive)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(overflow.rows.map(({ stable }) => formatNumber(stable))).toEqual(['0.0900', '0.2447', '0.6652']);
    expect([overflow.sum, overflow.naiveLogSumExp]).toEqual([Infinity, Infinity]);
    expect(overflow.stableLogSumExp).toBeCloseTo(1002.4076, 3);
  });

  it.each([
    ['88, 89, 90', 'The sum overflows float32, so the naive formula fails.'],
    ['-1000, -1001', 'All exponentials underflow to 0, so the naive formula divides 0 by 0.'],
    ['-101, -102', 'Some exponentials lost their digits near 0, so the naive probabilities are off.'],
    ['1, 2, 3', 'Here the naive formula still works. Add 90 to each logit and try again.'],
    ['1, NaN', 'A logit that is NaN or +∞ makes its row NaN in both.'],
    ['-Infinity', 'A row of nothing but −∞ has no probabilities: NaN in both.'],
  ])('%s: %s', (text, sentence) => {
    expect(explainOverflow(computeOverflow(library, parseLogits(text) as number[]))).toBe(sentence);
  });
});

describe('errors in ULP', () => {
  it('one ULP', () => {
    expect([1, 1.99, 2, 0.75, 1e-45].map(ulpOf)).toEqual([2 ** -23, 2 ** -23, 2 ** -22, 2 ** -24, 2 ** -149]);
  });

  it('step by step they grow with the distance to the maximum, here they stay below the promised 4', () => {
    const { xs, naive, stable, worstNaive, worstStable } = computeUlpErrors(library, 10.1, 2000);
    expect([xs[0], xs[1999]].map((x) => formatNumber(x as number, 3))).toEqual(['−9.895', '10.095']);
    expect(worstNaive).toBeCloseTo(16.8808, 3);
    expect(worstStable).toBeCloseTo(1.6765, 3);
    const worst = (errors: Float64Array) => Math.max(...errors.map(Math.abs));
    expect(worst(naive.subarray(1500))).toBeLessThan(3);
    expect([worst(naive), worst(stable)]).toEqual([worstNaive, worstStable]);
  });
});
