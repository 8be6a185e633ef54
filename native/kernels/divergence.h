// Kullback–Leibler divergence of the softmax distributions of two rows of logits, and its gradient by the
// second:
//   KL(p_t ‖ p_s) = Σ p_t (log p_t − log p_s)        ∂KL/∂logit_s = multiplier (p_s − p_t)
//
// With x = log p_s − log p_t, KL = Σ p_t (exp(x) − 1 − x), as Σ p_t exp(x) = Σ p_s = 1: no term is negative,
// and an error of x cancels to first order. Where x is small, exp(x) − 1 and exp(x) − 1 − x come from their
// series, so that distributions that are nearly the same (as at a high temperature) lose nothing either.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ from the student, but for float64
//   range   any logits; a row without a distribution (NaN, +∞) has NaN, one without logits 0
//   error   computed in double throughout; docs/numerics.md
#pragma once

#include "choose.h"
#include "distribution.h"
#include "per_row.h"
#include "problems.h"

namespace {

constexpr double expSeriesCoefficients[] = {
    0x1.af389ed28db09p-26, 0x1.28917c8be7ad6p-22, 0x1.71de0db2f585ep-19, 0x1.a019b914985a9p-16,
    0x1.a01a01a7c2f03p-13, 0x1.6c16c17889ef9p-10, 0x1.11111111109b5p-7,  0x1.5555555553d68p-5,
    0x1.5555555555556p-3,  0x1.0000000000001p-1};  // of r^11, r^10, .., r^2

/// s(r) = (exp(r) − 1 − r) / r², for |r| <= ln 2 / 2.
template <class V>
SOFTMAX_INLINE typename V::Double expSeries(typename V::Double r) {
  auto s = V::broadcast(expSeriesCoefficients[0]);
  for (int i = 1; i < 10; ++i) s = V::add(V::multiply(s, r), V::broadcast(expSeriesCoefficients[i]));
  return s;
}

template <class L>
struct UnitDivergence {
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂divergence
  double divergence[L::rows];
};

/// Up to here differences of exponentials come from the series of exp(x) − 1.
constexpr double seriesBound = 0.34;

/// if_small where |x| <= seriesBound, else `otherwise` (a NaN in x too).
template <class V>
SOFTMAX_INLINE typename V::Double selectSmall(typename V::Double x, typename V::Double if_small,
                                              typename V::Double otherwise) {
  const auto bound = V::broadcast(seriesBound), lowest = V::broadcast(-seriesBound);
  return V::selectAtLeast(x, lowest, V::selectAtLeast(bound, x, if_small, otherwise), otherwise);
}

/// log(Σ_s / Σ_t), from their difference where they are nearly the same.
template <class R>
typename R::Double logRatios(const Normalizers<R>& s, const Normalizers<R>& t,
                             typename R::Double differences) {
  const auto q = R::divide(differences, t.sum);
  const auto nearly = logOnePlus<R>(q, R::broadcast(0.0)), apart = R::subtract(s.log, t.log);
  const auto above = R::selectAtLeast(q, R::broadcast(-0.25), nearly, apart);
  return R::selectAtLeast(R::broadcast(0.25), q, above, apart);
}

/// exp(d_s) − exp(d_t), from d and exp(d) of both. L: Doubles of a layout.
template <class L>
SOFTMAX_CALLED void writeDifferences(const double* d_s, const double* e_s, const double* d_t,
                                     const double* e_t, double* terms, std::size_t count) {
  using V = typename L::V;
  eachPlace<L>(count, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
    const auto y = V::subtract(V::load(d_s + i), V::load(d_t + i));
    const auto s = V::load(e_s + i), t = V::load(e_t + i);
    const auto series = V::add(y, V::multiply(V::multiply(y, y), expSeries<V>(y)));
    V::store(terms + i, selectSmall<V>(y, V::multiply(t, series), V::subtract(s, t)));
  });
}

/// The rows of a unit, once their sums are known.
template <class L>
struct DivergenceTerms {
  using V = typename L::V;
  using Double = typename L::Double;

  Double log_ratio, student_scale, teacher_scale, factor;

  /// p_t (exp(x) − 1 − x) to `terms`, and p_s − p_t times the factor to where exp(d_s) is.
  SOFTMAX_CALLED void write(const double* d_s, double* e_s, const double* d_t, const double* e_t,
                            double* terms, std::size_t count) const {
    const auto row = *this;
    eachPlace<L>(count, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
      const auto x = V::subtract(V::subtract(V::load(d_s + i), V::load(d_t + i)), row.log_ratio);
      const auto e = V::load(e_t + i);
      const auto p_t = V::multiply(e, row.teacher_scale);
      const auto p_s = V::multiply(V::load(e_s + i), row.student_scale);
      const auto apart = V::subtract(p_s, p_t);
      const auto log_part = V::keepUnlessBelow(V::multiply(p_t, x), e, V::broadcast(smallestNormal));
      const auto rest = V::multiply(V::multiply(x, x), expSeries<V>(x));
      V::store(terms + i, selectSmall<V>(x, V::multiply(p_t, rest), V::subtract(apart, log_part)));
      const auto gradient = selectSmall<V>(x, V::multiply(p_t, V::add(x, rest)), apart);
      V::store(e_s + i, V::multiply(gradient, row.factor));
    });
  }
};

/// to + addends, or + 0, which turns −0 into 0.
template <class L>
SOFTMAX_CALLED void addAddends(double* to, const double* addends, std::size_t count) {
  using V = typename L::V;
  eachPlace<L>(count, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
    V::store(to + i, V::add(V::load(to + i), addends ? V::load(addends + i) : V::broadcast(0.0)));
  });
}

/// A unit's rows. `addend` (null: 0) is added to the gradient. A row without logits (none kept, or none)
/// diverges by 0.
template <class L, class Logits, class Grad, class Addends>
void divergenceRows(const Logits& students, const Logits& teachers, const Grad* grad, const Addends* addend,
                    WideMemory<typename L::Doubles>& memory, const Mask<L>& mask, std::size_t length,
                    const Unit& unit, const RowScaling<L>& scaling, UnitDivergence<L>& rows) {
  using D = typename L::Doubles;
  using V = typename D::V;
  using R = typename D::Rows;
  WideLogits<L, Logits> s(students, length, unit, scaling, memory.is_whole, memory.array(0), memory.array(1));
  WideLogits<L, Logits> t(teachers, length, unit, scaling, memory.is_whole, memory.array(2), memory.array(3));
  const auto termsAt = [&](std::size_t begin) {
    return memory.array(4) + (memory.is_whole ? begin * L::rows : 0);
  };
  GroupSums<D> differences, divergences;
  eachChunk<L>(length, [&](std::size_t begin, std::size_t count) {
    s.take(begin, count);
    t.take(begin, count);
    writeDifferences<D>(s.d(begin), s.e(begin), t.d(begin), t.e(begin), termsAt(begin), count);
    addInMemory<D>(differences, count, unit, termsAt(begin));
  });
  const auto of_student = s.normalizers(), of_teacher = t.normalizers();
  const auto scaleOf = [&](const Normalizers<R>& normalizers) {
    const auto none = R::broadcast(nan), scale = R::divide(R::broadcast(1.0), normalizers.sum);
    return D::spread(whereProper<R>(s.top, whereProper<R>(t.top, scale, none), none));
  };
  const auto factor = R::multiply(R::load(rows.grad_losses), R::load(rows.multipliers));
  const DivergenceTerms<D> terms{D::spread(logRatios<R>(of_student, of_teacher, differences.total())),
                                 scaleOf(of_student), scaleOf(of_teacher), D::spread(factor)};
  eachChunk<L>(length, [&](std::size_t begin, std::size_t count) {
    s.takeAgain(begin, count);
    t.takeAgain(begin, count);
    double* at = termsAt(begin);
    terms.write(s.d(begin), s.e(begin), t.d(begin), t.e(begin), at, count);
    addInMemory<D>(divergences, count, unit, at);
    if (!grad) return;
    if (addend) readWide<D>(*addend, begin, count, unit, V::broadcast(1.0), at);
    addAddends<D>(s.e(begin), addend ? at : nullptr, count);
    writeWide<L>(*grad, begin, count, unit, s.e(begin));
  });
  const auto kept = L::ofRowsDouble([&](std::size_t i) { return static_cast<double>(mask.keptCount(i)); });
  const auto sums = R::canonicalNan(divergences.total());
  R::store(rows.divergence, R::selectAtLeast(kept, R::broadcast(1.0), sums, R::broadcast(0.0)));
}

/// All of a unit's divergence is computed at the end: nothing is kept between the steps.
template <class L, class Logits, class Grad, class Run>
class DivergenceSteps {
 public:
  void begin(const Logits& students, const Logits& teachers, const Grad& grad, const Unit& unit,
             const RowScaling<L>& scaling, const Run& run) {
    students_ = students;
    teachers_ = teachers;
    grad_ = grad;
    unit_ = unit;
    scaling_ = &scaling;
    run_ = &run;
  }
  void measure() {}
  void sum() {}
  void finish() { (*run_)(students_, teachers_, grad_, unit_, *scaling_); }

 private:
  Logits students_, teachers_;
  Grad grad_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  const Run* run_;
};

template <class W>
void divergenceOf(const SoftmaxDivergence& p, const SoftmaxRows& rows, double* wide_memory) {
  const bool has_grad = p.grad.data != nullptr;
  const SoftmaxElements grad{p.grad.data, has_grad ? p.grad.dtype : p.student.dtype};
  const SoftmaxElements addend{const_cast<double*>(p.addend), softmaxFloat64};
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto students = frame.input(p.student, droppedLogit<Element>(rows));
    auto teachers = frame.input(p.teacher, droppedLogit<Element>(rows));
    auto gradients = frame.output(grad, Element(0), students);
    const Source<typename L::Doubles> addends(addend, rows, 0.0);
    UnitScaling<L> scaling(rows);
    WideMemory<typename L::Doubles> memory(wide_memory, rows.length, 5);
    Mask<L> mask(rows);
    const PerRow multiplier{rows.multipliers, rows.multiplier}, grad_loss{p.gradLosses, p.gradLoss};
    using Logits = decltype(students.of(Unit{}));
    using Grad = decltype(gradients.of(Unit{}));
    const auto runUnit = [&](const Logits& student_rows, const Logits& teacher_rows, const Grad& grad_rows,
                             const Unit& unit, const RowScaling<L>& row_scaling) {
      UnitDivergence<L> values;
      takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { values.multipliers[i] = m; });
      takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { values.grad_losses[i] = g; });
      mask.start(unit);
      const auto addend_rows = p.addend ? addends.of(unit) : addends;
      divergenceRows<L>(student_rows, teacher_rows, has_grad ? &grad_rows : nullptr,
                        p.addend ? &addend_rows : nullptr, memory, mask, rows.length, unit, row_scaling,
                        values);
      storeRows<L>({p.divergence, softmaxFloat64}, unit, L::Rows::load(values.divergence));
    };
    using Steps = DivergenceSteps<L, Logits, Grad, decltype(runUnit)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(students.of(unit), teachers.of(unit), gradients.of(unit), unit, scaling.of(unit), runUnit);
    };
    frame.template each<Steps>(begin, students, teachers, gradients);
  };
  chooseWideFrame<W>(rows, 2, p.addend != nullptr, run);
}

namespace calls {

/// The arrays of SoftmaxDivergence (problems.h); number: gradLoss.
template <class V>
void divergence(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxDivergence problem = softmaxDivergenceOf(call);
  inWideMemory<V>(rows, [&](const SoftmaxRows& rest, double* memory) {
    if (isDouble(problem.student.dtype)) return divergenceOf<Wide<V>>(problem, rest, memory);
    divergenceOf<V>(problem, rest, memory);
  });
}

}  // namespace calls

}  // namespace
