// What the loss of class indices is, once a row's exponentials are summed.
//
//   loss = w_y (log Σ exp(z) − z_y)
//
// The target is left out of the sum of exponentials. With s = Σ_{c ≠ y} exp(z_c) / exp(z_y), loss = log(1 +
// s) and p_y − 1 = −s / (1 + s): neither cancels as p_y → 1, where the textbook forms lose every digit.
#pragma once

#include "forward.h"

namespace {

/// The targets of the rows of a unit, and their losses.
template <class L>
struct UnitLoss {
  std::int32_t classes[L::rows];  // negative: ignored
  double weights[L::rows];        // of those classes
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂loss
  double loss[L::rows], log_sum_exp[L::rows];
};

/// The target of each row, and sums of exponentials in the measure of their row.
template <class R>
struct TargetSums {
  typename R::Register logit;
  typename R::Double target_class;  // −1: ignored
  typename R::Double others, target, total;
};

template <class R>
struct TargetLosses {
  typename R::Double losses, log_sum_exps;
};

/// log Σ exp(z) − z_y, and log Σ exp(z) as far as it is known from the sums alone.
template <class L>
TargetLosses<typename L::Rows> targetLosses(const RowSums<L>& rows, const RowScaling<L>& scaling,
                                            const TargetSums<typename L::Rows>& sums) {
  using R = typename L::Rows;
  const auto normalizers = logNormalizers<L>(rows, sums.total, scaling);
  const auto outweighed = logOnePlusRatio<R>(R::divide(sums.others, sums.target));
  const auto logits = R::widen(R::multiply(scaling.sign, sums.logit));
  const ScaledDifferences<R> differences(R::widen(normalizerOffsets(rows)), scaling.factor);
  const auto difference = R::subtract(normalizers, differences.of(logits));
  const auto lowest = R::broadcast(-static_cast<double>(Numbers<typename L::Element>::largest));
  const auto loss = R::selectAtLeast(logits, lowest, difference, R::broadcast(infinity));
  return {R::selectAtLeast(sums.target, sums.others, outweighed, loss),
          logSumExpsOf(rows, sums.total, normalizers, scaling)};
}

/// Weighted. A class of weight 0 has no loss, even an infinite one. Neither has an ignored row.
template <class R>
typename R::Double countedLosses(typename R::Double losses, const TargetSums<R>& sums,
                                 typename R::Double weights) {
  const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
  const auto proper = R::selectAtLeast(sums.total, R::broadcast(smallestNormal), losses, R::broadcast(nan));
  const auto weighted = R::canonicalNan(R::multiply(proper, weights));
  const auto weightless = R::clearWhereEqual(one, weights, zero);
  const auto counts = R::selectAtLeast(proper, R::broadcast(infinity), weightless, one);
  const auto counted = R::selectAtLeast(counts, one, weighted, zero);
  return R::selectAtLeast(sums.target_class, zero, counted, zero);
}

}  // namespace
