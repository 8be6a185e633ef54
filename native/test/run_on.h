// A call by a table of kernels, with nothing of the runtime around it.
#pragma once

#include "../kernels/table.h"

namespace {

void runOn(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  const SoftmaxRows* rows = &call.rows;
  switch (call.function) {
    case callSoftmax:
      return kernels.softmax(&call.x, &call.out, rows);
    case callLogSoftmax:
      return kernels.logSoftmax(&call.x, &call.out, rows);
    case callLogSumExp:
      return kernels.logSumExp(&call.x, &call.out, rows);
    case callSoftmaxBackward:
      return kernels.softmaxBackward(&call.x, &call.y, &call.out, rows);
    case callLogSoftmaxBackward:
      return kernels.logSoftmaxBackward(&call.x, &call.y, &call.out, rows);
    case callSoftmaxJacobian:
      return kernels.softmaxJacobian(&call.x, &call.out, rows);
    case callCrossEntropy:
      return kernels.crossEntropy(&call.crossEntropy, rows);
    case callDivergence:
      return kernels.divergence(&call.divergence, rows);
  }
}

}  // namespace
