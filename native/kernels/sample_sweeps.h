// The sweeps of sample over a row: what each block has, and the candidates of all.
#pragma once

#include "../vec/above.h"
#include "row_maximum.h"
#include "sample_candidates.h"

namespace {

/// Sweeps over a row, vector by vector.
template <class V>
class SampleSweeps {
  using L = Along<V>;
  using Element = typename V::Element;
  static constexpr bool is_double = sizeof(Element) == sizeof(double);
  using Rows = DirectRows<L, PlainCode<V>>;
  /// Vectors that are looked at together.
  static constexpr std::size_t group = 8;
  /// Rows up to this length have weights of more bits than countedTotal() has.
  static constexpr std::size_t longestInDouble = 1024;
  static constexpr std::size_t mostCounted = V::width >= 4 ? blockSize : 1024;

 public:
  Element top = -Numbers<Element>::infinity;
  bool has_nan = false;

  SampleSweeps(const Element* logits, std::size_t length, SampleMemory<Element>& memory)
      : elements_(logits),
        logits_{const_cast<Element*>(logits), -Numbers<Element>::infinity},
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
    if (blocks_ > SampleMemory<Element>::capacity ||
        (length_ + blockSize - 1) / blockSize > SampleMemory<Element>::capacity)
      return false;
    auto nans = V::broadcast(Element(0));
    const auto lowest = V::broadcast(-Numbers<Element>::infinity), zero = nans,
               not_a_number = V::broadcast(Numbers<Element>::nan);
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
  Element boundOfLargest(double k) {
    if (static_cast<double>(blocks_) < k) return -Numbers<Element>::infinity;
    const auto cut = selectFirst(
        orderedBitsOf(memory_.row), blocks_, k, [](std::size_t) { return 1.0; }, memory_.positions, blocks_);
    for (std::size_t i = 0; i < blocks_; ++i)
      if (orderedBits(memory_.row[i]) == cut.bits) return memory_.row[i];
    return -Numbers<Element>::infinity;
  }
  /// The largest less so much after scaling.
  Element boundOf(const Scaling<Element>& scaling, double depth) const {
    const double factor = scaling.factor() * static_cast<double>(scaling.unit());
    const double bound = static_cast<double>(top) - depth / factor;
    // Not above it once it is rounded.
    return static_cast<Element>(bound - (bound < 0 ? -bound : bound) * 0x1p-22);
  }

  /// Those of at least `bound` that are not −infinity, of at most `most`. False where there are more than
  /// there is room for.
  bool collect(Element bound, Candidates<V>& candidates, Element most = Numbers<Element>::infinity,
               std::size_t room = SampleMemory<Element>::capacity) {
    constexpr std::uint32_t all_lanes = (1u << V::width) - 1;
    const auto lowest = V::broadcast(bound > -Numbers<Element>::largest ? bound : -Numbers<Element>::largest);
    const auto highest = V::broadcast(most);
    std::size_t count = 0;
    const auto take = [&](std::size_t n, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
      const auto x = logits_.load(n, lanes);
      const std::uint32_t bits = all_lanes & ~(above<V>(lowest, x) | above<V>(x, highest));
      if (bits == 0) return;
      appendLanes(x, static_cast<std::uint32_t>(n), bits, memory_.logits + count, memory_.indices + count);
      count += static_cast<std::size_t>(__builtin_popcount(bits));
    };
    std::size_t n = 0;
    for (; length_ - n >= group * V::width && count <= room; n += group * V::width) {
      auto best = logits_.load(n, V::width);
      for (std::size_t u = 1; u < group; ++u)
        best = V::maximum(logits_.load(n + u * V::width, V::width), best);
      if (above<V>(lowest, best) == all_lanes) continue;
      for (std::size_t u = 0; u < group; ++u) take(n + u * V::width, V::width);
    }
    for (; n < length_ && count <= room; n += V::width)
      take(n, length_ - n < V::width ? length_ - n : V::width);
    candidates.count = count;
    return count <= room;
  }

  /// Of all of the row, to memory_.row.
  void exponentials(const SampleWeights<V>& weights) {
    weights.exponentials(elements_, length_, memory_.row);
  }

  /// Of all weights; in memory_.sums those of each block.
  double total(const Scaling<Element>& scaling) {
    const SampleWeights<V> weights(scaling, top, length_);
    double sum = 0.0;
    std::size_t block = 0;
    for (std::size_t begin = 0; begin < length_; begin += blockSize) {
      weights.exponentials(elements_ + begin, blockLength(begin), memory_.exponentials);
      memory_.sums[block] = blockTotal(weights, memory_.exponentials, blockLength(begin));
      sum += memory_.sums[block++];
    }
    return sum;
  }

  /// Of the weights of logits above one, from memory_.row, and how many these are.
  double totalAbove(Element limit, const SampleWeights<V>& weights, std::size_t& count_above) {
    const auto limits = V::broadcast(limit), zero = V::broadcast(Element(0));
    double sum = 0.0;
    count_above = 0;
    for (std::size_t begin = 0; begin < length_; begin += blockSize) {
      const std::size_t count = blockLength(begin);
      eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
        const auto x = logits_.load(begin + k, n);
        V::store(memory_.exponentials + k,
                 V::selectAtLeast(limits, x, zero, V::load(memory_.row + begin + k)));
        count_above += static_cast<std::size_t>(__builtin_popcount(above<V>(x, limits)));
      });
      sum += blockTotal(weights, memory_.exponentials, count);
    }
    return sum;
  }

  /// Leaves in memory_.row what is at least the cut, 0 elsewhere. The sum of their weights; in memory_.sums
  /// those of each block.
  double totalKept(const CutOf<Element>& cut, const SampleWeights<V>& weights) {
    constexpr std::uint32_t all_lanes = (1u << V::width) - 1;
    const auto limit = V::broadcast(ofOrderedBits(cut.bits)), zero = V::broadcast(Element(0));
    double sum = 0.0;
    std::size_t ties = 0, block = 0;
    for (std::size_t begin = 0; begin < length_; begin += blockSize) {
      const std::size_t count = blockLength(begin);
      Element* const row = memory_.row + begin;
      eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
        const auto x = logits_.load(begin + k, n);
        V::store(row + k, V::selectAtLeast(x, limit, V::load(row + k), zero));
        std::uint32_t equal = all_lanes & ~(above<V>(x, limit) | above<V>(limit, x));
        for (; equal != 0; equal &= equal - 1)
          if (ties++ >= cut.ties) row[k + static_cast<std::size_t>(__builtin_ctz(equal))] = Element(0);
      });
      memory_.sums[block] = blockTotal(weights, row, count);
      sum += memory_.sums[block++];
    }
    return sum;
  }

  /// After total(): the first class whose cumulative weight exceeds the point, which is below the total.
  std::size_t positionOf(const Scaling<Element>& scaling, double point) {
    const std::size_t begin = blockOf(point) * blockSize;
    const SampleWeights<V> weights(scaling, top, length_);
    weights.exponentials(elements_ + begin, blockLength(begin), memory_.exponentials);
    return begin + positionIn(memory_.exponentials, weights, point);
  }
  /// The same after totalKept().
  std::size_t positionAmongKept(const SampleWeights<V>& weights, double point) const {
    const std::size_t begin = blockOf(point) * blockSize;
    return begin + positionIn(memory_.row + begin, weights, point);
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
    for (std::size_t i = 0; i < length_; ++i) count += elements_[i] != -Numbers<Element>::infinity;
    return count;
  }

 private:
  /// The block that a point lies in. What the blocks before it have is taken from the point.
  std::size_t blockOf(double& point) const {
    std::size_t block = 0;
    for (; memory_.sums[block] <= point; ++block) point -= memory_.sums[block];
    return block;
  }
  /// The first of some exponentials whose cumulative weight exceeds the point, which is below their total.
  static std::size_t positionIn(const Element* exponentials, const SampleWeights<V>& weights, double point) {
    std::size_t at = 0;
    for (double sum = weights.weightOf(exponentials[0]); sum <= point;
         sum += weights.weightOf(exponentials[at]))
      ++at;
    return at;
  }

  std::size_t blockLength(std::size_t begin) const {
    return length_ - begin < blockSize ? length_ - begin : blockSize;
  }

  /// Of the weights of as many exponentials. What follows the last of them is overwritten.
  double blockTotal(const SampleWeights<V>& weights, Element* exponentials, std::size_t count) const {
    for (std::size_t i = count; i % V::width != 0; ++i) exponentials[i] = Element(0);
    if constexpr (is_double) {
      return totalInDouble(exponentials, count, weights.power);
    } else {
      if (length_ <= longestInDouble) return totalInDouble(exponentials, count, weights.power);
      double total = 0.0;
      for (std::size_t begin = 0; begin < count; begin += mostCounted)
        total += countedTotal(exponentials + begin, count - begin < mostCounted ? count - begin : mostCounted,
                              weights.power);
      return total;
    }
  }

  static double totalInDouble(const Element* exponentials, std::size_t count, double power) {
    const auto factor = V::broadcast(power), magic = V::broadcast(0x1p52);
    auto lanes = V::broadcast(0.0);
    for (std::size_t k = 0; k < count; k += V::width) {
      const auto weights = V::multiply(V::widen(V::load(exponentials + k)), factor);
      lanes = V::add(lanes, V::subtract(V::add(weights, magic), magic));
    }
    return V::laneSum(lanes);
  }

  /// Integers in the low bits of mantissas: e in units of 2^20 / power, and what remains of it, at most half
  /// of one, in units of 1 / power. Both are rounded to nearest even, as the whole would be. With s <= 40
  /// (from 1025 classes on) and at most 1024 vectors no lane's sum reaches 2^32, or 2^31 and a sign.
  SOFTMAX_CALLED static double countedTotal(const float* exponentials, std::size_t count, double power) {
    const float coarse_magic = static_cast<float>(0x1p43 / power),
                fine_magic = static_cast<float>(0x1.8p23 / power);
    const auto coarse = V::broadcast(coarse_magic), fine = V::broadcast(fine_magic);
    auto coarse_bits = V::broadcast(0.0f), fine_bits = coarse_bits;
    std::uint32_t vectors = 0;
    for (std::size_t k = 0; k < count; k += V::width, ++vectors) {
      const auto e = V::load(exponentials + k);
      const auto counted = V::add(e, coarse);
      const auto rest = V::subtract(e, V::subtract(counted, coarse));
      coarse_bits = addBits(coarse_bits, counted);
      fine_bits = addBits(fine_bits, V::add(rest, fine));
    }
    return 0x1p20 * countOf<std::uint32_t>(coarse_bits, vectors, coarse_magic) +
           countOf<std::int32_t>(fine_bits, vectors, fine_magic);
  }

  static std::uint32_t bitsOf(float value) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  /// What all lanes have counted from the bits of as many times `magic` on.
  template <class Count>
  static double countOf(typename V::Register sums, std::uint32_t vectors, float magic) {
    float lanes[V::width];
    V::store(lanes, sums);
    double count = 0.0;
    for (const float lane : lanes) count += static_cast<Count>(bitsOf(lane) - vectors * bitsOf(magic));
    return count;
  }

  const Element* elements_;
  Rows logits_;
  std::size_t length_;
  SampleMemory<Element>& memory_;
  std::size_t block_ = 0, blocks_ = 0;
};

}  // namespace
