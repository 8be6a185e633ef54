// Numbers of 106 bits: the sum of two doubles, high + low, with |low| at most half an ULP of high (Dekker
// 1971; Hida, Li and Bailey 2001). As test/helpers/double-double.ts, but fast: exp looks up a power of two
// and needs a short series.
#pragma once

#include <cmath>

namespace softmax_fuzz {

struct DoubleDouble {
  double high, low;
};

/// a + b, for |a| at least |b|.
inline DoubleDouble fastTwoSum(double a, double b) {
  const double high = a + b;
  return {high, b - (high - a)};
}
/// a + b, exactly.
inline DoubleDouble twoSum(double a, double b) {
  const double high = a + b, b_part = high - a;
  return {high, (a - (high - b_part)) + (b - b_part)};
}
/// a · b, exactly while nothing under- or overflows.
inline DoubleDouble twoProduct(double a, double b) {
  const double high = a * b;
#if defined(__FMA__) || defined(__aarch64__)
  return {high, __builtin_fma(a, b, -high)};
#else
  // The factor that splits a number takes a huge one out of range.
  if (std::fabs(a) > 0x1p990 || std::fabs(b) > 0x1p990) {
    if (std::fabs(high) > 0x1p1023 || high != high) return {high, 0.0};
    const bool is_first = std::fabs(a) > 0x1p990;
    const DoubleDouble product = is_first ? twoProduct(a * 0x1p-60, b) : twoProduct(a, b * 0x1p-60);
    return {product.high * 0x1p60, product.low * 0x1p60};
  }
  const double split_a = 134217729.0 * a, split_b = 134217729.0 * b;
  const double a_high = split_a - (split_a - a), a_low = a - a_high;
  const double b_high = split_b - (split_b - b), b_low = b - b_high;
  return {high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low};
#endif
}

inline DoubleDouble operator-(DoubleDouble a) {
  return {-a.high, -a.low};
}
inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble high = twoSum(a.high, b.high), low = twoSum(a.low, b.low);
  const DoubleDouble sum = fastTwoSum(high.high, high.low + low.high);
  return fastTwoSum(sum.high, sum.low + low.low);
}
inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) {
  return a + -b;
}
inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble product = twoProduct(a.high, b.high);
  return fastTwoSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}
inline DoubleDouble operator*(DoubleDouble a, double b) {
  const DoubleDouble product = twoProduct(a.high, b);
  return fastTwoSum(product.high, product.low + a.low * b);
}
inline DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double first = a.high / b.high;
  const DoubleDouble rest = a - b * first;
  const double second = rest.high / b.high, third = (rest - b * second).high / b.high;
  return fastTwoSum(first, second) + DoubleDouble{third, 0.0};
}
inline DoubleDouble number(double value) {
  return {value, 0.0};
}

/// 2^exponent for a normal double.
inline double powerOfTwo(int exponent) {
  const unsigned long long bits = static_cast<unsigned long long>(exponent + 1023) << 52;
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
/// a · 2^exponent for an exponent from −2000 to 1023.
inline DoubleDouble scaled(DoubleDouble a, int exponent) {
  if (exponent >= -1000) return {a.high * powerOfTwo(exponent), a.low * powerOfTwo(exponent)};
  const double power = powerOfTwo(exponent + 1000);
  return {a.high * power * 0x1p-1000, a.low * power * 0x1p-1000};
}

constexpr DoubleDouble ln2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

/// exp(r) − 1 for |r| up to ln 2 / 128: terms up to the fifth power in two doubles, up to the eleventh in
/// one.
inline DoubleDouble smallExpMinusOne(DoubleDouble r) {
  constexpr DoubleDouble sixth{0x1.5555555555555p-3, 0x1.5555555555555p-57};
  constexpr DoubleDouble of_24{0x1.5555555555555p-5, 0x1.5555555555555p-59};
  constexpr DoubleDouble of_120{0x1.1111111111111p-7, 0x1.1111111111111p-63};
  const double x = r.high;
  const double rest =
      x *
      (1.0 / 720 + x * (1.0 / 5040 +
                        x * (1.0 / 40320 + x * (1.0 / 362880 + x * (1.0 / 3628800 + x * (1.0 / 39916800))))));
  DoubleDouble s = of_120 + number(rest);
  s = of_24 + r * s;
  s = sixth + r * s;
  s = number(0.5) + r * s;
  s = number(1.0) + r * s;
  return r * s;
}

/// To the nearest integer, for |x| below 2^51.
inline double rounded(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

constexpr int powers = 64;
struct Powers {
  DoubleDouble of[powers];  // 2^(i / 64)
  Powers() {
    // Roots: each by Newton's step on a double's square root.
    DoubleDouble root = number(2.0);
    for (int i = 1; i < powers; i *= 2) {
      const DoubleDouble guess = number(std::sqrt(root.high));
      root = guess + (root - guess * guess) / (guess + guess);
      of[powers / (2 * i)] = root;
    }
    of[0] = number(1.0);
    for (int i = 1; i < powers; ++i) {
      const int low = i & -i;
      if (i != low) of[i] = of[i - low] * of[low];
    }
  }
};
inline const Powers powersOfTwo;

/// exp(x) − 1, with all digits also where x is small.
inline DoubleDouble expMinusOne(DoubleDouble x) {
  const double n = rounded(x.high * (powers / ln2.high));
  if (n == 0.0) return smallExpMinusOne(x);
  const DoubleDouble r = x - ln2 * (n / powers);
  const int whole = static_cast<int>(n), index = whole & (powers - 1);
  const DoubleDouble power = scaled(powersOfTwo.of[index], (whole - index) / powers);
  return power * smallExpMinusOne(r) + (power - number(1.0));
}
/// exp(x) for x up to 709. 0 below −800.
inline DoubleDouble exp(DoubleDouble x) {
  if (!(x.high >= -800.0)) return number(0.0);
  const double n = rounded(x.high * (powers / ln2.high));
  const DoubleDouble r = x - ln2 * (n / powers);
  const int whole = static_cast<int>(n), index = whole & (powers - 1);
  const DoubleDouble power = powersOfTwo.of[index];
  return scaled(power + power * smallExpMinusOne(r), (whole - index) / powers);
}

/// log(1 + x) for x at least 0; accurate for the smallest x: one Newton step from a double.
inline DoubleDouble logOnePlus(DoubleDouble x) {
  const DoubleDouble guess = number(std::log1p(x.high)), one = number(1.0);
  if (x.high < 1.0) return guess + (x - expMinusOne(guess)) / (one + x);
  return guess + ((one + x) * exp(-guess) - one);
}

}  // namespace softmax_fuzz
