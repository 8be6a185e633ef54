// Views of the npm package ndarray, as they are.
import ndarray from 'ndarray';
import { crossEntropy, logSumExp, softmax } from 'softmax-native';
import { expect, test } from 'vitest';

const numbers = () => Float32Array.of(0, 1, 2, 3, 4, 5);
const rounded = (data: Float32Array) => Array.from(data, (value) => Math.round(value * 1e4) / 1e4);

test('transposed, reversed, cut, picked', () => {
  const x = ndarray(numbers(), [2, 3]);
  expect(rounded(softmax(x.transpose(1, 0)).data)).toEqual([0.0474, 0.9526, 0.0474, 0.9526, 0.0474, 0.9526]);
  expect(rounded(softmax(x.step(1, -1)).data)).toEqual([0.6652, 0.2447, 0.09, 0.6652, 0.2447, 0.09]);
  expect(rounded(softmax(x.lo(0, 1)).data)).toEqual([0.2689, 0.7311, 0.2689, 0.7311]);
  expect(rounded(softmax(x.hi(2, 2)).data)).toEqual([0.2689, 0.7311, 0.2689, 0.7311]);
  expect(rounded(softmax(x.pick(null, 1)).data)).toEqual([0.0474, 0.9526]);
});

test('what comes back is an ndarray by its fields', () => {
  const result = softmax(ndarray(numbers(), [2, 3]).transpose(1, 0));
  expect(result).toMatchObject({ shape: [3, 2], stride: [2, 1], offset: 0, dtype: 'float32' });
  const again = ndarray(result.data, result.shape, result.stride, result.offset);
  expect(again.get(2, 1)).toBe(result.data[5]);
  expect(logSumExp(ndarray(numbers(), [2, 3]).transpose(1, 0))).toMatchObject({ shape: [3], stride: [1] });
});

test('as outputs, targets and masks', () => {
  const out = ndarray(new Float32Array(6), [2, 3]);
  const turned = out.transpose(1, 0);
  expect(softmax(numbers(), { shape: [3, 2], out: turned })).toBe(turned);
  expect(rounded(out.data)).toEqual([0.2689, 0.2689, 0.2689, 0.7311, 0.7311, 0.7311]);
  const target = ndarray(Int32Array.of(1, 0, 0), [3]).step(-1);
  const mask = ndarray(Uint8Array.of(1, 1, 0, 1, 1, 1), [2, 3]).transpose(1, 0);
  const { loss } = crossEntropy(ndarray(numbers(), [3, 2]), target, { mask, reduction: 'none' });
  expect(rounded(loss.data)).toEqual([1.3133, 1.3133, 0]);
});
