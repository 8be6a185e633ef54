// What the AVX-512 vector type does to several rows at once: transposing, and reducing each to one number.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "inline.h"

namespace {

/// The largest number of each of 16 rows.
SOFTMAX_INLINE __m512 maximaOf16(const __m512* rows) {
  const auto blocks = [](__m512 a, __m512 b) SOFTMAX_INLINE_LAMBDA {
    return _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  };
  __m512 by4[4], by2[2];
  for (std::size_t i = 0; i < 4; ++i) {
    const __m512 a = blocks(rows[i], rows[i + 4]), b = blocks(rows[i + 8], rows[i + 12]);
    by4[i] = _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  }
  for (std::size_t i = 0; i < 2; ++i)
    by2[i] = _mm512_max_ps(_mm512_shuffle_ps(by4[2 * i], by4[2 * i + 1], 0x44),
                           _mm512_shuffle_ps(by4[2 * i], by4[2 * i + 1], 0xEE));
  return _mm512_max_ps(_mm512_shuffle_ps(by2[0], by2[1], 0x88), _mm512_shuffle_ps(by2[0], by2[1], 0xDD));
}

/// laneSum of each of 8 rows. Double: two registers.
template <class Double>
SOFTMAX_INLINE __m512d sumsOf8(const Double* rows) {
  __m512d by2[2];
  for (std::size_t i = 0; i < 2; ++i) {
    __m512d by4[2];
    for (std::size_t j = 0; j < 2; ++j) {
      const Double *a = rows + 4 * j + i, *b = a + 2;
      const __m512d by8a = _mm512_add_pd(a->low, a->high), by8b = _mm512_add_pd(b->low, b->high);
      by4[j] = _mm512_add_pd(_mm512_shuffle_f64x2(by8a, by8b, 0x44), _mm512_shuffle_f64x2(by8a, by8b, 0xEE));
    }
    by2[i] =
        _mm512_add_pd(_mm512_shuffle_f64x2(by4[0], by4[1], 0x88), _mm512_shuffle_f64x2(by4[0], by4[1], 0xDD));
  }
  return _mm512_add_pd(_mm512_unpacklo_pd(by2[0], by2[1]), _mm512_unpackhi_pd(by2[0], by2[1]));
}

/// The 4 x 4 elements in each 128 bits (256 for double).
SOFTMAX_INLINE void transpose(const __m512* from, __m512* to) {
  const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(from[0], from[1]));
  const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(from[0], from[1]));
  const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(from[2], from[3]));
  const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(from[2], from[3]));
  to[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
  to[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
  to[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
  to[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
}
SOFTMAX_INLINE void transpose(const __m512d* from, __m512d* to) {
  const __m512d a = _mm512_unpacklo_pd(from[0], from[1]), b = _mm512_unpackhi_pd(from[0], from[1]);
  const __m512d c = _mm512_unpacklo_pd(from[2], from[3]), d = _mm512_unpackhi_pd(from[2], from[3]);
  const __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
  const __m512i upper = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  to[0] = _mm512_permutex2var_pd(a, lower, c);
  to[1] = _mm512_permutex2var_pd(b, lower, d);
  to[2] = _mm512_permutex2var_pd(a, upper, c);
  to[3] = _mm512_permutex2var_pd(b, upper, d);
}

}  // namespace
