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

/// 1 for each row whose results are ((g − high) − low) p in float, where high + low is Σ g p in two floats:
/// three roundings, which is at most 2.4 ULP (measured over any g and p), for a third of the time. 0 for the
/// others, whose results are made in double: Σ is so large that g − Σ might overflow, or so small that low
/// might be denormal, or not finite, or there is a multiplier.
template <class R>
typename R::Double areInFloat(typename R::Double sums, typename R::Double multipliers) {
  const auto one = R::broadcast(1.0), none = R::broadcast(0.0), squares = R::multiply(sums, sums);
  auto are = R::selectAtLeast(squares, R::broadcast(0x1p-148), one, none);
  are = R::selectAtLeast(none, squares, one, are);
  are = R::selectAtLeast(R::broadcast(0x1p204), squares, are, none);
  are = R::selectAtLeast(multipliers, one, are, none);
  return R::selectAtLeast(one, multipliers, are, none);
}

/// out = p (g − Σ g p) · multiplier. In double no product in between leaves the range, and nothing cancels.
/// The steps are those of forward.h.
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
    const Arrays& a = arrays_;
    if constexpr (sizeof(typename L::Element) == sizeof(float)) {
      using R = typename L::Rows;
      const auto are_in_float = areInFloat<R>(sum_, a.multipliers);
      const auto high = R::narrow(sum_), low = R::narrow(R::subtract(sum_, R::widen(high)));
      const auto result = [&a, high = L::spread(high), low = L::spread(low)](std::size_t k, std::size_t count)
                              SOFTMAX_INLINE_LAMBDA {
                                const auto g = a.grad_output.load(k, count), p = a.output.load(k, count);
                                return V::multiply(V::subtract(V::subtract(g, high), low), p);
                              };
      if (R::allAtLeast(are_in_float, R::broadcast(1.0))) return store(result);
      // Lanes that are rows may be of both kinds.
      if constexpr (L::is_across) {
        const auto inFloat = R::narrow(are_in_float), one = V::broadcast(1.0f);
        return store([&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
          return V::selectAtLeast(inFloat, one, result(k, count), resultInDouble(k, count));
        });
      }
    }
    store([&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA { return resultInDouble(k, count); });
  }

  /// All that is kept between the steps (traversal.h).
  SOFTMAX_INLINE typename L::Rows::Double& number() { return sum_; }

  void take(const PartTask& task) { takeTerms(*this, sum_, task); }
  SoftmaxStep join(const PartTask& task) { return joinTerms(task); }

 private:
  SOFTMAX_INLINE typename L::Register resultInDouble(std::size_t k, std::size_t count) const {
    const Arrays& a = arrays_;
    const auto g = a.grad_output.loadDouble(k, count), p = a.output.loadDouble(k, count);
    const auto value = V::multiply(V::subtract(g, L::spread(sum_)), p);
    return V::canonicalNan(V::narrow(V::multiply(value, L::spread(a.multipliers))));
  }
  template <class Result>
  SOFTMAX_INLINE void store(const Result& result) const {
    const Arrays& a = arrays_;
    eachVectorOf<L>(a.out, a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      a.out.store(k, result(k, count), count);
    });
  }

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
