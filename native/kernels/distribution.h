// The distribution of a row in double throughout: for losses whose gradients cancel. The largest logits are
// left out of the sum, so that nothing is lost as their probability goes to 1.
#pragma once

#include "forward.h"

namespace {

/// A unit's logits, shifted by the largest of the row and scaled: d_c = (z_c − max z) · factor.
template <class L, class Logits>
class ShiftedLogits {
  using V = typename L::V;
  using R = typename L::Rows;
  using Element = typename L::Element;
  using Double = typename L::Double;

 public:
  ShiftedLogits(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling)
      : logits_(logits), length_(length), unit_(unit), sign_(L::spread(scaling.sign)) {
    const auto tops = rowMaxima<L>(logits, 0, length, unit, scaling);
    const auto wide_tops = R::widen(tops);
    difference_ = ScaledDifferences<V>(L::spread(wide_tops), L::spread(scaling.factor));
    R::store(top, tops);
    R::store(nans, areFinite<R>(wide_tops) ? R::broadcast(0.0) : nansOf<L>(logits, length, unit));
  }

  SOFTMAX_INLINE Double load(std::size_t k, std::size_t count) const {
    return shift(V::widen(V::multiply(logits_.load(k, count), sign_)));
  }
  /// The logit of one element per row.
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
  /// Whether there is nothing but −infinity.
  bool isEmpty(std::size_t row) const { return top[row] == -Numbers<Element>::infinity && nans[row] == 0.0; }
  std::size_t length() const { return length_; }
  const Unit& unit() const { return unit_; }

  Element top[L::rows];
  double nans[L::rows];  // NaN for a row that has one, beside an infinity; else 0

 private:
  /// −infinity stays −infinity, whatever the factor.
  SOFTMAX_INLINE Double shift(Double logit) const {
    const auto lowest = V::broadcast(-static_cast<double>(Numbers<Element>::largest));
    return V::selectAtLeast(logit, lowest, difference_.of(logit), logit);
  }

  const Logits& logits_;
  std::size_t length_;
  Unit unit_;
  typename L::Register sign_;
  ScaledDifferences<V> difference_;
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
    log = others <= 1.0 ? logOnePlusRatio<Scalar>(others) : logScaled(sum, 0.0);
  }
  Normalizer() = default;
};

template <class L, class Logits>
void normalize(const ShiftedLogits<L, Logits>& shifted, Normalizer* normalizers) {
  using V = typename L::V;
  using R = typename L::Rows;
  double largest[L::rows], below[L::rows];
  const auto depth = [&](std::size_t k, std::size_t count) {
    return V::subtract(V::broadcast(0.0), shifted.load(k, count));
  };
  const auto smallest = V::broadcast(smallestNormal);
  const auto sumOf = [&](auto term) { return termSum<L>(shifted.length(), shifted.unit(), term); };
  R::store(largest, sumOf([&](std::size_t k, std::size_t count) {
             return V::selectAtLeast(depth(k, count), smallest, V::broadcast(0.0), V::broadcast(1.0));
           }));
  R::store(below, sumOf([&](std::size_t k, std::size_t count) {
             return V::keepUnlessBelow(exponential<V>(shifted.load(k, count)), depth(k, count), smallest);
           }));
  for (std::size_t i = 0; i < L::rows; ++i) normalizers[i] = Normalizer(largest[i], below[i]);
}

/// q · m, where 0 · infinity is 0.
template <class V>
typename V::Double product(typename V::Double q, typename V::Double m) {
  return V::clearWhereEqual(V::multiply(q, m), q, V::broadcast(0.0));
}
inline double product(double q, double m) {
  return q == 0.0 ? 0.0 : q * m;
}

}  // namespace
