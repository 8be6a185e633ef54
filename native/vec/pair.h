// Two vectors of doubles in step, for long chains of operations: a core looks at some 100 operations that
// wait, which are one vector's chain. In step, every second operation does not wait for the one before.
#pragma once

#include "inline.h"

namespace {

template <class V>
struct Pair {
  struct Double {
    typename V::Double first, second;
  };

  SOFTMAX_INLINE static Double broadcast(double value) { return {V::broadcast(value), V::broadcast(value)}; }
  SOFTMAX_INLINE static Double add(Double a, Double b) {
    return {V::add(a.first, b.first), V::add(a.second, b.second)};
  }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) {
    return {V::subtract(a.first, b.first), V::subtract(a.second, b.second)};
  }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) {
    return {V::multiply(a.first, b.first), V::multiply(a.second, b.second)};
  }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {V::keepUnlessBelow(value.first, x.first, limit.first),
            V::keepUnlessBelow(value.second, x.second, limit.second)};
  }
  SOFTMAX_INLINE static Double scaleByEighths(Double p, Double z) {
    return {V::scaleByEighths(p.first, z.first), V::scaleByEighths(p.second, z.second)};
  }
  SOFTMAX_INLINE static Double entryByMantissa(const double* table, Double z) {
    return {V::entryByMantissa(table, z.first), V::entryByMantissa(table, z.second)};
  }
};

}  // namespace
