// topNSigma: a bound from the mean and the deviation of a row's logits.
#pragma once

#include "direct.h"
#include "sample_select.h"
#include "tree.h"

namespace {

/// A power of two that keeps the squares of doubles in the range of doubles; those of floats are in it.
template <class Element>
double unitOf(const Element* logits, std::size_t length) {
  if constexpr (sizeof(Element) == sizeof(float)) return 1.0;
  double largest = 0.0;
  for (std::size_t i = 0; i < length; ++i) {
    const double size = __builtin_fabs(static_cast<double>(logits[i]));
    if (size > largest && size < infinity) largest = size;
  }
  return largest > 0x1p500 ? 0x1p-600 : largest < 0x1p-400 ? 0x1p600 : 1.0;
}

/// The largest less n σ of the `finite` logits that are not -infinity, of the whole population, as an
/// element: what is not below the bound in double is not below this. As in
/// src/backends/js/sampling/sample.ts.
template <class V>
SOFTMAX_CALLED typename V::Element boundOfSigma(const typename V::Element* logits, std::size_t length,
                                                typename V::Element top, std::size_t finite, double n) {
  using L = Along<V>;
  using Element = typename V::Element;
  const DirectRows<L, PlainCode<V>> row{const_cast<Element*>(logits), -Numbers<Element>::infinity};
  const auto lowest = V::broadcast(-Numbers<Element>::largest), zero = V::broadcast(Element(0)),
             one = V::broadcast(Element(1));
  const auto sumOf = [&](const auto& termOf) {
    return termSum<L>(length, Unit{0, V::width, 0},
                      [&](std::size_t k, std::size_t count) { return termOf(row.load(k, count)); });
  };
  const auto count = static_cast<double>(finite);
  const double unit = unitOf(logits, length);
  const auto units = V::broadcast(unit);
  const double mean =
      sumOf([&](auto x) { return V::multiply(V::widen(V::selectAtLeast(x, lowest, x, zero)), units); }) /
      count;
  const double squares = sumOf([&](auto x) {
    const auto is_finite = V::widen(V::selectAtLeast(x, lowest, one, zero));
    const auto difference = V::subtract(V::multiply(V::widen(x), units), V::broadcast(mean));
    return V::clearWhereEqual(V::multiply(difference, difference), is_finite, V::broadcast(0.0));
  });
  const double bound = static_cast<double>(top) - n * (__builtin_sqrt(squares / count) / unit);
  const auto nearest = static_cast<Element>(bound);
  return static_cast<double>(nearest) < bound ? ofOrderedBits(orderedBits(nearest) + 1) : nearest;
}

}  // namespace
