// Float32 logits whose probabilities hang on the last bit of the second part of ln 2: of all floats up to 256, ten have
// another exponential with another such bit, among them these but the largest of each row. The bits were made once; the suite
// runs this for every instruction set and for JavaScript.

import { softmax } from 'softmax-native';
import { expect, it } from 'vitest';

const bitsOf = (values: Float32Array) =>
  Array.from(new Uint32Array(values.buffer), (bits) => bits.toString(16));

it('far logits, whose multiple of ln 2 is large', () => {
  expect(bitsOf(softmax(Float32Array.of(226.654892, 229)))).toEqual(['3db31bd0', '3f699c86']);
});

it('below 0', () => {
  const logits = [-226.653458, -226.655167, -226.663864, -226.664368, -224];
  expect(bitsOf(softmax(Float32Array.from(logits)))).toEqual([
    '3d614cf7',
    '3d60ea7b',
    '3d5ef7dd',
    '3d5edb21',
    '3f47ff59',
  ]);
});
