// topP of a flat row, of which more is kept than candidates have room for: it is decided where the row is.
//
// A sample of the row says about where the cut is. One sweep sums the weights above that and collects the
// logits around it, among which the cut is exact. If the sample missed it, all of the row is searched.
#pragma once

#include "sample_sweeps.h"

namespace {

/// How far candidates went before there were too many: all logits of at least `bound`, whose weights are
/// `mass`.
template <class Element>
struct Reached {
  Element bound = Numbers<Element>::infinity;
  double mass = 0.0;
};

template <class V>
class FlatRow {
  using Element = typename V::Element;
  using RowCut = CutOf<Element>;

 public:
  /// `memory`.row has the row's exponentials.
  FlatRow(const Element* logits, std::size_t length, const SampleWeights<V>& weights, SampleSweeps<V>& sweeps,
          SampleMemory<Element>& memory)
      : logits_(logits), length_(length), weights_(weights), sweeps_(sweeps), memory_(memory) {}

  /// The first whose weights reach the target; `total`: of all.
  RowCut cut(double target, double total, const Reached<Element>& reached) {
    const double share = (target - reached.mass) / (total - reached.mass);
    constexpr double margins[] = {0.02, 0.06};
    for (const double margin : margins) {
      const RowCut near = cutNear(target, share, margin, reached.bound);
      if (near.is_found) return near;
    }
    return selectFirst(
        orderedBitsOf(logits_), length_, target, [&](std::size_t i) { return weightOf(i); },
        memory_.positions, SampleMemory<Element>::capacity);
  }

 private:
  /// Its shares are off by 0.01 and less, mostly.
  static constexpr std::size_t sampleSize = 2048;

  double weightOf(std::size_t i) const { return weights_.weightOf(memory_.row[i]); }

  RowCut cutNear(double target, double share, double margin, Element bound) {
    constexpr RowCut none{0, 0, 0, false};
    const Element highest = limitOf(share - margin, bound), lowest = limitOf(share + margin, bound);
    Candidates<V> candidates(length_, memory_);
    if (!sweeps_.collect(lowest, candidates, highest)) return none;
    std::size_t count_above = 0;
    const double above = sweeps_.totalAbove(highest, weights_, count_above);
    if (!(above < target)) return none;
    auto cut = selectFirst(
        orderedBitsOf(memory_.logits), candidates.count, target - above,
        [&](std::size_t i) { return weightOf(memory_.indices[i]); }, memory_.positions, candidates.count);
    cut.count += count_above;
    return cut;
  }

  /// The logit below `bound` at which the weights of the sample's reach a share of theirs.
  Element limitOf(double share, Element bound) {
    if (share <= 0.0) return bound;
    if (share >= 1.0) return -Numbers<Element>::infinity;
    const std::size_t apart = length_ / sampleSize;
    std::size_t count = 0;
    double total = 0.0;
    for (std::size_t i = 0; i < sampleSize; ++i) {
      const Element logit = logits_[i * apart];
      memory_.logits[count] = logit;
      memory_.exponentials[count] = memory_.row[i * apart];
      count += logit < bound;
    }
    const auto weightAt = [&](std::size_t i) { return weights_.weightOf(memory_.exponentials[i]); };
    for (std::size_t i = 0; i < count; ++i) total += weightAt(i);
    if (!(total > 0.0)) return -Numbers<Element>::infinity;
    return ofOrderedBits(
        selectFirst(orderedBitsOf(memory_.logits), count, share * total, weightAt, memory_.positions, count)
            .bits);
  }

  const Element* logits_;
  std::size_t length_;
  const SampleWeights<V>& weights_;
  SampleSweeps<V>& sweeps_;
  SampleMemory<Element>& memory_;
};

}  // namespace
