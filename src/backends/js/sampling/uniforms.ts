// The uniform numbers of a row's draws: those that are given, or Philox's.

import type { Randomness } from '../../sampling.js';
import { type Draw, uniformOf } from './philox.js';

/** Of one row. */
export function uniforms(randomness: Randomness, row: number, count: number): (i: number) => number {
  const { uniform } = randomness;
  if (uniform) return (i) => uniform[row * count + i] as number;
  const draw = drawOf(randomness, row);
  return (i) => uniformOf(draw, i);
}

/** The same of a row, to where it has its place in an array. */
export function writeUniforms(randomness: Randomness, row: number, count: number, to: Float64Array): void {
  const { uniform } = randomness;
  const begin = row * count;
  const draw = drawOf(randomness, row);
  for (let i = 0; i < count; i++)
    to[begin + i] = uniform ? (uniform[begin + i] as number) : uniformOf(draw, i);
}

/** What a row draws. */
export function drawOf({ seeds, steps, hasSeedPerRow, hasStepPerRow }: Randomness, row: number): Draw {
  const seedAt = hasSeedPerRow ? 2 * row : 0;
  const stepAt = hasStepPerRow ? 2 * row : 0;
  return {
    seedLow: seeds[seedAt] as number,
    seedHigh: seeds[seedAt + 1] as number,
    stepLow: steps[stepAt] as number,
    stepHigh: steps[stepAt + 1] as number,
    row: hasSeedPerRow ? 0 : row,
  };
}
