// exp of a vector, measured against a reference (reference.h).
//
// x = n ln 2 + r with n an integer and |r| <= ln 2 / 2, so that exp(x) 2^−N = exp(r) 2^(n − N):
//   z = x log2e + (1.5 · 2^23 + 128 − N)      its low mantissa bits are n − N + 128
//   n = z − (1.5 · 2^23 + 128 − N)
//   r = x − n ln 2, in two steps: ln2High · n and the first difference are exact
//   p = 1 + (r + r² s(r)), which approximates exp(r) to degree 6
//   e = p · bits(z << 23) = 2 exp(r) 2^(n − N): an exponent field, so no element is ever denormal
// The factor 2 keeps the smallest elements normal; it cancels in every quotient.
//
// Horner's scheme to the end would take one multiplication less. But the rounding of its last factor moves
// against r for negative r, by more than one step of the argument: e^a > e^b for some neighbours a < b. Here
// the last two additions round sums that grow with r, so larger logits never get smaller probabilities.
//
// The coefficients start from Arm optimized-routines' expf_1u (math/aarch64/advsimd), then searched for a
// small error with which double arithmetic rounds as fma does at every argument (scalar.h). Error of p: 0.79
// ULP; of exp: below 1 ULP (native/test/kernels_test.cc prints the measured worst).
#pragma once

#include "reference.h"

namespace {

constexpr float ln2High = 0x1.62E430p-1f;
constexpr float ln2Low = -0x1.05C610p-29f;
constexpr float expCoefficients[] = {0x1.6a499ap-10f, 0x1.127122p-7f, 0x1.555abap-5f, 0x1.555428p-3f,
                                     0x1.fffff4p-2f};  // of r^6, r^5, .., r^2

/// A row's constants, one vector each.
template <class V>
struct RowConstants {
  typename V::Float sign, offset, high, low, cut, shift;

  RowConstants(const Scaling& scaling, const Reference& reference)
      : sign(V::broadcast(scaling.sign)),
        offset(V::broadcast(reference.offset)),
        high(V::broadcast(scaling.high)),
        low(V::broadcast(scaling.low)),
        cut(V::broadcast(reference.cut)),
        shift(V::broadcast(reference.shift)) {}
};

/// The logit as the kernels see it: shifted, then scaled to `value` + `rest`, a pair of some 40 bits.
template <class V>
struct ScaledLogit {
  typename V::Float shifted, value, rest;
};

template <class V, bool plain>
ScaledLogit<V> scaledLogit(typename V::Float logit, const RowConstants<V>& row) {
  if constexpr (plain) return {logit, logit, V::broadcast(0.0f)};
  const auto shifted = V::subtract(V::multiply(logit, row.sign), row.offset);
  const auto value = V::multiply(shifted, row.high);
  const auto error = V::multiplyAdd(shifted, row.high, V::subtract(V::broadcast(0.0f), value));
  return {shifted, value, V::multiplyAdd(shifted, row.low, error)};
}

/// 2 exp(multiplier · logit) / 2^N, or 0 below the cut. `plain`: the multiplier is 1 and nothing is
/// subtracted.
template <class V, bool plain>
typename V::Float exponential(typename V::Float logit, const RowConstants<V>& row) {
  const auto x = scaledLogit<V, plain>(logit, row);
  const auto z = V::multiplyAdd(x.value, V::broadcast(log2e), row.shift);
  const auto n = V::subtract(z, row.shift);
  auto r = V::multiplyAdd(n, V::broadcast(-ln2High), x.value);
  r = V::multiplyAdd(n, V::broadcast(-ln2Low), r);
  if constexpr (!plain) r = V::add(r, x.rest);
  auto s = V::broadcast(expCoefficients[0]);
  for (int i = 1; i < 5; ++i) s = V::multiplyAdd(s, r, V::broadcast(expCoefficients[i]));
  const auto p = V::add(V::multiplyAdd(V::multiply(r, r), s, r), V::broadcast(1.0f));
  return V::keepUnlessBelow(V::scaleByMantissa(p, z), x.shifted, row.cut);
}

/// The exponential of one logit, in the measure of a row.
template <class V>
double singleExponential(float logit, const Scaling& scaling, const Reference& reference) {
  const RowConstants<V> row(scaling, reference);
  float lanes[V::width];
  const auto logits = V::broadcast(logit);
  V::store(lanes, isPlain(scaling, reference) ? exponential<V, true>(logits, row)
                                              : exponential<V, false>(logits, row));
  return static_cast<double>(lanes[0]);
}

}  // namespace
