// Elements of every type as doubles, and doubles as the nearest elements: written from the formats'
// definitions, not as the kernels do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../kernels/kernel-abi.h"
#include "double_double.h"

namespace softmax_fuzz {

/// Bits of the significand, the exponent of the smallest normal number, the largest number.
struct Format {
  int precision, lowest_exponent;
  double largest;
};

inline const Format& formatOf(SoftmaxDType dtype) {
  static constexpr Format formats[] = {{24, -126, 0x1.fffffep127},
                                       {53, -1022, 0x1.fffffffffffffp1023},
                                       {11, -14, 65504.0},
                                       {8, -126, 0x1.fep127}};
  return formats[dtype];
}

inline std::size_t sizeOf(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? 8 : dtype == softmaxFloat32 || dtype == softmaxInt32 ? 4 : 2;
}

template <class To, class From>
To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

inline int exponentOf(double value) {
  return static_cast<int>(bitCast<std::uint64_t>(value) >> 52 & 2047) - 1023;
}

/// The distance of a format's numbers around the value: that of its binade, or that of the denormals.
inline double ulpOf(double value, const Format& format) {
  const int exponent = exponentOf(value);
  const int binade = exponent > format.lowest_exponent ? exponent : format.lowest_exponent;
  const int ulp = binade + 1 - format.precision;
  return ulp < -1022 ? powerOfTwo(ulp + 60) * 0x1p-60 : powerOfTwo(ulp);
}

/// The 16 bits of the number nearest to a value, ties to even; NaN is the canonical one.
inline std::uint16_t halfOf(double value, SoftmaxDType dtype) {
  const Format& format = formatOf(dtype);
  const int fraction_bits = format.precision - 1;
  const auto exponent_mask = static_cast<std::uint16_t>(0x7FFF >> fraction_bits << fraction_bits);
  if (value != value) return static_cast<std::uint16_t>(exponent_mask | 1 << (fraction_bits - 1));
  const auto sign = static_cast<std::uint16_t>(__builtin_signbit(value) ? 0x8000 : 0);
  const double magnitude = value < 0 ? -value : value, ulp = ulpOf(magnitude, format);
  if (magnitude >= format.largest + ulpOf(format.largest, format) / 2) return sign | exponent_mask;
  const double steps = rounded(magnitude / ulp);  // of the binade or the denormals
  const int binade = exponentOf(ulp) + fraction_bits - format.lowest_exponent;
  // A carry out of the fraction goes into the exponent.
  return static_cast<std::uint16_t>(sign | ((binade << fraction_bits) + static_cast<int>(steps)));
}

inline double valueOfHalf(std::uint16_t half, SoftmaxDType dtype) {
  if (dtype == softmaxBFloat16) return bitCast<float>(static_cast<std::uint32_t>(half) << 16);
  const double magnitude =
      (half & 0x7C00) == 0x7C00
          ? (half & 0x3FF ? __builtin_nan("") : __builtin_inf())
          : static_cast<double>(bitCast<float>(static_cast<std::uint32_t>(half & 0x7FFF) << 13)) * 0x1p112;
  return half & 0x8000 ? -magnitude : magnitude;
}

inline double elementAt(const SoftmaxElements& elements, std::size_t index) {
  const char* at = static_cast<const char*>(elements.data) + index * sizeOf(elements.dtype);
  if (elements.dtype == softmaxFloat64) {
    double value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  if (elements.dtype == softmaxFloat32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return static_cast<double>(value);
  }
  if (elements.dtype == softmaxInt32) {
    std::int32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::uint16_t half;
  std::memcpy(&half, at, sizeof half);
  return valueOfHalf(half, elements.dtype);
}

inline void setElement(const SoftmaxElements& elements, std::size_t index, double value) {
  char* at = static_cast<char*>(elements.data) + index * sizeOf(elements.dtype);
  if (elements.dtype == softmaxFloat64) {
    std::memcpy(at, &value, sizeof value);
  } else if (elements.dtype == softmaxFloat32) {
    const auto single = static_cast<float>(value);
    std::memcpy(at, &single, sizeof single);
  } else {
    const std::uint16_t half = halfOf(static_cast<double>(static_cast<float>(value)), elements.dtype);
    std::memcpy(at, &half, sizeof half);
  }
}

/// Whether an element has the bits of the one NaN that results may be.
inline bool isCanonicalNan(const SoftmaxElements& elements, std::size_t index) {
  const char* at = static_cast<const char*>(elements.data) + index * sizeOf(elements.dtype);
  static constexpr std::uint64_t nans[] = {0x7FC00000, 0x7FF8000000000000, 0x7E00, 0x7FC0};
  return std::memcmp(at, &nans[elements.dtype], sizeOf(elements.dtype)) == 0;
}

}  // namespace softmax_fuzz
