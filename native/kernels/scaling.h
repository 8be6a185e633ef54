// The factor that multiplies every logit: scale / temperature. For float logits the sum of two floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

constexpr float largestFloat = 0x1.fffffep+127f;
constexpr double largestDouble = 0x1.fffffffffffffp+1023;

/// The largest finite element, infinity, the one NaN, the distance from 1 to the next element.
template <class Element>
struct Numbers;
template <>
struct Numbers<float> {
  static constexpr float largest = largestFloat, infinity = __builtin_inff(), nan = __builtin_nanf(""),
                         epsilon = 0x1p-23f;
};
template <>
struct Numbers<double> {
  static constexpr double largest = largestDouble, infinity = __builtin_inf(), nan = __builtin_nan(""),
                          epsilon = 0x1p-52;
};

constexpr double infinity = __builtin_inf();
constexpr double nan = __builtin_nan("");

inline double canonical(double value) {
  return value == value ? value : nan;
}

template <class Element>
struct Scaling {
  /// 1 or −1; the logits are multiplied by it, so that the factor below is never negative. ±2^-64 for float
  /// factors so small that their second part would be lost: 2^64 goes from the logits to them.
  Element sign;
  Element high;
  Element low;    // what a float misses of the factor; 0 for double
  bool is_limit;  // temperature 0: only the largest logits count, equally
  bool is_one;    // high = 1, low = 0: the logits are used as they are

  double factor() const { return static_cast<double>(high) + static_cast<double>(low); }
  Element unit() const { return sign < Element(0) ? -sign : sign; }
};

/// multiplier = scale / temperature; ±infinity stands for temperature 0, 0 for an infinite temperature.
/// A factor beyond the range of the elements is taken for the limit.
template <class Element>
Scaling<Element> scalingOf(double multiplier) {
  if (multiplier == 1.0) return {Element(1), Element(1), Element(0), false, true};
  // A negative scale by an infinite temperature is −0: all rows of a call have the sign of the scale.
  const bool is_negative = __builtin_signbit(multiplier);
  const double magnitude = is_negative ? -multiplier : multiplier;
  const Element sign = is_negative ? Element(-1) : Element(1);
  if constexpr (sizeof(Element) == sizeof(double)) {
    if (!(magnitude <= largestDouble)) return {sign, 0.0, 0.0, true, false};
    return {sign, magnitude, 0.0, false, sign == 1.0 && magnitude == 1.0};
  } else {
    if (!(magnitude < static_cast<double>(largestFloat))) return {sign, 0.0f, 0.0f, true, false};
    const float unit = magnitude < 0x1p-100 ? 0x1p-64f : 1.0f;
    const double moved = magnitude / static_cast<double>(unit);
    const float high = static_cast<float>(moved);
    // Adding and subtracting 2^12 times a number drops what is below 2^-40 of it: 16 significant bits stay,
    // and logit · low + error is exact in double.
    const double anchor = static_cast<double>(high) * 4096.0;
    const double rest = moved - static_cast<double>(high);
    const float low = static_cast<float>((rest + anchor) - anchor);
    return {sign * unit, high, low, false, sign == 1.0f && high == 1.0f && low == 0.0f};
  }
}

}  // namespace
