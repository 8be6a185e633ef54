// The ONNX operators that this package can express, by the names and sizes of the cases of ONNX's own backend suite.
// That suite allows 1e-3; here it is 1e-6 of every element.

import { crossEntropy, logSoftmax, nllLoss, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import * as onnx from './helpers/onnx.js';
import {
  crossEntropyCases,
  inputsOf,
  type LossCase,
  type LossInputs,
  negativeLogLikelihoodCases,
} from './helpers/onnx-cases.js';
import { Random } from './helpers/random.js';
import { relativeError, Worst } from './helpers/reference.js';
import { at, floats } from './helpers/rows.js';

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  readonly type: 'float32';
}
const tensor = (data: Float32Array, dims: readonly number[]): Tensor => ({ data, dims, type: 'float32' });
const labelTensor = (data: Int32Array, dims: readonly number[], type: 'int32' | 'int64') => ({
  data: type === 'int32' ? data : BigInt64Array.from(data, BigInt),
  dims,
  type,
});

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, label = ''): void {
  const worst = new Worst();
  expect(actual.length, label).toBe(expected.length);
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(at(actual, i), at(expected, i)))
      worst.note(
        relativeError(at(actual, i), at(expected, i)),
        `${label} [${i}] is ${actual[i]}, not ${expected[i]}`,
      );
  expect(worst.error, worst.label).toBeLessThanOrEqual(1e-6);
}

/** What came back is a tensor as it went in, or a plain number. */
function dataOf(result: unknown, dims: readonly number[]): ArrayLike<number> {
  if (typeof result === 'number') return [result];
  const { data, dims: actualDims, type } = result as Tensor;
  expect({ dims: [...actualDims], type }).toEqual({ dims: [...dims], type: 'float32' });
  expect(data).toBeInstanceOf(Float32Array);
  return data;
}

const forward = [
  ['softmax', softmax, onnx.softmax],
  ['logsoftmax', logSoftmax, onnx.logSoftmax],
] as const;

describe.each(forward)('%s', (name, actual, expected) => {
  const x = new Random(70).normals(3 * 4 * 5).map(Math.abs);

  test.each([
    [`${name}_axis_0`, 0],
    [`${name}_axis_1`, 1],
    [`${name}_axis_2`, 2],
    [`${name}_negative_axis`, -1],
    [`${name}_default_axis`, undefined],
  ])('%s', (_case, axis) => {
    const dims = [3, 4, 5];
    const options = axis === undefined ? {} : { axis };
    const y = actual(any(tensor(x, dims)), options);
    expectClose(dataOf(y, dims), expected(x, dims, axis));
  });

  test(`${name}_example`, () => {
    const y = actual(any(tensor(floats(-1, 0, 1), [1, 3])));
    const printed =
      name === 'softmax' ? [0.09003058, 0.24472848, 0.66524094] : [-2.4076061, -1.407606, -0.407606];
    expectClose(dataOf(y, [1, 3]), expected(floats(-1, 0, 1), [1, 3]));
    dataOf(y, [1, 3]);
    printed.forEach((value, i) => {
      expect(at(dataOf(y, [1, 3]), i)).toBeCloseTo(value, 6);
    });
  });

  test(`${name}_large_number`, () => {
    const large = floats(0, 1, 2, 3, 10000, 10001, 10002, 10003);
    expectClose(
      dataOf(actual(any(tensor(large, [2, 4]))), [2, 4]),
      expected(floats(0, 1, 2, 3, 0, 1, 2, 3), [2, 4]),
    );
  });

  test('every axis of random tensors of up to six axes', () => {
    const random = new Random(71);
    for (let round = 0; round < 60; round++) {
      const dims = Array.from({ length: 1 + random.integer(6) }, () => 1 + random.integer(5));
      const data = random.normals(product(dims), 3);
      for (let axis = -dims.length; axis < dims.length; axis++) {
        const y = dataOf(actual(any(tensor(data, dims)), { axis }), dims);
        const exact = expected(data, dims, axis);
        expectClose(y, exact, `[${dims}], axis ${axis}`);
      }
    }
  });
});

const named = (cases: readonly LossCase[]) => cases.map((given) => [given[0], given] as const);

/** What the operator's inputs and attributes are called here; labels as both integer types that it takes. */
function lossArguments(inputs: LossInputs, type: 'int32' | 'int64') {
  const { x, dims, labels, labelDims, options } = inputs;
  const { weights: weight, ignoreIndex, reduction } = options;
  const given = {
    axis: 1,
    reduction,
    ...(weight && { weight }),
    ...(ignoreIndex !== undefined && { ignoreIndex }),
  };
  return [any(tensor(x, dims)), any(labelTensor(labels, labelDims, type)), given] as const;
}

describe.each(['int32', 'int64'] as const)('SoftmaxCrossEntropyLoss, %s labels', (type) => {
  test.each(named(crossEntropyCases))('%s', (_name, given) => {
    const inputs = inputsOf(given, 72);
    const [scores, labels, options] = lossArguments(inputs, type);
    const { loss } = crossEntropy(scores, labels, options);
    const { output } = onnx.softmaxCrossEntropyLoss(inputs.x, inputs.dims, inputs.labels, inputs.options);
    expectClose(dataOf(loss, inputs.labelDims), output);
  });

  test.each(named(crossEntropyCases))('%s_log_prob', (_name, given) => {
    const inputs = inputsOf(given, 73);
    const [scores, labels, options] = lossArguments(inputs, type);
    const { loss, logProbs } = crossEntropy(scores, labels, { ...options, logProbs: true });
    const exact = onnx.softmaxCrossEntropyLoss(inputs.x, inputs.dims, inputs.labels, inputs.options);
    expectClose(dataOf(loss, inputs.labelDims), exact.output);
    expectClose(dataOf(logProbs, inputs.dims), exact.logProb);
  });
});

describe.each(['int32', 'int64'] as const)('NegativeLogLikelihoodLoss, %s labels', (type) => {
  test.each(named(negativeLogLikelihoodCases))('%s', (_name, given) => {
    const inputs = inputsOf(given, 74);
    const { loss } = nllLoss(...lossArguments(inputs, type));
    const exact = onnx.negativeLogLikelihoodLoss(inputs.x, inputs.dims, inputs.labels, inputs.options);
    expectClose(dataOf(loss, inputs.labelDims), exact);
  });

  test('the examples of its definition', () => {
    const input = any(tensor(floats(1, 2, 2, 2, 3, 2, 0, 1, 2, 2, 1, 2), [2, 3, 2]));
    const target = any(labelTensor(Int32Array.of(2, 1, 0, 2), [2, 2], type));
    const weight = floats(0.2, 0.3, 0.1);
    const none = nllLoss(input, target, { axis: 1, reduction: 'none' });
    expectClose(dataOf(none.loss, [2, 2]), [-3, -2, 0, -2]);
    const sum = nllLoss(input, target, { axis: 1, reduction: 'sum', weight });
    expectClose(dataOf(sum.loss, []), [-1.1]);
    const mean = nllLoss(input, target, { axis: 1, weight });
    expectClose(dataOf(mean.loss, []), [-1.1 / 0.7]);
  });
});

describe('random cases, by rows of any number of classes and scores of any size', () => {
  const random = new Random(75);
  const cases = Array.from({ length: 150 }, (_, i): LossCase => {
    const axes = 2 + random.integer(4);
    const dims = Array.from({ length: axes }, (_, axis) => 1 + random.integer(axis === 1 ? 40 : 4));
    const reduction = (['none', 'mean', 'sum'] as const)[i % 3] ?? 'none';
    const classes = at(dims, 1);
    const weights = random.integer(2)
      ? Array.from({ length: classes }, () => random.uniform(0.1, 2))
      : undefined;
    const ignoreIndex = [undefined, undefined, -1, classes, random.integer(classes)][random.integer(5)];
    return [`random ${i}`, dims, reduction, weights, ignoreIndex];
  });

  test.each([1, 4, 12])('SoftmaxCrossEntropyLoss, scores times %d', (factor) => {
    for (const given of cases) {
      const drawn = inputsOf(given, 76);
      const inputs = { ...drawn, x: drawn.x.map((x) => (x - 0.5) * factor) };
      const [scores, labels, options] = lossArguments(inputs, 'int64');
      const { loss, logProbs } = crossEntropy(scores, labels, { ...options, logProbs: true });
      const exact = onnx.softmaxCrossEntropyLoss(inputs.x, inputs.dims, inputs.labels, inputs.options);
      const label = `${given[0]}: [${given[1]}], ${given[2]}`;
      expectClose(dataOf(loss, inputs.labelDims), exact.output, label);
      expectClose(dataOf(logProbs, inputs.dims), exact.logProb, label);
    }
  });

  test('NegativeLogLikelihoodLoss', () => {
    for (const given of cases) {
      const inputs = inputsOf(given, 77);
      const { loss } = nllLoss(...lossArguments(inputs, 'int64'));
      const exact = onnx.negativeLogLikelihoodLoss(inputs.x, inputs.dims, inputs.labels, inputs.options);
      expectClose(dataOf(loss, inputs.labelDims), exact, `${given[0]}: [${given[1]}], ${given[2]}`);
    }
  });
});
