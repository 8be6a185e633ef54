// The Jacobian of softmax: p_i (δ_ij − p_j), length × length per row, for rows of the last axis.
//
//   types   float32, float64, float16, bfloat16; the arrays may differ, but for float64
//   range   any p; out may not overlap it
//   error   2 ULP: 1 − p and the product are each rounded once
#pragma once

#include "memory.h"

namespace {

/// out[i][j] = p_i (δ_ij − p_j), of one row.
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

namespace calls {

/// call(output, out), of one type of computing.
template <class L>
void softmaxJacobianOf(const SoftmaxCall& call, const SoftmaxRows& rows) {
  const Source<L> outputs(call.arrays[0], rows, 0);
  const Sink<L> results(call.arrays[1], rows, 0);
  L::eachUnit(rows, [&](const Unit& unit) {
    const Unit to{unit.first, unit.lanes, unit.start * rows.length};
    softmaxJacobianRow<L>(outputs.of(unit), results.of(to), rows.length, unit);
  });
}

template <class V>
void softmaxJacobian(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  if (isDouble(call.arrays[0].dtype)) return softmaxJacobianOf<Along<Wide<V>>>(call, rows);
  softmaxJacobianOf<Along<V>>(call, rows);
}

}  // namespace calls

}  // namespace
