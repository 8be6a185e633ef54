// Cross-entropy with a distribution as target: loss = Σ q_c (log Σ exp(z) − z_c), where
// q_c = w_c (t_c (1 − ε) + ε / K), or with a class index y, q_c = w_c ([c = y] (1 − ε) + ε / K).
// ε is the label smoothing, w the class weights, K the number of classes that the mask keeps. The others
// take no part: q is 0 there. But a class index that the mask drops has an infinite loss.
#pragma once

#include "distribution.h"
#include "loss.h"

namespace {

/// The part of q that does not depend on the class index, element by element. Probabilities: null, or read by
/// Targets.
template <class L, class Targets>
struct Spread {
  using V = typename L::V;
  using W = typename DoubleLanes<V>::Type;
  using Double = typename L::Double;

  const Mask<L>& mask;
  const Targets* probabilities;
  const double* weight;
  double certain;  // 1 − ε
  Double uniform;  // ε / K

  Double load(std::size_t k, std::size_t count) const {
    auto q = uniform;
    if (probabilities)
      q = V::add(V::multiply(V::widen(probabilities->load(k, count)), V::broadcast(certain)), uniform);
    if (weight) q = V::multiply(q, weights(k, count));
    return lanesInUse<L>(mask.template apply<W>(q, k, count, V::broadcast(0.0)), count);
  }

 private:
  Double weights(std::size_t k, std::size_t count) const {
    if constexpr (L::is_across) return V::broadcast(weight[k]);
    return count == V::width ? V::load(weight + k) : V::loadPartial(weight + k, count, 0.0);
  }
};

/// `targets`: probabilities, or null with class indices. `grad` may be null or in the logits' memory.
template <class L, class Logits, class Targets, class Grad>
void distributionLossRows(const Logits& logits, const Targets* targets, const double* weight,
                          double label_smoothing, const Grad* grad, std::size_t length, const Unit& unit,
                          const Scaling<typename L::Element>* scaling, UnitLoss<L>& rows_loss) {
  using V = typename L::V;
  using Double = typename L::Double;
  const ShiftedLogits<L, Logits> shifted(logits, length, unit, scaling);
  double kept[L::rows], indexed[L::rows];
  bool has_index[L::rows], is_ignored[L::rows], any_ignored = false;
  for (std::size_t i = 0; i < L::rows; ++i) {
    kept[i] = static_cast<double>(logits.mask().keptCount(i));
    has_index[i] = rows_loss.classes[i] >= 0;
    is_ignored[i] = !targets && !has_index[i];
    any_ignored |= is_ignored[i] && i < unit.lanes;
    indexed[i] = has_index[i] ? rows_loss.weights[i] * (1.0 - label_smoothing) : 0.0;
  }
  const auto classOf = [&](std::size_t i) {
    return has_index[i] ? static_cast<std::size_t>(rows_loss.classes[i]) : 0;
  };
  const Spread<L, Targets> spread{logits.mask(), targets, weight, 1.0 - label_smoothing,
                                  L::eachDouble([&](std::size_t i) { return label_smoothing / kept[i]; })};
  Normalizer normalizers[L::rows];
  normalize<L>(shifted, normalizers);
  double spread_sum[V::width], spread_depth[V::width], target_depth[V::width] = {};
  termSum<L>(
      length, unit, [&](std::size_t k, std::size_t count) { return spread.load(k, count); }, spread_sum);
  termSum<L>(
      length, unit,
      [&](std::size_t k, std::size_t count) {
        const auto depth = V::subtract(V::broadcast(0.0), shifted.load(k, count));
        return product<V>(spread.load(k, count), depth);
      },
      spread_depth);
  const bool is_index = targets == nullptr && length > 0;
  Double target_d = V::broadcast(0.0);
  if (is_index) target_d = shifted.loadEach(classOf);
  L::values(V::subtract(V::broadcast(0.0), target_d), target_depth);

  double totals[L::rows], scales[L::rows], top_scales[L::rows], factors[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) {
    const Normalizer& normalizer = normalizers[i];
    totals[i] = spread_sum[i] + indexed[i];
    double depth = spread_depth[i];
    if (has_index[i]) depth += product(indexed[i], target_depth[i]);
    if (kept[i] == 0.0) {
      rows_loss.loss[i] = 0.0;
      rows_loss.log_sum_exp[i] = -infinity;
    } else if (!shifted.isProper(i)) {
      rows_loss.loss[i] = nan;
      rows_loss.log_sum_exp[i] = shifted.has_nan[i] ? nan : static_cast<double>(shifted.top[i]);
    } else {
      rows_loss.loss[i] = canonical(totals[i] * normalizer.log + depth);
      rows_loss.log_sum_exp[i] =
          canonical(static_cast<double>(shifted.top[i]) * scaling[i].factor() + normalizer.log);
    }
    scales[i] = shifted.isProper(i) ? totals[i] / normalizer.sum : nan;
    top_scales[i] = shifted.isProper(i) ? totals[i] * (normalizer.others / normalizer.sum) : nan;
    factors[i] = rows_loss.grad_losses[i] * rows_loss.multipliers[i];
  }
  if (any_ignored) {
    double log_sum_exps[L::rows];
    logSumExpRows<L>(logits, length, unit, scaling, log_sum_exps);
    for (std::size_t i = 0; i < L::rows; ++i) {
      if (!is_ignored[i]) continue;
      rows_loss.loss[i] = 0.0;
      rows_loss.log_sum_exp[i] = log_sum_exps[i];
    }
  }
  if (!grad) return;
  const auto total = L::eachDouble([&](std::size_t i) { return totals[i]; });
  const auto scale = L::eachDouble([&](std::size_t i) { return scales[i]; });
  const auto top_scale = L::eachDouble([&](std::size_t i) { return top_scales[i]; });
  const auto factor = L::eachDouble([&](std::size_t i) { return factors[i]; });
  const auto ignored = L::eachDouble([&](std::size_t i) { return is_ignored[i] ? -1.0 : 1.0; });
  const auto zero = V::broadcast(0.0);
  const auto gradient = [&](Double d, Double q) {
    const auto of_top = V::subtract(V::subtract(total, q), top_scale);
    const auto of_other = V::subtract(V::multiply(exponential<V>(d), scale), q);
    const auto value = V::multiply(V::selectAtLeast(d, zero, of_top, of_other), factor);
    return V::keepUnlessBelow(value, ignored, zero);
  };
  double target_gradients[V::width] = {};
  if (is_index) {
    const auto q = L::eachDouble([&](std::size_t i) {
      double lanes[V::width];
      const std::size_t c = classOf(i), in_vector = L::is_across ? i : c % L::step;
      const std::size_t begin = c - (L::is_across ? 0 : in_vector);
      V::store(lanes, spread.load(begin, lanesOf<L>(length - begin, unit)));
      return lanes[in_vector] + indexed[i];
    });
    L::values(V::canonicalNan(gradient(target_d, q)), target_gradients);
  }
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    grad->storeDouble(k, gradient(shifted.load(k, count), spread.load(k, count)), count);
  });
  for (std::size_t i = 0; i < L::rows; ++i)
    if (is_index && has_index[i] && i < unit.lanes)
      grad->storeElement(classOf(i), i, static_cast<typename Grad::Element>(target_gradients[i]));
}

}  // namespace
