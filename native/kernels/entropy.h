// entropy(x) = −Σ p log p of p = softmax(multiplier · x), one per row.
//
// With d = multiplier · (x − max x), e = exp(d) and S = Σ e, it is log S + Σ e · (−d) / S. No term is
// negative, so that nothing cancels; the largest logits are left out of S, whose logarithm is log1p of the
// others then: nothing is lost either where one p is nearly 1. Exponentials are those of the elements' type
// (exp.h), d and the sums are double.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; NaN for a row without a distribution (NaN, +∞, nothing but −∞); 0 for a row without
//           elements, or with none that the mask keeps
//   error   float32: 4 ULP; 2.1 measured, of [6.04, 11.33, -5.31, -20.9, 20.65] (test/numbers)
#pragma once

#include "choose.h"
#include "distribution.h"
#include "per_row.h"

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
      : top(rowMaxima<L>(logits, 0, length, unit, scaling)),
        logits_(logits),
        sign_(L::spread(scaling.sign)),
        difference_(L::spread(R::widen(top)), L::spread(scaling.factor)) {}

  SOFTMAX_INLINE Double load(std::size_t k, std::size_t count) const {
    return shift(V::widen(V::multiply(logits_.load(k, count), sign_)));
  }

  typename R::Register top;

 private:
  /// −infinity stays −infinity, whatever the factor.
  SOFTMAX_INLINE Double shift(Double logit) const {
    const auto lowest = V::broadcast(-static_cast<double>(Numbers<Element>::largest));
    return V::selectAtLeast(logit, lowest, difference_.of(logit), logit);
  }

  const Logits& logits_;
  typename L::Register sign_;
  ScaledDifferences<V> difference_;
};

/// write(unit, entropies) takes the results. All is done at the end: nothing is kept between the steps.
template <class L, class Logits, class Write>
class EntropySteps {
  using V = typename L::V;
  using R = typename L::Rows;
  using D = typename L::Doubles::Rows;

 public:
  void begin(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
             const Write& write) {
    logits_ = logits;
    length_ = length;
    unit_ = unit;
    scaling_ = &scaling;
    write_ = &write;
  }
  void measure() {}
  void sum() {}
  void finish() {
    const ShiftedLogits<L, Logits> shifted(logits_, length_, unit_, *scaling_);
    const auto tops = shifted.top;
    const RowConstants<L> row(*scaling_, referencesOf<L>(tops, *scaling_));
    const auto zero = V::broadcast(0.0), one = V::broadcast(1.0), smallest = V::broadcast(smallestNormal);
    const auto depth = [&](std::size_t k, std::size_t count)
                           SOFTMAX_INLINE_LAMBDA { return V::subtract(zero, shifted.load(k, count)); };
    const auto exponentialAt = [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      return V::widen(exponential<L, false>(logits_.load(k, count), row));
    };
    const auto largest = sumOf([&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      return V::selectAtLeast(depth(k, count), smallest, zero, one);
    });
    const auto below = sumOf([&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      return V::keepUnlessBelow(exponentialAt(k, count), depth(k, count), smallest);
    });
    const auto depths = sumOf([&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      return product<V>(exponentialAt(k, count), depth(k, count));
    });
    // The measure of the exponentials cancels in both quotients.
    const auto of_top = singleExponentials<L>(R::multiply(tops, scaling_->inverse_sign), row);
    const Normalizers<D> normalizers(largest, D::divide(below, of_top));
    const auto mean = D::divide(D::divide(depths, of_top), normalizers.sum);
    const auto entropies = D::canonicalNan(D::add(normalizers.log, mean));
    const auto kept = L::ofRowsDouble(
        [&](std::size_t i) { return i < unit_.lanes && logits_.keptCount(i, length_) == 0 ? 0.0 : 1.0; });
    const auto values = whereProper<D>(R::widen(tops), entropies, D::broadcast(nan));
    (*write_)(unit_, D::selectAtLeast(kept, D::broadcast(1.0), values, D::broadcast(0.0)));
  }

 private:
  template <class Term>
  SOFTMAX_INLINE typename R::Double sumOf(const Term& term) {
    return termSum<L, isDirect<Logits>>(length_, unit_, term);
  }

  Logits logits_;
  std::size_t length_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  const Write* write_;
};

namespace calls {

/// call(x, out)
template <class V>
void entropy(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxElements &x = call.arrays[0], &out = call.arrays[1];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    UnitScaling<L> scaling(rows);
    const auto write = [&](const Unit& unit, typename L::Rows::Double values) {
      storeRows<L>(out, unit, values);
    };
    using Steps = EntropySteps<L, decltype(logits.of(Unit{})), decltype(write)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(logits.of(unit), rows.length, unit, scaling.of(unit), write);
    };
    frame.template each<Steps>(begin, logits);
  };
  if (isDouble(x.dtype)) return chooseReadFrame<Wide<V>>(rows, true, run);
  chooseReadFrame<V>(rows, x.dtype == softmaxFloat32, run);
}

}  // namespace calls

}  // namespace
