// The power of two that a row is measured against, in place of its maximum.
//
// Subtracting the maximum in float rounds x − max, and that rounding, not exp, is most of the error of other
// libraries (for logits around 60: dozens of ULP). Here nothing is subtracted: with N = round(max · log2 e)
// each element is exp(x) · 2^−N, and the shift by N happens in the integer that exp computes anyway.
//
// A huge maximum is subtracted after all, and N is 0: the shifted logits are then scaled as a pair of
// numbers, and the difference is exact for every element near the maximum (Sterbenz).
#pragma once

#include "layout.h"
#include "scaling.h"

namespace {

constexpr double roundingShift64 = 0x1.8p52;  // 1.5 · 2^52: adding it rounds to an integer

/// What differs between float and double.
template <class Element>
struct Limits;
template <>
struct Limits<float> {
  static constexpr float log2e = 0x1.715476p+0f;
  static constexpr double largestReference = 1024.0;  // beyond, the maximum is subtracted
  static constexpr double flushDepth =
      87.336544750553102;  // 126 ln 2: elements below the maximum minus this are exactly 0
  /// What exp adds, less N times the steps that it has in a power of two (exp.h).
  static constexpr float steps = 16.0f, shift = 0x1.8p23f + steps * 128.0f;
};
template <>
struct Limits<double> {
  static constexpr double log2e = 0x1.71547652b82fep0;
  static constexpr double largestReference = 4096.0;
  static constexpr double flushDepth = 708.3964185322641;  // 1022 ln 2
  static constexpr double steps = 8.0, shift = roundingShift64 + steps * 1024.0;
};

/// The scaling of each row of a unit.
template <class L>
struct RowScaling {
  using R = typename L::Rows;
  using Element = typename L::Element;
  typename R::Register sign, unit, inverse_sign, high, low;  // scaling.h; unit = |sign|
  typename R::Double factor;                                 // high + low
  typename R::Double depth;                                  // flushDepth / high
  typename R::Double limit;                                  // 1 at temperature 0, else 0
  bool is_one, has_limit, is_negative;

  RowScaling() = default;
  explicit RowScaling(const Scaling<Element>* scaling) {
    sign = L::ofRows([=](std::size_t i) { return scaling[i].sign; });
    unit = L::ofRows([=](std::size_t i) { return scaling[i].unit(); });
    inverse_sign = L::ofRows([=](std::size_t i) { return Element(1) / scaling[i].sign; });
    high = L::ofRows([=](std::size_t i) { return scaling[i].high; });
    low = L::ofRows([=](std::size_t i) { return scaling[i].low; });
    factor = L::ofRowsDouble([=](std::size_t i) { return scaling[i].factor(); });
    limit = L::ofRowsDouble([=](std::size_t i) { return scaling[i].is_limit ? 1.0 : 0.0; });
    depth = R::divide(R::broadcast(Limits<Element>::flushDepth), R::widen(high));
    is_one = true;
    has_limit = false;
    for (std::size_t i = 0; i < L::rows; ++i) {
      is_one &= scaling[i].is_one;
      has_limit |= scaling[i].is_limit;
    }
    is_negative = scaling[0].sign < Element(0);
  }
  /// The same of multipliers that scalingOf has no other signs and no limit for: areUsual().
  explicit RowScaling(typename R::Double multipliers) {
    const auto one = R::broadcast(Element(1)), zero = R::broadcast(Element(0));
    sign = unit = inverse_sign = one;
    high = R::narrow(multipliers);
    const auto wide = R::widen(high), anchor = R::multiply(wide, R::broadcast(4096.0));
    low = R::narrow(R::subtract(R::add(R::subtract(multipliers, wide), anchor), anchor));
    factor = R::add(wide, R::widen(low));
    limit = R::broadcast(0.0);
    depth = R::divide(R::broadcast(Limits<Element>::flushDepth), wide);
    is_one = areEqual(high, one) && areEqual(low, zero);
    has_limit = is_negative = false;
  }
  static bool areUsual(typename R::Double multipliers) {
    constexpr double least = 0x1p-100, most = 0x1p+127;
    return R::allAtLeast(multipliers, R::broadcast(least)) && R::allAtLeast(R::broadcast(most), multipliers);
  }

 private:
  static bool areEqual(typename R::Register a, typename R::Register b) {
    return R::allAtLeast(R::widen(a), R::widen(b)) && R::allAtLeast(R::widen(b), R::widen(a));
  }
};

template <class L>
struct References {
  using R = typename L::Rows;
  typename R::Register offset;  // subtracted from the signed logits: 0, or the row's maximum when it is huge
  typename R::Register cut;     // shifted logits below this give exactly 0
  typename R::Register shift;   // Limits::shift − steps · N
  typename R::Double exponent;  // N
  bool is_shifted;              // not all offsets are 0
};

/// top · high, where that is as large as a reference may be in every row, and no row is at temperature 0.
template <class L>
SOFTMAX_INLINE bool isModest(typename L::Rows::Double scaled, const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  constexpr double bound = Limits<typename L::Element>::largestReference;
  return !scaling.has_limit && R::allAtLeast(R::broadcast(bound), scaled) &&
         R::allAtLeast(scaled, R::broadcast(-bound));
}

/// Which maxima are subtracted, 1 or 0: those that are finite, and beyond the largest reference or at
/// temperature 0.
template <class L>
SOFTMAX_INLINE typename L::Rows::Double hugeRows(typename L::Rows::Register top,
                                                 const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
  const auto wide = R::widen(top), scaled = R::multiply(wide, R::widen(scaling.high));
  constexpr double bound = Limits<Element>::largestReference, largest = Numbers<Element>::largest;
  const auto below = R::selectAtLeast(scaled, R::broadcast(-bound), zero, one);
  const auto beyond = R::selectAtLeast(R::broadcast(bound), scaled, below, one);
  const auto subtracted = R::maximum(beyond, scaling.limit);
  const auto bounded = R::selectAtLeast(R::broadcast(largest), wide, subtracted, zero);
  return R::selectAtLeast(wide, R::broadcast(-largest), bounded, zero);
}

/// The smallest float that is not below the value; a double is itself.
template <class R>
SOFTMAX_INLINE typename R::Register roundedUp(typename R::Double value) {
  if constexpr (sizeof(typename R::Element) == sizeof(float)) {
    const auto rounded = R::widen(R::narrow(value));
    // Between half and one and a half steps to the next float, of a normal number and of a denormal.
    const auto relative = R::multiply(rounded, R::broadcast(0x1.004p-24));
    const auto step =
        R::maximum(R::maximum(relative, R::subtract(R::broadcast(0.0), relative)), R::broadcast(0x1.8p-150));
    return R::narrow(R::selectAtLeast(rounded, value, rounded, R::add(rounded, step)));
  } else {
    return value;
  }
}

/// The references of rows, or blocks of rows, whose largest signed logits are `top` (−infinity when there is
/// none), less `offset`. `modest`: isModest.
template <class L>
SOFTMAX_INLINE References<L> referencesFrom(typename L::Rows::Register offset,
                                            typename L::Rows::Register shifted_top,
                                            const RowScaling<L>& scaling, bool modest) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto zero = R::broadcast(0.0), rounding = R::broadcast(roundingShift64);
  const auto scaled_top = R::widen(R::multiply(shifted_top, scaling.high));
  const auto log2e = R::broadcast(static_cast<double>(Limits<Element>::log2e));
  auto exponent = R::subtract(R::add(R::multiply(scaled_top, log2e), rounding), rounding);
  const auto lowest = R::broadcast(-static_cast<double>(Numbers<Element>::largest));
  auto cut = R::subtract(R::widen(shifted_top), scaling.depth);
  cut = R::selectAtLeast(cut, lowest, cut, lowest);
  if (!modest) {
    // −infinity, +infinity and 0 · infinity have no exponent; any will do.
    const auto bound = R::broadcast(0x1p29), lowest_bound = R::broadcast(-0x1p29);
    exponent =
        R::selectAtLeast(scaled_top, lowest_bound, R::selectAtLeast(bound, scaled_top, exponent, zero), zero);
  }
  auto rounded_cut = roundedUp<R>(cut);
  if (!modest)
    rounded_cut = R::selectAtLeast(R::narrow(scaling.limit), R::broadcast(Element(1)),
                                   R::broadcast(Element(0)), rounded_cut);
  const auto steps = R::multiply(R::narrow(exponent), R::broadcast(Limits<Element>::steps));
  const auto shift = R::subtract(R::broadcast(Limits<Element>::shift), steps);
  return {offset, rounded_cut, shift, exponent, false};
}

template <class L>
References<L> referencesOf(typename L::Rows::Register top, const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto none = R::broadcast(Element(0));
  if (isModest<L>(R::multiply(R::widen(top), R::widen(scaling.high)), scaling))
    return referencesFrom<L>(none, top, scaling, true);
  const auto huge = hugeRows<L>(top, scaling);
  const auto offset = R::selectAtLeast(R::narrow(huge), R::broadcast(Element(1)), top, none);
  auto references = referencesFrom<L>(offset, R::subtract(top, offset), scaling, false);
  references.is_shifted = !R::allAtLeast(R::broadcast(0.0), huge);
  return references;
}

/// The logits are used as they are: neither shifted nor scaled.
template <class L>
bool isPlain(const RowScaling<L>& scaling, const References<L>& references) {
  return scaling.is_one && !references.is_shifted;
}

/// 2^exponent, 0 below 2^-1022; exponents are integers up to 1023.
template <class R>
SOFTMAX_INLINE typename R::Double powerOfTwo(typename R::Double exponent) {
  const auto lowest = R::broadcast(-1022.0);
  const auto biased = R::add(R::maximum(exponent, lowest), R::broadcast(roundingShift64 + 1023.0));
  return R::keepUnlessBelow(R::scaleByMantissa(R::broadcast(1.0), biased), exponent, lowest);
}

}  // namespace
