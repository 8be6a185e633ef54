// A backend's kernels over rows, by their names.

import type { BinaryRows, Kernels, UnaryRows } from '../../src/backends/kernels.js';
import { logSoftmax } from '../../src/operations/log-softmax.js';
import { logSoftmaxBackward } from '../../src/operations/log-softmax-backward.js';
import { logSumExp } from '../../src/operations/log-sum-exp.js';
import { softmax } from '../../src/operations/softmax.js';
import { softmaxBackward } from '../../src/operations/softmax-backward.js';

export interface RowKernels {
  readonly softmax: UnaryRows;
  readonly logSoftmax: UnaryRows;
  readonly logSumExp: UnaryRows;
  readonly softmaxBackward: BinaryRows;
  readonly logSoftmaxBackward: BinaryRows;
}

export const rowKernelsOf = (kernels: Kernels): RowKernels => ({
  softmax: kernels.unary(softmax.kernel),
  logSoftmax: kernels.unary(logSoftmax.kernel),
  logSumExp: kernels.unary(logSumExp.kernel),
  softmaxBackward: kernels.binary(softmaxBackward.kernel),
  logSoftmaxBackward: kernels.binary(logSoftmaxBackward.kernel),
});
