// float64 elements: the double lanes of a float vector type, as a vector type of its own. As many lanes as V
// has, so that every algorithm of kernels/ runs over it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

template <class V>
struct Wide {
  using Element = double;
  using Register = typename V::Double;
  using Double = Register;
  static constexpr std::size_t width = V::width;

  static Register broadcast(double value) { return V::broadcast(value); }
  static Register load(const double* from) { return V::load(from); }
  static void store(double* to, Register value) { V::store(to, value); }
  static Register loadPartial(const double* from, std::size_t count, double fill) {
    return V::loadPartial(from, count, fill);
  }
  static void storePartial(double* to, Register value, std::size_t count) {
    V::storePartial(to, value, count);
  }

  static Register add(Register a, Register b) { return V::add(a, b); }
  static Register subtract(Register a, Register b) { return V::subtract(a, b); }
  static Register multiply(Register a, Register b) { return V::multiply(a, b); }
  static Register maximum(Register a, Register b) { return V::maximum(a, b); }
  static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return V::keepUnlessBelow(value, x, limit);
  }
  static Register selectAtLeast(Register x, Register limit, Register value, Register otherwise) {
    return V::selectAtLeast(x, limit, value, otherwise);
  }
  static Register divide(Register a, Register b) { return V::divide(a, b); }
  static bool allAtLeast(Register x, Register limit) { return V::allAtLeast(x, limit); }
  static Register exponentOf(Register x) { return V::exponentOf(x); }
  static Register canonicalNan(Register value) { return V::canonicalNan(value); }
  static Register scaleByMantissa(Register p, Register z) { return V::scaleByMantissa(p, z); }
  static double firstLane(Register value) { return V::firstLane(value); }
  static double laneMaximum(Register value) { return V::laneMaximum(value); }
  static double laneSum(Register value) { return V::laneSum(value); }
  static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const auto kept = V::widen(V::keep(V::broadcast(1.0f), bytes, V::broadcast(0.0f)));
    return selectAtLeast(kept, broadcast(1.0), x, fill);
  }

  static void loadRows(const double* from, std::size_t stride, Register* columns) {
    V::loadRows(from, stride, columns);
  }
  static void storeRows(double* to, std::size_t stride, const Register* columns) {
    V::storeRows(to, stride, columns);
  }

  static Register widen(Register value) { return value; }
  static Register narrow(Register value) { return value; }
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

}  // namespace
