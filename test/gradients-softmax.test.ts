// softmaxBackward and logSoftmaxBackward against central differences of the forward functions in float64, under every
// option that both have.

import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from 'softmax-native';
import { describe, test } from 'vitest';
import { any } from './helpers/calls.js';
import {
  combinations,
  doubles,
  elementMask,
  expectGradient,
  given,
  type Layout,
  layoutOf,
} from './helpers/differences.js';
import { Random } from './helpers/random.js';
import { at } from './helpers/rows.js';

const layouts = [
  layoutOf([7], -1),
  layoutOf([4, 5], -1),
  layoutOf([5, 4], 0),
  layoutOf([2, 4, 3], 1),
  layoutOf([3, 2, 2, 2], -4),
];

const grid = combinations({
  temperature: [undefined, 0.7, 'rows'],
  scale: [undefined, -0.5, 2],
  mask: [undefined, 'elements', 'broadcast'],
} as const);

/** One for the last axis, or axes, of all others. */
function broadcastMask(random: Random, { shape, axis }: Layout): Uint8Array {
  const index = axis < 0 ? axis + shape.length : axis;
  const size = shape.slice(index).reduce((a, b) => a * b, 1);
  return Uint8Array.from({ length: size }, (_, i) => (i === 0 || random.uniform() < 0.7 ? 1 : 0));
}

const pairs = [
  ['softmaxBackward', softmax, softmaxBackward],
  ['logSoftmaxBackward', logSoftmax, logSoftmaxBackward],
] as const;

describe.each(pairs)('%s', (_name, forward, backward) => {
  test.each(layouts)('shape $shape, axis $axis', (layout) => {
    const { shape, axis, rows, length } = layout;
    const random = new Random(80);
    for (const combination of grid) {
      const x = doubles(random, rows * length, 2);
      const gradOutput = doubles(random, rows * length);
      const temperature =
        combination.temperature === 'rows'
          ? Array.from({ length: rows }, () => random.uniform(0.7, 2))
          : combination.temperature;
      // The last row has nothing left where there are several.
      const emptied = rows > 1 ? rows - 1 : -1;
      const elements = () => elementMask(random, layout, Array(rows).fill(0), emptied);
      const mask =
        combination.mask && (combination.mask === 'elements' ? elements() : broadcastMask(random, layout));
      const options = any(given({ shape, axis, temperature, scale: combination.scale, mask }));

      const f = (values: Float64Array) => {
        const output = forward(any(values), options) as Float64Array;
        // What the mask drops is −Infinity, whatever x is.
        return output.reduce((sum, y, i) => (y === -Infinity ? sum : sum + y * at(gradOutput, i)), 0);
      };
      const output = forward(any(x), options);
      const actual = backward(any(gradOutput), any(output), options);
      expectGradient(actual, f, x, JSON.stringify(combination));
    }
  });
});
