// Where the elements of arrays are: looked at after all fields of all tensors were read, and from a view's own place on.

import { crossEntropy, logSoftmax, logSumExp, nllLoss, softmax, softmaxBackward } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, detached, expectError, marked, markedOut, named, withOut } from './helpers/calls.js';
import { arrayOf } from './helpers/grid.js';
import { Random } from './helpers/random.js';

describe('a tensor for the result whose fields detach an input', () => {
  test.each(named(withOut))('%s', (name, fn, input) => {
    for (const field of ['location', 'data', 'dims', 'type']) {
      const victim = marked(6);
      const result = markedOut(fn);
      const fields: Record<string, unknown> = { data: result, dims: [result.length], type: 'float32' };
      const out = Object.defineProperty({ ...fields }, field, {
        get() {
          detached(victim);
          return fields[field];
        },
      });
      const wanted = { code: 'ERR_DETACHED', fn: name, argument: input } as const;
      expectError('TypeError', wanted, () => fn.call(input, victim, { out }), result);
    }
  });
});

describe.each(['float16', 'bfloat16'] as const)('%s: a view anywhere in its buffer', (dtype) => {
  const shape = [3, 7];
  const random = new Random(97);
  const values = () => arrayOf(random.normals(21, 3), dtype) as Uint16Array;
  const moved = (data: Uint16Array, offset: number) => {
    const view = new Uint16Array(40).subarray(offset, offset + data.length);
    view.set(data);
    return view;
  };
  const [x, g] = [values(), values()];
  const classes = Int32Array.of(1, 6, 0);

  test.each([1, 2, 5, 19])('%s elements from the beginning', (offset) => {
    const options = any({ shape, dtype });
    const masked = any({ shape, dtype, axis: 0, mask: Uint8Array.of(1, 1, 0, 1, 1, 0, 1) });
    const at = (data: Uint16Array) => any(moved(data, offset));
    for (const place of [options, masked])
      for (const f of [softmax, logSoftmax, logSumExp]) expect(f(at(x), place)).toEqual(f(any(x), place));
    const p = softmax(any(x), options) as unknown as Uint16Array;
    const expected = softmaxBackward(any(g), any(p), options);
    expect(softmaxBackward(at(g), at(p), options)).toEqual(expected);
    const loss = any({ shape, dtype, grad: true });
    expect(crossEntropy(at(x), classes, loss)).toEqual(crossEntropy(any(x), classes, loss));
    expect(nllLoss(at(x), classes, loss)).toEqual(nllLoss(any(x), classes, loss));
    const memory = new Uint16Array(40);
    const out = memory.subarray(offset, offset + 21);
    softmax(any(x), any({ shape, dtype, out }));
    expect(out).toEqual(p);
    expect(memory.subarray(0, offset)).toEqual(new Uint16Array(offset));
    expect(memory.subarray(offset + 21)).toEqual(new Uint16Array(19 - offset));
  });
});
