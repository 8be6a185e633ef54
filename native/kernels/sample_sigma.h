// topNSigma: a bound from the mean and the deviation of a row's logits.
#pragma once

#include "direct.h"
#include "sample_select.h"
#include "tree.h"

namespace {

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
  const double mean = sumOf([&](auto x) { return V::widen(V::selectAtLeast(x, lowest, x, zero)); }) / count;
  const double squares = sumOf([&](auto x) {
    const auto is_finite = V::widen(V::selectAtLeast(x, lowest, one, zero));
    const auto difference = V::subtract(V::widen(x), V::broadcast(mean));
    return V::clearWhereEqual(V::multiply(difference, difference), is_finite, V::broadcast(0.0));
  });
  const double bound = static_cast<double>(top) - n * __builtin_sqrt(squares / count);
  const auto nearest = static_cast<Element>(bound);
  return static_cast<double>(nearest) < bound ? ofOrderedBits(orderedBits(nearest) + 1) : nearest;
}

}  // namespace
