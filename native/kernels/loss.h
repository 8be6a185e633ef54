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
template <class Element>
double targetLoss(Element target_logit, double others, double target_exponential, double normalizer,
                  const Reference<Element>& reference, const Scaling<Element>& scaling) {
  if (others <= target_exponential) return logOnePlusRatio(others / target_exponential);
  const Element signed_logit = scaling.sign * target_logit;
  if (signed_logit < -Numbers<Element>::largest) return infinity;
  const double offset = static_cast<double>(reference.offset);
  return normalizer - scaledDifference(static_cast<double>(signed_logit), offset, scaling.factor());
}

/// Ignored rows: no loss, no gradient, but a log-sum-exp. Rows that the mask empties: no loss. `grad` may be
/// null or in the logits' memory.
template <class L, class Logits, class Kept, class Grad>
void indexLossRows(const Logits& logits, const Kept* kept, const Grad* grad, std::size_t length,
                   const Unit& unit, const Scaling<typename L::Element>* scaling, UnitLoss<L>& rows_loss) {
  using Element = typename L::Element;
  Element target_logits[L::rows];
  bool is_ignored[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) {
    is_ignored[i] = rows_loss.classes[i] < 0 || i >= unit.lanes;
    const std::size_t target = static_cast<std::size_t>(rows_loss.classes[i]);
    target_logits[i] = is_ignored[i] ? Element(0) : logits.element(target, i);
  }
  const RowSums<L> rows = rowSums<L>(logits, length, unit, scaling, rows_loss.classes, kept);
  const RowConstants<L> row(scaling, rows.reference);
  double target_exponentials[L::V::width], totals[L::rows], others[L::rows], normalizers[L::rows];
  singleExponentials<L>([&](std::size_t i) { return target_logits[i]; }, row, target_exponentials);
  for (std::size_t i = 0; i < L::rows; ++i) {
    // An empty sum has no exponent of its own.
    const ScaledSum& sum = rows.total[i];
    others[i] = sum.sum == 0.0 ? 0.0 : sum.sum * powerOfTwo(sum.exponent - rows.reference[i].exponent);
    if (is_ignored[i]) target_exponentials[i] = 0.0;
    totals[i] = is_ignored[i] ? sum.sum : others[i] + target_exponentials[i];
  }
  logNormalizers<L>(rows, totals, scaling, normalizers);
  RowFactor factors[L::rows];
  double target_gradients[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) {
    const double factor = rows_loss.grad_losses[i] * rows_loss.weights[i] * rows_loss.multipliers[i];
    const bool is_proper = totals[i] > 0.0;
    double loss = nan;
    if (is_proper && !is_ignored[i])
      loss = targetLoss(target_logits[i], others[i], target_exponentials[i], normalizers[i],
                        rows.reference[i], scaling[i]);
    rows_loss.log_sum_exp[i] = logSumExpOf(rows, i, totals[i], normalizers[i], scaling[i]);
    const bool is_emptied = rows_loss.log_sum_exp[i] == -infinity && logits.mask().keptCount(i) == 0;
    const double weight = rows_loss.weights[i];
    // A class of weight 0 has no loss, even an infinite one.
    const bool has_loss = !(is_ignored[i] || is_emptied || (loss == infinity && weight == 0.0));
    rows_loss.loss[i] = has_loss ? canonical(loss * weight) : 0.0;
    factors[i].is_zero = is_ignored[i] && i < unit.lanes;
    if (!is_ignored[i]) factors[i].value = is_proper ? factor / totals[i] : nan;
    target_gradients[i] = is_proper ? canonical(0.0 - factor * (others[i] / totals[i])) : nan;
  }
  if (!grad) return;
  scaleExponentials<L>(logits, *kept, *grad, length, unit, scaling, rows, factors);
  for (std::size_t i = 0; i < L::rows; ++i)
    if (!is_ignored[i])
      grad->storeElement(static_cast<std::size_t>(rows_loss.classes[i]), i,
                         static_cast<Element>(target_gradients[i]));
}

template <class L, class Logits, class Grad>
void indexLossRows(const Logits& logits, const Grad* grad, std::size_t length, const Unit& unit,
                   const Scaling<typename L::Element>* scaling, UnitLoss<L>& rows_loss) {
  if (!grad) return indexLossRows<L>(logits, grad, grad, length, unit, scaling, rows_loss);
  keepFor<L>(*grad, length, [&](const auto& kept) {
    indexLossRows<L>(logits, &kept, grad, length, unit, scaling, rows_loss);
  });
}

}  // namespace
