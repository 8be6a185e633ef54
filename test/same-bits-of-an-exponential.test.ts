// Float32 logits whose probabilities hang on the last bit of the second part of ln 2: of all floats up to 256, six have
// another exponential with another such bit, the first five of the first test and the first of the second. The bits were
// made once; the suite runs this for every instruction set and for JavaScript.

import { softmax } from 'softmax-native';
import { expect, it } from 'vitest';

const bitsOf = (values: Float32Array) =>
  Array.from(new Uint32Array(values.buffer), (bits) => bits.toString(16));

it('far logits, whose multiple of ln 2 is large', () => {
  const logits = [226.651657, 226.651794, 226.652145, 226.65239, 226.652802, 229];
  expect(bitsOf(softmax(Float32Array.from(logits)))).toEqual([
    '3d846111',
    '3d8465b9',
    '3d84719e',
    '3d8479e6',
    '3d8487df',
    '3f2d38ba',
  ]);
});

it('below 0', () => {
  expect(bitsOf(softmax(Float32Array.of(-226.666321, -224)))).toEqual(['3d851993', '3f6f5cce']);
});
