// The gradient through softmax: p (g − Σ g p) · multiplier, where p is what softmax gave and g what is known
// of it.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ, but for float64
//   range   any; what is not finite in g or p makes the row NaN, but of a p of zeros with zeroesEmpty
//   error   float32: 1e-6 of the exact gradient (docs/numerics.md)
#pragma once

#include "backward.h"

namespace {

/// out = p (g − Σ g p) · multiplier, in double throughout: no product in between leaves the range, nothing
/// cancels. The steps are those of forward.h.
template <class Arrays>
class SoftmaxBackwardSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;

  /// What the mask leaves of an output that it empties.
  static constexpr double nothing = 0.0;

 public:
  void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() {}
  void sum() {
    const Arrays a = arrays_;
    sum_ = termSum<L, decltype(a.grad_output)::is_lean>(
        a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
          return V::multiply(a.grad_output.loadDouble(k, count), a.output.loadDouble(k, count));
        });
  }
  void finish() {
    if constexpr (Arrays::zeroes_empty)
      finish(EmptyRows<Arrays>(arrays_, nothing));
    else
      finish(EmptyRows<Arrays>());
  }
  SOFTMAX_INLINE void finish(const EmptyRows<Arrays>& empty) {
    using R = typename L::Rows;
    const Arrays a = arrays_;
    const auto sum = L::spread(sum_), factor = L::spread(a.multipliers);
    // The multiplier is mostly 1; and where the sums are finite, so are floats and what comes of them.
    constexpr bool is_float = sizeof(typename L::Element) == sizeof(float);
    const auto one = R::broadcast(1.0);
    if (is_float && areFinite<R>(sum_) && R::allAtLeast(one, a.multipliers) &&
        R::allAtLeast(a.multipliers, one) && !(Arrays::zeroes_empty && empty.any))
      return eachVectorOf<L>(
          a.out, a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
            const auto g = a.grad_output.loadDouble(k, count), p = a.output.loadDouble(k, count);
            a.out.store(k, V::narrow(V::multiply(V::subtract(g, sum), p)), count);
          });
    writeGradients(a, empty, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto g = a.grad_output.loadDouble(k, count), p = a.output.loadDouble(k, count);
      return V::multiply(V::multiply(V::subtract(g, sum), p), factor);
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
void softmaxBackward(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  backward<V, SoftmaxBackwardSteps>(call, rows, 0.0, task);
}

}  // namespace calls

}  // namespace
