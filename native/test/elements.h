// Arrays of elements for the kernels' tests.
#pragma once

#include "../kernels/kernel-abi.h"
#include "support.h"

namespace {

constexpr std::size_t bytesOf(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? 8 : dtype == softmaxFloat32 || dtype == softmaxInt32 ? 4 : 2;
}

/// Random finite values of a dtype, some of −infinity, and in one array of ten what spoils a row.
inline void fillRandom(void* memory, SoftmaxDType dtype, std::size_t count, float scale) {
  const bool is_spoilt = randomBits() % 10 == 0;
  const std::size_t spoilt = count == 0 ? 0 : randomBits() % count;
  const float spoiler = randomBits() % 2 ? __builtin_inff() : __builtin_nanf("");
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_special = randomBits() % 50 == 0;
    float value = is_special ? -__builtin_inff() : uniform(-scale, scale);
    if (is_spoilt && i == spoilt) value = spoiler;
    if (dtype == softmaxFloat64) static_cast<double*>(memory)[i] = static_cast<double>(value);
    if (dtype == softmaxFloat32) static_cast<float*>(memory)[i] = value;
    // Truncated bfloat16; as float16 the same bits are other numbers.
    if (bytesOf(dtype) == 2)
      static_cast<std::uint16_t*>(memory)[i] = static_cast<std::uint16_t>(bitsOf(value) >> 16) & 0xFBFFu;
  }
}

}  // namespace
