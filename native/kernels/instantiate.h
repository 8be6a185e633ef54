// Every kernel, compiled for one vector type. An ISA's file (isa/) includes its vector header and this one.
#pragma once

#include "backward.h"
#include "distribution_loss.h"
#include "divergence.h"

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
  explicit UnitScaling(const SoftmaxRows& rows) : multipliers_{rows.multipliers, rows.multiplier} {
    for (auto& scaling : scaling_) scaling = scalingOf<Element>(rows.multiplier);
  }
  const Scaling<Element>* of(const Unit& unit) {
    if (multipliers_.values)
      takeRows<L>(multipliers_, unit, [&](std::size_t i, double m) { scaling_[i] = scalingOf<Element>(m); });
    return scaling_;
  }

 private:
  PerRow multipliers_;
  Scaling<Element> scaling_[L::rows];
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

template <bool value>
struct Constant {
  static constexpr bool is = value;
};

template <class V>
struct Instance {
  using Elements = const SoftmaxElements*;
  using Rows = const SoftmaxRows*;

  /// run(layout, direct): over the type of the elements, along or across. By reference: a copy of what it
  /// captures is read back before it is stored, which for a short row is a tenth of the call.
  template <class Direct, class Run>
  static void chooseLayout(const SoftmaxRows& rows, bool is_double, Direct direct, const Run& run) {
    if (rows.outer == 0 || rows.inner == 0) return;
    if (rows.inner == 1) {
      if (is_double) return run(Along<Wide<V>>{}, direct);
      return run(Along<V>{}, direct);
    }
    if (is_double) return run(Across<Wide<V>>{}, direct);
    run(Across<V>{}, direct);
  }

  /// Directly where all elements are of the type they are computed in and there is no mask.
  template <class Run, class... More>
  static void choose(const SoftmaxRows& rows, const Run& run, const SoftmaxElements& first,
                     const More&... more) {
    const bool is_double = first.dtype == softmaxFloat64;
    const bool is_direct =
        !rows.mask && (is_double || first.dtype == softmaxFloat32) && (... && (more.dtype == first.dtype));
    if (is_direct) return chooseLayout(rows, is_double, Constant<true>{}, run);
    chooseLayout(rows, is_double, Constant<false>{}, run);
  }

  /// softmax and logSoftmax: what the mask drops is written as `dropped`.
  template <class Row>
  static void sameShape(Elements x, Elements out, Rows rows, double dropped, Row row) {
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      Source<L, decltype(direct)::is> logits(*x, *rows, droppedLogit<Element>(*rows));
      Sink<L, decltype(direct)::is> results(*out, *rows, static_cast<Element>(dropped));
      UnitScaling<L> scaling(*rows);
      L::eachUnit(*rows, [&](const Unit& unit) {
        logits.start(unit);
        results.start(unit);
        row(layout, logits, results, rows->length, unit, scaling.of(unit));
      });
    };
    choose(*rows, run, *x, *out);
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
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      Source<L, decltype(direct)::is> logits(*x, *rows, droppedLogit<Element>(*rows));
      UnitScaling<L> scaling(*rows);
      // One row of one element each.
      const SoftmaxRows single{1, 1, 1, nullptr, nullptr, 0, nullptr, 1.0};
      Sink<Along<typename L::V>, false> results(*out, single, Element(0));
      L::eachUnit(*rows, [&](const Unit& unit) {
        logits.start(unit);
        double values[L::rows];
        logSumExpRows<L>(logits, rows->length, unit, scaling.of(unit), values);
        results.start(Unit{unit.first, L::V::width, unit.first});
        for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i)
          results.storeElement(i, 0, static_cast<Element>(values[i]));
      });
    };
    choose(*rows, run, *x);
  }

  /// Backward functions: what the mask drops of the output reads as `dropped`.
  template <class Row>
  static void backward(Elements grad_output, Elements output, Elements out, Rows rows, double dropped,
                       Row row) {
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      Source<L, decltype(direct)::is> grads(*grad_output, *rows, Element(0));
      Source<L, decltype(direct)::is> outputs(*output, *rows, static_cast<Element>(dropped));
      Sink<L, decltype(direct)::is> results(*out, *rows, Element(0));
      const PerRow multiplier{rows->multipliers, rows->multiplier};
      L::eachUnit(*rows, [&](const Unit& unit) {
        grads.start(unit);
        outputs.start(unit);
        results.start(unit);
        double multipliers[L::rows];
        takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { multipliers[i] = m; });
        row(layout, grads, outputs, results, rows->length, unit, multipliers);
      });
    };
    choose(*rows, run, *grad_output, *output, *out);
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
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      if constexpr (!L::is_across) {
        Source<L, decltype(direct)::is> outputs(*output, *rows, Element(0));
        Sink<L, decltype(direct)::is> results(*out, *rows, Element(0));
        L::eachUnit(*rows, [&](const Unit& unit) {
          outputs.start(unit);
          results.start(Unit{unit.first, unit.lanes, unit.start * length});
          softmaxJacobianRow<L>(outputs, results, length, unit);
        });
      }
    };
    choose(*rows, run, *output, *out);
  }

  static void crossEntropy(const SoftmaxCrossEntropy* problem, Rows rows) {
    const SoftmaxCrossEntropy& p = *problem;
    const bool has_grad = p.grad.data != nullptr;
    const SoftmaxElements& grad = has_grad ? p.grad : p.logits;
    const bool is_wide = has_grad && grad.dtype == softmaxFloat64 && p.logits.dtype != softmaxFloat64;
    const bool is_simple = p.classes && p.labelSmoothing == 0.0 && !is_wide;
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      Source<L, decltype(direct)::is> logits(p.logits, *rows, droppedLogit<Element>(*rows));
      Source<L, decltype(direct)::is> probabilities(p.probabilities, *rows, Element(0));
      Sink<L, decltype(direct)::is> gradients(grad, *rows, Element(0));
      Sink<typename L::Doubles, false> wide_gradients(grad, *rows, 0.0);
      UnitScaling<L> scaling(*rows);
      const PerRow multiplier{rows->multipliers, rows->multiplier}, grad_loss{p.gradLosses, p.gradLoss};
      const RowResults loss{p.loss, p.logits.dtype == softmaxFloat64};
      const RowResults log_sum_exp{p.logSumExp, loss.is_double};
      L::eachUnit(*rows, [&](const Unit& unit) {
        logits.start(unit);
        gradients.start(unit);
        UnitLoss<L> unit_loss;
        takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { unit_loss.multipliers[i] = m; });
        takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { unit_loss.grad_losses[i] = g; });
        for (std::size_t i = 0; i < L::rows; ++i) {
          const std::int32_t target = p.classes && i < unit.lanes ? p.classes[unit.first + i] : -1;
          unit_loss.classes[i] = target;
          unit_loss.weights[i] = target >= 0 && p.weight ? p.weight[target] : 1.0;
        }
        const auto* unit_grad = has_grad ? &gradients : nullptr;
        if (decltype(direct)::is || is_simple) {
          indexLossRows<L>(logits, unit_grad, rows->length, unit, scaling.of(unit), unit_loss);
        } else if constexpr (!decltype(direct)::is) {
          if (!p.classes) probabilities.start(unit);
          const auto* targets = p.classes ? nullptr : &probabilities;
          const DistributionLoss<L, decltype(logits), decltype(probabilities)> distribution(
              logits, targets, p.weight, p.labelSmoothing, rows->length, unit, scaling.of(unit), unit_loss);
          distribution.writeLosses(unit_loss);
          if (is_wide) {
            wide_gradients.start(unit);
            distribution.writeGradients(wide_gradients);
          } else if (has_grad) {
            distribution.writeGradients(gradients);
          }
        }
        loss.template store<L>(unit, unit_loss.loss);
        log_sum_exp.template store<L>(unit, unit_loss.log_sum_exp);
      });
    };
    if (is_simple) return choose(*rows, run, p.logits, grad);
    chooseLayout(*rows, p.logits.dtype == softmaxFloat64, Constant<false>{}, run);
  }

  static void divergence(const SoftmaxDivergence* problem, Rows rows) {
    const SoftmaxDivergence& p = *problem;
    const bool has_grad = p.grad.data != nullptr;
    const SoftmaxElements& grad = has_grad ? p.grad : p.student;
    const SoftmaxElements addend{const_cast<double*>(p.addend), softmaxFloat64};
    const auto run = [&](auto layout, auto direct) {
      using L = decltype(layout);
      using Element = typename L::Element;
      Source<L, decltype(direct)::is> students(p.student, *rows, droppedLogit<Element>(*rows));
      Source<L, decltype(direct)::is> teachers(p.teacher, *rows, droppedLogit<Element>(*rows));
      Source<typename L::Doubles, false> addends(addend, *rows, 0.0);
      Sink<L, decltype(direct)::is> gradients(grad, *rows, Element(0));
      UnitScaling<L> scaling(*rows);
      const PerRow multiplier{rows->multipliers, rows->multiplier}, grad_loss{p.gradLosses, p.gradLoss};
      const RowResults results{p.divergence, true};
      L::eachUnit(*rows, [&](const Unit& unit) {
        students.start(unit);
        teachers.start(unit);
        gradients.start(unit);
        if (p.addend) addends.start(unit);
        UnitDivergence<L> values;
        takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { values.multipliers[i] = m; });
        takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { values.grad_losses[i] = g; });
        divergenceRows<L>(students, teachers, has_grad ? &gradients : nullptr, p.addend ? &addends : nullptr,
                          rows->length, unit, scaling.of(unit), values);
        results.template store<L>(unit, values.divergence);
      });
    };
    chooseLayout(*rows, p.student.dtype == softmaxFloat64, Constant<false>{}, run);
  }

  /// Values in chunks of one register, each measured against N = 0, with nothing cut off.
  template <class W>
  static void exponentials(const typename W::Element* logits, typename W::Element* out, std::size_t count) {
    using Element = typename W::Element;
    const Scaling<Element> one = scalingOf<Element>(1.0);
    Reference<Element> reference = referenceOf<Element>(Element(0), one, false);
    reference.cut = -Numbers<Element>::infinity;
    const RowConstants<Along<W>> row(&one, &reference);
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
