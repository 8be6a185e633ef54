// Scratch memory for kernels (SoftmaxRows::scratch).
#pragma once

#include <cstddef>

#include "../kernels/kernel-abi.h"

namespace softmax_native {

/// As much as a block of columns may take on the stage (kernels/staged.h): half of a second-level cache.
constexpr std::size_t scratchSize = 1048576;

/// Of the calling thread, softmaxSampleScratch bytes, aligned to 64, kept until the thread ends; null if
/// there is no memory. A system gives the pages of it that are written.
void* scratchMemory();

}  // namespace softmax_native
