// What sample keeps of a row while it decides: sweeps over the row, and the candidates that they collect.
#pragma once

#include "exp.h"
#include "row_maximum.h"
#include "sample_select.h"

namespace {

/// One row's, in the order that src/backends/native/sample.ts writes them.
struct SampleSettings {
  double multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies, unused;
};
static_assert(sizeof(SampleSettings) == softmaxSettings * sizeof(double));

/// What a call has for intermediate results, in SoftmaxRows::scratch.
struct SampleMemory {
  static constexpr std::size_t capacity = 16384, longestRow = 163840;
  std::uint32_t indices[capacity];
  float logits[capacity];
  float exponentials[capacity];
  std::uint32_t positions[capacity];
  /// Cumulative weights; before, those of the row's blocks.
  double sums[capacity];
  /// Log-probabilities; before, the maxima of the row's blocks.
  float row[longestRow];
};
constexpr std::size_t sampleMemorySize = sizeof(SampleMemory);

/// Exponentials of a row relative to its largest, and the weights that they make.
template <class V>
struct SampleWeights {
  using L = Along<V>;
  RowConstants<L> constants;
  double power;

  static RowConstants<L> constantsOf(const Scaling<float>& scaling, float top) {
    const RowScaling<L> row(&scaling);
    return RowConstants<L>(row, referencesOf<L>(top * scaling.sign, row));
  }
  /// Exponentials are below 4 = 2^2. A row of `length`, times `power`, is at most 2^53.
  SampleWeights(const Scaling<float>& scaling, float top, std::size_t length)
      : constants(constantsOf(scaling, top)), power(0x1p51) {
    for (std::size_t most = 1; most < length; most *= 2) power *= 0.5;
  }
  SOFTMAX_INLINE typename V::Register exponentialOf(typename V::Register logits) const {
    return exponential<L, false>(logits, constants);
  }
  static double rounded(double value) { return value + 0x1p52 - 0x1p52; }
  double weightOf(float exponential_value) const {
    return rounded(static_cast<double>(exponential_value) * power);
  }
  SOFTMAX_INLINE typename V::Double weightsOf(typename V::Register exponentials) const {
    const auto rounding = V::broadcast(0x1p52);
    return V::subtract(V::add(V::multiply(V::widen(exponentials), V::broadcast(power)), rounding), rounding);
  }
};

/// Logits in ascending order of their classes; after weigh(), with exponentials.
template <class V>
class Candidates {
  using L = Along<V>;

 public:
  std::size_t count = 0;
  double total = 0.0;

  Candidates(std::size_t length, SampleMemory& memory) : memory_(memory), length_(length) {}

  void weigh(const Scaling<float>& scaling) {
    float top = -Numbers<float>::infinity;
    for (std::size_t i = 0; i < count; ++i)
      if (memory_.logits[i] > top) top = memory_.logits[i];
    const SampleWeights<V> weights(scaling, top, length_);
    power_ = weights.power;
    const DirectRows<L, PlainCode<V>> from{memory_.logits, -Numbers<float>::infinity},
        to{memory_.exponentials, 0.0f};
    eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t lanes) {
      to.store(k, weights.exponentialOf(from.load(k, lanes)), lanes);
    });
    top_exponential_ = 0.0f;
    for (std::size_t i = 0; i < count; ++i)
      if (memory_.logits[i] == top) top_exponential_ = memory_.exponentials[i];
    sum();
  }

  void keepLargest(double k, bool keeps_ties) {
    if (k >= static_cast<double>(count)) return;
    keepFirst(selectFirst(
                  memory_.logits, count, k, [](std::size_t) { return 1.0; }, memory_.positions),
              keeps_ties);
  }

  void keepMass(double target, double least) {
    const Cut cut = selectFirst(
        memory_.logits, count, target, [&](std::size_t i) { return weightOf(i); }, memory_.positions);
    if (static_cast<double>(cut.count) < least)
      keepLargest(least, false);
    else
      keepFirst(cut, false);
    sum();
  }

  /// False where the candidates are not all of the row, and too few of them are left.
  bool keepRelative(double ratio, double least, bool are_all) {
    const double lowest = ratio * static_cast<double>(top_exponential_);
    const auto isKept = [&](std::size_t i) { return static_cast<double>(memory_.exponentials[i]) >= lowest; };
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) left += isKept(i);
    if (static_cast<double>(left) < least) {
      if (!are_all && static_cast<double>(count) < least) return false;
      keepLargest(least, false);
    } else {
      keep(isKept);
    }
    sum();
    return true;
  }

  void accumulate() {
    double cumulative = 0.0;
    for (std::size_t i = 0; i < count; ++i) memory_.sums[i] = cumulative += weightOf(i);
  }

  /// The first whose cumulative weight exceeds the point; the last with a weight, if rounding has put it
  /// beyond them.
  std::size_t positionOf(double point) const {
    std::size_t last = 0;
    double cumulative = 0.0;
    for (std::size_t i = 0; i < count && !(cumulative > point); ++i) {
      const double weight = weightOf(i);
      cumulative += weight;
      if (weight != 0.0) last = i;
    }
    return last;
  }
  std::size_t positionAmong(double point) const {
    std::size_t low = 0, high = count - 1;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (memory_.sums[middle] > point)
        high = middle;
      else
        low = middle + 1;
    }
    while (low > 0 && memory_.sums[low] == memory_.sums[low - 1]) --low;
    return low;
  }
  std::size_t positionOfIndex(std::uint32_t index) const {
    std::size_t low = 0, high = count - 1;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (memory_.indices[middle] >= index)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }

 private:
  double weightOf(std::size_t i) const {
    return SampleWeights<V>::rounded(static_cast<double>(memory_.exponentials[i]) * power_);
  }
  void sum() {
    total = 0.0;
    for (std::size_t i = 0; i < count; ++i) total += weightOf(i);
  }
  void keepFirst(const Cut& cut, bool keeps_ties) {
    std::size_t ties = keeps_ties ? count : cut.ties;
    keep([&](std::size_t i) {
      const std::uint32_t bits = orderedBits(memory_.logits[i]);
      if (bits != cut.bits) return bits > cut.bits;
      return ties > 0 && ties-- > 0;
    });
  }
  template <class IsKept>
  void keep(const IsKept& isKept) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!isKept(i)) continue;
      memory_.indices[kept] = memory_.indices[i];
      memory_.logits[kept] = memory_.logits[i];
      memory_.exponentials[kept] = memory_.exponentials[i];
      ++kept;
    }
    count = kept;
  }

  SampleMemory& memory_;
  std::size_t length_;
  double power_ = 0.0;
  float top_exponential_ = 0.0f;
};

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
        memory_.row, blocks_, k, [](std::size_t) { return 1.0; }, memory_.positions);
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

  /// Of all weights; in memory_.sums those of each block.
  double total(const Scaling<float>& scaling) {
    const SampleWeights<V> weights(scaling, top, length_);
    double sum = 0.0;
    std::size_t block = 0;
    for (std::size_t begin = 0; begin < length_; begin += blockSize) {
      const std::size_t count = length_ - begin < blockSize ? length_ - begin : blockSize;
      auto lanes = V::broadcast(0.0);
      eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
        lanes = V::add(lanes, weights.weightsOf(weights.exponentialOf(logits_.load(begin + k, n))));
      });
      memory_.sums[block] = V::laneSum(lanes);
      sum += memory_.sums[block++];
    }
    return sum;
  }

  /// After total(): the first class whose cumulative weight exceeds the point, or the last with a weight.
  std::size_t positionOf(const Scaling<float>& scaling, double point) {
    const std::size_t blocks = (length_ + blockSize - 1) / blockSize;
    std::size_t block = 0, last = 0;
    double before = 0.0, of_last = 0.0;
    for (; block < blocks; ++block) {
      if (memory_.sums[block] != 0.0) {
        last = block;
        of_last = before;
      }
      if (before + memory_.sums[block] > point) break;
      before += memory_.sums[block];
    }
    if (block == blocks) {
      block = last;
      before = of_last;
    }
    const SampleWeights<V> weights(scaling, top, length_);
    const std::size_t begin = block * blockSize,
                      count = length_ - begin < blockSize ? length_ - begin : blockSize;
    const Rows to{memory_.exponentials, 0.0f};
    eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) {
      to.store(k, weights.exponentialOf(logits_.load(begin + k, n)), n);
    });
    std::size_t found = begin;
    for (std::size_t i = 0; i < count && !(before > point); ++i) {
      const double weight = weights.weightOf(memory_.exponentials[i]);
      before += weight;
      if (weight != 0.0) found = begin + i;
    }
    return found;
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
    std::size_t count = 0;
    for (std::size_t i = 0; i < length_; ++i) count += elements_[i] != -Numbers<float>::infinity;
    return count;
  }

 private:
  const float* elements_;
  Rows logits_;
  std::size_t length_;
  SampleMemory& memory_;
  std::size_t block_ = 0, blocks_ = 0;
};

}  // namespace
