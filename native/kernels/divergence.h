// Kullback–Leibler divergence of the softmax distributions of two rows of logits, and its gradient by the
// second:
//   KL(p_t ‖ p_s) = Σ p_t (log p_t − log p_s)        ∂KL/∂logit_s = multiplier (p_s − p_t)
//
// With x = log p_s − log p_t, KL = Σ p_t (exp(x) − 1 − x), as Σ p_t exp(x) = Σ p_s = 1: no term is negative,
// and an error of x cancels to first order. Where x is small, exp(x) − 1 and exp(x) − 1 − x come from their
// series, so that distributions that are nearly the same (as at a high temperature) lose nothing either.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ from the student, but for float64
//   range   any logits; a row without a distribution (NaN, +∞) has NaN; one without logits, or of a negative
//           class, 0
//   error   computed in double throughout; docs/numerics.md
#pragma once

#include "choose.h"
#include "distribution.h"
#include "per_row.h"
#include "problems.h"

namespace {

template <class L>
struct UnitDivergence {
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂divergence
  double divergence[L::rows];
  double counts[L::rows];  // −1: the row is left out
};

/// Up to here differences of exponentials come from the series of exp(x) − 1.
constexpr double seriesBound = 0.34;

/// if_small where |x| <= seriesBound, else `otherwise` (a NaN in x too).
template <class V>
typename V::Double selectSmall(typename V::Double x, typename V::Double if_small,
                               typename V::Double otherwise) {
  const auto bound = V::broadcast(seriesBound), lowest = V::broadcast(-seriesBound);
  return V::selectAtLeast(x, lowest, V::selectAtLeast(bound, x, if_small, otherwise), otherwise);
}

/// log(Σ_s / Σ_t), from their difference where they are nearly the same.
inline double logRatio(const Normalizer& s, const Normalizer& t, double difference) {
  const double q = difference / t.sum;
  return q >= -0.25 && q <= 0.25 ? logOnePlus<Scalar>(q, 0.0) : s.log - t.log;
}

/// Probabilities of student and teacher, element by element, and what they are apart.
template <class L, class Students, class Teachers>
struct PairOfRows {
  using V = typename L::V;
  using Double = typename L::Double;

  const ShiftedLogits<L, Students>& s;
  const ShiftedLogits<L, Teachers>& t;
  Double log_ratio, student_scale, teacher_scale;

  /// exp(d_s) − exp(d_t).
  Double difference(std::size_t k, std::size_t count) const {
    const auto d_s = s.load(k, count), d_t = t.load(k, count);
    const auto y = V::subtract(d_s, d_t), e_t = exponential<V>(d_t);
    return selectSmall<V>(y, V::multiply(e_t, expMinusOne(y)), V::subtract(exponential<V>(d_s), e_t));
  }
  /// p_s − p_t.
  Double gradient(std::size_t k, std::size_t count) const {
    const auto d_s = s.load(k, count), d_t = t.load(k, count);
    const auto x = V::subtract(V::subtract(d_s, d_t), log_ratio);
    const auto p_t = V::multiply(exponential<V>(d_t), teacher_scale);
    const auto p_s = V::multiply(exponential<V>(d_s), student_scale);
    return selectSmall<V>(x, V::multiply(p_t, expMinusOne(x)), V::subtract(p_s, p_t));
  }
  /// p_t (exp(x) − 1 − x).
  Double divergence(std::size_t k, std::size_t count) const {
    const auto d_s = s.load(k, count), d_t = t.load(k, count);
    const auto x = V::subtract(V::subtract(d_s, d_t), log_ratio);
    const auto e_t = exponential<V>(d_t);
    const auto p_t = V::multiply(e_t, teacher_scale);
    const auto p_s = V::multiply(exponential<V>(d_s), student_scale);
    const auto log_part = V::keepUnlessBelow(V::multiply(p_t, x), e_t, V::broadcast(smallestNormal));
    const auto if_small = V::multiply(p_t, V::multiply(V::multiply(x, x), expSeries<V>(x)));
    return selectSmall<V>(x, if_small, V::subtract(V::subtract(p_s, p_t), log_part));
  }

 private:
  static Double expMinusOne(Double x) { return V::add(x, V::multiply(V::multiply(x, x), expSeries<V>(x))); }
};

/// `addend` (null: 0) is added to the gradient. A row without logits (none kept, or none) diverges by 0. So
/// does one that is left out, whose gradient is 0, too.
template <class L, class Students, class Teachers, class Grad, class Addends>
void divergenceRows(const Students& students, const Teachers& teachers, const Grad* grad,
                    const Addends* addend, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                    UnitDivergence<L>& rows) {
  using V = typename L::V;
  const auto zero = V::broadcast(0.0), counts = L::eachDouble([&](std::size_t i) { return rows.counts[i]; });
  if (V::allAtLeast(V::broadcast(-1.0), counts)) {
    for (double& divergence : rows.divergence) divergence = 0.0;
    if (grad)
      eachVector<L>(length, unit,
                    [&](std::size_t k, std::size_t count) { storeDouble(*grad, k, zero, count); });
    return;
  }
  const ShiftedLogits<L, Students> s(students, length, unit, scaling);
  const ShiftedLogits<L, Teachers> t(teachers, length, unit, scaling);
  Normalizer of_student[L::rows], of_teacher[L::rows];
  normalize<L>(s, of_student);
  normalize<L>(t, of_teacher);
  const auto scaleOf = [&](const Normalizer* normalizers) {
    return L::eachDouble(
        [&](std::size_t i) { return s.isProper(i) && t.isProper(i) ? 1.0 / normalizers[i].sum : nan; });
  };
  PairOfRows<L, Students, Teachers> pair{s, t, V::broadcast(0.0), scaleOf(of_student), scaleOf(of_teacher)};
  using R = typename L::Rows;
  double sums[L::rows];
  R::store(sums, termSum<L>(length, unit,
                            [&](std::size_t k, std::size_t count) { return pair.difference(k, count); }));
  pair.log_ratio =
      L::eachDouble([&](std::size_t i) { return logRatio(of_student[i], of_teacher[i], sums[i]); });
  R::store(sums, termSum<L>(length, unit,
                            [&](std::size_t k, std::size_t count) { return pair.divergence(k, count); }));
  for (std::size_t i = 0; i < L::rows; ++i) {
    const bool has_none = rows.counts[i] < 0.0 || students.mask().keptCount(i) == 0;
    rows.divergence[i] = has_none ? 0.0 : canonical(sums[i]);
  }
  if (!grad) return;
  const auto factor = L::eachDouble([&](std::size_t i) { return rows.grad_losses[i] * rows.multipliers[i]; });
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto gradient = V::multiply(pair.gradient(k, count), factor);
    // Adding 0 turns −0 into 0, with and without an addend.
    const auto more = addend ? addend->load(k, count) : zero;
    storeDouble(*grad, k, V::keepUnlessBelow(V::add(gradient, more), counts, zero), count);
  });
}

template <class W>
void divergenceOf(const SoftmaxDivergence& p, const SoftmaxRows& rows) {
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
      for (std::size_t i = 0; i < L::rows; ++i) {
        const std::size_t row = unit.first + (i < unit.lanes ? i : unit.lanes - 1);
        values.counts[i] = p.classes && p.classes[row] < 0 ? -1.0 : 1.0;
      }
      const auto gradient = gradients.of(unit);
      const auto addend_rows = p.addend ? addends.of(unit) : addends;
      divergenceRows<L>(students.of(unit), teachers.of(unit), has_grad ? &gradient : nullptr,
                        p.addend ? &addend_rows : nullptr, rows.length, unit, scaling.of(unit), values);
      storeRows<L>({p.divergence, softmaxFloat64}, unit, L::Rows::load(values.divergence));
    });
  });
}

namespace calls {

/// The arrays of SoftmaxDivergence (problems.h); number: gradLoss.
template <class V>
void divergence(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxDivergence problem = softmaxDivergenceOf(call);
  if (problem.student.dtype == softmaxFloat64) return divergenceOf<Wide<V>>(problem, rows);
  divergenceOf<V>(problem, rows);
}

}  // namespace calls

}  // namespace
