// The factor that multiplies every logit: scale / temperature, as the sum of two floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

constexpr float largestFloat = 0x1.fffffep+127f;
constexpr float floatInfinity = __builtin_inff();

struct Scaling {
  float sign;  // 1 or -1; the logits are multiplied by it, so that the factor below is never negative
  float high;
  float
      low;  // at most 16 significant bits, on a grid 2^-40 of `high`: logit · low + error is exact in double
  bool is_limit;  // temperature 0: only the largest logits count, equally
  bool is_one;    // high = 1, low = 0: the logits are used as they are

  double factor() const { return static_cast<double>(high) + static_cast<double>(low); }
};

/// multiplier = scale / temperature; ±infinity stands for temperature 0, 0 for an infinite temperature.
/// A factor beyond the range of float is taken for the limit.
inline Scaling scalingOf(double multiplier) {
  // + 0: a negative scale by an infinite temperature is −0.
  const double magnitude = (multiplier < 0 ? -multiplier : multiplier) + 0.0;
  const float sign = multiplier < 0 ? -1.0f : 1.0f;
  if (!(magnitude < static_cast<double>(largestFloat))) return {sign, 0.0f, 0.0f, true, false};
  const float high = static_cast<float>(magnitude);
  // Adding and subtracting 2^12 times a number drops what is below 2^-40 of it.
  const double anchor = static_cast<double>(high) * 4096.0;
  const double rest = magnitude - static_cast<double>(high);
  const float low = static_cast<float>((rest + anchor) - anchor);
  return {sign, high, low, false, sign == 1.0f && high == 1.0f && low == 0.0f};
}

}  // namespace
