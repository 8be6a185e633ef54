// Where a sum of weights in descending order of logits reaches a target, without sorting: the logits' bits
// are counted into bins, and those of the bin that reaches it into finer ones. Weights are integers below
// 2^53 in all, so that no order of additions matters. As in src/backends/js/sampling/select.ts.
#pragma once

#include "selection.h"

namespace {

/// What selectFirst takes as keys of logits.
template <class Element>
auto orderedBitsOf(const Element* logits) {
  return [=](std::size_t i) { return orderedBits(logits[i]); };
}

/// The elements that come first: those of greater bits, and so many of those with these, by position.
template <class Bits>
struct Cut {
  Bits bits;
  std::size_t ties;
  std::size_t count;  // in all
  bool is_found;      // false: there was not room enough, or not weight
};

/// Of keys of elements.
template <class Element>
using CutOf = Cut<decltype(orderedBits(Element()))>;

/// keyOf(i) and weightOf(i) of the i-th element: unsigned bits, and a weight. The target is above 0.
/// `positions`: room for the elements that share a bin with the last one kept, at most `capacity`.
template <class KeyOf, class WeightOf>
auto selectFirst(const KeyOf& keyOf, std::size_t count, double target, const WeightOf& weightOf,
                 std::uint32_t* positions, std::size_t capacity) {
  using Bits = decltype(keyOf(0));
  constexpr std::uint32_t most_bins = 2048;
  double bins[most_bins], before = 0.0;
  std::size_t candidates = count, count_before = 0;
  Bits lowest = ~Bits(0), highest = 0;  // of the candidates
  for (std::size_t i = 0; i < count; ++i) {
    const Bits bits = keyOf(i);
    lowest = bits < lowest ? bits : lowest;
    highest = bits > highest ? bits : highest;
  }
  bool is_first = true;
  for (unsigned shift = 8 * sizeof(Bits); shift > 0; is_first = false) {
    // A few candidates have a few bins: to look through those takes as long.
    std::uint32_t bin_count = 16;
    while (bin_count < candidates && bin_count < most_bins) bin_count *= 2;
    for (shift = 0; (highest - lowest) >> shift >= bin_count;) ++shift;
    const auto positionOf = [&](std::size_t i) { return is_first ? i : positions[i]; };
    const auto binOf = [&](std::size_t at) { return (keyOf(at) - lowest) >> shift; };
    Bits bin = (highest - lowest) >> shift;
    for (Bits i = 0; i <= bin; ++i) bins[i] = 0.0;
    for (std::size_t i = 0; i < candidates; ++i) bins[binOf(positionOf(i))] += weightOf(positionOf(i));
    for (; bin > 0 && before + bins[bin] < target; --bin) before += bins[bin];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < candidates; ++i) {
      const std::size_t at = positionOf(i);
      const Bits own = binOf(at);
      count_before += own > bin;
      if (own != bin) continue;
      if (kept == capacity) return Cut<Bits>{0, 0, 0, false};
      positions[kept++] = static_cast<std::uint32_t>(at);
    }
    candidates = kept;
    lowest += bin << shift;
    const Bits width = (Bits(1) << shift) - 1;
    if (highest - lowest > width) highest = lowest + width;
  }
  std::size_t ties = 0;
  double sum = before;
  for (; ties < candidates && sum < target; ++ties) sum += weightOf(positions[ties]);
  return Cut<Bits>{lowest, ties, count_before + ties, sum >= target};
}

}  // namespace
