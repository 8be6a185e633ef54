// Private memory that calls use again: not for longer than it is of use.

import { expect, test } from 'vitest';
import { giveBack, spareLike } from '../../src/async/buffer-pool.js';
import { bufferOf } from '../../src/typed-arrays.js';

const like = (length: number) => spareLike({ data: new Float32Array(length), dtype: 'float32' });
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, 1000 * count));

test('what was given back is used again, but not kept for as long as anything else is used', async () => {
  const large = like(1_000_000);
  giveBack(large);
  expect(bufferOf(like(900_000).data)).toBe(bufferOf(large.data));
  giveBack(large);
  const small = like(50_000);
  giveBack(small);
  for (let i = 0; i < 25; i++) {
    const again = like(50_000);
    expect(bufferOf(again.data)).toBe(bufferOf(small.data));
    giveBack(again);
    await seconds(0.1);
  }
  expect(bufferOf(like(1_000_000).data)).not.toBe(bufferOf(large.data));
});
