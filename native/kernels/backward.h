// What softmaxBackward and logSoftmaxBackward have in common.
//
// A row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "choose.h"
#include "forward.h"
#include "per_row.h"

namespace {

/// The arrays of a backward function, and the factor of each row.
template <class L, class GradsOf, class OutputsOf, class OutOf>
struct BackwardArrays {
  using Layout = L;
  GradsOf grad_output;
  OutputsOf output;
  OutOf out;
  std::size_t length;
  Unit unit;
  typename L::Rows::Double multipliers;
};

/// A step of a part (split_row.h): its sum, or its results.
template <class Steps>
void takeTerms(Steps& steps, double& sum, const PartTask& task) {
  if (task.step == softmaxSum) {
    steps.sum();
    task.part->sum = sum;
  } else {
    sum = task.row->sum;
    steps.finish();
  }
}
inline SoftmaxStep joinTerms(const PartTask& task) {
  if (task.step == softmaxBegin) return softmaxSum;
  if (task.step == softmaxFinish) return softmaxEnd;
  task.part->sum = joined<double, Scalar::add>(task, [](const SoftmaxPart& part) { return part.sum; });
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
    const auto begin = [&](const Unit& unit, Steps<Arrays>& steps) SOFTMAX_INLINE_LAMBDA {
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

}  // namespace
