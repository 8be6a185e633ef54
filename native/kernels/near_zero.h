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
  using V = typename L::V;
  using R = typename L::Rows;
  using Double = typename R::Double;

 public:
  /// Before anything is kept in the logits' memory. `tops`: the largest signed logits.
  template <class Logits>
  void find(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
            typename R::Register tops) {
    if constexpr (sizeof(typename L::Element) == sizeof(float)) {
      any_ = false;
      Sums sums;
      sums.near = inRange(R::multiply(R::widen(tops), scaling.factor));
      if (sums.isAnyNear()) search(sums, logits, length, unit, scaling);
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
  /// 1 for what a logit of a row near 0 can be, scaled, else 0. NaN is neither below nor above.
  static Double inRange(Double z) {
    const auto zero = R::broadcast(0.0);
    const auto is_above = R::selectAtLeast(z, R::broadcast(-nearZeroLogit), R::broadcast(1.0), zero);
    return R::selectAtLeast(R::broadcast(nearZeroResult), z, is_above, zero);
  }

  struct Sums {
    Double near;  // 1 for a row that may be near 0, else 0
    Double sum = R::broadcast(0.0), top = R::broadcast(-infinity), top_exponential = sum;

    bool isAnyNear() const { return !R::allAtLeast(R::broadcast(0.0), near); }
    void add(Double logit, Double factor) {
      const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
      const auto z = R::multiply(logit, factor);
      // −infinity stays that, whatever the factor.
      const auto e = R::selectAtLeast(logit, R::broadcast(-largestDouble), exponential<R>(z), zero);
      near = R::multiply(near, R::selectAtLeast(R::broadcast(-infinity), logit, one, inRange(z)));
      top_exponential = R::selectAtLeast(z, top, e, top_exponential);
      top = R::selectAtLeast(z, top, z, top);
      sum = R::add(sum, e);
      near = R::selectAtLeast(R::broadcast(2.0), sum, near, zero);
    }
    Double logSumExp() const {
      const auto others = R::subtract(sum, top_exponential);
      const auto with_top = R::add(top, logOnePlusRatio<R>(R::divide(others, top_exponential)));
      const auto whole = logArguments<R>(sum, R::broadcast(0.0)).log();
      return R::selectAtLeast(top_exponential, others, with_top, whole);
    }
  };

  /// In the order of the elements, until it is clear that no row is looked for: soon, if none is.
  template <class Logits>
  [[gnu::noinline]] void search(Sums sums, const Logits& logits, std::size_t length, const Unit& unit,
                                const RowScaling<L>& scaling) {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    sums.near = R::selectAtLeast(scaling.limit, one, zero, sums.near);
    const auto sign = L::spread(R::widen(scaling.sign));
    for (std::size_t k = 0; k < length && sums.isAnyNear(); k += L::step) {
      const std::size_t count = lanesOf<L>(length - k, unit);
      const auto logits_at = V::multiply(logits.loadDouble(k, count), sign);
      // Of a long row with a few logits that count, most is −infinity.
      if (V::allAtLeast(V::broadcast(-infinity), logits_at)) continue;
      if constexpr (L::is_across) {
        sums.add(logits_at, scaling.factor);
      } else {
        double lanes[V::width];
        V::store(lanes, logits_at);
        for (std::size_t i = 0; i < count && sums.isAnyNear(); ++i) sums.add(lanes[i], scaling.factor);
      }
    }
    any_ = sums.isAnyNear();
    if (!any_) return;
    const auto value = sums.logSumExp();
    const auto distance = R::selectAtLeast(value, zero, value, R::subtract(zero, value));
    sums.near = R::selectAtLeast(R::broadcast(nearZeroResult), distance, sums.near, zero);
    values_ = R::selectAtLeast(sums.near, one, value, R::broadcast(nan));
  }

  Double values_;
  bool any_ = false;
};

}  // namespace
