// The sweeps of sample over a row: what each block has, and the candidates of all.
#pragma once

#include "row_maximum.h"
#include "sample_candidates.h"

namespace {

/// Sweeps over a row, vector by vector.
template <class V>
class SampleSweeps {
  using L = Along<V>;
  using Rows = DirectRows<L, PlainCode<V>>;
  /// Vectors that are looked at together.
  static constexpr std::size_t group = 8;

 public:
  float top = -Numbers<float>::infinity;
  bool has_nan = false;

  SampleSweeps(const float* logits, std::size_t length, SampleMemory& memory)
      : elements_(logits),
        logits_{const_cast<float*>(logits), -Numbers<float>::infinity},
        length_(length),
        memory_(memory) {}

  /// The maxima of blocks: eight for each of the k largest. False: it takes more memory than there is.
  bool measure(double k) {
    block_ = blockSize;
    if (k > 0) {
      const double wanted = static_cast<double>(length_) / (8.0 * k);
      block_ = wanted < static_cast<double>(V::width) ? 0 : static_cast<std::size_t>(wanted) / 16 * 16;
      if (block_ == 0) block_ = length_ < 16 ? 16 : length_;
      if (block_ > blockSize) block_ = blockSize;
    }
    blocks_ = (length_ + block_ - 1) / block_;
    if (blocks_ > SampleMemory::capacity || (length_ + blockSize - 1) / blockSize > SampleMemory::capacity)
      return false;
    auto nans = V::broadcast(0.0f);
    const auto lowest = V::broadcast(-Numbers<float>::infinity), zero = nans,
               not_a_number = V::broadcast(Numbers<float>::nan);
    for (std::size_t i = 0; i < blocks_; ++i) {
      auto best = lowest, other = lowest;
      const std::size_t begin = i * block_, end = length_ - begin < block_ ? length_ : begin + block_;
      std::size_t n = begin;
      for (; end - n >= 2 * V::width; n += 2 * V::width) {
        const auto a = logits_.load(n, V::width), b = logits_.load(n + V::width, V::width);
        best = V::maximum(a, best);
        other = V::maximum(b, other);
        nans = V::add(nans, V::add(V::selectAtLeast(a, lowest, zero, not_a_number),
                                   V::selectAtLeast(b, lowest, zero, not_a_number)));
      }
      for (; n < end; n += V::width) {
        const auto a = logits_.load(n, end - n < V::width ? end - n : V::width);
        best = V::maximum(a, best);
        nans = V::add(nans, V::selectAtLeast(a, lowest, zero, not_a_number));
      }
      memory_.row[i] = V::laneMaximum(V::maximum(best, other));
      if (memory_.row[i] > top) top = memory_.row[i];
    }
    const double sum = V::laneSum(V::widen(nans));
    has_nan = !(sum == sum);
    return true;
  }

  /// At most the k-th largest.
  float boundOfLargest(double k) {
    if (static_cast<double>(blocks_) < k) return -Numbers<float>::infinity;
    const Cut cut = selectFirst(
        memory_.row, blocks_, k, [](std::size_t) { return 1.0; }, memory_.positions, blocks_);
    for (std::size_t i = 0; i < blocks_; ++i)
      if (orderedBits(memory_.row[i]) == cut.bits) return memory_.row[i];
    return -Numbers<float>::infinity;
  }
  /// The largest less so much after scaling.
  float boundOf(const Scaling<float>& scaling, double depth) const {
    const double factor = scaling.factor() * static_cast<double>(scaling.unit());
    const double bound = static_cast<double>(top) - depth / factor;
    // Not above it in float.
    return static_cast<float>(bound - (bound < 0 ? -bound : bound) * 0x1p-22);
  }

  /// Those of at least `bound` that are not −infinity. False where there are more than there is room for.
  bool collect(float bound, Candidates<V>& candidates) {
    const auto lowest = V::broadcast(-Numbers<float>::infinity);
    std::size_t count = 0;
    const auto take = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const float logit = elements_[i];
        if (!(logit >= bound) || logit == -Numbers<float>::infinity) continue;
        if (count < SampleMemory::capacity) {
          memory_.indices[count] = static_cast<std::uint32_t>(i);
          memory_.logits[count] = logit;
        }
        ++count;
      }
    };
    std::size_t n = 0;
    for (; length_ - n >= group * V::width && count <= SampleMemory::capacity; n += group * V::width) {
      auto best = lowest;
      for (std::size_t u = 0; u < group; ++u)
        best = V::maximum(logits_.load(n + u * V::width, V::width), best);
      if (!(V::laneMaximum(best) >= bound)) continue;
      for (std::size_t u = 0; u < group; ++u) {
        const std::size_t begin = n + u * V::width;
        if (V::laneMaximum(logits_.load(begin, V::width)) >= bound) take(begin, begin + V::width);
      }
    }
    if (count <= SampleMemory::capacity) take(n, length_);
    candidates.count = count;
    return count <= SampleMemory::capacity;
  }

  /// Of all of the row, to memory_.row.
  void exponentials(const SampleWeights<V>& weights) {
    const Rows to{memory_.row, 0.0f};
    eachVector<L>(length_, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
      to.store(k, weights.exponentialOf(logits_.load(k, n)), n);
    });
  }

  /// Of all weights; in memory_.sums those of each block.
  double total(const Scaling<float>& scaling) {
    const SampleWeights<V> weights(scaling, top, length_);
    double sum = 0.0;
    std::size_t block = 0;
    for (std::size_t begin = 0; begin < length_; begin += blockSize) {
      const std::size_t count = length_ - begin < blockSize ? length_ - begin : blockSize;
      memory_.sums[block] = weights.is_plain ? blockTotal<true>(weights, begin, count)
                                             : blockTotal<false>(weights, begin, count);
      sum += memory_.sums[block++];
    }
    return sum;
  }

  /// After total(): the first class whose cumulative weight exceeds the point, which is below the total.
  std::size_t positionOf(const Scaling<float>& scaling, double point) {
    std::size_t block = 0;
    double before = 0.0;
    for (; before + memory_.sums[block] <= point; ++block) before += memory_.sums[block];
    const SampleWeights<V> weights(scaling, top, length_);
    const std::size_t begin = block * blockSize,
                      count = length_ - begin < blockSize ? length_ - begin : blockSize;
    const Rows to{memory_.exponentials, 0.0f};
    eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) {
      to.store(k, weights.exponentialOf(logits_.load(begin + k, n)), n);
    });
    std::size_t at = 0;
    for (before += weights.weightOf(memory_.exponentials[0]); before <= point; ++at)
      before += weights.weightOf(memory_.exponentials[at + 1]);
    return begin + at;
  }

  std::int32_t firstOfTop() const {
    std::size_t block = 0;
    while (memory_.row[block] != top) ++block;
    std::size_t i = block * block_;
    while (elements_[i] != top) ++i;
    return static_cast<std::int32_t>(i);
  }

  /// How many are not −infinity.
  std::size_t finiteCount() const {
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < length_; ++i) count += elements_[i] != -Numbers<float>::infinity;
    return count;
  }

 private:
  template <bool plain>
  double blockTotal(const SampleWeights<V>& weights, std::size_t begin, std::size_t count) const {
    const auto bound = V::broadcast(static_cast<float>(0x1p23 / weights.power));
    const RowConstants<L> constants = weights.constants;
    const auto weightsFrom = [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
      const auto exponentials = exponential<L, plain>(logits_.load(begin + k, n), constants);
      return V::widen(SampleWeights<V>::rounded(exponentials, bound));
    };
    auto lanes = V::broadcast(0.0), others = lanes;
    std::size_t k = 0;
    for (; count - k >= 2 * V::width; k += 2 * V::width) {
      lanes = V::add(lanes, weightsFrom(k, V::width));
      others = V::add(others, weightsFrom(k + V::width, V::width));
    }
    for (; k < count; k += V::width)
      lanes = V::add(lanes, weightsFrom(k, count - k < V::width ? count - k : V::width));
    return V::laneSum(V::add(lanes, others)) * weights.power;
  }

  const float* elements_;
  Rows logits_;
  std::size_t length_;
  SampleMemory& memory_;
  std::size_t block_ = 0, blocks_ = 0;
};

}  // namespace
