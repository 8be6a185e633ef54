// The 16-bit floats of the JavaScript kernels by their definition: every pattern read, every midpoint between two of them
// and its neighbours written.

import { describe, expect, it } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { formats } from '../helpers/exact-row.js';
import { bitsOf, numberOf, roundTo } from '../helpers/half-bits.js';

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The float that comes before or after one above 0. */
function neighbour(value: number, step: number): number {
  float[0] = value;
  word[0] = (word[0] as number) + step;
  return float[0] as number;
}

describe.each(['float16', 'bfloat16'] as const)('%s', (name) => {
  const { toNumber, fromNumber } = halfFormats[name];
  const format = formats[name];
  const infinity = bitsOf(Number.POSITIVE_INFINITY, format);

  it('is read as what it is', () => {
    for (let bits = 0; bits < 65536; bits++)
      if (!Object.is(toNumber(bits), numberOf(bits, format)))
        expect.unreachable(`${bits} is read as ${toNumber(bits)}, not ${numberOf(bits, format)}`);
  });

  it('is the nearest, of two the even one, up to infinity', () => {
    for (let bits = 0; bits < infinity; bits++) {
      const value = numberOf(bits, format);
      // Infinity rounds as the number that would come next.
      const next =
        bits + 1 === infinity ? 2 * value - numberOf(bits - 1, format) : numberOf(bits + 1, format);
      const middle = (value + next) / 2;
      for (const one of [value, neighbour(middle, -1), middle, neighbour(middle, 1)])
        for (const signed of [one, -one]) {
          const wanted = bitsOf(roundTo(signed, format), format);
          if (fromNumber(signed) !== wanted)
            expect.unreachable(`${signed} is written as ${fromNumber(signed)}, not ${wanted}`);
        }
    }
  });

  it('has one NaN and two infinities', () => {
    word[0] = 0xffc12345;
    const nan = infinity | (1 << (format.precision - 2));
    expect([float[0], Number.NaN].map((value) => fromNumber(value as number))).toEqual([nan, nan]);
    expect([Infinity, -Infinity, 3.4e38, -3.4e38].map(fromNumber)).toEqual([
      infinity,
      infinity | 0x8000,
      bitsOf(roundTo(Math.fround(3.4e38), format), format),
      bitsOf(roundTo(Math.fround(-3.4e38), format), format),
    ]);
  });
});
