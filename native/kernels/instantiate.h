// Every kernel, compiled for one vector type. An ISA's file (isa/) includes its vector header and this one.
#pragma once

#include "backward.h"
#include "distribution_loss.h"
#include "divergence.h"
#include "staged.h"

namespace {

/// One value a row, or one for all.
struct PerRow {
  const double* values;
  double value;
  double operator[](std::size_t row) const { return values ? values[row] : value; }
};

/// A value of each row of a unit; lanes beyond those in use repeat the last.
template <class L, class To>
void takeRows(const PerRow& from, const Unit& unit, To to) {
  for (std::size_t i = 0; i < L::rows; ++i) to(i, from[unit.first + (i < unit.lanes ? i : unit.lanes - 1)]);
}

/// The scaling of a unit's rows.
template <class L>
class UnitScaling {
  using Element = typename L::Element;

 public:
  explicit UnitScaling(const SoftmaxRows& rows)
      : multipliers_{rows.multipliers, rows.multiplier}, scaling_(same(rows.multiplier)) {}

  const RowScaling<L>& of(const Unit& unit) {
    if (multipliers_.values) {
      Scaling<Element> each[L::rows];
      takeRows<L>(multipliers_, unit, [&](std::size_t i, double m) { each[i] = scalingOf<Element>(m); });
      scaling_ = RowScaling<L>(each);
    }
    return scaling_;
  }

 private:
  static RowScaling<L> same(double multiplier) {
    Scaling<Element> each[L::rows];
    for (auto& scaling : each) scaling = scalingOf<Element>(multiplier);
    return RowScaling<L>(each);
  }

  PerRow multipliers_;
  RowScaling<L> scaling_;
};

/// What the mask drops is smaller than every logit, which is multiplied by a number of scale's sign.
template <class Element>
Element droppedLogit(const SoftmaxRows& rows) {
  const double first = rows.multipliers ? rows.multipliers[0] : rows.multiplier;
  return __builtin_signbit(first) ? Numbers<Element>::infinity : -Numbers<Element>::infinity;
}

/// Results of one element a row, in double: for losses and log-sum-exps.
struct RowResults {
  void* data;
  bool is_double;

  template <class L>
  void store(const Unit& unit, const double* values) const {
    for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i) {
      if (is_double)
        static_cast<double*>(data)[unit.first + i] = values[i];
      else
        static_cast<float*>(data)[unit.first + i] = static_cast<float>(values[i]);
    }
  }
};

template <class V>
struct Instance {
  using Elements = const SoftmaxElements*;
  using Rows = const SoftmaxRows*;

  /// run(frame): rows as they are in memory, directly or decoded.
  template <class L, class Run>
  static void inMemory(const SoftmaxRows& rows, bool direct, Run run) {
    if constexpr (!L::is_across)
      if (direct) return run(L{}, InMemory<L, true>(rows, 0));
    run(L{}, InMemory<L, false>(rows, 0));
  }

  /// run(layout, frame): over the type of the elements, along or across. Directly where all elements are of
  /// the type they are computed in and there is no mask. `inputs` arrays are read; 0: never on the stage.
  template <class W, class Run>
  static void chooseLayout(const SoftmaxRows& rows, std::size_t inputs, bool direct, Run run) {
    if (rows.outer == 0 || rows.inner == 0) return;
    const bool stages = inputs > 0 && (rows.inner > 1 || isTransposed<W>(rows));
    if (stages && unitsOnStage<W>(rows, inputs) > 0)
      return run(Across<W>{}, OnStage<Across<W>>(rows, inputs));
    if (rows.inner == 1) return inMemory<Along<W>>(rows, direct, run);
    inMemory<Across<W>>(rows, direct, run);
  }

  template <class Run, class... More>
  static void choose(const SoftmaxRows& rows, std::size_t inputs, Run run, const SoftmaxElements& first,
                     const More&... more) {
    const bool is_double = first.dtype == softmaxFloat64;
    const bool is_direct =
        !rows.mask && (is_double || first.dtype == softmaxFloat32) && (... && (more.dtype == first.dtype));
    if (is_double) return chooseLayout<Wide<V>>(rows, inputs, is_direct, run);
    chooseLayout<V>(rows, inputs, is_direct, run);
  }

  /// softmax and logSoftmax: what the mask drops is written as `dropped`.
  template <class Row>
  static void sameShape(Elements x, Elements out, Rows rows, double dropped, Row row) {
    const auto run = [=](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(*x, droppedLogit<Element>(*rows));
      auto results = frame.output(*out, static_cast<Element>(dropped), logits);
      UnitScaling<L> scaling(*rows);
      frame.eachUnit(
          [&](const Unit& unit) { row(layout, logits, results, rows->length, unit, scaling.of(unit)); },
          logits, results);
    };
    choose(*rows, 1, run, *x, *out);
  }

  static void softmax(Elements x, Elements out, Rows rows) {
    sameShape(x, out, rows, 0.0,
              [](auto layout, const auto&... rest) { softmaxRows<decltype(layout)>(rest...); });
  }
  static void logSoftmax(Elements x, Elements out, Rows rows) {
    sameShape(x, out, rows, -infinity,
              [](auto layout, const auto&... rest) { logSoftmaxRows<decltype(layout)>(rest...); });
  }

  static void logSumExp(Elements x, Elements out, Rows rows) {
    const auto run = [=](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(*x, droppedLogit<Element>(*rows));
      UnitScaling<L> scaling(*rows);
      // One row of one element each.
      const SoftmaxRows single{1, 1, 1, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};
      Sink<Along<typename L::V>, false> results(*out, single, Element(0));
      frame.eachUnit(
          [&](const Unit& unit) {
            double values[L::rows];
            L::Rows::store(values, logSumExpRows<L>(logits, rows->length, unit, scaling.of(unit)));
            results.start(Unit{unit.first, L::V::width, unit.first});
            for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i)
              results.storeElement(i, 0, static_cast<Element>(values[i]));
          },
          logits);
    };
    choose(*rows, 1, run, *x);
  }

  /// Backward functions: what the mask drops of the output reads as `dropped`.
  template <class Row>
  static void backward(Elements grad_output, Elements output, Elements out, Rows rows, double dropped,
                       Row row) {
    const auto run = [=](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto grads = frame.input(*grad_output, Element(0));
      auto outputs = frame.input(*output, static_cast<Element>(dropped));
      auto results = frame.output(*out, Element(0), grads);
      const PerRow multiplier{rows->multipliers, rows->multiplier};
      frame.eachUnit(
          [&](const Unit& unit) {
            double multipliers[L::rows];
            takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { multipliers[i] = m; });
            row(layout, grads, outputs, results, rows->length, unit, L::Rows::load(multipliers));
          },
          grads, outputs, results);
    };
    choose(*rows, 2, run, *grad_output, *output, *out);
  }

  static void softmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows) {
    backward(grad_output, output, out, rows, 0.0,
             [](auto layout, const auto&... rest) { softmaxBackwardRows<decltype(layout)>(rest...); });
  }
  static void logSoftmaxBackward(Elements grad_output, Elements output, Elements out, Rows rows) {
    backward(grad_output, output, out, rows, -infinity,
             [](auto layout, const auto&... rest) { logSoftmaxBackwardRows<decltype(layout)>(rest...); });
  }

  static void softmaxJacobian(Elements output, Elements out, Rows rows) {
    const std::size_t length = rows->length;
    const auto run = [=](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      if constexpr (!L::is_across) {
        auto outputs = frame.input(*output, Element(0));
        auto results = frame.output(*out, Element(0), outputs);
        frame.eachUnit(
            [&](const Unit& unit) {
              results.start(Unit{unit.first, unit.lanes, unit.start * length});
              softmaxJacobianRow<L>(outputs, results, length, unit);
            },
            outputs);
      }
    };
    choose(*rows, 0, run, *output, *out);
  }

  static void crossEntropy(const SoftmaxCrossEntropy* problem, Rows rows) {
    const SoftmaxCrossEntropy& p = *problem;
    const bool is_wide = p.grad.data && p.grad.dtype == softmaxFloat64 && p.logits.dtype != softmaxFloat64;
    const bool is_simple = p.classes && p.labelSmoothing == 0.0 && !is_wide;
    // Without a gradient nothing is written, wherever that is.
    const SoftmaxElements grad{p.grad.data, p.grad.data ? p.grad.dtype : p.logits.dtype};
    const auto run = [&](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(p.logits, droppedLogit<Element>(*rows));
      auto gradients = frame.output(grad, Element(0), logits);
      UnitScaling<L> scaling(*rows);
      const RowResults loss{p.loss, p.logits.dtype == softmaxFloat64};
      const RowResults log_sum_exp{p.logSumExp, loss.is_double};
      frame.eachUnit(
          [&](const Unit& unit) {
            UnitLoss<L> unit_loss = unitLossOf<L>(p, *rows, unit);
            const auto* unit_grad = grad.data ? &gradients : nullptr;
            indexLossRows<L>(logits, unit_grad, rows->length, unit, scaling.of(unit), unit_loss);
            loss.template store<L>(unit, unit_loss.loss);
            log_sum_exp.template store<L>(unit, unit_loss.log_sum_exp);
          },
          logits, gradients);
    };
    if (is_simple) return choose(*rows, 1, run, p.logits, grad);
    if (p.logits.dtype == softmaxFloat64) return distributionLoss<Wide<V>>(p, *rows, is_wide);
    distributionLoss<V>(p, *rows, is_wide);
  }

  template <class L>
  static UnitLoss<L> unitLossOf(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, const Unit& unit) {
    const PerRow multiplier{rows.multipliers, rows.multiplier}, grad_loss{p.gradLosses, p.gradLoss};
    UnitLoss<L> unit_loss;
    takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { unit_loss.multipliers[i] = m; });
    takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { unit_loss.grad_losses[i] = g; });
    for (std::size_t i = 0; i < L::rows; ++i) {
      const std::int32_t target = p.classes && i < unit.lanes ? p.classes[unit.first + i] : -1;
      unit_loss.classes[i] = target;
      unit_loss.weights[i] = target >= 0 && p.weight ? p.weight[target] : 1.0;
    }
    return unit_loss;
  }

  /// Cross-entropy with smoothed labels, with probabilities, or with gradients in double.
  template <class W>
  static void distributionLoss(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows, bool is_wide) {
    const bool has_grad = p.grad.data != nullptr;
    const auto run = [&](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto logits = frame.input(p.logits, droppedLogit<Element>(rows));
      auto probabilities = frame.input(p.probabilities, Element(0));
      auto gradients = frame.output(has_grad ? p.grad : p.logits, Element(0), logits);
      Sink<typename L::Doubles, false> wide_gradients(has_grad ? p.grad : p.logits, rows, 0.0);
      UnitScaling<L> scaling(rows);
      const RowResults loss{p.loss, p.logits.dtype == softmaxFloat64};
      const RowResults log_sum_exp{p.logSumExp, loss.is_double};
      frame.eachUnit(
          [&](const Unit& unit) {
            UnitLoss<L> unit_loss = unitLossOf<L>(p, rows, unit);
            if (!p.classes) probabilities.start(unit);
            const auto* targets = p.classes ? nullptr : &probabilities;
            const DistributionLoss<L, decltype(logits), decltype(probabilities)> distribution(
                logits, targets, p.weight, p.labelSmoothing, rows.length, unit, scaling.of(unit), unit_loss);
            distribution.writeLosses(unit_loss);
            if (is_wide) {
              wide_gradients.start(unit);
              distribution.writeGradients(wide_gradients);
            } else if (has_grad) {
              distribution.writeGradients(gradients);
            }
            loss.template store<L>(unit, unit_loss.loss);
            log_sum_exp.template store<L>(unit, unit_loss.log_sum_exp);
          },
          logits, gradients);
    };
    decoded<W>(rows, run);
  }

  /// run(layout, frame) with elements of any type, in memory.
  template <class W, class Run>
  static void decoded(const SoftmaxRows& rows, Run run) {
    if (rows.outer == 0 || rows.inner == 0) return;
    if (rows.inner == 1) return run(Along<W>{}, InMemory<Along<W>, false>(rows, 0));
    run(Across<W>{}, InMemory<Across<W>, false>(rows, 0));
  }

  static void divergence(const SoftmaxDivergence* problem, Rows rows) {
    const SoftmaxDivergence& p = *problem;
    const bool has_grad = p.grad.data != nullptr;
    const SoftmaxElements addend{const_cast<double*>(p.addend), softmaxFloat64};
    const auto run = [&](auto layout, auto frame) {
      using L = decltype(layout);
      using Element = typename L::Element;
      auto students = frame.input(p.student, droppedLogit<Element>(*rows));
      auto teachers = frame.input(p.teacher, droppedLogit<Element>(*rows));
      Source<typename L::Doubles, false> addends(addend, *rows, 0.0);
      auto gradients = frame.output(has_grad ? p.grad : p.student, Element(0), students);
      UnitScaling<L> scaling(*rows);
      const PerRow multiplier{rows->multipliers, rows->multiplier}, grad_loss{p.gradLosses, p.gradLoss};
      const RowResults results{p.divergence, true};
      frame.eachUnit(
          [&](const Unit& unit) {
            if (p.addend) addends.start(unit);
            UnitDivergence<L> values;
            takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { values.multipliers[i] = m; });
            takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { values.grad_losses[i] = g; });
            divergenceRows<L>(students, teachers, has_grad ? &gradients : nullptr,
                              p.addend ? &addends : nullptr, rows->length, unit, scaling.of(unit), values);
            results.template store<L>(unit, values.divergence);
          },
          students, teachers, gradients);
    };
    if (p.student.dtype == softmaxFloat64) return decoded<Wide<V>>(*rows, run);
    decoded<V>(*rows, run);
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
            softmax,
            logSoftmax,
            logSumExp,
            softmaxBackward,
            logSoftmaxBackward,
            softmaxJacobian,
            crossEntropy,
            divergence,
            exponentials<V>,
            exponentials<Wide<V>>};
  }
};

}  // namespace
