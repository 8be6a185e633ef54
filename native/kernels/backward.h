// softmaxBackward, logSoftmaxBackward and softmaxJacobian of a unit's rows.
//
// A row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "row_sum.h"

namespace {

/// out = p (g − Σ g p) · multiplier, in double throughout: no product in between leaves the range, nothing
/// cancels.
template <class L, class Grads, class Outputs, class Out>
void softmaxBackwardRows(const Grads& grad_output, const Outputs& output, const Out& out, std::size_t length,
                         const Unit& unit, typename L::Rows::Double multipliers) {
  using V = typename L::V;
  const auto sum = L::spreadDouble(termSum<L>(length, unit, [&](std::size_t k, std::size_t count) {
    return V::multiply(V::widen(grad_output.load(k, count)), V::widen(output.load(k, count)));
  }));
  const auto factor = L::spreadDouble(multipliers);
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto g = V::widen(grad_output.load(k, count)), p = V::widen(output.load(k, count));
    out.storeDouble(k, V::multiply(V::multiply(V::subtract(g, sum), p), factor), count);
  });
}

/// out = (g − exp(output) Σ g) · multiplier, in double throughout.
template <class L, class Grads, class Outputs, class Out>
void logSoftmaxBackwardRows(const Grads& grad_output, const Outputs& output, const Out& out,
                            std::size_t length, const Unit& unit, typename L::Rows::Double multipliers) {
  using V = typename L::V;
  const auto sum = L::spreadDouble(termSum<L>(
      length, unit, [&](std::size_t k, std::size_t count) { return V::widen(grad_output.load(k, count)); }));
  const auto factor = L::spreadDouble(multipliers);
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto g = V::widen(grad_output.load(k, count));
    const auto p = exponential<V>(V::widen(output.load(k, count)));
    out.storeDouble(k, V::multiply(V::subtract(g, V::multiply(p, sum)), factor), count);
  });
}

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
