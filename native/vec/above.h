// Which lanes of a vector are above a limit, as bits: what selections branch on; and lanes' bits as integers.
//
// AVX-512 has them in a mask, AVX2 and WebAssembly by MOVMSKPS, NEON by an addition over the lanes.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include "inline.h"

namespace {

// Of each: bit i is set where x > limit in lane i, or where one of the two is NaN.

SOFTMAX_INLINE std::uint32_t bitsAbove(float x, float limit) {
  return !(x <= limit);
}
SOFTMAX_INLINE std::uint32_t bitsAbove(double x, double limit) {
  return !(x <= limit);
}
#if defined(__AVX512F__)
SOFTMAX_INLINE std::uint32_t bitsAbove(__m512 x, __m512 limit) {
  return _mm512_cmp_ps_mask(x, limit, _CMP_NLE_UQ);
}
SOFTMAX_INLINE std::uint32_t bitsAbove(__m512d x, __m512d limit) {
  return _mm512_cmp_pd_mask(x, limit, _CMP_NLE_UQ);
}
#elif defined(__AVX2__)
SOFTMAX_INLINE std::uint32_t bitsAbove(__m256 x, __m256 limit) {
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_NLE_UQ)));
}
SOFTMAX_INLINE std::uint32_t bitsAbove(__m256d x, __m256d limit) {
  return static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(x, limit, _CMP_NLE_UQ)));
}
#elif defined(__aarch64__)
SOFTMAX_INLINE std::uint32_t bitsAbove(float32x4_t x, float32x4_t limit) {
  static constexpr std::uint32_t bits[] = {1, 2, 4, 8};
  return vaddvq_u32(vbicq_u32(vld1q_u32(bits), vcleq_f32(x, limit)));
}
SOFTMAX_INLINE std::uint32_t bitsAbove(float64x2_t x, float64x2_t limit) {
  static constexpr std::uint64_t bits[] = {1, 2};
  return static_cast<std::uint32_t>(vaddvq_u64(vbicq_u64(vld1q_u64(bits), vcleq_f64(x, limit))));
}
#elif defined(__wasm_simd128__)
SOFTMAX_INLINE std::uint32_t bitsAbove(v128_t x, v128_t limit) {
  return ~static_cast<std::uint32_t>(wasm_i32x4_bitmask(wasm_f32x4_le(x, limit))) & 15;
}
#endif

// A register of half a vector of doubles. One of WebAssembly does not say by its type what it has.
#if defined(__wasm_simd128__)
SOFTMAX_INLINE std::uint32_t doubleBitsAbove(v128_t x, v128_t limit) {
  return ~static_cast<std::uint32_t>(wasm_i64x2_bitmask(wasm_f64x2_le(x, limit))) & 3;
}
#else
template <class Register>
SOFTMAX_INLINE std::uint32_t doubleBitsAbove(Register x, Register limit) {
  return bitsAbove(x, limit);
}
#endif

/// Writes the lanes of `bits` one after another, and their numbers from `first` on. What follows them may be
/// overwritten, as far as a whole vector.
template <class Register, class Element>
SOFTMAX_INLINE void appendLanes(Register x, std::uint32_t first, std::uint32_t bits, Element* values,
                                std::uint32_t* numbers) {
  Element lanes[sizeof x / sizeof(Element)];
  __builtin_memcpy(lanes, &x, sizeof x);
  for (; bits != 0; bits &= bits - 1) {
    const auto lane = static_cast<std::uint32_t>(__builtin_ctz(bits));
    *values++ = lanes[lane];
    *numbers++ = first + lane;
  }
}
#if defined(__AVX512F__)
SOFTMAX_INLINE void appendLanes(__m512 x, std::uint32_t first, std::uint32_t bits, float* values,
                                std::uint32_t* numbers) {
  const auto mask = static_cast<__mmask16>(bits);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i numbered = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first)));
  _mm512_storeu_ps(values, _mm512_maskz_compress_ps(mask, x));
  _mm512_storeu_si512(numbers, _mm512_maskz_compress_epi32(mask, numbered));
}
#endif

/// bitsAbove of any vector type: doubles are in two registers.
template <class V>
SOFTMAX_INLINE std::uint32_t above(typename V::Register x, typename V::Register limit) {
  if constexpr (sizeof(typename V::Element) == sizeof(double) && V::width > 1)
    return doubleBitsAbove(x.low, limit.low) | doubleBitsAbove(x.high, limit.high) << V::width / 2;
  else
    return bitsAbove(x, limit);
}

/// Sums of lanes' bits as integers, modulo 2^32: for floats that count units in the low bits of their
/// mantissas.
SOFTMAX_INLINE float addBits(float a, float b) {
  std::uint32_t bits_a, bits_b;
  __builtin_memcpy(&bits_a, &a, sizeof a);
  __builtin_memcpy(&bits_b, &b, sizeof b);
  bits_a += bits_b;
  __builtin_memcpy(&a, &bits_a, sizeof a);
  return a;
}
#if defined(__AVX512F__)
SOFTMAX_INLINE __m512 addBits(__m512 a, __m512 b) {
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
#elif defined(__AVX2__)
SOFTMAX_INLINE __m256 addBits(__m256 a, __m256 b) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
#elif defined(__aarch64__)
SOFTMAX_INLINE float32x4_t addBits(float32x4_t a, float32x4_t b) {
  return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}
#elif defined(__wasm_simd128__)
SOFTMAX_INLINE v128_t addBits(v128_t a, v128_t b) {
  return wasm_i32x4_add(a, b);
}
#endif

}  // namespace
