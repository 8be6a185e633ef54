// The power of two that a row is measured against, in place of its maximum.
//
// Subtracting the maximum in float rounds x − max, and that rounding, not exp, is most of the error of other
// libraries (for logits around 60: dozens of ULP). Here nothing is subtracted: with N = round(max · log2 e)
// each element is exp(x) · 2^−N, and the shift by N happens in the integer that exp computes anyway.
//
// For |max| beyond 2^21 that integer leaves float's range. There x − max is exact for every element within 88
// of the maximum (Sterbenz), so the maximum is subtracted after all and N is 0.
#pragma once

#include "scaling.h"

namespace {

constexpr float log2e = 0x1.715476p+0f;
constexpr float roundingShift = 0x1.8p23f;      // 1.5 · 2^23: adding it rounds to an integer
constexpr double roundingShift64 = 0x1.8p52;    // the same for double
constexpr double largestReference = 2097152.0;  // 2^21: beyond, the maximum is subtracted
constexpr double largestScaledReference =
    1024.0;  // 2^10 for scaled logits, whose second part must stay small beside ln 2
constexpr double lowestBlockReference = -2.5e6;    // a block below this is nothing beside a row above -2^21
constexpr double flushDepth = 87.336544750553102;  // 126 ln 2: elements below max − this are exactly 0

struct Reference {
  float offset;  // subtracted from the signed logit: 0, or the row's maximum when it is huge
  float cut;     // shifted logits below this give exactly 0
  float shift;   // roundingShift + 128 − N
  int exponent;  // N
};

inline bool isHuge(float top, const Scaling& scaling) {
  const double scaled = static_cast<double>(top) * static_cast<double>(scaling.high);
  const double largest = scaling.is_one ? largestReference : largestScaledReference;
  const bool is_finite = top >= -largestFloat && top <= largestFloat;
  return scaling.is_limit || (is_finite && (scaled > largest || scaled < -largest));
}

/// The smallest float that is not below the value.
inline float roundUp(double value) {
  const float rounded = static_cast<float>(value);
  if (!(static_cast<double>(rounded) < value)) return rounded;
  std::int32_t bits;
  __builtin_memcpy(&bits, &rounded, sizeof bits);
  bits = rounded == 0.0f ? 1 : bits + (bits >= 0 ? 1 : -1);
  float next;
  __builtin_memcpy(&next, &bits, sizeof next);
  return next;
}

/// The reference of a row or block whose largest signed logit is `top` (−infinity when there is none).
inline Reference referenceOf(float top, const Scaling& scaling, bool huge) {
  const float offset = huge ? top : 0.0f;
  const float shifted_top = top - offset;
  const double scaled_top = static_cast<double>(
      static_cast<float>(static_cast<double>(shifted_top) * static_cast<double>(scaling.high)));
  // -infinity, +infinity and 0 · infinity have no exponent; any will do.
  const bool has_exponent = scaled_top > -0x1p30 && scaled_top < 0x1p30;
  const double exponent =
      has_exponent ? (scaled_top * static_cast<double>(log2e) + roundingShift64) - roundingShift64 : 0.0;
  const double cut = static_cast<double>(shifted_top) - flushDepth / static_cast<double>(scaling.high);
  float bounded_cut = scaling.is_limit ? 0.0f : -largestFloat;
  if (!scaling.is_limit && cut > static_cast<double>(-largestFloat)) bounded_cut = roundUp(cut);
  return {offset, bounded_cut, roundingShift + 128.0f - static_cast<float>(exponent),
          static_cast<int>(exponent)};
}

/// The logits are used as they are: neither shifted nor scaled.
inline bool isPlain(const Scaling& scaling, const Reference& reference) {
  return scaling.is_one && reference.offset == 0.0f;
}

/// For a block so far below the row that no number in it counts; a NaN still does.
constexpr Reference nothingCounts = {0.0f, floatInfinity, roundingShift + 128.0f, 0};

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

}  // namespace
