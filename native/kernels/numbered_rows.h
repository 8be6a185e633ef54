// Rows of the last axis whose steps keep but one number between them (traversal.h).
#pragma once

#include "staged.h"

namespace {

/// Steps that keep but one number between them, steps.number(), are begun anew for each. So they stay in
/// registers: what is stored in small pieces and read in large ones makes a CPU wait, which short rows notice
/// (softmaxBackward of 1536x128: 20 %).
template <class Steps>
constexpr bool keepsNumber = false;

/// Such rows are taken in turn where the sums of some are worth more than finding them in the first cache.
constexpr std::size_t longestNumbered = 1024;  // bytes

template <class Steps, class Begin>
SOFTMAX_INLINE void eachNumberedRow(const SoftmaxRows& rows, std::size_t lanes, std::size_t element_size,
                                    const Begin& begin) {
  const std::size_t most = rows.length * element_size <= longestNumbered ? unitsInTurn : 1;
  double numbers[unitsInTurn];
#pragma GCC unroll 1
  for (std::size_t first = 0; first < rows.outer; first += most) {
    const std::size_t end = rows.outer - first < most ? rows.outer : first + most;
#pragma GCC unroll 1
    for (std::size_t row = first; row < end; ++row) {
      Steps steps;
      begin(Unit{row, lanes, row * rows.length}, steps);
      steps.sum();
      numbers[row - first] = steps.number();
    }
#pragma GCC unroll 1
    for (std::size_t row = first; row < end; ++row) {
      Steps steps;
      begin(Unit{row, lanes, row * rows.length}, steps);
      steps.number() = numbers[row - first];
      steps.finish();
    }
  }
}

}  // namespace
