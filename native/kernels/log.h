// log in double, by + − × ÷ only, so that JavaScript (src/backends/js/log.ts) computes the same bits. Once
// per row.
//
// log(2^k (1 + f)) = k ln 2 + log(1 + f), and with s = f / (2 + f), log(1 + f) = f − s (f − R(s²)).
// The coefficients of R are those of fdlibm's e_log.c (|error| < 2^-58.45 for s² < 0.0295).
#pragma once

#include "reference.h"

namespace {

constexpr double ln2Leading = 0x1.62e42feep-1;  // 32 bits: its product with an exponent is exact
constexpr double ln2Trailing = 0x1.a39ef35793c76p-33;
constexpr double sqrt2 = 0x1.6a09e667f3bcdp0;

/// k ln 2 + log(1 + f) for f in [√½ − 1, √2 − 1]. R: numbers, or vectors of them.
template <class R>
SOFTMAX_INLINE typename R::Double logOnePlus(typename R::Double f, typename R::Double k) {
  constexpr double coefficients[] = {0x1.2f112df3e5244p-3, 0x1.39a09d078c69fp-3, 0x1.7466496cb03dep-3,
                                     0x1.c71c51d8e78afp-3, 0x1.2492494229359p-2, 0x1.999999997fa04p-2,
                                     0x1.5555555555593p-1};
  const auto s = R::divide(f, R::add(R::broadcast(2.0), f));
  const auto z = R::multiply(s, s);
  auto r = R::broadcast(coefficients[0]);
  for (int i = 1; i < 7; ++i) r = R::add(R::multiply(r, z), R::broadcast(coefficients[i]));
  r = R::multiply(r, z);
  const auto low = R::subtract(R::multiply(s, R::subtract(f, r)), R::multiply(k, R::broadcast(ln2Trailing)));
  return R::add(R::multiply(k, R::broadcast(ln2Leading)), R::subtract(f, low));
}

/// A number as 2^k (1 + f): what logOnePlus takes.
template <class R>
struct LogArguments {
  typename R::Double f, k;
  typename R::Double log() const { return logOnePlus<R>(f, k); }
};

/// Of a positive normal number times 2^exponent.
template <class R>
SOFTMAX_INLINE LogArguments<R> logArguments(typename R::Double value, typename R::Double exponent) {
  const auto one = R::broadcast(1.0);
  const auto k = R::exponentOf(value);
  const auto mantissa = R::multiply(value, powerOfTwo<R>(R::subtract(R::broadcast(0.0), k)));
  // Above √2: half of it, and one more to k.
  const auto least = R::broadcast(sqrt2);
  const auto halved = R::selectAtLeast(least, mantissa, mantissa, R::multiply(mantissa, R::broadcast(0.5)));
  const auto more = R::selectAtLeast(least, mantissa, R::broadcast(0.0), one);
  return {R::subtract(halved, one), R::add(R::add(k, more), exponent)};
}

/// Of 1 + q for q in [0, 1], accurate as q → 0.
template <class R>
SOFTMAX_INLINE LogArguments<R> logArgumentsOnePlus(typename R::Double q) {
  const auto bound = R::broadcast(sqrt2 - 1.0), one = R::broadcast(1.0);
  const auto half = R::multiply(R::subtract(q, one), R::broadcast(0.5));
  return {R::selectAtLeast(q, bound, half, q), R::selectAtLeast(q, bound, one, R::broadcast(0.0))};
}

/// Of a sum, 2^exponent · (top + others); but where the top outweighs the others together, of 1 + others /
/// top: its own logarithm is to be added then (forward.h, near_zero.h).
template <class R>
SOFTMAX_INLINE LogArguments<R> logArgumentsOfSum(typename R::Double top, typename R::Double others,
                                                 typename R::Double sum, typename R::Double exponent) {
  const auto outweighed = logArgumentsOnePlus<R>(R::divide(others, top));
  const auto whole = logArguments<R>(sum, exponent);
  return {R::selectAtLeast(top, others, outweighed.f, whole.f),
          R::selectAtLeast(top, others, outweighed.k, whole.k)};
}

/// exponent ln 2 + log(value), for positive normal values.
inline double logScaled(double value, double exponent) {
  return logArguments<Scalar>(value, exponent).log();
}

/// log(1 + q) for q in [0, 1], accurate as q → 0.
template <class R>
typename R::Double logOnePlusRatio(typename R::Double q) {
  return logArgumentsOnePlus<R>(q).log();
}

}  // namespace
