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

/// A unit's rows, or a part of a row (split_row.h). `addend` (null: 0) is added to the gradient.
template <class L, class Logits>
class Divergence {
  using D = typename L::Doubles;
  using V = typename D::V;
  using R = typename D::Rows;
  using Double = typename R::Double;

 public:
  /// `row`: null, or what is known of the row that this is a part of.
  Divergence(const Logits& students, const Logits& teachers, WideMemory<D>& memory, std::size_t length,
             const Unit& unit, const RowScaling<L>& scaling, const SoftmaxPart* row)
      : memory_(memory),
        length_(length),
        unit_(unit),
        s_(students, unit, scaling, row ? RowTops<R>(row->of[0]) : topsOf<L>(students, length, unit, scaling),
           memory.is_whole, memory.array(0), memory.array(1)),
        t_(teachers, unit, scaling, row ? RowTops<R>(row->of[1]) : topsOf<L>(teachers, length, unit, scaling),
           memory.is_whole, memory.array(2), memory.array(3)) {}

  void sum() {
    const Double differences = takeAll();
    setSums(s_.normalizers(), t_.normalizers(), differences);
  }
  /// Of a part: to what is known of it.
  void sumInto(SoftmaxPart& known) {
    known.terms[0] = takeAll();
    s_.putInto(known.of[0]);
    t_.putInto(known.of[1]);
  }
  /// Of all parts.
  void setSums(const SoftmaxPart& row) {
    setSums(Normalizers<R>(row.of[0]), Normalizers<R>(row.of[1]), R::broadcast(row.terms[0]));
  }

  /// Σ p_t (log p_t − log p_s), and the gradients of `rows` to `grad`, if that is not null.
  template <class Grad, class Addends>
  Double finish(const UnitDivergence<L>& rows, const Grad* grad, const Addends* addend) {
    const auto factor = R::multiply(R::load(rows.grad_losses), R::load(rows.multipliers));
    const DivergenceTerms<D> terms{D::spread(log_ratio_), scaleOf(student_sum_), scaleOf(teacher_sum_),
                                   D::spread(factor)};
    GroupSums<D> divergences;
    eachChunk<L>(length_, [&](std::size_t begin, std::size_t count) {
      s_.takeAgain(begin, count);
      t_.takeAgain(begin, count);
      double* at = termsAt(begin);
      terms.write(s_.d(begin), s_.e(begin), t_.d(begin), t_.e(begin), at, count);
      addInMemory<D>(divergences, count, unit_, at);
      if (!grad) return;
      if (addend) readWide<D>(*addend, begin, count, unit_, V::broadcast(1.0), at);
      addAddends<D>(s_.e(begin), addend ? at : nullptr, count);
      writeWide<L>(*grad, begin, count, unit_, s_.e(begin));
    });
    return divergences.total();
  }

 private:
  double* termsAt(std::size_t begin) const {
    return memory_.array(4) + (memory_.is_whole ? begin * L::rows : 0);
  }
  /// The sum of exp(d_s) − exp(d_t).
  Double takeAll() {
    GroupSums<D> differences;
    eachChunk<L>(length_, [&](std::size_t begin, std::size_t count) {
      s_.take(begin, count);
      t_.take(begin, count);
      writeDifferences<D>(s_.d(begin), s_.e(begin), t_.d(begin), t_.e(begin), termsAt(begin), count);
      addInMemory<D>(differences, count, unit_, termsAt(begin));
    });
    return differences.total();
  }
  void setSums(const Normalizers<R>& student, const Normalizers<R>& teacher, Double differences) {
    log_ratio_ = logRatios<R>(student, teacher, differences);
    student_sum_ = student.sum;
    teacher_sum_ = teacher.sum;
  }
  typename D::Double scaleOf(Double sum) const {
    const auto none = R::broadcast(nan), scale = R::divide(R::broadcast(1.0), sum);
    return D::spread(whereProper<R>(s_.top, whereProper<R>(t_.top, scale, none), none));
  }

  WideMemory<D>& memory_;
  std::size_t length_;
  Unit unit_;
  WideLogits<L, Logits> s_, t_;
  Double log_ratio_, student_sum_, teacher_sum_;
};

/// A step of a part, or of a row between two, of `length` elements. store(divergence) in the end.
template <class L, class Logits, class Grad, class Addends, class Store>
SoftmaxStep divergenceInParts(const PartTask& task, const Logits& students, const Logits& teachers,
                              const Grad* grad, const Addends* addend,
                              WideMemory<typename L::Doubles>& memory, std::size_t length, const Unit& unit,
                              const RowScaling<L>& scaling, const UnitDivergence<L>& rows,
                              const Store& store) {
  SoftmaxPart& known = *task.part;
  if (task.step == softmaxBegin) return softmaxMeasure;
  if (task.step == softmaxMeasure) {
    measureInParts<L>(task, 0, students, length, unit, scaling);
    measureInParts<L>(task, 1, teachers, length, unit, scaling);
    return softmaxSum;
  }
  if (task.is_join) {
    if (task.step == softmaxSum) {
      joinDistributions(task, 0);
      joinDistributions(task, 1);
      joinTerms(task, 0);
      return softmaxFinish;
    }
    joinTerms(task, 1);
    store(known.terms[1]);
    return softmaxEnd;
  }
  Divergence<L, Logits> divergence(students, teachers, memory, length, unit, scaling, task.row);
  if (task.step == softmaxSum) {
    divergence.sumInto(known);
  } else {
    divergence.setSums(*task.row);
    known.terms[1] = divergence.finish(rows, grad, addend);
  }
  return softmaxEnd;
}

/// All of a unit's divergence is computed at the end: nothing is kept between the steps. run(.., task): of
/// the unit, or of a row in parts; the step after it.
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
  void finish() { (*run_)(students_, teachers_, grad_, unit_, *scaling_, nullptr); }
  SoftmaxStep join(const PartTask& task) {
    return (*run_)(students_, teachers_, grad_, unit_, *scaling_, &task);
  }
  void take(const PartTask& task) { join(task); }

 private:
  Logits students_, teachers_;
  Grad grad_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  const Run* run_;
};

template <class W>
void divergenceOf(const SoftmaxDivergence& p, const SoftmaxRows& rows, double* wide_memory, PartTask* task) {
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
    WideMemory<typename L::Doubles> memory(wide_memory, rows.length, 5, task != nullptr);
    Mask<L> mask(rows);
    const PerRow multiplier{rows.multipliers, rows.multiplier}, grad_loss{p.gradLosses, p.gradLoss};
    using Logits = decltype(students.of(Unit{}));
    using Grad = decltype(gradients.of(Unit{}));
    const auto runUnit = [&](const Logits& student_rows, const Logits& teacher_rows, const Grad& grad_rows,
                             const Unit& unit, const RowScaling<L>& row_scaling,
                             [[maybe_unused]] const PartTask* of_part) {
      using R = typename L::Doubles::Rows;
      UnitDivergence<L> values;
      takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { values.multipliers[i] = m; });
      takeRows<L>(grad_loss, unit, [&](std::size_t i, double g) { values.grad_losses[i] = g; });
      mask.start(unit);
      const auto addend_rows = p.addend ? addends.of(unit) : addends;
      const auto* const grad_to = has_grad ? &grad_rows : nullptr;
      const auto* const addend_from = p.addend ? &addend_rows : nullptr;
      const auto store = [&](typename R::Double sums) {
        storeRows<L>({p.divergence, softmaxFloat64}, unit, R::canonicalNan(sums));
      };
      if constexpr (mayBeInParts<L>)
        if (of_part)
          return divergenceInParts<L>(*of_part, student_rows, teacher_rows, grad_to, addend_from, memory,
                                      rows.length, unit, row_scaling, values, store);
      Divergence<L, Logits> divergence(student_rows, teacher_rows, memory, rows.length, unit, row_scaling,
                                       nullptr);
      divergence.sum();
      const auto sums = divergence.finish(values, grad_to, addend_from);
      // A row without logits (none kept, or none) diverges by 0.
      const auto kept =
          L::ofRowsDouble([&](std::size_t i) { return static_cast<double>(mask.keptCount(i)); });
      store(R::selectAtLeast(kept, R::broadcast(1.0), sums, R::broadcast(0.0)));
      return softmaxEnd;
    };
    using Steps = DivergenceSteps<L, Logits, Grad, decltype(runUnit)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(students.of(unit), teachers.of(unit), gradients.of(unit), unit, scaling.of(unit), runUnit);
    };
    frame.template each<Steps>(begin, students, teachers, gradients);
  };
  if (task) return inDecodedParts<Along<W>>(rows, *task, run);
  chooseWideFrame<W>(rows, 2, p.addend != nullptr, run);
}

namespace calls {

/// The arrays of SoftmaxDivergence (problems.h); number: gradLoss.
template <class V>
void divergence(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  const SoftmaxDivergence problem = softmaxDivergenceOf(call);
  inWideMemory<V>(rows, [&](const SoftmaxRows& rest, double* memory) {
    if (isDouble(problem.student.dtype)) return divergenceOf<Wide<V>>(problem, rest, memory, task);
    divergenceOf<V>(problem, rest, memory, task);
  });
}

}  // namespace calls

}  // namespace
