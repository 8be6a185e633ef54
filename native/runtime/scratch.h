// Scratch memory for kernels (SoftmaxRows::scratch).
#pragma once

#include <cstddef>

namespace softmax_native {

/// As much as a block of columns may take on the stage (kernels/staged.h): half of a second-level cache.
constexpr std::size_t scratchSize = 1048576;

/// Of the calling thread, at least so many bytes, aligned to 64, kept until the thread ends; null if there is
/// no memory.
void* scratchMemory(std::size_t size);

}  // namespace softmax_native
