// Every instruction set of this CPU against the JavaScript kernels, function by function, over random problems: all
// dtypes, axes, masks, multipliers, targets, in place or not. And arrays so large that native code goes another way.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jsKernels } from '../../src/backends/js/kernels.js';
import type { Kernels } from '../../src/backends/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { firstDifference, Problems } from '../helpers/kernel-problems.js';
import { Random } from '../helpers/random.js';
import { rowKernelsOf } from '../helpers/row-kernels.js';

const addon = loadAddon();
const lengths = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 300, 1000, 4096, 4097, 9000,
];
const count = 2500;

describe('the same bits from the kernels', () => {
  it('of each instruction set and of JavaScript', () => {
    const engines = addon.supported.map((isa) => ({ isa, native: addon.engineOf(isa).kernels }));
    const problems = new Problems(new Random(20261125));
    for (let i = 0; i < count; i++) {
      const problem = problems.next(lengths);
      const expected = problem.run(jsKernels);
      for (const { isa, native } of engines) {
        const difference = firstDifference(expected, problem.run(native));
        expect(difference, `${isa}, problem ${i}: ${problem.description}`).toBeUndefined();
      }
    }
  });

  // Results of 8 MiB and more are written past the caches, from the first aligned address on; rows beyond 8 MiB are
  // computed twice.
  const large = [
    { rows: 421, length: 5003 },
    { rows: 1, length: 2_200_003 },
  ];
  it.each(large)('$rows x $length, at any address', ({ rows, length }) => {
    const size = rows * length;
    const random = new Random(20261126);
    const x = Float32Array.from({ length: size }, () => random.uniform(-20, 20));
    const problem = { outer: rows, length, inner: 1, mask: undefined, multiplier: 1 };
    const at = (offset: number) => new Float32Array(size + 16).subarray(offset, offset + size);
    const dtype = 'float32';
    const run = (kernels: Kernels, offset: number) => {
      const [p, y, dz] = [at(offset), at(offset), at(offset)];
      const logits = { data: x, dtype } as const;
      const onRows = rowKernelsOf(kernels);
      onRows.softmax(logits, { data: p, dtype }, problem);
      onRows.logSoftmax(logits, { data: y, dtype }, problem);
      onRows.softmaxBackward(logits, { data: p, dtype }, { data: dz, dtype }, problem);
      return [p, y, dz].map((data) => createHash('sha256').update(data).digest('hex'));
    };
    const expected = run(jsKernels, 0);
    for (const isa of addon.supported)
      for (const offset of [0, 1, 7, 13])
        expect(run(addon.engineOf(isa).kernels, offset), `${isa}, ${offset} elements further`).toEqual(
          expected,
        );
  });
});
