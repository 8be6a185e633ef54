// A buffer that can't be transferred: Node 21 and later throw, Node 20 copies it. Here any Node throws.

import { expect, test, vi } from 'vitest';

test('an error that names it, and nothing is given up', async () => {
  vi.stubGlobal('structuredClone', () => {
    throw new Error('An ArrayBuffer is detached or not transferable');
  });
  // Loaded now: it keeps the function that it finds.
  const { softmaxAsync } = await import('softmax-native/js');
  const x = Float32Array.of(1, 2, 3);
  const message = "softmax: the buffer of x can't be transferred";
  const wanted = { name: 'TypeError', code: 'ERR_OPTION', argument: 'x', message };
  await expect(softmaxAsync(x, { transfer: true })).rejects.toMatchObject(wanted);
  expect([...x]).toEqual([1, 2, 3]);
});
