// What softmaxBackward and logSoftmaxBackward have in common.
//
// A row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "choose.h"
#include "forward.h"
#include "per_row.h"

namespace {

/// The arrays of a backward function, the factor of each row, and whether rows may be empty: of an output
/// that has nothing but `nothing`, which is what the mask leaves of a row that it empties.
template <class L, class GradsOf, class OutputsOf, class OutOf>
struct BackwardArrays {
  using Layout = L;
  GradsOf grad_output;
  OutputsOf output;
  OutOf out;
  std::size_t length;
  Unit unit;
  typename L::Rows::Double multipliers;
  bool zeroes_empty;
  double nothing;
};

/// Rows of a unit whose gradients are 0, whatever gradOutput is (SoftmaxRows::zeroesEmpty).
template <class Arrays>
class EmptyRows {
  using L = typename Arrays::Layout;
  using V = typename L::V;
  using R = typename L::Rows;

 public:
  /// Before anything is written.
  SOFTMAX_INLINE void find(const Arrays& a) { any_ = a.zeroes_empty && findIn(a); }
  void set(bool is_empty) {
    any_ = is_empty;
    full_ = R::broadcast(0.0);
  }
  bool any() const { return any_; }
  /// 0 in empty rows.
  SOFTMAX_INLINE static typename L::Double cleared(typename L::Double gradient, typename L::Double full) {
    return V::keepUnlessBelow(gradient, full, V::broadcast(1.0));
  }
  typename L::Double full() const { return L::spread(full_); }

 private:
  /// Whether there are any. Reads until every row has something, which is soon.
  [[gnu::noinline]] bool findIn(const Arrays& a) {
    const auto nothing = V::broadcast(a.nothing), zero = V::broadcast(0.0), one = V::broadcast(1.0);
    auto found = zero;
    for (std::size_t k = 0; k < a.length; k += L::step) {
      const auto y = a.output.loadDouble(k, lanesOf<L>(a.length - k, a.unit));
      found = V::selectAtLeast(found, one, one, V::clearWhereEqual(one, y, nothing));
      if (L::is_across ? V::allAtLeast(found, one) : !V::allAtLeast(zero, found)) return false;
    }
    full_ = L::sum(found);
    return true;
  }

  typename R::Double full_;  // 0 in empty rows, else at least 1
  bool any_ = false;
};

/// out = gradientAt(k, count), or 0 in empty rows.
template <class Arrays, class Gradient>
SOFTMAX_INLINE void writeGradients(const Arrays& a, const EmptyRows<Arrays>& empty,
                                   const Gradient& gradientAt) {
  using L = typename Arrays::Layout;
  if (!empty.any())
    return eachVectorOf<L>(a.out, a.length, a.unit,
                           [&](std::size_t k, std::size_t count)
                               SOFTMAX_INLINE_LAMBDA { storeDouble(a.out, k, gradientAt(k, count), count); });
  const auto full = empty.full();
  eachVector<L>(a.length, a.unit, [&](std::size_t k, std::size_t count) {
    storeDouble(a.out, k, EmptyRows<Arrays>::cleared(gradientAt(k, count), full), count);
  });
}

/// A step of a part (split_row.h): its sum, or its results.
template <class Steps, class Empty>
void takeTerms(Steps& steps, double& sum, Empty& empty, const PartTask& task) {
  if (task.step == softmaxSum) {
    steps.sum();
    task.part->sum = sum;
    task.part->isEmpty = empty.any();
  } else {
    sum = task.row->sum;
    empty.set(task.row->isEmpty != 0);
    steps.finish();
  }
}
inline SoftmaxStep joinTerms(const PartTask& task) {
  if (task.step == softmaxBegin) return softmaxSum;
  if (task.step == softmaxFinish) return softmaxEnd;
  task.part->sum = joined<double, Scalar::add>(task, [](const SoftmaxPart& part) { return part.sum; });
  task.part->isEmpty = 1;
  for (std::size_t i = 0; i < task.count; ++i) task.part->isEmpty &= task.parts[i].isEmpty;
  return softmaxFinish;
}

/// call(gradOutput, output, out). What the mask drops of the output reads as `dropped`.
template <class V, template <class> class Steps>
void backward(const SoftmaxCall& call, const SoftmaxRows& rows, double dropped, PartTask* task) {
  const SoftmaxElements &grad_output = call.arrays[0], &output = call.arrays[1], &out = call.arrays[2];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto grads = frame.input(grad_output, Element(0));
    auto outputs = frame.input(output, static_cast<Element>(dropped));
    auto results = frame.output(out, Element(0), grads);
    const PerRow multiplier{rows.multipliers, rows.multiplier};
    using Arrays = BackwardArrays<L, decltype(grads.of(Unit{})), decltype(outputs.of(Unit{})),
                                  decltype(results.of(Unit{}))>;
    const auto begin = [&](const Unit& unit, Steps<Arrays>& steps) {
      double multipliers[L::rows];
      takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { multipliers[i] = m; });
      steps.begin({grads.of(unit), outputs.of(unit), results.of(unit), rows.length, unit,
                   L::Rows::load(multipliers), rows.zeroesEmpty, dropped});
    };
    frame.template each<Steps<Arrays>>(begin, grads, outputs, results);
  };
  if (out.data != grad_output.data && out.data != output.data && isAligned(out))
    return choose<V, true>(rows, 2, task, run, grad_output, output, out);
  choose<V, false>(rows, 2, task, run, grad_output, output, out);
}

}  // namespace
