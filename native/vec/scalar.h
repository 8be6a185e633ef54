// The scalar "vector" type: one lane, for CPUs without a better one and as the reference of the others.
//
// A CPU without FMA would call a slow library fma, so multiplyAdd computes in double and rounds once more.
// That equals fma except where the double sum is inexact and lands on the midpoint of two floats. It never
// does for the operands these kernels feed it: the reductions are exact in double, and
// native/test/exhaustive.cc runs over every argument of each step (docs/numerics.md). JavaScript computes the
// same way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inline.h"

namespace {

struct Scalar {
  using Element = float;
  using Register = float;
  using Double = double;
  static constexpr std::size_t width = 1;
  static constexpr bool has_stream = false;  // past the caches

  SOFTMAX_INLINE static Register once(Register value) { return value; }
  SOFTMAX_INLINE static Register broadcast(float value) { return value; }
  SOFTMAX_INLINE static Register load(const float* from) { return *from; }
  SOFTMAX_INLINE static void store(float* to, Register value) { *to = value; }
  SOFTMAX_INLINE static Register loadPartial(const float*, std::size_t, float fill) { return fill; }
  SOFTMAX_INLINE static void storePartial(float*, Register, std::size_t) {}

  SOFTMAX_INLINE static Register add(Register a, Register b) { return a + b; }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) { return a - b; }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) { return a * b; }
  SOFTMAX_INLINE static Register multiplyAdd(Register a, Register b, Register c) {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
  }
  /// c − a · b.
  SOFTMAX_INLINE static Register subtractProduct(Register c, Register a, Register b) {
    return static_cast<float>(static_cast<double>(c) - static_cast<double>(a) * static_cast<double>(b));
  }
  /// Drops a NaN in `a`.
  SOFTMAX_INLINE static Register maximum(Register a, Register b) { return a > b ? a : b; }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) { return a < b ? a : b; }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return x < limit ? 0.0f : value;
  }
  /// value, and +0 where a = b.
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return a == b ? 0.0f : value;
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return x >= limit ? value : otherwise;
  }
  /// Every NaN becomes 0x7FC00000.
  SOFTMAX_INLINE static Register canonicalNan(Register value) {
    return value == value ? value : __builtin_nanf("");
  }
  /// x where the lane's byte is not 0, else `fill`.
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    return *bytes ? x : fill;
  }
  /// x if the lowest bit is set, else `fill`.
  SOFTMAX_INLINE static Register keepBits(Register x, std::uint32_t bits, Register fill) {
    return bits & 1 ? x : fill;
  }
  /// bits((z << 19) + table[z mod 16]), of the bits of z: a power of two and what is between two of them
  /// (kernels/exp.h).
  SOFTMAX_INLINE static Register powerByMantissa(const std::uint32_t* table, Register z) {
    const std::uint32_t bits = bitsOf(z);
    return fromBits((bits << 19) + table[bits % 16]);
  }
  SOFTMAX_INLINE static float laneMaximum(Register value) { return value; }

  SOFTMAX_INLINE static Register loadFloat16(const std::uint16_t* from) {
    const std::uint32_t sign = (*from & 0x8000u) << 16, magnitude = *from & 0x7FFFu;
    if (magnitude >= 0x7C00u) return fromBits(sign | (magnitude > 0x7C00u ? 0x7FC00000u : 0x7F800000u));
    if (magnitude >= 0x0400u) return fromBits(sign | ((magnitude << 13) + 0x38000000u));
    return fromBits(sign | bitsOf(static_cast<float>(magnitude) * 0x1p-24f));
  }
  /// Rounds to nearest even. A NaN must be canonical.
  SOFTMAX_INLINE static void storeFloat16(std::uint16_t* to, Register value) {
    const std::uint32_t bits = bitsOf(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
    std::uint32_t half;
    if (magnitude > 0x7F800000u) {
      half = 0x7E00u;
    } else if (magnitude >= 0x477FF000u) {
      half = 0x7C00u;  // 65520 and above round to infinity
    } else if (magnitude < 0x38800000u) {
      // The floats from 1/2 to 1 are 2^-24 apart, as the denormal halves are: the addition rounds.
      half = bitsOf(fromBits(magnitude) + 0.5f) - 0x3F000000u;
    } else {
      half = (magnitude + 0xFFFu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13;
    }
    *to = static_cast<std::uint16_t>(sign | half);
  }
  SOFTMAX_INLINE static Register loadBFloat16(const std::uint16_t* from) {
    return fromBits(static_cast<std::uint32_t>(*from) << 16);
  }
  SOFTMAX_INLINE static void storeBFloat16(std::uint16_t* to, Register value) {
    const std::uint32_t bits = bitsOf(value);
    *to = static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
  }

  SOFTMAX_INLINE static Double load(const double* from) { return *from; }
  SOFTMAX_INLINE static void store(double* to, Double value) { *to = value; }
  SOFTMAX_INLINE static Double loadPartial(const double*, std::size_t, double fill) { return fill; }
  SOFTMAX_INLINE static void storePartial(double*, Double, std::size_t) {}
  SOFTMAX_INLINE static Double maximum(Double a, Double b) { return a > b ? a : b; }
  SOFTMAX_INLINE static Double selectAtLeast(Double x, Double limit, Double value, Double otherwise) {
    return x >= limit ? value : otherwise;
  }
  SOFTMAX_INLINE static Double canonicalNan(Double value) {
    return value == value ? value : __builtin_nan("");
  }
  SOFTMAX_INLINE static double firstLane(Double value) { return value; }
  SOFTMAX_INLINE static double laneMaximum(Double value) { return value; }

  /// As a double.
  SOFTMAX_INLINE static Double loadWide(const float* from) { return static_cast<double>(*from); }
  SOFTMAX_INLINE static Double widen(Register value) { return static_cast<double>(value); }
  SOFTMAX_INLINE static Register narrow(Double value) { return static_cast<float>(value); }
  SOFTMAX_INLINE static Double broadcast(double value) { return value; }
  SOFTMAX_INLINE static Double add(Double a, Double b) { return a + b; }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) { return a - b; }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) { return a * b; }
  /// Of products that are exact.
  SOFTMAX_INLINE static Double multiplyAdd(Double a, Double b, Double c) { return a * b + c; }
  SOFTMAX_INLINE static Double minimum(Double a, Double b) { return a < b ? a : b; }
  SOFTMAX_INLINE static Double divide(Double a, Double b) { return a / b; }
  /// Whether x is at least the limit. A NaN is not.
  SOFTMAX_INLINE static bool allAtLeast(Double x, Double limit) { return x >= limit; }
  /// floor(log2 x), for positive normal numbers.
  SOFTMAX_INLINE static Double exponentOf(Double x) {
    return static_cast<double>(static_cast<std::int64_t>(bitsOf(x) >> 52) - 1023);
  }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return x < limit ? 0.0 : value;
  }
  SOFTMAX_INLINE static Double clearWhereEqual(Double value, Double a, Double b) {
    return a == b ? 0.0 : value;
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByMantissa(Double p, Double z) { return p * fromBits(bitsOf(z) << 52); }
  /// p · 2^(k − 1023), where 8 k + j, 0 <= j < 8, sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByEighths(Double p, Double z) {
    return p * fromBits(bitsOf(z) << 49 & 0x7FF0000000000000);
  }
  /// table[z mod 8], of the bits of z.
  SOFTMAX_INLINE static Double entryByMantissa(const double* table, Double z) { return table[bitsOf(z) % 8]; }
  SOFTMAX_INLINE static double laneSum(Double value) { return value; }

  /// Four elements of each of `width` rows, `stride` elements apart: columns[c] has element c of each.
  SOFTMAX_INLINE static void loadRows(const float* from, std::size_t, Register* columns) {
    for (std::size_t c = 0; c < 4; ++c) columns[c] = from[c];
  }
  SOFTMAX_INLINE static void storeRows(float* to, std::size_t, const Register* columns) {
    for (std::size_t c = 0; c < 4; ++c) to[c] = columns[c];
  }
  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t, Double* columns) {
    for (std::size_t c = 0; c < 4; ++c) columns[c] = from[c];
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t, const Double* columns) {
    for (std::size_t c = 0; c < 4; ++c) to[c] = columns[c];
  }

 private:
  template <class To, class From>
  SOFTMAX_INLINE static To bitCast(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
  }
  SOFTMAX_INLINE static std::uint64_t bitsOf(double value) { return bitCast<std::uint64_t>(value); }
  SOFTMAX_INLINE static std::uint32_t bitsOf(float value) { return bitCast<std::uint32_t>(value); }
  SOFTMAX_INLINE static double fromBits(std::uint64_t bits) { return bitCast<double>(bits); }
  SOFTMAX_INLINE static float fromBits(std::uint32_t bits) { return bitCast<float>(bits); }
};

}  // namespace
