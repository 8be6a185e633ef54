// Calls as data: parts of them, what they cost, and how they are run on the calling thread.
#pragma once

#include <cstddef>

#include "../kernels/kernel-abi.h"

namespace softmax_native {

/// The call, with the calling thread's scratch memory if it needs any.
SoftmaxCall withScratch(const SoftmaxCall& call);

/// On the calling thread, with its scratch memory, in the default floating-point mode.
void runCall(const SoftmaxKernels& kernels, const SoftmaxCall& call);

/// Some of the rows of a call, as a call: those of [begin, end) of the outer axis.
SoftmaxCall rowsOf(const SoftmaxCall& call, std::size_t begin, std::size_t end);

/// Columns [begin, end) of one index of the outer axis. `call` has an axis that is not the last.
SoftmaxCall columnsOf(const SoftmaxCall& call, std::size_t outer, std::size_t begin, std::size_t end);

/// Draws a row, of an operation that has them.
inline std::size_t drawCount(const SoftmaxCall& call) {
  return static_cast<std::size_t>(call.numbers[0]);
}

/// Whether a row can be computed in parts (SoftmaxKernels::takeStep).
bool hasParts(const SoftmaxCall& call);

/// About how many nanoseconds an element takes. What is split, and what is worth another thread, follows from
/// it; no result does.
double elementCost(const SoftmaxKernels& kernels, const SoftmaxCall& call);

/// 0 where there is nothing to compute.
inline std::size_t elementCount(const SoftmaxRows& rows) {
  return rows.outer * rows.length * rows.inner;
}

}  // namespace softmax_native
