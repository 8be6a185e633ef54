// A call, computed by as many threads as it is worth.
#pragma once

#include "call.h"

namespace softmax_native {

/// Returns when it is done.
void compute(const SoftmaxKernels& kernels, const SoftmaxCall& call);

}  // namespace softmax_native
