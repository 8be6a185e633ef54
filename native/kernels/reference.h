// The power of two that a row is measured against, in place of its maximum.
//
// Subtracting the maximum in float rounds x − max, and that rounding, not exp, is most of the error of other
// libraries (for logits around 60: dozens of ULP). Here nothing is subtracted: with N = round(max · log2 e)
// each element is exp(x) · 2^−N, and the shift by N happens in the integer that exp computes anyway.
//
// A huge maximum is subtracted after all, and N is 0: the shifted logits are then scaled as a pair of
// numbers, and the difference is exact for every element near the maximum (Sterbenz).
#pragma once

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
  static constexpr double lowestBlockReference =
      -4096.0;  // a block below this is nothing beside a row whose maximum is not subtracted
  static constexpr double flushDepth =
      87.336544750553102;  // 126 ln 2: elements below the maximum minus this are exactly 0
  /// 1.5 · 2^23 + 128: what exp adds, and N is taken from (exp.h).
  static constexpr float shift = 0x1.8p23f + 128.0f;
};
template <>
struct Limits<double> {
  static constexpr double log2e = 0x1.71547652b82fep0;
  static constexpr double largestReference = 4096.0;
  static constexpr double lowestBlockReference = -16384.0;
  static constexpr double flushDepth = 708.3964185322641;  // 1022 ln 2
  static constexpr double shift = 1024.0;
};

template <class Element>
struct Reference {
  Element offset;  // subtracted from the signed logit: 0, or the row's maximum when it is huge
  Element cut;     // shifted logits below this give exactly 0
  Element shift;   // Limits::shift − N
  int exponent;    // N
};

template <class Element>
bool isHuge(Element top, const Scaling<Element>& scaling) {
  const double scaled = static_cast<double>(top) * static_cast<double>(scaling.high);
  constexpr double largest = Limits<Element>::largestReference;
  const bool is_finite = top >= -Numbers<Element>::largest && top <= Numbers<Element>::largest;
  return scaling.is_limit || (is_finite && (scaled > largest || scaled < -largest));
}

/// The smallest float that is not below the value; a double is itself.
template <class Element>
Element roundUp(double value) {
  const Element rounded = static_cast<Element>(value);
  if constexpr (sizeof(Element) == sizeof(float)) {
    if (!(static_cast<double>(rounded) < value)) return rounded;
    std::int32_t bits;
    __builtin_memcpy(&bits, &rounded, sizeof bits);
    bits = rounded == 0.0f ? 1 : bits + (bits >= 0 ? 1 : -1);
    float next;
    __builtin_memcpy(&next, &bits, sizeof next);
    return next;
  }
  return rounded;
}

/// The reference of a row or block whose largest signed logit is `top` (−infinity when there is none).
template <class Element>
Reference<Element> referenceOf(Element top, const Scaling<Element>& scaling, bool huge) {
  using L = Limits<Element>;
  constexpr Element lowest = -Numbers<Element>::largest;
  const Element offset = huge ? top : Element(0);
  const Element shifted_top = top - offset;
  const double scaled_top = static_cast<double>(shifted_top * scaling.high);
  // -infinity, +infinity and 0 · infinity have no exponent; any will do.
  const bool has_exponent = scaled_top > -0x1p30 && scaled_top < 0x1p30;
  const double exponent =
      has_exponent ? (scaled_top * static_cast<double>(L::log2e) + roundingShift64) - roundingShift64 : 0.0;
  const double cut = static_cast<double>(shifted_top) - L::flushDepth / static_cast<double>(scaling.high);
  Element bounded_cut = scaling.is_limit ? Element(0) : lowest;
  if (!scaling.is_limit && cut > static_cast<double>(lowest)) bounded_cut = roundUp<Element>(cut);
  return {offset, bounded_cut, L::shift - static_cast<Element>(exponent), static_cast<int>(exponent)};
}

/// The logits are used as they are: neither shifted nor scaled.
template <class Element>
bool isPlain(const Scaling<Element>& scaling, const Reference<Element>& reference) {
  return scaling.is_one && reference.offset == Element(0);
}

/// The reference of one block of a row, when the row's maximum is not known yet.
template <class Element>
Reference<Element> blockReferenceOf(Element top, const Scaling<Element>& scaling) {
  const double scaled = static_cast<double>(top) * static_cast<double>(scaling.high);
  // A block so far below the row that no number in it counts; a NaN still does.
  if (scaled < Limits<Element>::lowestBlockReference)
    return {Element(0), Numbers<Element>::infinity, Limits<Element>::shift, 0};
  return referenceOf(top, scaling, false);
}

/// 2^exponent as a double, 0 below 2^-1022; exponents up to 1023.
inline double powerOfTwo(int exponent) {
  if (exponent < -1022) return 0.0;
  const std::uint64_t bits = static_cast<std::uint64_t>(exponent + 1023) << 52;
  double power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return power;
}

/// A sum of exponentials: sum · 2^exponent. Nothing summed: sum 0.
struct ScaledSum {
  double sum;
  int exponent;
};

/// Both measured against the larger reference. The scaling is exact, so any order of references gives the
/// same.
inline ScaledSum merge(ScaledSum a, ScaledSum b) {
  if (a.sum == 0.0) return b;
  if (b.sum == 0.0) return a;
  const int exponent = a.exponent > b.exponent ? a.exponent : b.exponent;
  return {a.sum * powerOfTwo(a.exponent - exponent) + b.sum * powerOfTwo(b.exponent - exponent), exponent};
}

inline double add(double a, double b) {
  return a + b;
}

}  // namespace
