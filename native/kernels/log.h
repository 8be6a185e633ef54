// log in double, by + − × ÷ only, so that JavaScript (src/js/log.ts) computes the same bits. Once per row.
//
// log(2^k (1 + f)) = k ln 2 + log(1 + f), and with s = f / (2 + f), log(1 + f) = f − s (f − R(s²)).
// The coefficients of R are those of fdlibm's e_log.c (|error| < 2^-58.45 for s² < 0.0295).
#pragma once

#include "reference.h"

namespace {

constexpr double ln2Leading = 0x1.62e42feep-1;  // 32 bits: its product with an exponent is exact
constexpr double ln2Trailing = 0x1.a39ef35793c76p-33;
constexpr double sqrt2 = 0x1.6a09e667f3bcdp0;

/// k ln 2 + log(1 + f) for f in [√½ − 1, √2 − 1].
inline double logOnePlus(double f, int k) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  double r = 0x1.2f112df3e5244p-3;
  r = r * z + 0x1.39a09d078c69fp-3;
  r = r * z + 0x1.7466496cb03dep-3;
  r = r * z + 0x1.c71c51d8e78afp-3;
  r = r * z + 0x1.2492494229359p-2;
  r = r * z + 0x1.999999997fa04p-2;
  r = r * z + 0x1.5555555555593p-1;
  r = r * z;
  const double exponent = static_cast<double>(k);
  return exponent * ln2Leading + (f - (s * (f - r) - exponent * ln2Trailing));
}

/// exponent ln 2 + log(value), for values in float's normal range.
inline double logScaled(double value, int exponent) {
  const float rounded = static_cast<float>(value);
  std::uint32_t bits;
  __builtin_memcpy(&bits, &rounded, sizeof bits);
  int k = static_cast<int>(bits >> 23) - 127;
  double mantissa = value * powerOfTwo(-k);
  if (mantissa > sqrt2) {
    mantissa *= 0.5;
    ++k;
  }
  return logOnePlus(mantissa - 1.0, k + exponent);
}

/// log(1 + q) for q in [0, 1], accurate as q → 0.
inline double logOnePlusRatio(double q) {
  return q < sqrt2 - 1.0 ? logOnePlus(q, 0) : logOnePlus((q - 1.0) * 0.5, 1);
}

}  // namespace
