// What the AVX2 vector type does to several rows at once: transposing, and reducing each to one number.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "inline.h"

namespace {

/// The largest number of each of 8 rows.
SOFTMAX_INLINE __m256 maximaOf8(const __m256* rows) {
  __m256 by4[4], by2[2];
  for (std::size_t i = 0; i < 4; ++i)
    by4[i] = _mm256_max_ps(_mm256_permute2f128_ps(rows[i], rows[i + 4], 0x20),
                           _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x31));
  for (std::size_t i = 0; i < 2; ++i)
    by2[i] = _mm256_max_ps(_mm256_shuffle_ps(by4[2 * i], by4[2 * i + 1], 0x44),
                           _mm256_shuffle_ps(by4[2 * i], by4[2 * i + 1], 0xEE));
  return _mm256_max_ps(_mm256_shuffle_ps(by2[0], by2[1], 0x88), _mm256_shuffle_ps(by2[0], by2[1], 0xDD));
}

/// laneSum of each of 4 rows. Double: two registers.
template <class Double>
SOFTMAX_INLINE __m256d sumsOf4(const Double* rows) {
  __m256d by2[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const __m256d a = _mm256_add_pd(rows[i].low, rows[i].high);
    const __m256d b = _mm256_add_pd(rows[i + 2].low, rows[i + 2].high);
    by2[i] = _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
  }
  return _mm256_add_pd(_mm256_unpacklo_pd(by2[0], by2[1]), _mm256_unpackhi_pd(by2[0], by2[1]));
}

/// The 4 x 4 elements in each 128 bits (256 for double).
SOFTMAX_INLINE void transpose(const __m256* from, __m256* to) {
  const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(from[0], from[1]));
  const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(from[0], from[1]));
  const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(from[2], from[3]));
  const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(from[2], from[3]));
  to[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
  to[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
  to[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
  to[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
}
SOFTMAX_INLINE void transpose(const __m256d* from, __m256d* to) {
  const __m256d a = _mm256_unpacklo_pd(from[0], from[1]), b = _mm256_unpackhi_pd(from[0], from[1]);
  const __m256d c = _mm256_unpacklo_pd(from[2], from[3]), d = _mm256_unpackhi_pd(from[2], from[3]);
  to[0] = _mm256_permute2f128_pd(a, c, 0x20);
  to[1] = _mm256_permute2f128_pd(b, d, 0x20);
  to[2] = _mm256_permute2f128_pd(a, c, 0x31);
  to[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

}  // namespace
