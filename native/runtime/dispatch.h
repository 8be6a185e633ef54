// The kernel tables this CPU can run, best first.
#pragma once

#include <cstddef>

#include "../kernels/kernel-abi.h"

namespace softmax_native {

struct KernelList {
  const SoftmaxKernels* tables[4];
  std::size_t count;
};

KernelList supportedKernels();

}  // namespace softmax_native
