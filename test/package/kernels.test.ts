// Every instruction set of this CPU against the JavaScript kernels, function by function, over random problems: all
// dtypes, axes, masks, multipliers, targets, in place or not.
import { describe, expect, it } from 'vitest';
import { jsKernels } from '../../src/js/kernels.js';
import { loadAddon } from '../../src/loader.js';
import { firstDifference, Problems } from '../helpers/kernel-problems.js';
import { Random } from '../helpers/random.js';

const addon = loadAddon();
const lengths = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 300, 1000, 4096, 4097, 9000,
];
const count = 2500;

describe('the same bits from the kernels', () => {
  it.each(addon.supported)('%s and JavaScript', (isa) => {
    const native = addon.kernelsOf(isa);
    const problems = new Problems(new Random(20261125));
    for (let i = 0; i < count; i++) {
      const problem = problems.next(lengths);
      const difference = firstDifference(problem.run(jsKernels), problem.run(native));
      expect(difference, `problem ${i}: ${problem.description}`).toBeUndefined();
    }
  });
});
