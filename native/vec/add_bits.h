// Sums of lanes' bits as integers, modulo 2^32: for floats that count units in the low bits of their
// mantissas.
#pragma once

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
