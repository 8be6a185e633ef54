// Cross-entropy of one row with a class index: loss, log-sum-exp and gradient together.
//
//   loss = log Σ exp(z) − z_y        ∂loss/∂logit_c = multiplier (p_c − [c = y])
//
// The target is left out of the sum of exponentials. With s = Σ_{c ≠ y} exp(z_c) / exp(z_y), loss = log(1 +
// s) and p_y − 1 = −s / (1 + s): neither cancels as p_y → 1, where the textbook forms lose every digit.
#pragma once

#include "forward.h"

namespace {

struct RowLoss {
  float loss, log_sum_exp;
};

/// An ignored row: no loss, no gradient, but a log-sum-exp.
template <class V>
RowLoss ignoredRow(const float* logits, float* grad, std::size_t length, const Scaling& scaling) {
  const float log_sum_exp = logSumExpRow<V>(logits, length, scaling);
  if (grad) fill(grad, length, 0.0f);
  return {0.0f, log_sum_exp};
}

template <class V>
double targetLoss(float target_logit, double others, double target_exponential, double total,
                  const RowSum& row, const Scaling& scaling) {
  if (others <= target_exponential) return logOnePlusRatio(others / target_exponential);
  const double signed_logit = static_cast<double>(scaling.sign * target_logit);
  if (signed_logit < static_cast<double>(-largestFloat)) return static_cast<double>(floatInfinity);
  const double shifted = signed_logit - static_cast<double>(row.reference.offset);
  return logNormalizer<V>(row, total, scaling) - shifted * scaling.factor();
}

/// `grad` may be null or the logits. `grad_factor`: the gradient of the result with respect to this row's
/// loss, times the multiplier.
template <class V>
RowLoss crossEntropyRow(const float* logits, std::size_t target, float* grad, std::size_t length,
                        const Scaling& scaling, double grad_factor) {
  const float target_logit = logits[target];
  const RowSum row = rowSum<V>(logits, length, scaling, target, grad);
  const double target_exponential = singleExponential<V>(target_logit, scaling, row.reference);
  // An empty sum has no exponent of its own.
  const double others =
      row.total.sum == 0.0 ? 0.0 : row.total.sum * powerOfTwo(row.total.exponent - row.reference.exponent);
  const double total = others + target_exponential;
  const float log_sum_exp = logSumExpOf<V>(row, total, scaling);
  if (!(total > 0.0)) {
    if (grad) fill(grad, length, canonicalNan);
    return {canonicalNan, log_sum_exp};
  }
  if (grad) {
    scaleExponentials<V>(logits, grad, length, scaling, row.reference,
                         static_cast<float>(grad_factor / total));
    grad[target] = static_cast<float>(0.0 - grad_factor * (others / total));
  }
  const double loss = targetLoss<V>(target_logit, others, target_exponential, total, row, scaling);
  return {static_cast<float>(loss), log_sum_exp};
}

}  // namespace
