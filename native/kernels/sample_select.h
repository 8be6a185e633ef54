// Where a sum of weights in descending order of logits reaches a target, without sorting: the digits of the
// logits' bits, from the first on, are counted into bins. Weights are integers below 2^53 in all, so that no
// order of additions matters. As in src/backends/js/sampling/select.ts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../vec/scalar.h"

namespace {

/// Bits in the order of numbers: the sign turned, or of negative numbers all bits. −0 is 0.
inline std::uint32_t orderedBits(float value) {
  const float number = value + 0.0f;
  std::uint32_t bits;
  __builtin_memcpy(&bits, &number, sizeof bits);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

/// The elements that come first: those of greater bits, and so many of those with these, by position.
struct Cut {
  std::uint32_t bits;
  std::size_t ties;
  std::size_t count;  // in all
  bool is_found;      // false: there was not room enough
};

/// weightOf(i) of the i-th element. The target is above 0 and at most the sum of all. `positions`: room for
/// the elements that share the first bits with the last one kept, at most `capacity`.
template <class WeightOf>
Cut selectFirst(const float* logits, std::size_t count, double target, const WeightOf& weightOf,
                std::uint32_t* positions, std::size_t capacity) {
  struct Digit {
    unsigned shift;
    std::uint32_t mask;
  };
  constexpr Digit digits[] = {{21, 0x7FF}, {10, 0x7FF}, {0, 0x3FF}};
  double bins[2048], before = 0.0;
  std::size_t candidates = count, count_before = 0;
  std::uint32_t cut = 0;
  bool is_first = true;
  for (const Digit& digit : digits) {
    const auto positionOf = [&](std::size_t i) { return is_first ? i : positions[i]; };
    const auto binOf = [&](std::size_t at) { return orderedBits(logits[at]) >> digit.shift & digit.mask; };
    for (std::size_t bin = 0; bin <= digit.mask; ++bin) bins[bin] = 0.0;
    for (std::size_t i = 0; i < candidates; ++i) bins[binOf(positionOf(i))] += weightOf(positionOf(i));
    std::uint32_t bin = digit.mask;
    for (; bin > 0 && before + bins[bin] < target; --bin) before += bins[bin];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < candidates; ++i) {
      const std::size_t at = positionOf(i);
      const std::uint32_t own = binOf(at);
      count_before += own > bin;
      if (own != bin) continue;
      if (kept == capacity) return {0, 0, 0, false};
      positions[kept++] = static_cast<std::uint32_t>(at);
    }
    candidates = kept;
    cut |= bin << digit.shift;
    is_first = false;
  }
  std::size_t ties = 0;
  for (double sum = before; ties < candidates && sum < target; ++ties) sum += weightOf(positions[ties]);
  return {cut, ties, count_before + ties, true};
}

}  // namespace
