// The errors of exhaustive.cc, in ULP of the exact value. References are the C library's in double, which an
// error in ULP of float cannot tell from exact; the worst are measured again in long double, and errors in
// ULP of double wherever the C library's double (good to 0.52 ULP) is another number.
#pragma once

#include <cmath>
#include <cstdint>

#include "../kernels/exp.h"
#include "bits.h"
#include "exhaustive.h"

namespace {

constexpr double wrong = infinity;                   // the error of what is not the stated result
constexpr double flushDepth = 87.33654475055310899;  // 126 ln 2

/// |value − exact| in the distance of neighbouring normal numbers of `precision` bits around exact, which is
/// far inside double's range.
double errorInUlps(double value, double exact, int precision) {
  const std::uint64_t field = bitsOf(exact) >> 52 & 0x7FF;
  const double inverse = doubleOf((2046 + static_cast<std::uint64_t>(precision - 1) - field) << 52);
  return std::fabs(value - exact) * inverse;
}
double preciseErrorInUlps(double value, long double exact) {
  if (exact == 0.0L) return value == 0.0 ? 0.0 : wrong;
  const long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 52);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / ulp);
}

/// Of exp in float: see ExhaustiveKernels::exponential.
class ExpErrors {
 public:
  ExpErrors(double multiplier, ExhaustiveReference reference)
      : sign_(std::copysign(1.0, multiplier)),
        size_(std::fabs(multiplier)),
        reference_(reference),
        // The threshold is computed from a float of the multiplier; by so much it may be off.
        margin_(multiplier == 1.0 ? 1e-12 : 1e-4) {}

  double of(float logit, float result) const {
    const double x = sign_ * static_cast<double>(logit);
    // NaN and +infinity make a row NaN, -infinity beside numbers is nothing.
    if (!(x < infinity)) return std::isnan(result) ? 0.0 : wrong;
    const double depth = argument(x);
    if (!(depth > -flushDepth - margin_)) return bitsOf(result) == 0 ? 0.0 : wrong;
    if (result == 0.0f && depth < -flushDepth + margin_) return 0.0;
    return errorInUlps(static_cast<double>(result), 2.0 * std::exp(depth + logOfTable), 24);
  }

  /// The same in long double, for a result that is a number.
  double precisely(float logit, float result) const {
    const long double x = (sign_ * static_cast<long double>(logit) - reference_.offset) * size_;
    const long double exact =
        2.0L * std::exp(x - reference_.exponent * 0.693147180559945309417232121458L + logOfTable);
    const long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 23);
    return static_cast<double>(std::fabs(static_cast<long double>(result) - exact) / ulp);
  }

 private:
  /// log(result / 2 c). ln2Leading has 32 bits: the first product and difference are exact.
  double argument(double x) const {
    const double scaled = (x - reference_.offset) * size_;
    return (scaled - reference_.exponent * ln2Leading) - reference_.exponent * ln2Trailing;
  }

  double sign_, size_;
  ExhaustiveReference reference_;
  double margin_;
};

/// Of exp in double: 0 outside [-700, 700].
double expDoubleError(double x, double result) {
  if (x < lowestExponent || x > highestExponent) return bitsOf(result) == 0 ? 0.0 : wrong;
  if (x != x) return result != result ? 0.0 : wrong;
  if (result == std::exp(x)) return 0.0;
  return preciseErrorInUlps(result, std::exp(static_cast<long double>(x)));
}

double logError(double x, double result) {
  if (result == std::log(x)) return 0.0;
  return preciseErrorInUlps(result, std::log(static_cast<long double>(x)));
}

/// Below 2^-60, log(1 + q) is nearer to q than to any other double.
double logOnePlusError(double q, double result) {
  if (q < 0x1p-60) return bitsOf(result) == bitsOf(q) ? 0.0 : wrong;
  return preciseErrorInUlps(result, std::log1p(static_cast<long double>(q)));
}

}  // namespace
