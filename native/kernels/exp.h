// exp of a vector, measured against a reference (reference.h).
//
// x = n ln 2 + r with n an integer and |r| <= ln 2 / 2, so that exp(x) 2^−N = exp(r) 2^(n − N). In float:
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
// ULP; of exp: at most 0.985 ULP, of a multiplied logit 1.15 (docs/numerics.md: every float was tried).
// exp_double.h has double's.
#pragma once

#include "exp_double.h"
#include "tree.h"

namespace {

constexpr float ln2High = 0x1.62E430p-1f;
constexpr float ln2Low = -0x1.05C610p-29f;
constexpr float expCoefficients[] = {0x1.6a499ap-10f, 0x1.127122p-7f, 0x1.555abap-5f, 0x1.555428p-3f,
                                     0x1.fffff4p-2f};  // of r^6, r^5, .., r^2

/// The constants of a unit's rows, lane by lane.
template <class L>
struct RowConstants {
  typename L::Register sign, offset, high, low, cut, shift;

  RowConstants(const RowScaling<L>& scaling, const References<L>& references)
      : sign(L::spread(scaling.sign)),
        offset(L::spread(references.offset)),
        high(L::spread(scaling.high)),
        low(L::spread(scaling.low)),
        cut(L::spread(references.cut)),
        shift(L::spread(references.shift)) {}
  RowConstants(typename L::Register sign_, typename L::Register offset_, typename L::Register high_,
               typename L::Register low_, typename L::Register cut_, typename L::Register shift_)
      : sign(sign_), offset(offset_), high(high_), low(low_), cut(cut_), shift(shift_) {}
};

/// Those of each row of a batch.
template <class L>
struct RowConstantsOf {
  using V = typename L::V;
  RowConstants<L> lanes;

  explicit RowConstantsOf(const RowConstants<L>& lanes_) : lanes(lanes_) {}
  SOFTMAX_INLINE RowConstants<typename L::Row> of(std::size_t i) const {
    return {broadcastLane<V>(lanes.sign, i), broadcastLane<V>(lanes.offset, i),
            broadcastLane<V>(lanes.high, i), broadcastLane<V>(lanes.low, i),
            broadcastLane<V>(lanes.cut, i),  broadcastLane<V>(lanes.shift, i)};
  }
};

/// (a − b) · factor, where the difference of two finite doubles may be too large for a double.
template <class V>
class ScaledDifferences {
  using Double = typename V::Double;
  /// The difference of two floats is no problem in double.
  static constexpr bool may_overflow = sizeof(typename V::Element) == sizeof(double);

 public:
  ScaledDifferences() = default;
  ScaledDifferences(Double b, Double factor) : b_(b), factor_(factor) {
    if constexpr (may_overflow) {
      const auto one = V::broadcast(1.0);
      before_ = V::selectAtLeast(one, b, one, V::broadcast(0.5));
      after_ = V::selectAtLeast(one, b, one, V::broadcast(2.0));
      b_ = V::multiply(b, before_);
    }
  }

  SOFTMAX_INLINE Double of(Double a) const {
    if constexpr (may_overflow) {
      const auto difference = V::subtract(V::multiply(a, before_), b_);
      return V::multiply(V::multiply(difference, factor_), after_);
    } else {
      return V::multiply(V::subtract(a, b_), factor_);
    }
  }

 private:
  Double before_, b_, factor_, after_;
};

/// 2 exp(multiplier · logit) / 2^N, or 0 below the cut. `plain`: the multiplier is 1 and nothing is
/// subtracted; the bits are those of the general case.
template <class L, bool plain>
SOFTMAX_INLINE typename L::Register exponential(typename L::Register logit, const RowConstants<L>& row) {
  using V = typename L::V;
  auto shifted = logit;
  if constexpr (!plain) shifted = V::subtract(V::multiply(logit, row.sign), row.offset);
  auto value = shifted;
  if constexpr (!plain) value = V::multiply(shifted, row.high);
  if constexpr (sizeof(typename L::Element) == sizeof(double)) {
    return V::keepUnlessBelow(powerOfE<V>(value, row.shift), shifted, row.cut);
  } else {
    const auto z = V::multiplyAdd(value, V::broadcast(Limits<float>::log2e), row.shift);
    const auto n = V::subtract(z, row.shift);
    auto r = V::multiplyAdd(n, V::broadcast(-ln2High), value);
    r = V::multiplyAdd(n, V::broadcast(-ln2Low), r);
    if constexpr (!plain) {
      // The product of logit and multiplier is value + rest, some 40 bits.
      const auto error = V::multiplyAdd(shifted, row.high, V::subtract(V::broadcast(0.0f), value));
      r = V::add(r, V::multiplyAdd(shifted, row.low, error));
    }
    auto s = V::broadcast(expCoefficients[0]);
    for (int i = 1; i < 5; ++i) s = V::multiplyAdd(s, r, V::broadcast(expCoefficients[i]));
    const auto p = V::add(V::multiplyAdd(V::multiply(r, r), s, r), V::broadcast(1.0f));
    return V::keepUnlessBelow(V::scaleByMantissa(p, z), shifted, row.cut);
  }
}

/// The exponentials of one logit per row, in the measure of its row.
template <class L>
typename L::Rows::Double singleExponentials(typename L::Rows::Register logits, const RowConstants<L>& row) {
  using V = typename L::V;
  return L::values(V::widen(exponential<L, false>(L::spread(logits), row)));
}

}  // namespace
