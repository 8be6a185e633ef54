// Cross-entropy with class indices: loss, log-sum-exp and gradient together.
//
//   loss = w_y (log Σ exp(z) − z_y)        ∂loss/∂logit_c = w_y multiplier (p_c − [c = y])
//
// The target is left out of the sum of exponentials. With s = Σ_{c ≠ y} exp(z_c) / exp(z_y), loss = log(1 +
// s) and p_y − 1 = −s / (1 + s): neither cancels as p_y → 1, where the textbook forms lose every digit.
#pragma once

#include "forward.h"

namespace {

/// What the rows of a unit are held against, and what that comes to.
template <class L>
struct UnitLoss {
  std::int32_t classes[L::rows];  // negative: ignored
  double weights[L::rows];        // of those classes
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂loss
  double loss[L::rows], log_sum_exp[L::rows];
};

/// log Σ exp(z) − z_y.
template <class L>
typename L::Rows::Double targetLosses(typename L::Rows::Register target_logits,
                                      typename L::Rows::Double others,
                                      typename L::Rows::Double target_exponentials,
                                      typename L::Rows::Double normalizers, const References<L>& references,
                                      const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto outweighed = logOnePlusRatio<R>(R::divide(others, target_exponentials));
  const auto logits = R::widen(R::multiply(scaling.sign, target_logits));
  const ScaledDifferences<R> differences(R::widen(references.offset), scaling.factor);
  const auto difference = R::subtract(normalizers, differences.of(logits));
  const auto lowest = R::broadcast(-static_cast<double>(Numbers<typename L::Element>::largest));
  const auto loss = R::selectAtLeast(logits, lowest, difference, R::broadcast(infinity));
  return R::selectAtLeast(target_exponentials, others, outweighed, loss);
}

/// Ignored rows: no loss, no gradient, but a log-sum-exp. Rows that the mask empties: no loss. `grad` may be
/// null or in the logits' memory.
template <class L, class Logits, class Kept, class Grad>
void indexLossRows(const Logits& logits, const Kept* kept, const Grad* grad, std::size_t length,
                   const Unit& unit, const RowScaling<L>& scaling, UnitLoss<L>& unit_loss) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
  const auto isKept = [&](std::size_t i) { return unit_loss.classes[i] >= 0 && i < unit.lanes; };
  const auto target_logits = L::ofRows([&](std::size_t i) {
    return isKept(i) ? logits.element(static_cast<std::size_t>(unit_loss.classes[i]), i) : Element(0);
  });
  const auto classes = L::ofRowsDouble([&](std::size_t i) { return isKept(i) ? unit_loss.classes[i] : -1; });
  const auto weights = R::load(unit_loss.weights);
  const RowSums<L> rows = rowSums<L>(logits, length, unit, scaling, &classes, kept);
  const RowConstants<L> row(scaling, rows.references);
  // An empty sum has no exponent of its own.
  const auto moved = powerOfTwo<R>(R::subtract(rows.total.exponent, rows.references.exponent));
  const auto sum = rows.total.sum;
  const auto others = R::selectAtLeast(zero, sum, zero, R::multiply(sum, moved));
  const auto target_exponentials = singleExponentials<L>(target_logits, row);
  const auto totals = R::selectAtLeast(classes, zero, R::add(others, target_exponentials), sum);
  const auto normalizers = logNormalizers<L>(rows, totals, scaling);
  const auto log_sum_exps = logSumExpsOf(rows, totals, normalizers, scaling);
  R::store(unit_loss.log_sum_exp, log_sum_exps);

  auto losses =
      targetLosses<L>(target_logits, others, target_exponentials, normalizers, rows.references, scaling);
  losses = R::selectAtLeast(totals, R::broadcast(smallestNormal), losses, R::broadcast(nan));
  // A class of weight 0 has no loss, even an infinite one. Neither has an ignored row.
  const auto weighted = R::canonicalNan(R::multiply(losses, weights));
  const auto weightless = clearWhereEqual<R>(one, weights, zero);
  const auto infinite_at_0 = R::selectAtLeast(losses, R::broadcast(infinity), weightless, one);
  const auto counted = R::selectAtLeast(infinite_at_0, one, weighted, zero);
  R::store(unit_loss.loss, R::selectAtLeast(classes, zero, counted, zero));
  if (!R::allAtLeast(log_sum_exps, R::broadcast(-largestDouble)))
    for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i)
      if (unit_loss.log_sum_exp[i] == -infinity && logits.mask().keptCount(i) == 0) unit_loss.loss[i] = 0.0;

  if (!grad) return;
  const auto grad_factors =
      R::multiply(R::multiply(R::load(unit_loss.grad_losses), weights), R::load(unit_loss.multipliers));
  const auto proper = R::selectAtLeast(totals, R::broadcast(smallestNormal), one, R::broadcast(nan));
  const auto target_gradients = R::canonicalNan(
      R::multiply(R::subtract(zero, R::multiply(grad_factors, R::divide(others, totals))), proper));
  RowFactors<L> factors(
      R::selectAtLeast(classes, zero, R::multiply(R::divide(grad_factors, totals), proper), one));
  factors.zero = R::selectAtLeast(classes, zero, zero, one);
  factors.has_zero = !R::allAtLeast(classes, zero);
  scaleExponentials<L>(logits, *kept, *grad, length, unit, scaling, rows, factors);
  double gradients[L::rows];
  R::store(gradients, target_gradients);
  for (std::size_t i = 0; i < L::rows; ++i)
    if (isKept(i))
      grad->storeElement(static_cast<std::size_t>(unit_loss.classes[i]), i,
                         static_cast<Element>(gradients[i]));
}

template <class L, class Logits, class Grad>
void indexLossRows(const Logits& logits, const Grad* grad, std::size_t length, const Unit& unit,
                   const RowScaling<L>& scaling, UnitLoss<L>& unit_loss) {
  if (!grad) return indexLossRows<L>(logits, grad, grad, length, unit, scaling, unit_loss);
  keepFor<L>(*grad, length, [&](const auto& kept) {
    indexLossRows<L>(logits, &kept, grad, length, unit, scaling, unit_loss);
  });
}

}  // namespace
