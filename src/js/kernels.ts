// The JavaScript backend: the kernels of native/kernels in plain JavaScript, with the same bits.

import type { Kernels } from '../kernels.js';
import { logSoftmaxBackwardRow, softmaxBackwardRow, softmaxJacobianRow } from './backward.js';
import { logSoftmaxRow, logSumExpRow, softmaxRow } from './forward.js';
import { crossEntropyRow, ignoredRow } from './loss.js';
import { scalingOf } from './scaling.js';

export const jsKernels: Kernels = {
  softmax(logits, out, rows, length, multiplier) {
    const scaling = scalingOf(multiplier);
    for (let i = 0; i < rows; i++) softmaxRow(logits, out, i * length, length, scaling);
  },

  logSoftmax(logits, out, rows, length, multiplier) {
    const scaling = scalingOf(multiplier);
    for (let i = 0; i < rows; i++) logSoftmaxRow(logits, out, i * length, length, scaling);
  },

  logSumExp(logits, out, rows, length, multiplier) {
    const scaling = scalingOf(multiplier);
    for (let i = 0; i < rows; i++) out[i] = logSumExpRow(logits, i * length, length, scaling);
  },

  softmaxBackward(gradOutput, output, out, rows, length, multiplier) {
    for (let i = 0; i < rows; i++)
      softmaxBackwardRow(gradOutput, output, out, i * length, length, multiplier);
  },

  logSoftmaxBackward(gradOutput, output, out, rows, length, multiplier) {
    for (let i = 0; i < rows; i++)
      logSoftmaxBackwardRow(gradOutput, output, out, i * length, length, multiplier);
  },

  softmaxJacobian(output, out, rows, length) {
    for (let i = 0; i < rows; i++) softmaxJacobianRow(output, i * length, out, i * length * length, length);
  },

  crossEntropy(logits, targets, loss, logSumExp, grad, rows, length, multiplier, gradLoss) {
    const scaling = scalingOf(multiplier);
    const batch = { logits, loss, logSumExp, grad, scaling, gradFactor: gradLoss * multiplier };
    for (let i = 0; i < rows; i++) {
      const target = targets[i] as number;
      if (target < 0) ignoredRow(batch, i, i * length, length);
      else crossEntropyRow(batch, i, i * length, length, target);
    }
  },
};
