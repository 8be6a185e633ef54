// What softmaxBackward and logSoftmaxBackward have in common.
//
// A row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "choose.h"
#include "forward.h"
#include "per_row.h"

namespace {

/// The arrays of a backward function, the factor of each row, and whether rows may be empty.
template <class L, class GradsOf, class OutputsOf, class OutOf, bool zeroes>
struct BackwardArrays {
  using Layout = L;
  static constexpr bool zeroes_empty = zeroes;
  GradsOf grad_output;
  OutputsOf output;
  OutOf out;
  std::size_t length;
  Unit unit;
  typename L::Rows::Double multipliers;
};

/// Rows of a unit whose gradients are 0, whatever gradOutput is (SoftmaxRows::zeroesEmpty).
template <class Arrays>
struct EmptyRows {
  using L = typename Arrays::Layout;
  using V = typename L::V;

  bool any = false;
  typename L::Rows::Double full;  // 0 in empty rows, else at least 1

  EmptyRows() = default;
  explicit EmptyRows(bool is_empty) : any(is_empty), full(L::Rows::broadcast(0.0)) {}
  /// Before anything is written: rows whose output is nothing but `nothing`, what the mask leaves of one that
  /// it empties. Reads until every row has something, which is soon.
  [[gnu::noinline]] EmptyRows(const Arrays& a, double nothing) {
    const auto empty = V::broadcast(nothing), zero = V::broadcast(0.0), one = V::broadcast(1.0);
    auto found = zero;
    for (std::size_t k = 0; k < a.length; k += L::step) {
      const auto y = a.output.loadDouble(k, lanesOf<L>(a.length - k, a.unit));
      found = V::selectAtLeast(found, one, one, V::clearWhereEqual(one, y, empty));
      if (L::is_across ? V::allAtLeast(found, one) : !V::allAtLeast(zero, found)) return;
    }
    any = true;
    full = L::sum(found);
  }
};

/// out = gradientAt(k, count), or 0 in empty rows.
template <class Arrays, class Gradient>
SOFTMAX_INLINE void writeGradients(const Arrays& a, const EmptyRows<Arrays>& empty,
                                   const Gradient& gradientAt) {
  using L = typename Arrays::Layout;
  using V = typename L::V;
  if (!Arrays::zeroes_empty || !empty.any)
    return eachVectorOf<L>(a.out, a.length, a.unit,
                           [&](std::size_t k, std::size_t count)
                               SOFTMAX_INLINE_LAMBDA { storeDouble(a.out, k, gradientAt(k, count), count); });
  const auto full = L::spread(empty.full), one = V::broadcast(1.0);
  eachVector<L>(a.length, a.unit, [&](std::size_t k, std::size_t count) {
    storeDouble(a.out, k, V::keepUnlessBelow(gradientAt(k, count), full, one), count);
  });
}

/// A step of a part (split_row.h): its sum, or its results.
template <class Arrays, class Steps>
void takeTerms(Steps& steps, double& sum, const Arrays& arrays, double nothing, const PartTask& task) {
  using Empty = EmptyRows<Arrays>;
  if (task.step == softmaxSum) {
    steps.sum();
    task.part->sum = sum;
    task.part->isEmpty = Arrays::zeroes_empty && Empty(arrays, nothing).any;
  } else {
    sum = task.row->sum;
    steps.finish(Empty(task.row->isEmpty != 0));
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
template <class V, template <class> class Steps, bool zeroes>
void backwardRows(const SoftmaxCall& call, const SoftmaxRows& rows, double dropped, PartTask* task) {
  const SoftmaxElements &grad_output = call.arrays[0], &output = call.arrays[1], &out = call.arrays[2];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto grads = frame.input(grad_output, Element(0));
    auto outputs = frame.input(output, static_cast<Element>(dropped));
    auto results = frame.output(out, Element(0), grads);
    const PerRow multiplier{rows.multipliers, rows.multiplier};
    using Arrays = BackwardArrays<L, decltype(grads.of(Unit{})), decltype(outputs.of(Unit{})),
                                  decltype(results.of(Unit{})), zeroes>;
    const auto begin = [&](const Unit& unit, Steps<Arrays>& steps) {
      double multipliers[L::rows];
      takeRows<L>(multiplier, unit, [&](std::size_t i, double m) { multipliers[i] = m; });
      steps.begin({grads.of(unit), outputs.of(unit), results.of(unit), rows.length, unit,
                   L::Rows::load(multipliers)});
    };
    frame.template each<Steps<Arrays>>(begin, grads, outputs, results);
  };
  if (out.data != grad_output.data && out.data != output.data && isAligned(out))
    return choose<V, true>(rows, 2, task, run, grad_output, output, out);
  choose<V, false>(rows, 2, task, run, grad_output, output, out);
}

/// Code of its own for calls whose rows may be empty: others have no cost of it.
template <class V, template <class> class Steps>
void backward(const SoftmaxCall& call, const SoftmaxRows& rows, double dropped, PartTask* task) {
  if (rows.zeroesEmpty) return backwardRows<V, Steps, true>(call, rows, dropped, task);
  backwardRows<V, Steps, false>(call, rows, dropped, task);
}

}  // namespace
