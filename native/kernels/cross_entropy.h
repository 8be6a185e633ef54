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
    using Queue = LossQueue<L, decltype(write)>;
    using Steps = IndexLossSteps<Arrays, has_grad, Queue>;
    Queue queue(write);
    const auto begin = [&](const Unit& unit, Steps& steps) {
      setUnitLoss<L>(p, rows, unit,
                     steps.begin(arraysOf<L>(frame, logits, gradients, rows, unit, scaling.of(unit)), queue));
    };
    frame.template each<Steps>(begin, logits, gradients);
  };
  choose<V, false, true>(rows, 1, task, run, p.logits, grad);
}

/// All of a unit's loss is computed at the end: nothing is kept between the steps. run(.., task): of the
/// unit, or of a row in parts; the step after it.
template <class L, class Logits, class Run>
class DistributionLossSteps {
 public:
  void begin(const Logits& logits, const Logits& probabilities, const Unit& unit,
             const RowScaling<L>& scaling, const Run& run) {
    logits_ = logits;
    probabilities_ = probabilities;
    unit_ = unit;
    scaling_ = &scaling;
    run_ = &run;
  }
  void measure() {}
  void sum() {}
  SOFTMAX_CALLED void finish() { (*run_)(logits_, probabilities_, unit_, *scaling_, nullptr); }
  SoftmaxStep join(const PartTask& task) { return (*run_)(logits_, probabilities_, unit_, *scaling_, &task); }
  void take(const PartTask& task) { join(task); }

 private:
  Logits logits_, probabilities_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  const Run* run_;
};

/// A step of a part, or of a row between two: of `length` classes. lossOf(part): their DistributionLoss,
/// whose gradients writeGradients(loss) writes.
template <class L, class Logits, class LossOf, class WriteGradients>
SoftmaxStep lossInParts(const PartTask& task, std::size_t row_length, const Logits& logits,
                        std::size_t length, const Unit& unit, const UnitLoss<L>& unit_loss,
                        const RowScaling<L>& scaling, const LossOf& lossOf,
                        const WriteGradients& writeGradients, bool has_grad) {
  SoftmaxPart& known = *task.part;
  const PartOfRow part{task.is_join ? task.part : task.row, task.begin, row_length};
  if (task.step == softmaxBegin) {
    known.target =
        unit_loss.classes[0] >= 0
            ? static_cast<double>(logits.element(static_cast<std::size_t>(unit_loss.classes[0]), 0))
            : 0.0;
    return softmaxMeasure;
  }
  if (task.step == softmaxMeasure) {
    measureInParts<L>(task, 0, logits, length, unit, scaling);
    return softmaxSum;
  }
  auto loss = lossOf(&part);
  if (task.step == softmaxSum) {
    if (!task.is_join) {
      loss.sumInto(known);
      return softmaxFinish;
    }
    joinDistributions(task, 0);
    joinTerms(task, 0);
    joinTerms(task, 1);
    loss.setSums(known);
    loss.setLosses();
    return has_grad ? softmaxFinish : softmaxEnd;
  }
  if (task.is_join) return softmaxEnd;
  loss.setSums(*task.row);
  writeGradients(loss);
  return softmaxEnd;
}

/// Cross-entropy with smoothed labels, with probabilities, or with gradients in double.
template <class W>
void distributionLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, double* memory, PartTask* task,
                      std::size_t row_length) {
  const bool has_grad = p.grad.data != nullptr;
  const bool is_wide = has_grad && p.grad.dtype == softmaxFloat64 && p.logits.dtype != softmaxFloat64;
  const SoftmaxElements grad = has_grad && !is_wide ? p.grad : SoftmaxElements{nullptr, p.logits.dtype};
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto all_logits = frame.input(p.logits, droppedLogit<Element>(rows));
    auto all_probabilities = p.classes ? all_logits : frame.input(p.probabilities, Element(0));
    auto gradients = frame.output(grad, Element(0), all_logits);
    const Sink<typename L::Doubles> wide_gradients(has_grad ? p.grad : p.logits, rows, 0.0);
    UnitScaling<L> scaling(rows);
    DistributionTarget<L> target(p.weight, p.labelSmoothing, !p.classes, rows.length, memory,
                                 task != nullptr);
    Mask<L> mask(rows);
    using Logits = decltype(all_logits.of(Unit{}));
    const auto runUnit = [&](const Logits& logits, const Logits& probabilities, const Unit& unit,
                             const RowScaling<L>& row_scaling, const PartTask* of_part) {
      UnitLoss<L> unit_loss;
      setUnitLoss<L>(p, rows, unit, unit_loss);
      mask.start(unit);
      const auto lossOf = [&](const PartOfRow* part) {
        return DistributionLoss<L, Logits>(logits, probabilities, mask, target, rows.length, unit,
                                           row_scaling, unit_loss, part);
      };
      const auto writeGradients = [&](DistributionLoss<L, Logits>& loss) {
        if (is_wide) {
          loss.template writeGradients<typename L::Doubles>(wide_gradients.of(unit));
        } else if (has_grad) {
          loss.template writeGradients<L>(gradients.of(unit));
        }
      };
      if constexpr (mayBeInParts<L>)
        if (of_part) {
          const SoftmaxStep next = lossInParts<L>(*of_part, row_length, logits, rows.length, unit, unit_loss,
                                                  row_scaling, lossOf, writeGradients, has_grad);
          if (of_part->is_join && of_part->step == softmaxSum) storeLoss<L>(p, unit, unit_loss);
          return next;
        }
      auto loss = lossOf(nullptr);
      loss.setLosses();
      writeGradients(loss);
      storeLoss<L>(p, unit, unit_loss);
      return softmaxEnd;
    };
    using Steps = DistributionLossSteps<L, Logits, decltype(runUnit)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(all_logits.of(unit), all_probabilities.of(unit), unit, scaling.of(unit), runUnit);
    };
    if (p.classes) return frame.template each<Steps>(begin, all_logits, gradients);
    frame.template each<Steps>(begin, all_logits, all_probabilities, gradients);
  };
  if (task) return inDecodedParts<Along<W>>(rows, *task, run);
  chooseWideFrame<W>(rows, p.classes ? 1 : 2, is_wide, run);
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
  inWideMemory<V>(rows, [&](const SoftmaxRows& rest, double* memory) {
    if (isDouble(problem.logits.dtype))
      return distributionLoss<Wide<V>>(problem, rest, memory, task, call.rows.length);
    distributionLoss<V>(problem, rest, memory, task, call.rows.length);
  });
}

}  // namespace calls

}  // namespace
