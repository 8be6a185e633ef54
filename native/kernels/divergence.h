// Kullback–Leibler divergence of the softmax distributions of two rows of logits, and its gradient by the
// second:
//   KL(p_t ‖ p_s) = Σ p_t (log p_t − log p_s)        ∂KL/∂logit_s = multiplier (p_s − p_t)
#pragma once

#include "distribution.h"

namespace {

template <class L>
struct UnitDivergence {
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂divergence
  double divergence[L::rows];
};

/// `addend` (null: 0) is added to the gradient. A row without logits (none kept, or none) diverges by 0.
template <class L, class Students, class Teachers, class Grad, class Addends>
void divergenceRows(const Students& students, const Teachers& teachers, const Grad* grad,
                    const Addends* addend, std::size_t length, const Unit& unit,
                    const Scaling<typename L::Element>* scaling, UnitDivergence<L>& rows) {
  using V = typename L::V;
  const ShiftedLogits<L, Students> s(students, length, unit, scaling);
  const ShiftedLogits<L, Teachers> t(teachers, length, unit, scaling);
  Normalizer of_student[L::rows], of_teacher[L::rows];
  normalize<L>(s, of_student);
  normalize<L>(t, of_teacher);
  double cross[V::width];
  termSum<L>(
      length, unit,
      [&](std::size_t k, std::size_t count) {
        const auto d = t.load(k, count);
        const auto e = exponential<V>(d);
        const auto term = V::multiply(e, V::subtract(d, s.load(k, count)));
        return V::keepUnlessBelow(term, e, V::broadcast(smallestNormal));
      },
      cross);
  double student_scales[L::rows], teacher_scales[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) {
    student_scales[i] = 1.0 / of_student[i].sum;
    teacher_scales[i] = 1.0 / of_teacher[i].sum;
    if (students.mask().keptCount(i) == 0) {
      rows.divergence[i] = 0.0;
    } else if (!s.isProper(i) || !t.isProper(i)) {
      rows.divergence[i] = student_scales[i] = nan;
    } else {
      const double value = cross[i] / of_teacher[i].sum + (of_student[i].log - of_teacher[i].log);
      rows.divergence[i] = value < 0.0 ? 0.0 : canonical(value);
    }
  }
  if (!grad) return;
  const auto student_scale = L::eachDouble([&](std::size_t i) { return student_scales[i]; });
  const auto teacher_scale = L::eachDouble([&](std::size_t i) { return teacher_scales[i]; });
  const auto factor = L::eachDouble([&](std::size_t i) { return rows.grad_losses[i] * rows.multipliers[i]; });
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto p_s = V::multiply(exponential<V>(s.load(k, count)), student_scale);
    const auto p_t = V::multiply(exponential<V>(t.load(k, count)), teacher_scale);
    const auto gradient = V::multiply(V::subtract(p_s, p_t), factor);
    // Adding 0 turns −0 into 0, with and without an addend.
    const auto more = addend ? addend->load(k, count) : V::broadcast(0.0);
    grad->storeDouble(k, V::add(gradient, more), count);
  });
}

}  // namespace
