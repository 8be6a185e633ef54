// exp in double, by + − × only, so that JavaScript computes the same bits: for float64 logits, and for
// gradients and losses, where a float exp would leave its rounding behind after a cancellation.
//
// x = (8 m + j) ln 2 / 8 + r with |r| <= ln 2 / 16, so that exp(x) = 2^m · 2^(j/8) · exp(r). What a double
// misses of 2^(j/8) is added to exp(r) − 1, whose polynomial has degree 7, by Estrin's scheme: the error of
// exp is below 0.7 ULP (docs/numerics.md).
#pragma once

#include "log.h"

namespace {

constexpr double lowestExponent = -700.0;  // exp is taken for 0 below: nothing beside a probability
constexpr double highestExponent = 700.0;  // and above: no log-probability

/// The doubles next to 2^(j/8).
constexpr double expDoubleRoots[] = {
    1.0,
    0x1.172b83c7d517bp+0,
    0x1.306fe0a31b715p+0,
    0x1.4bfdad5362a27p+0,
    0x1.6a09e667f3bcdp+0,
    0x1.8ace5422aa0dbp+0,
    0x1.ae89f995ad3adp+0,
    0x1.d5818dcfba487p+0,
};
/// What they miss, relatively.
constexpr double expDoubleRests[] = {0.0,
                                     -0x1.01b15eaa59348p-55,
                                     0x1.34d754db0abb6p-55,
                                     0x1.690cebb7aafb0p-56,
                                     -0x1.3b3efbf5e2228p-54,
                                     0x1.db72fc1f0eab4p-55,
                                     0x1.c1a7792cb3387p-55,
                                     0x1.4a385a63d07a7p-56};
constexpr double expDoubleCoefficients[] = {0x1.000000000002ep-1,  0x1.555555555556ap-3,
                                            0x1.5555554e8d709p-5,  0x1.1111110e0d900p-7,
                                            0x1.6c1b735ab0459p-10, 0x1.a01e2e013e538p-13};  // of r^2, .., r^7

/// exp(x) · 2^k, for powers that are normal doubles; shift = 1.5 · 2^52 + 8 (1023 + k).
template <class V>
SOFTMAX_INLINE typename V::Double powerOfE(typename V::Double x, typename V::Double shift) {
  const auto z = V::add(V::multiply(x, V::broadcast(8.0 * Limits<double>::log2e)), shift);
  const auto n = V::subtract(z, shift);
  const auto high = V::subtract(x, V::multiply(n, V::broadcast(ln2Leading / 8.0)));
  const auto r = V::subtract(high, V::multiply(n, V::broadcast(ln2Trailing / 8.0)));
  const auto pair = [&](int i) SOFTMAX_INLINE_LAMBDA {
    return V::add(V::multiply(V::broadcast(expDoubleCoefficients[i + 1]), r),
                  V::broadcast(expDoubleCoefficients[i]));
  };
  const auto square = V::multiply(r, r);
  const auto upper = V::add(V::multiply(pair(4), square), pair(2));
  const auto series = V::add(V::multiply(upper, square), pair(0));
  const auto rest = V::entryByMantissa(expDoubleRests, z);
  const auto q = V::add(r, V::add(V::multiply(square, series), rest));
  const auto root = V::entryByMantissa(expDoubleRoots, z);
  // By 2^m at the end: a product with q could be denormal, and so rounded again.
  return V::scaleByEighths(V::add(root, V::multiply(root, q)), z);
}

/// exp, 0 below −700, of x up to 700 and NaN.
template <class V>
SOFTMAX_INLINE typename V::Double exponentialBelow(typename V::Double x) {
  return V::keepUnlessBelow(powerOfE<V>(x, V::broadcast(roundingShift64 + 8.0 * 1023.0)), x,
                            V::broadcast(lowestExponent));
}

/// exp, 0 below −700 and above 700.
template <class V>
SOFTMAX_INLINE typename V::Double exponential(typename V::Double x) {
  return V::keepUnlessBelow(exponentialBelow<V>(x), V::broadcast(highestExponent), x);
}

}  // namespace
