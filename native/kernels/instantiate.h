// Every kernel, compiled for one vector type. An ISA's file (isa/) includes its vector header and this one.
#pragma once

#include "backward.h"
#include "choose.h"
#include "distribution_loss.h"
#include "divergence.h"
#include "per_row.h"

namespace {

template <class V>
struct Instance {
  using Elements = const SoftmaxElements*;
  using Rows = const SoftmaxRows*;

  /// softmax and logSoftmax: what the mask drops is written as `dropped`.
  template <template <class> class Steps, bool streams>
  static void sameShape(Elements x, Elements out, Rows rows, double dropped, PartTask* task) {
    const auto run = [&](auto layout, auto& frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(*x, droppedLogit<Element>(*rows));
      auto results = frame.output(*out, static_cast<Element>(dropped), logits);
      UnitScaling<L> scaling(*rows);
      using Arrays = decltype(arraysOf<L>(frame, logits, results, *rows, Unit{}, scaling.of(Unit{})));
      const auto begin = [&](const Unit& unit, auto& steps) {
        steps.begin(arraysOf<L>(frame, logits, results, *rows, unit, scaling.of(unit)));
      };
      frame.template each<Steps<Arrays>>(begin, logits, results);
    };
    if constexpr (streams)
      if (x->data != out->data && isAligned(*out)) return choose<V, true>(*rows, 1, task, run, *x, *out);
    choose<V, false>(*rows, 1, task, run, *x, *out);
  }

  static void softmax(Elements x, Elements out, Rows rows, PartTask* task) {
    sameShape<SoftmaxSteps, false>(x, out, rows, 0.0, task);
  }
  static void logSoftmax(Elements x, Elements out, Rows rows, PartTask* task) {
    sameShape<LogSoftmaxSteps, true>(x, out, rows, -infinity, task);
  }
  static void softmax(Elements x, Elements out, Rows rows) { softmax(x, out, rows, nullptr); }
  static void logSoftmax(Elements x, Elements out, Rows rows) { logSoftmax(x, out, rows, nullptr); }

  static void logSumExp(Elements x, Elements out, Rows rows) { logSumExp(x, out, rows, nullptr); }
  static void logSumExp(Elements x, Elements out, Rows rows, PartTask* task) {
    const auto run = [&](auto layout, auto& frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(*x, droppedLogit<Element>(*rows));
      UnitScaling<L> scaling(*rows);
      const auto write = [=](const Unit& unit, typename L::Rows::Double values) {
        storeRows<L>(*out, unit, values);
      };
      using Steps = LogSumExpSteps<L, decltype(logits.of(Unit{})), decltype(write)>;
      const auto begin = [&](const Unit& unit, Steps& steps) {
        steps.begin(logits.of(unit), rows->length, unit, scaling.of(unit), write);
      };
      frame.template each<Steps>(begin, logits);
    };
    choose<V, false>(*rows, 1, task, run, *x);
  }

  /// Backward functions: what the mask drops of the output reads as `dropped`.
  template <template <class> class Steps>
  static void backward(Elements grad_output, Elements output, Elements out, Rows rows, double dropped,
                       PartTask* task) {
    const auto run = [&](auto layout, auto& frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto grads = frame.input(*grad_output, Element(0));
      auto outputs = frame.input(*output, static_cast<Element>(dropped));
      auto results = frame.output(*out, Element(0), grads);
      const PerRow multiplier{rows->multipliers, rows->multiplier};
      using Arrays = BackwardArrays<L, decltype(grads.of(Unit{})), decltype(outputs.of(Unit{})),
                                    decltype(results.of(Unit{}))>;
      const auto begin = [&](const Unit& unit, Steps<Arrays>& steps) {
        double multipliers[L::rows];
        takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { multipliers[i] = m; });
        steps.begin({grads.of(unit), outputs.of(unit), results.of(unit), rows->length, unit,
                     L::Rows::load(multipliers)});
      };
      frame.template each<Steps<Arrays>>(begin, grads, outputs, results);
    };
    if (out->data != grad_output->data && out->data != output->data && isAligned(*out))
      return choose<V, true>(*rows, 2, task, run, *grad_output, *output, *out);
    choose<V, false>(*rows, 2, task, run, *grad_output, *output, *out);
  }

  static void softmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows,
                              PartTask* task) {
    backward<SoftmaxBackwardSteps>(grad_output, output, out, rows, 0.0, task);
  }
  static void logSoftmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows,
                                 PartTask* task) {
    backward<LogSoftmaxBackwardSteps>(grad_output, output, out, rows, -infinity, task);
  }
  static void softmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows) {
    softmaxBackward(grad_output, output, out, rows, nullptr);
  }
  static void logSoftmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows) {
    logSoftmaxBackward(grad_output, output, out, rows, nullptr);
  }

  static void softmaxJacobian(Elements output, Elements out, Rows rows) {
    if (output->dtype == softmaxFloat64) return jacobian<Along<Wide<V>>>(output, out, *rows);
    jacobian<Along<V>>(output, out, *rows);
  }
  template <class L>
  static void jacobian(Elements output, Elements out, const SoftmaxRows& rows) {
    const Source<L> outputs(*output, rows, 0);
    const Sink<L> results(*out, rows, 0);
    L::eachUnit(rows, [&](const Unit& unit) {
      const Unit to{unit.first, unit.lanes, unit.start * rows.length};
      softmaxJacobianRow<L>(outputs.of(unit), results.of(to), rows.length, unit);
    });
  }

  static void crossEntropy(const SoftmaxCrossEntropy* problem, Rows rows) {
    const SoftmaxCrossEntropy& p = *problem;
    if (softmaxIsIndexLoss(p)) return indexLoss(p, *rows, nullptr);
    const bool is_wide = softmaxIsWideLoss(p);
    if (p.logits.dtype == softmaxFloat64) return distributionLoss<Wide<V>>(p, *rows, is_wide);
    distributionLoss<V>(p, *rows, is_wide);
  }

  static void indexLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, PartTask* task) {
    if (p.grad.data) return indexLoss<true>(p, rows, task);
    indexLoss<false>(p, rows, task);
  }
  template <bool has_grad>
  static void indexLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, PartTask* task) {
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
        setUnitLoss<L>(
            p, rows, unit,
            steps.begin(arraysOf<L>(frame, logits, gradients, rows, unit, scaling.of(unit)), write));
      };
      frame.template each<Steps>(begin, logits, gradients);
    };
    choose<V, false>(rows, 1, task, run, p.logits, grad);
  }

  template <class L>
  static void storeLoss(const SoftmaxCrossEntropy& p, const Unit& unit, const UnitLoss<L>& unit_loss) {
    const SoftmaxDType dtype = p.logits.dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
    storeRows<L>({p.loss, dtype}, unit, L::Rows::load(unit_loss.loss));
    storeRows<L>({p.logSumExp, dtype}, unit, L::Rows::load(unit_loss.log_sum_exp));
  }

  template <class L>
  static void setUnitLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, const Unit& unit,
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

  /// Cross-entropy with smoothed labels, with probabilities, or with gradients in double.
  template <class W>
  static void distributionLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, bool is_wide) {
    const bool has_grad = p.grad.data != nullptr;
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

  static void divergence(const SoftmaxDivergence* problem, Rows rows) {
    if (problem->student.dtype == softmaxFloat64) return divergenceOf<Wide<V>>(*problem, *rows);
    divergenceOf<V>(*problem, *rows);
  }
  template <class W>
  static void divergenceOf(const SoftmaxDivergence& p, const SoftmaxRows& rows) {
    const bool has_grad = p.grad.data != nullptr;
    const SoftmaxElements addend{const_cast<double*>(p.addend), softmaxFloat64};
    decoded<W>(rows, [&](auto layout, auto&) {
      using L = decltype(layout);
      using Element = typename L::Element;
      const Source<L> students(p.student, rows, droppedLogit<Element>(rows));
      const Source<L> teachers(p.teacher, rows, droppedLogit<Element>(rows));
      const Source<typename L::Doubles> addends(addend, rows, 0.0);
      const Sink<L> gradients(has_grad ? p.grad : p.student, rows, Element(0));
      UnitScaling<L> scaling(rows);
      const PerRow multiplier{rows.multipliers, rows.multiplier}, grad_loss{p.gradLosses, p.gradLoss};
      L::eachUnit(rows, [&](const Unit& unit) {
        UnitDivergence<L> values;
        takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { values.multipliers[i] = m; });
        takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { values.grad_losses[i] = g; });
        const auto gradient = gradients.of(unit);
        const auto addend_rows = p.addend ? addends.of(unit) : addends;
        divergenceRows<L>(students.of(unit), teachers.of(unit), has_grad ? &gradient : nullptr,
                          p.addend ? &addend_rows : nullptr, rows.length, unit, scaling.of(unit), values);
        storeRows<L>({p.divergence, softmaxFloat64}, unit, L::Rows::load(values.divergence));
      });
    });
  }

  static void takeStep(const SoftmaxCall* call, SoftmaxStep step, std::size_t begin, std::size_t count,
                       const SoftmaxPart* row, SoftmaxPart* part) {
    SoftmaxRows rows = call->rows;
    rows.length = count;
    PartTask task{step, begin, row, part, false, nullptr, 0, softmaxEnd};
    inParts(*call, rows, task);
  }
  static SoftmaxStep join(const SoftmaxCall* call, SoftmaxStep step, const SoftmaxPart* parts,
                          std::size_t count, SoftmaxPart* row) {
    PartTask task{step, 0, row, row, true, parts, count, softmaxEnd};
    inParts(*call, call->rows, task);
    return task.next;
  }
  static void inParts(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask& task) {
    switch (call.function) {
      case callSoftmax:
        return softmax(&call.x, &call.out, &rows, &task);
      case callLogSoftmax:
        return logSoftmax(&call.x, &call.out, &rows, &task);
      case callLogSumExp:
        return logSumExp(&call.x, &call.out, &rows, &task);
      case callSoftmaxBackward:
        return softmaxBackward(&call.x, &call.y, &call.out, &rows, &task);
      case callLogSoftmaxBackward:
        return logSoftmaxBackward(&call.x, &call.y, &call.out, &rows, &task);
      case callCrossEntropy:
        return indexLoss(call.crossEntropy, rows, &task);
      default:
        return;
    }
  }

  /// Values in chunks of one register, each measured against N = 0, with nothing cut off.
  template <class W>
  static void exponentials(const typename W::Element* logits, typename W::Element* out, std::size_t count) {
    using Element = typename W::Element;
    const Scaling<Element> one = scalingOf<Element>(1.0);
    const RowScaling<Along<W>> scaling(&one);
    References<Along<W>> references = referencesOf<Along<W>>(Element(0), scaling);
    references.cut = -Numbers<Element>::infinity;
    const RowConstants<Along<W>> row(scaling, references);
    for (std::size_t i = 0; i + W::width <= count; i += W::width)
      W::store(out + i, exponential<Along<W>, true>(W::load(logits + i), row));
  }

  static constexpr SoftmaxKernels table(const char* isa) {
    return {isa,
            V::width,
            softmax,
            logSoftmax,
            logSumExp,
            softmaxBackward,
            logSoftmaxBackward,
            softmaxJacobian,
            crossEntropy,
            divergence,
            takeStep,
            join,
            exponentials<V>,
            exponentials<Wide<V>>};
  }
};

}  // namespace
