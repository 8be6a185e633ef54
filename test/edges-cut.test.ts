// The cut: 126 ln 2 below a row's largest logit a probability is exactly 0, above it is not, to the float.

import { crossEntropy, softmax } from 'softmax-native';
import { expect, test } from 'vitest';

const depth = 87.3365447505531;
const tops = Array.from({ length: 64 }, (_, i) => Math.fround(i * 0.37 - 12));

/** The two floats around a number that is none itself, the lower first. */
function around(exact: number): [number, number] {
  const nearest = Math.fround(exact);
  const bits = new Int32Array(Float32Array.of(nearest).buffer);
  const towards = nearest < exact === nearest > 0 ? 1 : -1;
  bits[0] = (bits[0] as number) + towards;
  const other = new Float32Array(bits.buffer)[0] as number;
  return nearest < exact ? [nearest, other] : [other, nearest];
}

test.each([1, 2, 0.5])(
  'the last logit that is dropped and the first that is not, temperature %s',
  (temperature) => {
    let nearerBelow = 0;
    for (const top of tops) {
      const exact = top - depth * temperature;
      const [below, above] = around(exact);
      if (below === Math.fround(exact)) nearerBelow++;
      const p = softmax(Float32Array.of(top, below, above), { temperature });
      expect(p[0], `${top}`).toBe(1);
      expect(p[1], `${top}: ${below}`).toBe(0);
      expect(p[2], `${top}: ${above}`).toBeGreaterThan(0);
    }
    // The float that is nearer to the exact cut is now the one, now the other.
    expect(nearerBelow).toBeGreaterThan(9);
    expect(nearerBelow).toBeLessThan(tops.length - 9);
  },
);

test.each([
  ['', -95],
  [', beside −Infinity', -Infinity],
])('a block of a long row below the cut counts where the target is all else%s', (_, last) => {
  // Its block drops them; the other, which is measured against its own largest logit, keeps 4096 of them.
  const logits = new Float32Array(8193).fill(-95);
  logits[7] = 0;
  logits[8192] = last;
  const target = Int32Array.of(7);
  const { loss } = crossEntropy(logits, target);
  expect(loss / ((last === -95 ? 4097 : 4096) * Math.exp(-95))).toBeCloseTo(1, 6);
  expect(crossEntropy(logits, target, { grad: true }).loss).toBe(loss);
});
