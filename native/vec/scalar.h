// The scalar "vector" type: one lane, for CPUs without a better one and as the reference of the others.
//
// A CPU without FMA would call a slow library fma, so multiplyAdd computes in double and rounds once more.
// That equals fma except where the double sum is inexact and lands on the midpoint of two floats. It never
// does for the operands these kernels feed it: the reductions are exact in double, and
// native/test/kernels_test.cc runs over every argument of the rounding step and of the polynomial. JavaScript
// computes the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

struct Scalar {
  using Float = float;
  using Double = double;
  static constexpr std::size_t width = 1;

  static Float broadcast(float value) { return value; }
  static Float load(const float* from) { return *from; }
  static void store(float* to, Float value) { *to = value; }
  static Float loadPartial(const float*, std::size_t, float fill) { return fill; }
  static void storePartial(float*, Float, std::size_t) {}

  static Float add(Float a, Float b) { return a + b; }
  static Float subtract(Float a, Float b) { return a - b; }
  static Float multiply(Float a, Float b) { return a * b; }
  static Float multiplyAdd(Float a, Float b, Float c) {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
  }
  /// Drops a NaN in `a`.
  static Float maximum(Float a, Float b) { return a > b ? a : b; }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  static Float keepUnlessBelow(Float value, Float x, Float limit) { return x < limit ? 0.0f : value; }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  static Float selectAtLeast(Float x, Float limit, Float value, Float otherwise) {
    return x >= limit ? value : otherwise;
  }
  /// Every NaN becomes 0x7FC00000.
  static Float canonicalNan(Float value) { return value == value ? value : __builtin_nanf(""); }
  static Float clearLane(Float, std::size_t) { return 0.0f; }
  /// p · 2^(k − 127), where k sits in the low bits of z's mantissa (kernels/exp.h).
  static Float scaleByMantissa(Float p, Float z) {
    std::uint32_t bits;
    std::memcpy(&bits, &z, sizeof bits);
    bits <<= 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return p * power;
  }
  static float laneMaximum(Float value) { return value; }

  static Double widen(Float value) { return static_cast<double>(value); }
  static Float narrow(Double value) { return static_cast<float>(value); }
  static Double broadcast(double value) { return value; }
  static Double add(Double a, Double b) { return a + b; }
  static Double subtract(Double a, Double b) { return a - b; }
  static Double multiply(Double a, Double b) { return a * b; }
  static Double keepUnlessBelow(Double value, Double x, Double limit) { return x < limit ? 0.0 : value; }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  static Double scaleByMantissa(Double p, Double z) {
    std::uint64_t bits;
    std::memcpy(&bits, &z, sizeof bits);
    bits <<= 52;
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return p * power;
  }
  static double laneSum(Double value) { return value; }
};

}  // namespace
