// softmaxBackward, logSoftmaxBackward and softmaxJacobian of a unit's rows.
//
// A row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "forward.h"

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

/// A step of a part (parts.h): its sum, or its results.
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

/// out = p (g − Σ g p) · multiplier, in double throughout: no product in between leaves the range, nothing
/// cancels. The steps are those of forward.h.
template <class Arrays>
class SoftmaxBackwardSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;

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
    using R = typename L::Rows;
    const Arrays a = arrays_;
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

  void take(const PartTask& task) { takeTerms(*this, sum_, task); }
  SoftmaxStep join(const PartTask& task) { return joinTerms(task); }

 private:
  Arrays arrays_;
  typename L::Rows::Double sum_;
};

/// out = (g − exp(output) Σ g) · multiplier, in double throughout.
template <class Arrays>
class LogSoftmaxBackwardSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;

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
    const Arrays a = arrays_;
    const auto sum = L::spread(sum_), factor = L::spread(a.multipliers);
    eachVectorOf<L>(a.out, a.length, a.unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto g = a.grad_output.loadDouble(k, count);
      const auto p = exponential<V>(a.output.loadDouble(k, count));
      storeDouble(a.out, k, V::multiply(V::subtract(g, V::multiply(p, sum)), factor), count);
    });
  }

  void take(const PartTask& task) { takeTerms(*this, sum_, task); }
  SoftmaxStep join(const PartTask& task) { return joinTerms(task); }

 private:
  Arrays arrays_;
  typename L::Rows::Double sum_;
};

/// out[i][j] = p_i (δ_ij − p_j), length × length, a row in `out`.
template <class L, class Outputs, class Out>
void softmaxJacobianRow(const Outputs& output, const Out& out, std::size_t length, const Unit& unit) {
  using V = typename L::V;
  using Element = typename L::Element;
  const auto zero = V::broadcast(Element(0));
  for (std::size_t i = 0; i < length; ++i) {
    const Element p = output.element(i, 0);
    const auto p_i = V::broadcast(p);
    // 0 − p_i p_j rather than −p_i p_j: a zero comes out as +0.
    eachVector<L>(length, unit, [&](std::size_t j, std::size_t count) {
      const auto value = V::subtract(zero, V::multiply(p_i, output.load(j, count)));
      out.store(i * length + j, V::canonicalNan(value), count);
    });
    const Element diagonal = p * (Element(1) - p);
    out.storeElement(i * length + i, 0, diagonal == diagonal ? diagonal : Numbers<Element>::nan);
  }
}

}  // namespace
