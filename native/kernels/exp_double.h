// exp in double, by + − × only, so that JavaScript computes the same bits: for float64 logits, and for
// gradients and losses, where a float exp would leave its rounding behind after a cancellation.
//
// As in exp.h, with ln 2 subtracted in two parts whose rounding is kept: exp(r + rest) to degree 11. The
// coefficients are a minimax polynomial's; the error of exp is below 1 ULP (docs/numerics.md).
#pragma once

#include "log.h"

namespace {

constexpr double lowestExponent = -700.0;  // exp is taken for 0 below: nothing beside a probability
constexpr double highestExponent = 700.0;  // and above: no log-probability

constexpr double expDoubleCoefficients[] = {
    0x1.af389ed28db09p-26, 0x1.28917c8be7ad6p-22, 0x1.71de0db2f585ep-19, 0x1.a019b914985a9p-16,
    0x1.a01a01a7c2f03p-13, 0x1.6c16c17889ef9p-10, 0x1.11111111109b5p-7,  0x1.5555555553d68p-5,
    0x1.5555555555556p-3,  0x1.0000000000001p-1};  // of r^11, r^10, .., r^2

/// s(r) = (exp(r) − 1 − r) / r², for |r| <= ln 2 / 2.
template <class V>
SOFTMAX_INLINE typename V::Double expSeries(typename V::Double r) {
  auto s = V::broadcast(expDoubleCoefficients[0]);
  for (int i = 1; i < 10; ++i) s = V::add(V::multiply(s, r), V::broadcast(expDoubleCoefficients[i]));
  return s;
}

/// exp(x) · 2^(bias − 1023), for powers that are normal doubles. `bias` is an integer.
template <class V>
SOFTMAX_INLINE typename V::Double powerOfE(typename V::Double x, typename V::Double bias) {
  const auto shift = V::broadcast(roundingShift64);
  const auto z = V::add(V::multiply(x, V::broadcast(Limits<double>::log2e)), shift);
  const auto n = V::subtract(z, shift);
  const auto high = V::subtract(x, V::multiply(n, V::broadcast(ln2Leading)));
  const auto low = V::multiply(n, V::broadcast(ln2Trailing));
  const auto r = V::subtract(high, low);
  const auto rest = V::subtract(V::subtract(high, r), low);
  const auto s = expSeries<V>(r);
  const auto tail = V::add(rest, V::multiply(V::multiply(r, r), s));
  const auto p = V::add(V::broadcast(1.0), V::add(r, tail));
  // The bias is added to the rounded sum, not to the shift: its parity would decide how a tie is rounded.
  return V::scaleByMantissa(p, V::add(z, bias));
}

/// exp, 0 below −700, of x up to 700 and NaN.
template <class V>
SOFTMAX_INLINE typename V::Double exponentialBelow(typename V::Double x) {
  return V::keepUnlessBelow(powerOfE<V>(x, V::broadcast(1023.0)), x, V::broadcast(lowestExponent));
}

/// exp, 0 below −700 and above 700.
template <class V>
SOFTMAX_INLINE typename V::Double exponential(typename V::Double x) {
  return V::keepUnlessBelow(exponentialBelow<V>(x), V::broadcast(highestExponent), x);
}

}  // namespace
