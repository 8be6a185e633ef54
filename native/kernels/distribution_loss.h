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

/// A unit's rows against their targets: probabilities, or null with the class indices of `rows`. `weight`:
/// null, or one per class.
template <class L, class Logits, class Targets>
class DistributionLoss {
  using V = typename L::V;
  using Double = typename L::Double;
  using R = typename L::Rows;

 public:
  DistributionLoss(const Logits& logits, const Targets* targets, const double* weight, double label_smoothing,
                   std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                   const UnitLoss<L>& rows)
      : logits_(logits),
        length_(length),
        unit_(unit),
        scaling_(scaling),
        rows_(rows),
        has_probabilities_(targets != nullptr),
        shifted_(logits, length, unit, scaling),
        spread_{logits.mask(), targets, weight, 1.0 - label_smoothing, V::broadcast(0.0)} {
    for (std::size_t i = 0; i < L::rows; ++i) {
      kept_[i] = logits.mask().keptCount(i);
      indexed_[i] = hasIndex(i) ? rows.weights[i] * (1.0 - label_smoothing) : 0.0;
    }
    spread_.uniform =
        L::eachDouble([&](std::size_t i) { return label_smoothing / static_cast<double>(kept_[i]); });
    if (hasIndices()) target_ = shifted_.loadEach([&](std::size_t i) { return classOf(i); });
    normalize<L>(shifted_, normalizers_);
    double sums[L::rows];
    R::store(sums, termSum<L>(length, unit,
                              [&](std::size_t k, std::size_t count) { return spread_.load(k, count); }));
    for (std::size_t i = 0; i < L::rows; ++i) totals_[i] = sums[i] + indexed_[i];
  }

  /// Loss and log-sum-exp of each row, before the gradient is written over the logits.
  void writeLosses(UnitLoss<L>& rows) const {
    const auto zero = V::broadcast(0.0);
    double depths[L::rows], target_depths[L::rows], factors[L::rows];
    R::store(depths, termSum<L>(length_, unit_, [&](std::size_t k, std::size_t count) {
               return product<V>(spread_.load(k, count), V::subtract(zero, shifted_.load(k, count)));
             }));
    R::store(target_depths, L::values(V::subtract(zero, target_)));
    R::store(factors, scaling_.factor);
    bool any_ignored = false;
    for (std::size_t i = 0; i < L::rows; ++i) {
      any_ignored |= isIgnored(i) && i < unit_.lanes;
      const double top = static_cast<double>(shifted_.top[i]);
      if (isEmptied(i)) {
        rows.loss[i] = 0.0;
        rows.log_sum_exp[i] = -infinity;
      } else if (!shifted_.isProper(i)) {
        rows.loss[i] = nan;
        rows.log_sum_exp[i] = canonical(top + shifted_.nans[i]);
      } else {
        const double of_target = hasIndex(i) ? product(indexed_[i], target_depths[i]) : 0.0;
        const double depth = hasIndex(i) ? depths[i] + of_target : depths[i];
        rows.loss[i] = canonical(totals_[i] * normalizers_[i].log + depth);
        rows.log_sum_exp[i] = canonical(top * factors[i] + normalizers_[i].log);
      }
    }
    if (!any_ignored) return;
    double log_sum_exps[L::rows];
    R::store(log_sum_exps, logSumExpRows<L>(logits_, length_, unit_, scaling_));
    for (std::size_t i = 0; i < L::rows; ++i) {
      if (!isIgnored(i)) continue;
      rows.loss[i] = 0.0;
      rows.log_sum_exp[i] = log_sum_exps[i];
    }
  }

  /// `grad` may be in the logits' memory.
  template <class Grad>
  void writeGradients(const Grad& grad) const {
    const RowGradient row = rowGradient();
    double of_targets[L::rows] = {};
    if (hasIndices()) R::store(of_targets, L::values(V::canonicalNan(row.at(target_, targetSpread()))));
    eachVector<L>(length_, unit_, [&](std::size_t k, std::size_t count) {
      storeDouble(grad, k, row.at(shifted_.load(k, count), spread_.load(k, count)), count);
    });
    for (std::size_t i = 0; i < L::rows && i < unit_.lanes; ++i)
      if (hasIndices() && hasIndex(i))
        grad.storeElement(classOf(i), i, static_cast<typename Grad::Element>(of_targets[i]));
  }

 private:
  /// ∂result/∂logit from d and q: (p Σ q − q) · gradLoss · multiplier.
  struct RowGradient {
    Double total, scale, top_scale, factor, ignored;

    Double at(Double d, Double q) const {
      const auto zero = V::broadcast(0.0);
      const auto of_top = V::subtract(V::subtract(total, q), top_scale);
      const auto of_other = V::subtract(V::multiply(exponential<V>(d), scale), q);
      const auto value = V::multiply(V::selectAtLeast(d, zero, of_top, of_other), factor);
      return V::keepUnlessBelow(value, ignored, zero);
    }
  };

  RowGradient rowGradient() const {
    const auto scaleOf = [&](std::size_t i) {
      return shifted_.isProper(i) ? totals_[i] / normalizers_[i].sum : nan;
    };
    const auto topScaleOf = [&](std::size_t i) {
      return shifted_.isProper(i) ? totals_[i] * (normalizers_[i].others / normalizers_[i].sum) : nan;
    };
    return {L::eachDouble([&](std::size_t i) { return totals_[i]; }), L::eachDouble(scaleOf),
            L::eachDouble(topScaleOf),
            L::eachDouble([&](std::size_t i) { return rows_.grad_losses[i] * rows_.multipliers[i]; }),
            L::eachDouble([&](std::size_t i) { return isIgnored(i) || isEmptied(i) ? -1.0 : 1.0; })};
  }

  /// q at the class index of each row.
  Double targetSpread() const {
    return L::eachDouble([&](std::size_t i) {
      double lanes[V::width];
      const std::size_t lane = L::is_across ? i : classOf(i) % L::step;
      const std::size_t begin = L::is_across ? classOf(i) : classOf(i) - lane;
      V::store(lanes, spread_.load(begin, lanesOf<L>(length_ - begin, unit_)));
      return lanes[lane] + indexed_[i];
    });
  }

  bool hasIndices() const { return !has_probabilities_ && length_ > 0; }
  bool hasIndex(std::size_t row) const { return rows_.classes[row] >= 0; }
  bool isIgnored(std::size_t row) const { return !has_probabilities_ && !hasIndex(row); }
  bool isEmptied(std::size_t row) const {
    return kept_[row] == 0 || (scaling_.zeroes_empty && shifted_.isEmpty(row));
  }
  std::size_t classOf(std::size_t row) const {
    return hasIndex(row) ? static_cast<std::size_t>(rows_.classes[row]) : 0;
  }

  const Logits& logits_;
  std::size_t length_;
  Unit unit_;
  const RowScaling<L>& scaling_;
  const UnitLoss<L>& rows_;
  bool has_probabilities_;
  ShiftedLogits<L, Logits> shifted_;
  Spread<L, Targets> spread_;
  std::size_t kept_[L::rows];  // classes that the mask keeps
  double indexed_[L::rows];    // q at the class index, without what is spread
  double totals_[L::rows];     // Σ q
  Normalizer normalizers_[L::rows];
  Double target_ = V::broadcast(0.0);  // d at the class index
};

}  // namespace
