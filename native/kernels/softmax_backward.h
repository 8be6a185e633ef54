// The gradient through softmax: p (g − Σ g p) · multiplier, where p is what softmax gave and g what is known
// of it.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ, but for float64
//   range   any; what is not finite in g or p makes the row NaN
//   error   float32: 1e-6 of the exact gradient (docs/numerics.md)
#pragma once

#include "backward.h"
#include "inner_product.h"

namespace {

/// out = p (g − Σ g p) · multiplier, in double throughout: no product in between leaves the range, nothing
/// cancels. The steps are those of forward.h.
template <class Arrays>
class SoftmaxBackwardSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;

 public:
  SOFTMAX_INLINE void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() {}
  SOFTMAX_INLINE void sum() {
    const Arrays& a = arrays_;
    using Grads = decltype(a.grad_output);
    if constexpr (Grads::is_lean && !L::is_across) {
      sum_ = InnerProduct<L, Grads, decltype(a.output)>(a.grad_output, a.output).sum(a.length);
    } else {
      sum_ = termSum<L, Grads::is_lean>(
          a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
            return V::multiply(a.grad_output.loadDouble(k, count), a.output.loadDouble(k, count));
          });
    }
  }
  SOFTMAX_INLINE void finish() {
    using R = typename L::Rows;
    const Arrays& a = arrays_;
    const auto sum = L::spread(sum_), factor = L::spread(a.multipliers);
    // The multiplier is mostly 1; and where the sums are finite, so are floats and what comes of them.
    constexpr bool is_float = sizeof(typename L::Element) == sizeof(float);
    const auto one = R::broadcast(1.0);
    if (is_float && areFinite<R>(sum_) && R::allAtLeast(one, a.multipliers) &&
        R::allAtLeast(a.multipliers, one))
      return eachVectorOf<L>(
          a.out, a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
            const auto g = a.grad_output.loadDouble(k, count), p = a.output.loadDouble(k, count);
            a.out.store(k, V::narrow(V::multiply(V::subtract(g, sum), p)), count);
          });
    eachVectorOf<L>(a.out, a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto g = a.grad_output.loadDouble(k, count), p = a.output.loadDouble(k, count);
      storeDouble(a.out, k, V::multiply(V::multiply(V::subtract(g, sum), p), factor), count);
    });
  }

  /// All that is kept between the steps (traversal.h).
  SOFTMAX_INLINE typename L::Rows::Double& number() { return sum_; }

  void take(const PartTask& task) { takeTerms(*this, sum_, task); }
  SoftmaxStep join(const PartTask& task) { return joinTerms(task); }

 private:
  Arrays arrays_;
  typename L::Rows::Double sum_;
};

template <class Arrays>
constexpr bool keepsNumber<SoftmaxBackwardSteps<Arrays>> = true;

namespace calls {

/// call(gradOutput, output, out)
template <class V>
void softmaxBackward(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  backward<V, SoftmaxBackwardSteps>(call, rows, 0.0, task);
}

}  // namespace calls

}  // namespace
