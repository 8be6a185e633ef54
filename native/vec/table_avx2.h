// Looking a double up in a table by AVX2, which permutes no doubles by numbers in a register.
#pragma once

#include <immintrin.h>

#include "inline.h"

namespace {

/// Of 8 entries those whose numbers are in the lowest bits.
SOFTMAX_INLINE __m256d entriesOf8(const double* table, __m256i bits) {
  // Entry j has the 32 bits of numbers 2 j and 2 j + 1, of which the permutation takes the lowest 3 bits.
  const __m256i twice = _mm256_shuffle_epi32(_mm256_add_epi32(bits, bits), 0xA0);
  const __m256i numbers = _mm256_or_si256(twice, _mm256_set1_epi64x(0x0000000100000000));
  const auto half = [=](const double* from) SOFTMAX_INLINE_LAMBDA {
    const __m256i entries = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(entries, numbers));
  };
  // The third bit, as a sign.
  const __m256d is_high = _mm256_castsi256_pd(_mm256_slli_epi64(bits, 61));
  return _mm256_blendv_pd(half(table), half(table + 4), is_high);
}

}  // namespace
