// What sample keeps of a row while it decides: sweeps over the row, and the candidates that they collect.
#pragma once

#include "direct.h"
#include "exp.h"
#include "sample_call.h"
#include "sample_select.h"
#include "tree.h"

namespace {

/// Exponentials of a row relative to its largest, and the weights that they make.
template <class V>
class SampleWeights {
  using L = Along<V>;
  using Element = typename V::Element;
  using Rows = DirectRows<L, PlainCode<V>>;

 public:
  double power;

  SampleWeights(const Scaling<Element>& scaling, Element top, std::size_t length)
      : SampleWeights(RowScaling<L>(&scaling), top * scaling.sign) {
    // Exponentials are below 4 = 2^2. A row of `length`, times `power`, is at most 2^53.
    for (std::size_t most = 1; most < length; most *= 2) power *= 0.5;
  }
  /// Of `count` logits.
  void exponentials(const Element* logits, std::size_t count, Element* to) const {
    if (is_plain_) return write<true, true>(logits, count, to);
    if (is_unshifted_) return write<false, true>(logits, count, to);
    write<false, false>(logits, count, to);
  }
  double weightOf(Element exponential_value) const {
    return static_cast<double>(exponential_value) * power + 0x1p52 - 0x1p52;
  }

 private:
  SampleWeights(const RowScaling<L>& scaling, Element signed_top)
      : SampleWeights(scaling, referencesOf<L>(signed_top, scaling)) {}
  SampleWeights(const RowScaling<L>& scaling, const References<L>& references)
      : power(0x1p51),
        constants_(scaling, references),
        is_plain_(isPlain<L>(scaling, references)),
        is_unshifted_(scaling.sign == Element(1) && !references.is_shifted) {}

  template <bool plain, bool unshifted>
  SOFTMAX_CALLED void write(const Element* logits, std::size_t count, Element* to) const {
    const Rows from{const_cast<Element*>(logits), -Numbers<Element>::infinity}, out{to, Element(0)};
    const RowConstants<L> constants = constants_;
    eachVector<L>(count, Unit{0, V::width, 0}, [&](std::size_t k, std::size_t n) SOFTMAX_INLINE_LAMBDA {
      out.store(k, exponential<L, plain, unshifted>(from.load(k, n), constants), n);
    });
  }

  RowConstants<L> constants_;
  bool is_plain_, is_unshifted_;
};

/// At least −log of a ratio in (0, 1].
inline double depthOf(double ratio) {
  double depth = 0.01;
  for (; ratio < 1.0; ratio *= 2) depth += 0.6932;
  return depth;
}

/// Logits in ascending order of their classes; after weigh(), with exponentials.
template <class V>
class Candidates {
  using Element = typename V::Element;

 public:
  std::size_t count = 0;
  double total = 0.0;

  Candidates(std::size_t length, SampleMemory<Element>& memory) : memory_(memory), length_(length) {}

  void weigh(const Scaling<Element>& scaling) {
    scaling_ = scaling;
    top_ = -Numbers<Element>::infinity;
    for (std::size_t i = 0; i < count; ++i)
      if (memory_.logits[i] > top_) top_ = memory_.logits[i];
    const SampleWeights<V> weights(scaling, top_, length_);
    power_ = weights.power;
    weights.exponentials(memory_.logits, count, memory_.exponentials);
    top_exponential_ = Element(0);
    for (std::size_t i = 0; i < count; ++i)
      if (memory_.logits[i] == top_) top_exponential_ = memory_.exponentials[i];
    sum();
  }

  void keepLargest(double k, bool keeps_ties) {
    if (k >= static_cast<double>(count)) return;
    keepFirst(keyOfLogit(), k, one, keeps_ties);
  }

  void keepMass(double target, double least) {
    keepWeight(keyOfLogit(), target, least, false);
    sum();
  }

#if !defined(SOFTMAX_SMALL)
  /// Those whose -log p is nearest to its mean, the entropy: as in src/backends/js/sampling/survivors.ts.
  void keepTypical(double mass, double least, bool keeps_ties) {
    double* const distances = memory_.sums;
    const double top = top_ * scaling_.sign, factor = scaling_.factor();
    for (std::size_t i = 0; i < count; ++i) {
      const double logit = memory_.logits[i] * scaling_.sign;
      distances[i] = top > 1.0 ? (logit * 0.5 - top * 0.5) * factor * 2 : (logit - top) * factor;
    }
    // The order of the sum is the same of any vectors.
    const double of_all = termSum<Along<Scalar>>(
        count, Unit{0, 1, 0}, [&](std::size_t i, std::size_t) { return weightOf(i) * distances[i]; });
    const double mean = of_all / total;
    for (std::size_t i = 0; i < count; ++i) {
      const double distance = mean - distances[i];
      distances[i] = distance < 0.0 ? distance : -distance;
    }
    const auto keyOf = [=](std::size_t i) { return orderOf(distances[i]); };
    keepWeight(keyOf, mass * total, least, keeps_ties);
    sum();
  }
#endif

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

  /// The first whose cumulative weight exceeds the point, which is below the total.
  std::size_t positionOf(double point) const {
    std::size_t at = 0;
    for (double cumulative = weightOf(0); cumulative <= point; cumulative += weightOf(at)) ++at;
    return at;
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
    return low;
  }

 private:
  double weightOf(std::size_t i) const {
    return static_cast<double>(memory_.exponentials[i]) * power_ + 0x1p52 - 0x1p52;
  }
  static double one(std::size_t) {
    return 1.0;
  }
  auto keyOfLogit() const {
    return orderedBitsOf(memory_.logits);
  }
  void sum() {
    total = 0.0;
    for (std::size_t i = 0; i < count; ++i) total += weightOf(i);
  }
  /// Those of the greatest keys whose weights reach the target, and at least so many.
  template <class KeyOf>
  void keepWeight(const KeyOf& keyOf, double target, double least, bool keeps_ties) {
    const auto weight = [&](std::size_t i) { return weightOf(i); };
    const auto cut = selectFirst(keyOf, count, target, weight, memory_.positions, count);
    if (static_cast<double>(cut.count) >= least) return keepAbove(keyOf, cut, keeps_ties);
    if (least < static_cast<double>(count)) keepFirst(keyOf, least, one, keeps_ties);
  }
  template <class KeyOf, class WeightOf>
  void keepFirst(const KeyOf& keyOf, double target, const WeightOf& weightOf, bool keeps_ties) {
    keepAbove(keyOf, selectFirst(keyOf, count, target, weightOf, memory_.positions, count), keeps_ties);
  }
  template <class KeyOf, class Bits>
  void keepAbove(const KeyOf& keyOf, const Cut<Bits>& cut, bool keeps_ties) {
    std::size_t ties = keeps_ties ? count : cut.ties;
    keep([&](std::size_t i) {
      const Bits bits = keyOf(i);
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

  SampleMemory<Element>& memory_;
  std::size_t length_;
  double power_ = 0.0;
  Element top_exponential_ = 0, top_ = 0;
  Scaling<Element> scaling_{};
};

}  // namespace
