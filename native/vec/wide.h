// float64 elements: the double lanes of a float vector type, as a vector type of its own. As many lanes as V
// has, so that every algorithm of kernels/ runs over it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inline.h"

namespace {

template <class V>
struct Wide {
  using Element = double;
  using Register = typename V::Double;
  using Double = Register;
  static constexpr std::size_t width = V::width;
  static constexpr bool has_stream = V::has_stream;

  SOFTMAX_INLINE static Register once(Register value) { return value; }
  SOFTMAX_INLINE static Register broadcast(double value) { return V::broadcast(value); }
  SOFTMAX_INLINE static Register load(const double* from) { return V::load(from); }
  SOFTMAX_INLINE static void store(double* to, Register value) { V::store(to, value); }
  SOFTMAX_INLINE static Register loadPartial(const double* from, std::size_t count, double fill) {
    return V::loadPartial(from, count, fill);
  }
  SOFTMAX_INLINE static void storePartial(double* to, Register value, std::size_t count) {
    V::storePartial(to, value, count);
  }

  SOFTMAX_INLINE static Register add(Register a, Register b) { return V::add(a, b); }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) { return V::subtract(a, b); }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) { return V::multiply(a, b); }
  SOFTMAX_INLINE static Register maximum(Register a, Register b) { return V::maximum(a, b); }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) { return V::minimum(a, b); }
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return V::keepUnlessBelow(value, x, limit);
  }
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return V::selectAtLeast(x, limit, value, otherwise);
  }
  SOFTMAX_INLINE static Register divide(Register a, Register b) { return V::divide(a, b); }
  SOFTMAX_INLINE static bool allAtLeast(Register x, Register limit) { return V::allAtLeast(x, limit); }
  SOFTMAX_INLINE static Register exponentOf(Register x) { return V::exponentOf(x); }
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return V::clearWhereEqual(value, a, b);
  }
  SOFTMAX_INLINE static Register canonicalNan(Register value) { return V::canonicalNan(value); }
  SOFTMAX_INLINE static Register scaleByMantissa(Register p, Register z) { return V::scaleByMantissa(p, z); }
  SOFTMAX_INLINE static Register scaleByEighths(Register p, Register z) { return V::scaleByEighths(p, z); }
  SOFTMAX_INLINE static Register entryByMantissa(const double* table, Register z) {
    return V::entryByMantissa(table, z);
  }
  SOFTMAX_INLINE static double firstLane(Register value) { return V::firstLane(value); }
  SOFTMAX_INLINE static double laneMaximum(Register value) { return V::laneMaximum(value); }
  SOFTMAX_INLINE static double laneSum(Register value) { return V::laneSum(value); }
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const auto kept = V::widen(V::keep(V::broadcast(1.0f), bytes, V::broadcast(0.0f)));
    return selectAtLeast(kept, broadcast(1.0), x, fill);
  }
  SOFTMAX_INLINE static Register keepBits(Register x, std::uint32_t bits, Register fill) {
    const auto kept = V::widen(V::keepBits(V::broadcast(1.0f), bits, V::broadcast(0.0f)));
    return selectAtLeast(kept, broadcast(1.0), x, fill);
  }

  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t stride, Register* columns) {
    V::loadRows(from, stride, columns);
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t stride, const Register* columns) {
    V::storeRows(to, stride, columns);
  }

  SOFTMAX_INLINE static void stream(double* to, Register value) { V::stream(to, value); }
  SOFTMAX_INLINE static void fence() { V::fence(); }
  SOFTMAX_INLINE static Register loadWide(const double* from) { return V::load(from); }
  SOFTMAX_INLINE static Register widen(Register value) { return value; }
  SOFTMAX_INLINE static Register narrow(Register value) { return value; }
};

/// The vector type of V's double lanes: V itself if its elements are double.
template <class V>
struct DoubleLanes {
  using Type = Wide<V>;
};
template <class V>
struct DoubleLanes<Wide<V>> {
  using Type = Wide<V>;
};

/// The vector type of as many floats: V itself if its elements are float.
template <class V>
struct FloatLanes {
  using Type = V;
};
template <class V>
struct FloatLanes<Wide<V>> {
  using Type = V;
};

}  // namespace
