// The gradient through logSoftmax: (g − exp(y) Σ g) · multiplier, where y is what logSoftmax gave and g what
// is known of it.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ, but for float64
//   range   any; what is not finite in g makes the row NaN, but of a y of −∞ alone with zeroesEmpty
//   error   float32: 1e-6 of the exact gradient (docs/numerics.md)
#pragma once

#include "backward.h"

namespace {

/// out = (g − exp(output) Σ g) · multiplier, in double throughout.
template <class Arrays>
class LogSoftmaxBackwardSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;

  /// What the mask leaves of an output that it empties.
  static constexpr double nothing = -infinity;

 public:
  void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() {}
  void sum() {
    const Arrays a = arrays_;
    sum_ = termSum<L, decltype(a.grad_output)::is_lean>(
        a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
          return a.grad_output.loadDouble(k, count);
        });
  }
  void finish() {
    if constexpr (Arrays::zeroes_empty)
      finish(EmptyRows<Arrays>(arrays_, nothing));
    else
      finish(EmptyRows<Arrays>());
  }
  SOFTMAX_INLINE void finish(const EmptyRows<Arrays>& empty) {
    const Arrays a = arrays_;
    const auto sum = L::spread(sum_), factor = L::spread(a.multipliers);
    writeGradients(a, empty, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto g = a.grad_output.loadDouble(k, count);
      const auto p = exponential<V>(a.output.loadDouble(k, count));
      return V::multiply(V::subtract(g, V::multiply(p, sum)), factor);
    });
  }

  void take(const PartTask& task) { takeTerms(*this, sum_, arrays_, nothing, task); }
  SoftmaxStep join(const PartTask& task) { return joinTerms(task); }

 private:
  Arrays arrays_;
  typename L::Rows::Double sum_;
};

namespace calls {

/// call(gradOutput, output, out)
template <class V>
void logSoftmaxBackward(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  backward<V, LogSoftmaxBackwardSteps>(call, rows, -infinity, task);
}

}  // namespace calls

}  // namespace
