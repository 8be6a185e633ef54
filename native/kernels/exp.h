// exp of a vector, measured against a reference (reference.h).
//
// x = (16 m + j) ln 2 / 16 + r with m an integer, 0 <= j < 16 and |r| <= ln 2 / 32, so that exp(x) 2^−N =
// exp(r) 2^(j/16) 2^(m − N). In float:
//   z = x 16 log2e + (1.5 · 2^23 + 16 (128 − N))   its low mantissa bits are n − 16 N + 2048, n = 16 m + j
//   n = z − (1.5 · 2^23 + 16 (128 − N))
//   r = x − n ln 2 / 16, in two steps: the first product and difference are exact
//   q = r + r² (c2 + c3 r), which approximates exp(r) − 1
//   s = bits((z << 19) + table[j]) = 2 c 2^(j/16) 2^(m − N)
//   e = s + s q = 2 c exp(x) 2^−N
// The factor 2 keeps the smallest elements normal. Factor c makes all 16 numbers of the table nearly floats:
// they miss 0.31 · 2^-24 at most. Both cancel in every quotient; logarithms subtract theirs.
//
// c is chosen so, too, that e is the same by double arithmetic as by fma for every r that there can be, and
// that larger logits never get smaller exponentials. Error of e: below 0.82 ULP of it, of a multiplied
// logit too (docs/numerics.md: every float was tried). exp_double.h has double's.
#pragma once

#include "exp_double.h"
#include "tree.h"

namespace {

constexpr float ln2High = 0x1.62E430p-1f;
constexpr float ln2Low = -0x1.05C610p-29f;
constexpr float expSquare = 0x1.00021ep-1f, expCube = 0x1.55559cp-3f;  // c2, c3
/// The floats next to c 2^(j/16), c = 0x1.0684b42p0, as bits, less j 2^19 and the bias of the exponent.
alignas(64) constexpr std::uint32_t expTable[] = {
    0x0003425A, 0x0001120E, 0xFFFF23A0, 0xFFFD79FA, 0xFFFC1828, 0xFFFB0158, 0xFFFA38DC, 0xFFF9C22C,
    0xFFF9A0E7, 0xFFF9D8D5, 0xFFFA6DE9, 0xFFFB6443, 0xFFFCC032, 0xFFFE8634, 0x0000BAFC, 0x00036372};
constexpr double logOfTable = 0x1.9bf406701fa90p-6;  // log c

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
class RowConstantsOf {
  using V = typename L::V;
  using Element = typename L::Element;
  static constexpr std::size_t count = 6;

 public:
  explicit RowConstantsOf(const RowConstants<L>& lanes) {
    const typename L::Register all[count] = {lanes.sign, lanes.offset, lanes.high,
                                             lanes.low,  lanes.cut,    lanes.shift};
    for (std::size_t c = 0; c < count; ++c) V::store(values_[c], all[c]);
  }
  SOFTMAX_INLINE RowConstants<typename L::Row> of(std::size_t i) const {
    const auto value = [&](std::size_t c) SOFTMAX_INLINE_LAMBDA { return V::broadcast(values_[c][i]); };
    return {value(0), value(1), value(2), value(3), value(4), value(5)};
  }

 private:
  Element values_[count][V::width];
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
  /// Of a logit, which if it is −infinity stays that, whatever the factor.
  SOFTMAX_INLINE Double ofLogit(Double logit) const {
    return V::selectAtLeast(logit, V::broadcast(-largestDouble), of(logit), logit);
  }

 private:
  Double before_, b_, factor_, after_;
};

/// Whether a vector type has no fma, and stays in double for as long as exp needs one.
template <class V, class = void>
constexpr bool expInDouble = false;
template <class V>
constexpr bool expInDouble<V, decltype(void(V::exp_in_double))> = V::exp_in_double;

/// 2 c exp(value + rest) / 2^N, the steps of exponential() below in double: each is rounded to float where an
/// fma would be, as JavaScript does it (src/backends/js/exp.ts).
template <class V, bool has_rest>
SOFTMAX_INLINE typename V::Register exponentialInDouble(typename V::Register value, typename V::Register rest,
                                                        typename V::Register shift) {
  const auto fma = [](auto a, auto b, auto c) SOFTMAX_INLINE_LAMBDA { return V::add(V::multiply(a, b), c); };
  const auto constant = [](float number)
                            SOFTMAX_INLINE_LAMBDA { return V::broadcast(static_cast<double>(number)); };
  // Rounds to an integer at 2^52, as float does at 2^23.
  const auto wide_shift = V::add(V::widen(shift), V::broadcast(0x1.8p52 - 0x1.8p23));
  const auto wide = V::widen(value);
  const auto z = fma(wide, constant(16.0f * Limits<float>::log2e), wide_shift);
  const auto n = V::subtract(z, wide_shift);
  const auto high = fma(n, constant(-ln2High / 16.0f), wide);
  auto r = V::narrow(fma(n, constant(-ln2Low / 16.0f), high));
  if constexpr (has_rest) r = V::add(r, rest);
  const auto wide_r = V::widen(r);
  const auto series = V::roundedToFloat(fma(constant(expCube), wide_r, constant(expSquare)));
  const auto q = V::roundedToFloat(fma(V::widen(V::multiply(r, r)), series, wide_r));
  const auto power = V::widen(V::powerByMantissa(expTable, V::lowWords(z)));
  return V::narrow(fma(power, q, power));
}

/// 2 exp(multiplier · logit) / 2^N, of floats times c, or 0 below the cut. `plain`: the multiplier is 1 and
/// nothing is subtracted; `unshifted`: the sign is 1 and nothing is subtracted. The bits are those of the
/// general case.
template <class L, bool plain, bool unshifted = plain>
SOFTMAX_INLINE typename L::Register exponential(typename L::Register logit, const RowConstants<L>& row) {
  using V = typename L::V;
  auto shifted = logit;
  if constexpr (!unshifted) shifted = V::subtract(V::multiply(logit, row.sign), row.offset);
  auto value = shifted;
  if constexpr (!plain) value = V::multiply(shifted, row.high);
  if constexpr (sizeof(typename L::Element) == sizeof(double)) {
    return V::keepUnlessBelow(powerOfE<V>(value, row.shift), shifted, row.cut);
  } else if constexpr (expInDouble<V>) {
    auto rest = value;
    if constexpr (!plain) {
      const auto error = V::multiplyAdd(shifted, row.high, V::subtract(V::broadcast(0.0f), value));
      rest = V::multiplyAdd(shifted, row.low, error);
    }
    return V::keepUnlessBelow(exponentialInDouble<V, !plain>(value, rest, row.shift), shifted, row.cut);
  } else {
    const auto z = V::multiplyAdd(value, V::broadcast(16.0f * Limits<float>::log2e), row.shift);
    const auto n = V::subtract(z, row.shift);
    auto r = V::multiplyAdd(n, V::broadcast(-ln2High / 16.0f), value);
    r = V::multiplyAdd(n, V::broadcast(-ln2Low / 16.0f), r);
    if constexpr (!plain) {
      // The product of logit and multiplier is value − excess, some 40 bits.
      const auto excess = V::subtractProduct(value, shifted, row.high);
      r = V::subtract(r, V::subtractProduct(excess, shifted, row.low));
    }
    const auto series = V::multiplyAdd(V::broadcast(expCube), r, V::broadcast(expSquare));
    const auto q = V::multiplyAdd(V::multiply(r, r), series, r);
    const auto power = V::powerByMantissa(expTable, z);
    return V::keepUnlessBelow(V::multiplyAdd(power, q, power), shifted, row.cut);
  }
}

/// The exponentials of one logit per row, in the measure of its row.
template <class L>
typename L::Rows::Double singleExponentials(typename L::Rows::Register logits, const RowConstants<L>& row) {
  using V = typename L::V;
  return L::values(V::widen(exponential<L, false>(L::spread(logits), row)));
}

}  // namespace
