// Cross-entropy with class indices or probabilities as targets: loss, log-sum-exp and gradient together.
//
//   types   float32, float64, float16, bfloat16; probabilities and gradient may differ from the logits, and
//   the
//           gradient of others than float64 may be float64: not rounded
//   range   any logits; ignored rows have a loss of 0; a row without a distribution (NaN, +∞) has NaN
//   error   losses of float32: 4 ULP, or 1 ULP of the row's largest logit; gradients 1e-6 (docs/numerics.md)
#pragma once

#include "choose.h"
#include "distribution_loss.h"
#include "per_row.h"
#include "problems.h"

namespace {

template <class L>
void storeLoss(const SoftmaxCrossEntropy& p, const Unit& unit, const UnitLoss<L>& unit_loss) {
  const SoftmaxDType dtype = p.logits.dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  storeRows<L>({p.loss, softmaxFloat64}, unit, L::Rows::load(unit_loss.loss));
  storeRows<L>({p.logSumExp, dtype}, unit, L::Rows::load(unit_loss.log_sum_exp));
}

template <class L>
void setUnitLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, const Unit& unit,
                 UnitLoss<L>& unit_loss) {
  const PerRow multiplier{rows.multipliers, rows.multiplier}, grad_loss{p.gradLosses, p.gradLoss};
  takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { unit_loss.multipliers[i] = m; });
  takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { unit_loss.grad_losses[i] = g; });
  const std::size_t lanes = p.classes ? (L::rows == 1 ? 1 : unit.lanes) : 0;
  for (std::size_t i = 0; i < L::rows; ++i) {
    unit_loss.classes[i] = i < lanes ? p.classes[unit.first + i] : -1;
    unit_loss.weights[i] = 1.0;
  }
  if (p.weight)
    for (std::size_t i = 0; i < L::rows; ++i)
      if (unit_loss.classes[i] >= 0) unit_loss.weights[i] = p.weight[unit_loss.classes[i]];
}

/// Class indices without smoothing.
template <class V, bool has_grad>
void indexLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, PartTask* task) {
  const SoftmaxElements grad{p.grad.data, has_grad ? p.grad.dtype : p.logits.dtype};
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto logits = frame.input(p.logits, droppedLogit<Element>(rows));
    auto gradients = frame.output(grad, Element(0), logits);
    UnitScaling<L> scaling(rows);
    const auto write = [&](const Unit& unit, const UnitLoss<L>& unit_loss) {
      storeLoss<L>(p, unit, unit_loss);
    };
    using Arrays = decltype(arraysOf<L>(frame, logits, gradients, rows, Unit{}, scaling.of(Unit{})));
    using Steps = IndexLossSteps<Arrays, has_grad, decltype(write)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      setUnitLoss<L>(p, rows, unit,
                     steps.begin(arraysOf<L>(frame, logits, gradients, rows, unit, scaling.of(unit)), write));
    };
    frame.template each<Steps>(begin, logits, gradients);
  };
  choose<V, false, true>(rows, 1, task, run, p.logits, grad);
}

/// Cross-entropy with smoothed labels, with probabilities, or with gradients in double.
template <class W>
void distributionLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows) {
  const bool has_grad = p.grad.data != nullptr;
  const bool is_wide = has_grad && p.grad.dtype == softmaxFloat64 && p.logits.dtype != softmaxFloat64;
  decoded<W>(rows, [&](auto layout, auto&) {
    using L = decltype(layout);
    using Element = typename L::Element;
    const Source<L> all_logits(p.logits, rows, droppedLogit<Element>(rows));
    const Source<L> all_probabilities(p.probabilities, rows, Element(0));
    const Sink<L> gradients(has_grad ? p.grad : p.logits, rows, Element(0));
    const Sink<typename L::Doubles> wide_gradients(has_grad ? p.grad : p.logits, rows, 0.0);
    UnitScaling<L> scaling(rows);
    L::eachUnit(rows, [&](const Unit& unit) {
      UnitLoss<L> unit_loss;
      setUnitLoss<L>(p, rows, unit, unit_loss);
      const auto logits = all_logits.of(unit);
      const auto probabilities = p.classes ? all_probabilities : all_probabilities.of(unit);
      const DistributionLoss<L, Source<L>, Source<L>> distribution(
          logits, p.classes ? nullptr : &probabilities, p.weight, p.labelSmoothing, rows.length, unit,
          scaling.of(unit), unit_loss);
      distribution.writeLosses(unit_loss);
      if (is_wide) {
        distribution.writeGradients(wide_gradients.of(unit));
      } else if (has_grad) {
        distribution.writeGradients(gradients.of(unit));
      }
      storeLoss<L>(p, unit, unit_loss);
    });
  });
}

namespace calls {

/// The arrays of SoftmaxCrossEntropy (problems.h); numbers: gradLoss, labelSmoothing.
template <class V>
void crossEntropy(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  const SoftmaxCrossEntropy problem = softmaxCrossEntropyOf(call);
  if (softmaxIsIndexLoss(call)) {
    if (problem.grad.data) return indexLoss<V, true>(problem, rows, task);
    return indexLoss<V, false>(problem, rows, task);
  }
  if (problem.logits.dtype == softmaxFloat64) return distributionLoss<Wide<V>>(problem, rows);
  distributionLoss<V>(problem, rows);
}

}  // namespace calls

}  // namespace
