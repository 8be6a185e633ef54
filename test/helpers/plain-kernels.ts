// Plain calls by the general kernels: what the short ways must give the bits of.

import {
  type Elements,
  type Kernels,
  type PlainKernels,
  type ScaledRows,
  smallRows,
} from '../../src/backends/kernels.js';
import { rowKernelsOf } from './row-kernels.js';

export function plainKernels(kernels: Kernels): PlainKernels {
  const elementsOf = (data: Float32Array): Elements => ({ data, dtype: 'float32' });
  const rowsOf = (elements: number, length: number): ScaledRows => ({
    outer: elements / length,
    length,
    inner: 1,
    mask: undefined,
    multiplier: 1,
  });
  const rows = rowKernelsOf(kernels);
  const classes = new Int32Array(smallRows);
  const loss = new Float64Array(smallRows);
  const logSumExp = new Float32Array(smallRows);
  return {
    softmax(x, out, elements, length) {
      rows.softmax(elementsOf(x), elementsOf(out), rowsOf(elements, length));
    },
    logSoftmax(x, out, elements, length) {
      rows.logSoftmax(elementsOf(x), elementsOf(out), rowsOf(elements, length));
    },
    softmaxBackward(gradOutput, output, out, elements, length) {
      const [g, p] = [elementsOf(gradOutput), elementsOf(output)];
      rows.softmaxBackward(g, p, elementsOf(out), rowsOf(elements, length));
    },
    logSoftmaxBackward(gradOutput, output, out, elements, length) {
      const [g, y] = [elementsOf(gradOutput), elementsOf(output)];
      rows.logSoftmaxBackward(g, y, elementsOf(out), rowsOf(elements, length));
    },
    batch: { classes, loss, logSumExp },
    crossEntropy(x, grad, elements, length, gradLoss) {
      const [logits, gradient] = [elementsOf(x), elementsOf(grad)];
      const target = { target: classes, weight: undefined, labelSmoothing: 0 };
      const problem = { logits, ...target, loss, logSumExp, grad: gradient, gradLoss };
      kernels.crossEntropy(problem, rowsOf(elements, length));
    },
  };
}
