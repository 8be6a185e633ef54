// log-sum-exps near 0 of float logits, from exponentials in double.
//
// A log-sum-exp is off by what the sum of its exponentials is off, relatively: by up to 1.15 ULP of a float
// exponential, less than 2^-22. That is within 4 ULP of a result from ½ on, and within an ULP of a logit from
// 2 on. Rows that have neither are summed once more: they have at most a dozen logits that count.
#pragma once

#include "exp_double.h"
#include "row_sum.h"

namespace {

constexpr double nearZeroLogit = 2.0, nearZeroResult = 0.5;

/// What is found of a unit's rows; NaN where a row's log-sum-exp is as good as it has to be.
template <class L>
class NearZero {
  using R = typename L::Rows;
  using Double = typename R::Double;

 public:
  /// Before anything is kept in the logits' memory. `tops`: the largest signed logits.
  template <class Logits>
  void find(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
            typename R::Register tops) {
    if constexpr (sizeof(typename L::Element) == sizeof(float)) {
      any_ = false;
      const auto largest = R::multiply(R::widen(tops), scaling.factor);
      if (!R::allAtLeast(largest, R::broadcast(nearZeroResult)))
        search(logits, length, unit, scaling, largest);
    }
  }
  void set(double value) {
    any_ = value == value;
    values_ = R::broadcast(value);
  }
  Double value() const { return any_ ? values_ : R::broadcast(nan); }
  /// Log-sum-exps, with those that were found in their places.
  Double putInto(Double log_sum_exps) const {
    return any_ ? R::selectAtLeast(values_, values_, values_, log_sum_exps) : log_sum_exps;
  }

 private:
  /// In the order of the elements, until it is clear that no row is looked for: soon, if none is.
  template <class Logits>
  [[gnu::noinline]] void search(const Logits& logits, std::size_t length, const Unit& unit,
                                const RowScaling<L>& scaling, Double largest) {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    const auto sign = R::widen(scaling.sign);
    // 1 for a row that may be near 0, else 0. NaN is neither below nor above.
    auto near = R::selectAtLeast(R::broadcast(nearZeroResult), largest, one, zero);
    near = R::selectAtLeast(scaling.limit, one, zero, near);
    auto sum = zero, top = R::broadcast(-infinity), top_exponential = zero;
    for (std::size_t k = 0; k < length && !R::allAtLeast(zero, near); ++k) {
      const auto logit = R::multiply(logitsAt(logits, k, unit), sign);
      const auto z = R::multiply(logit, scaling.factor);
      // −infinity stays that, whatever the factor.
      const auto lowest = R::broadcast(-largestDouble);
      const auto e = R::selectAtLeast(logit, lowest, exponential<R>(z), zero);
      auto counts = R::selectAtLeast(z, R::broadcast(-nearZeroLogit), one, zero);
      counts = R::selectAtLeast(R::broadcast(nearZeroResult), z, counts, zero);
      near = R::multiply(near, R::selectAtLeast(R::broadcast(-infinity), logit, one, counts));
      top_exponential = R::selectAtLeast(z, top, e, top_exponential);
      top = R::selectAtLeast(z, top, z, top);
      sum = R::add(sum, e);
      near = R::selectAtLeast(R::broadcast(2.0), sum, near, zero);
    }
    any_ = !R::allAtLeast(zero, near);
    if (!any_) return;
    const auto others = R::subtract(sum, top_exponential);
    const auto with_top = R::add(top, logOnePlusRatio<R>(R::divide(others, top_exponential)));
    const auto value = R::selectAtLeast(top_exponential, others, with_top, logArguments<R>(sum, zero).log());
    const auto distance = R::selectAtLeast(value, zero, value, R::subtract(zero, value));
    near = R::selectAtLeast(R::broadcast(nearZeroResult), distance, near, zero);
    values_ = R::selectAtLeast(near, one, value, R::broadcast(nan));
  }
  template <class Logits>
  static Double logitsAt(const Logits& logits, std::size_t k, const Unit& unit) {
    if constexpr (L::is_across)
      return logits.loadDouble(k, unit.lanes);
    else
      return static_cast<double>(logits.element(k, 0));
  }

  Double values_;
  bool any_ = false;
};

}  // namespace
