// The cut below which a logit gives exactly 0 (src/backends/js/reference.ts): in float32 it is the smallest float that is not below
// the exact one, so that it cuts the same logits.

import { expect, test } from 'vitest';
import { Reference } from '../../src/backends/js/reference.js';
import { scalingOf } from '../../src/backends/js/scaling.js';
import { Random } from '../helpers/random.js';

/** 126 ln 2: so far below the largest logit of a row an exponential is 0. */
const flushDepth = 87.3365447505531;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float before one that is not 0, towards −Infinity. */
function before(value: number): number {
  float[0] = value;
  bits[0] = (bits[0] as number) + (value > 0 ? -1 : 1);
  return float[0];
}

function expectNearest(top: number, multiplier: number): number {
  const scaling = scalingOf(multiplier, false);
  const exact = top - flushDepth / scaling.high;
  const reference = new Reference();
  reference.measure(top, scaling);
  const { cut } = reference;
  expect(cut).toBe(Math.fround(cut));
  expect(cut).toBeGreaterThanOrEqual(exact);
  if (cut !== 0) expect(before(cut)).toBeLessThan(exact);
  return cut;
}

test('logits and factors of all sizes', () => {
  const random = new Random(20261127);
  let [below, above] = [0, 0];
  for (let i = 0; i < 2000; i++) {
    const top = Math.fround(random.uniform(-1, 1) * 2 ** random.uniform(-120, 60));
    // Products up to 1024 in magnitude: larger maxima are subtracted.
    const cut = expectNearest(top, 2 ** random.uniform(3, 10) / Math.abs(top));
    if (cut < 0) below++;
    else above++;
  }
  expect(Math.min(below, above)).toBeGreaterThan(300);
});

test('a cut between 0 and the smallest float', () => {
  let found = 0;
  for (let multiplier = Math.fround(3e38); found < 5; multiplier = before(multiplier)) {
    const depth = flushDepth / multiplier;
    float[0] = depth;
    if (float[0] < depth) bits[0] = (bits[0] as number) + 1;
    const top = float[0];
    if (top === depth || top - depth >= 2 ** -150) continue;
    expect(expectNearest(top, multiplier)).toBe(2 ** -149);
    found++;
  }
});
