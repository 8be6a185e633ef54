// The distribution of a row in double throughout: for losses whose gradients cancel. The largest logits are
// left out of the sum, so that nothing is lost as their probability goes to 1.
#pragma once

#include "row_sum.h"

namespace {

constexpr double smallestNormal = 0x1p-1022;

/// A unit's logits, shifted by the largest of the row and scaled: d_c = (z_c − max z) · factor.
template <class L, class Logits>
class ShiftedLogits {
  using V = typename L::V;
  using Element = typename L::Element;
  using Double = typename L::Double;

 public:
  ShiftedLogits(const Logits& logits, std::size_t length, const Unit& unit, const Scaling<Element>* scaling)
      : logits_(logits), length_(length), unit_(unit) {
    rowMaxima<L>(logits, 0, length, unit, scaling, top);
    sign_ = L::each([&](std::size_t i) { return scaling[i].sign; });
    difference_ = ScaledDifferences<L>([&](std::size_t i) { return top[i]; }, scaling);
    bool any_infinite = false;
    for (std::size_t i = 0; i < L::rows; ++i) {
      has_nan[i] = false;
      any_infinite |= !isProper(i);
    }
    if (any_infinite) findNans<L>(logits, length, unit, has_nan);
  }

  Double load(std::size_t k, std::size_t count) const {
    return shift(V::widen(V::multiply(logits_.load(k, count), sign_)));
  }
  /// The logit of one element a row.
  template <class ElementOf>
  Double loadEach(ElementOf elementOf) const {
    const auto logits = L::each(
        [&](std::size_t i) { return i < unit_.lanes ? logits_.element(elementOf(i), i) : Element(0); });
    return shift(V::widen(V::multiply(logits, sign_)));
  }
  /// Whether the row has a distribution; else it is NaN. A NaN beside numbers shows in the sums.
  bool isProper(std::size_t row) const {
    return top[row] >= -Numbers<Element>::largest && top[row] <= Numbers<Element>::largest;
  }
  std::size_t length() const { return length_; }
  const Unit& unit() const { return unit_; }

  Element top[V::width];
  bool has_nan[L::rows];

 private:
  /// −infinity stays −infinity, whatever the factor.
  Double shift(Double logit) const {
    const auto lowest = V::broadcast(-static_cast<double>(Numbers<Element>::largest));
    return V::selectAtLeast(logit, lowest, difference_.of(logit), logit);
  }

  const Logits& logits_;
  std::size_t length_;
  Unit unit_;
  typename L::Register sign_;
  ScaledDifferences<L> difference_;
};

/// Σ exp(d) of each row, which is `below` + the number of logits that are largest.
struct Normalizer {
  double others;  // the sum without one of the largest logits
  double sum;
  double log;

  /// `largest`: how many logits are the largest; `below`: Σ exp(d) of the others.
  Normalizer(double largest, double below) {
    others = below + (largest - 1.0);
    sum = below + largest;
    log = others <= 1.0 ? logOnePlusRatio(others) : logScaled(sum, 0);
  }
  Normalizer() = default;
};

template <class L, class Logits>
void normalize(const ShiftedLogits<L, Logits>& shifted, Normalizer* normalizers) {
  using V = typename L::V;
  double largest[V::width], below[V::width];
  const auto depth = [&](std::size_t k, std::size_t count) {
    return V::subtract(V::broadcast(0.0), shifted.load(k, count));
  };
  const auto smallest = V::broadcast(smallestNormal);
  termSum<L>(
      shifted.length(), shifted.unit(),
      [&](std::size_t k, std::size_t count) {
        return V::selectAtLeast(depth(k, count), smallest, V::broadcast(0.0), V::broadcast(1.0));
      },
      largest);
  termSum<L>(
      shifted.length(), shifted.unit(),
      [&](std::size_t k, std::size_t count) {
        return V::keepUnlessBelow(exponential<V>(shifted.load(k, count)), depth(k, count), smallest);
      },
      below);
  for (std::size_t i = 0; i < L::rows; ++i) normalizers[i] = Normalizer(largest[i], below[i]);
}

/// q · m, where 0 · infinity is 0.
template <class V>
typename V::Double product(typename V::Double q, typename V::Double m) {
  return clearWhereEqual<V>(V::multiply(q, m), q, V::broadcast(0.0));
}
inline double product(double q, double m) {
  return q == 0.0 ? 0.0 : q * m;
}

}  // namespace
