// The AVX2 + FMA + F16C vector type: 8 float lanes, and as many double lanes in two registers.
//
//   intrinsic            latency  ports (Intel)  ports (Zen 3)
//   fmadd / add / mul    4        p0 p1          FP0-1 / FP2-3 / FP0-1
//   max, cmp             4        p0 p1          FP0-1
//   and                  1        p0 p1 p5       FP0-3
//   slli_epi32           1        p0 p1          FP1-2
//   cvtps_pd             7        p0 p1 + p5     FP2-3
//
// Everything is in an anonymous namespace: no symbol compiled with AVX2 may be shared with code that has to
// run elsewhere (see CONTRIBUTING, "ISA objects").
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "inline.h"
#include "rows_avx2.h"
#include "table_avx2.h"

namespace {

struct Avx2 {
  using Element = float;
  using Register = __m256;
  struct Double {
    __m256d low, high;
  };
  static constexpr std::size_t width = 8;
  static constexpr bool has_stream = true;

  /// The value as it is, for the compiler something new: it does not load it again for each use.
  SOFTMAX_INLINE static Register once(Register value) {
    __asm__("" : "+x"(value));
    return value;
  }
  SOFTMAX_INLINE static Register broadcast(float value) { return _mm256_set1_ps(value); }
  SOFTMAX_INLINE static Register load(const float* from) { return _mm256_loadu_ps(from); }
  SOFTMAX_INLINE static void store(float* to, Register value) { _mm256_storeu_ps(to, value); }
  /// The first `count` (1 to 7) lanes from memory, `fill` in the others. Reads nothing beyond them.
  SOFTMAX_INLINE static Register loadPartial(const float* from, std::size_t count, float fill) {
    const __m256i mask = first(count);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask));
  }
  SOFTMAX_INLINE static void storePartial(float* to, Register value, std::size_t count) {
    _mm256_maskstore_ps(to, first(count), value);
  }

  SOFTMAX_INLINE static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) { return _mm256_sub_ps(a, b); }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  SOFTMAX_INLINE static Register multiplyAdd(Register a, Register b, Register c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  SOFTMAX_INLINE static Register subtractProduct(Register c, Register a, Register b) {
    return _mm256_fnmadd_ps(a, b, c);
  }
  /// Drops a NaN in `a`: the instruction returns its second operand when the two do not compare.
  SOFTMAX_INLINE static Register maximum(Register a, Register b) { return _mm256_max_ps(a, b); }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) { return _mm256_min_ps(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return _mm256_and_ps(_mm256_cmp_ps(x, limit, _CMP_NLT_UQ), value);
  }
  /// value, and +0 where a = b.
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ), value);
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return _mm256_blendv_ps(otherwise, value, _mm256_cmp_ps(x, limit, _CMP_GE_OQ));
  }
  /// Every NaN becomes 0x7FC00000.
  SOFTMAX_INLINE static Register canonicalNan(Register value) {
    const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000));
    return _mm256_blendv_ps(value, nan, _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
  }
  /// x where the lane's byte is not 0, else `fill`.
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const __m256i mask = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
    const __m256i dropped = _mm256_cmpeq_epi32(mask, _mm256_setzero_si256());
    return _mm256_blendv_ps(x, fill, _mm256_castsi256_ps(dropped));
  }
  /// x in the lanes whose bits are set, the lowest first, else `fill`.
  SOFTMAX_INLINE static Register keepBits(Register x, std::uint32_t bits, Register fill) {
    const __m256i lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), lanes);
    return _mm256_blendv_ps(fill, x, _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lanes)));
  }
  /// bits((z << 19) + table[z mod 16]), of the bits of z: a power of two and what is between two of them
  /// (kernels/exp.h).
  SOFTMAX_INLINE static Register powerByMantissa(const std::uint32_t* table, Register z) {
    const __m256i bits = _mm256_castps_si256(z);
    const auto* halves = reinterpret_cast<const __m256i*>(table);
    const __m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(halves), bits);
    const __m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(halves + 1), bits);
    // The fourth bit, as a sign.
    const __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 28));
    const __m256 entries = _mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), is_high);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(bits, 19), _mm256_castps_si256(entries)));
  }
  SOFTMAX_INLINE static float laneMaximum(Register value) {
    const __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    const __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_max_ss(by2, _mm_shuffle_ps(by2, by2, 1)));
  }

  SOFTMAX_INLINE static Register loadFloat16(const std::uint16_t* from) {
    return _mm256_cvtph_ps(halves(from));
  }
  /// Rounds to nearest even. A NaN must be canonical.
  SOFTMAX_INLINE static void storeFloat16(std::uint16_t* to, Register value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  SOFTMAX_INLINE static Register loadBFloat16(const std::uint16_t* from) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves(from)), 16));
  }
  SOFTMAX_INLINE static void storeBFloat16(std::uint16_t* to, Register value) {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256i upper = _mm256_srli_epi32(rounded, 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
  }

  SOFTMAX_INLINE static Double load(const double* from) {
    return {_mm256_loadu_pd(from), _mm256_loadu_pd(from + 4)};
  }
  SOFTMAX_INLINE static void store(double* to, Double value) {
    _mm256_storeu_pd(to, value.low);
    _mm256_storeu_pd(to + 4, value.high);
  }
  SOFTMAX_INLINE static Double loadPartial(const double* from, std::size_t count, double fill) {
    const __m256d fills = _mm256_set1_pd(fill);
    const __m256i low = firstDoubles(count, 0), high = firstDoubles(count, 4);
    return {_mm256_blendv_pd(fills, _mm256_maskload_pd(from, low), _mm256_castsi256_pd(low)),
            _mm256_blendv_pd(fills, _mm256_maskload_pd(from + 4, high), _mm256_castsi256_pd(high))};
  }
  SOFTMAX_INLINE static void storePartial(double* to, Double value, std::size_t count) {
    _mm256_maskstore_pd(to, firstDoubles(count, 0), value.low);
    _mm256_maskstore_pd(to + 4, firstDoubles(count, 4), value.high);
  }
  SOFTMAX_INLINE static Double maximum(Double a, Double b) {
    return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double selectAtLeast(Double x, Double limit, Double value, Double otherwise) {
    return {_mm256_blendv_pd(otherwise.low, value.low, _mm256_cmp_pd(x.low, limit.low, _CMP_GE_OQ)),
            _mm256_blendv_pd(otherwise.high, value.high, _mm256_cmp_pd(x.high, limit.high, _CMP_GE_OQ))};
  }
  /// Every NaN becomes 0x7FF8000000000000.
  SOFTMAX_INLINE static Double canonicalNan(Double value) {
    const __m256d nan = _mm256_castsi256_pd(_mm256_set1_epi64x(0x7FF8000000000000));
    return {_mm256_blendv_pd(value.low, nan, _mm256_cmp_pd(value.low, value.low, _CMP_UNORD_Q)),
            _mm256_blendv_pd(value.high, nan, _mm256_cmp_pd(value.high, value.high, _CMP_UNORD_Q))};
  }
  SOFTMAX_INLINE static double firstLane(Double value) { return _mm256_cvtsd_f64(value.low); }
  SOFTMAX_INLINE static double laneMaximum(Double value) {
    const __m256d by4 = _mm256_max_pd(value.low, value.high);
    const __m128d by2 = _mm_max_pd(_mm256_castpd256_pd128(by4), _mm256_extractf128_pd(by4, 1));
    return _mm_cvtsd_f64(_mm_max_sd(by2, _mm_unpackhi_pd(by2, by2)));
  }

  /// Past the caches, to an address aligned to 32 bytes; ordered by the next fence.
  SOFTMAX_INLINE static void stream(float* to, Register value) { _mm256_stream_ps(to, value); }
  SOFTMAX_INLINE static void stream(double* to, Double value) {
    _mm256_stream_pd(to, value.low);
    _mm256_stream_pd(to + 4, value.high);
  }
  SOFTMAX_INLINE static void fence() { _mm_sfence(); }
  /// As doubles.
  SOFTMAX_INLINE static Double loadWide(const float* from) {
    return {_mm256_cvtps_pd(_mm_loadu_ps(from)), _mm256_cvtps_pd(_mm_loadu_ps(from + 4))};
  }
  SOFTMAX_INLINE static Double widen(Register value) {
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(value)), _mm256_cvtps_pd(_mm256_extractf128_ps(value, 1))};
  }
  SOFTMAX_INLINE static Register narrow(Double value) {
    return _mm256_set_m128(_mm256_cvtpd_ps(value.high), _mm256_cvtpd_ps(value.low));
  }
  SOFTMAX_INLINE static Double broadcast(double value) {
    return {_mm256_set1_pd(value), _mm256_set1_pd(value)};
  }
  SOFTMAX_INLINE static Double add(Double a, Double b) {
    return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) {
    return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) {
    return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiplyAdd(Double a, Double b, Double c) {
    return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
  }
  SOFTMAX_INLINE static Double minimum(Double a, Double b) {
    return {_mm256_min_pd(a.low, b.low), _mm256_min_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double divide(Double a, Double b) {
    return {_mm256_div_pd(a.low, b.low), _mm256_div_pd(a.high, b.high)};
  }
  /// Whether every lane of x is at least its limit. A NaN is not.
  SOFTMAX_INLINE static bool allAtLeast(Double x, Double limit) {
    const __m256d low = _mm256_cmp_pd(x.low, limit.low, _CMP_GE_OQ);
    return _mm256_movemask_pd(_mm256_and_pd(low, _mm256_cmp_pd(x.high, limit.high, _CMP_GE_OQ))) == 0xF;
  }
  /// floor(log2 x), for positive normal numbers.
  SOFTMAX_INLINE static Double exponentOf(Double x) { return {exponentOf(x.low), exponentOf(x.high)}; }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {_mm256_and_pd(_mm256_cmp_pd(x.low, limit.low, _CMP_NLT_UQ), value.low),
            _mm256_and_pd(_mm256_cmp_pd(x.high, limit.high, _CMP_NLT_UQ), value.high)};
  }
  SOFTMAX_INLINE static Double clearWhereEqual(Double value, Double a, Double b) {
    return {_mm256_and_pd(_mm256_cmp_pd(a.low, b.low, _CMP_NEQ_UQ), value.low),
            _mm256_and_pd(_mm256_cmp_pd(a.high, b.high, _CMP_NEQ_UQ), value.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByMantissa(Double p, Double z) {
    return {_mm256_mul_pd(p.low, _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(z.low), 52))),
            _mm256_mul_pd(p.high, _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(z.high), 52)))};
  }
  /// p · 2^(k − 1023), where 8 k + j, 0 <= j < 8, sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByEighths(Double p, Double z) {
    const auto half = [](__m256d of, __m256d by) SOFTMAX_INLINE_LAMBDA {
      const __m256i field = _mm256_set1_epi64x(0x7FF0000000000000);
      const __m256i power = _mm256_and_si256(_mm256_slli_epi64(_mm256_castpd_si256(by), 49), field);
      return _mm256_mul_pd(of, _mm256_castsi256_pd(power));
    };
    return {half(p.low, z.low), half(p.high, z.high)};
  }
  /// table[z mod 8], of the bits of z.
  SOFTMAX_INLINE static Double entryByMantissa(const double* table, Double z) {
    return {entriesOf8(table, _mm256_castpd_si256(z.low)), entriesOf8(table, _mm256_castpd_si256(z.high))};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  SOFTMAX_INLINE static double laneSum(Double value) {
    const __m256d by4 = _mm256_add_pd(value.low, value.high);
    const __m128d by2 = _mm_add_pd(_mm256_castpd256_pd128(by4), _mm256_extractf128_pd(by4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(by2, _mm_unpackhi_pd(by2, by2)));
  }

  /// laneMaximum of each of 8 rows.
  SOFTMAX_INLINE static Register maxima(const Register* rows) { return maximaOf8(rows); }
  /// laneSum of each of 8 rows.
  SOFTMAX_INLINE static Double sums(const Double* rows) { return {sumsOf4(rows), sumsOf4(rows + 4)}; }

  /// Four elements of each of `width` rows, `stride` elements apart: columns[c] has element c of each.
  SOFTMAX_INLINE static void loadRows(const float* from, std::size_t stride, Register* columns) {
    __m256 rows[4];
    for (std::size_t j = 0; j < 4; ++j) {
      const float* row = from + j * stride;
      rows[j] = _mm256_set_m128(_mm_loadu_ps(row + 4 * stride), _mm_loadu_ps(row));
    }
    transpose(rows, columns);
  }
  SOFTMAX_INLINE static void storeRows(float* to, std::size_t stride, const Register* columns) {
    __m256 rows[4];
    transpose(columns, rows);
    for (std::size_t j = 0; j < 4; ++j) {
      _mm_storeu_ps(to + j * stride, _mm256_castps256_ps128(rows[j]));
      _mm_storeu_ps(to + (j + 4) * stride, _mm256_extractf128_ps(rows[j], 1));
    }
  }
  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t stride, Double* columns) {
    __m256d rows[4], transposed[4];
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t j = 0; j < 4; ++j) rows[j] = _mm256_loadu_pd(from + (4 * half + j) * stride);
      transpose(rows, transposed);
      for (std::size_t c = 0; c < 4; ++c) (half == 0 ? columns[c].low : columns[c].high) = transposed[c];
    }
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t stride, const Double* columns) {
    __m256d rows[4], transposed[4];
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t c = 0; c < 4; ++c) transposed[c] = half == 0 ? columns[c].low : columns[c].high;
      transpose(transposed, rows);
      for (std::size_t j = 0; j < 4; ++j) _mm256_storeu_pd(to + (4 * half + j) * stride, rows[j]);
    }
  }

 private:
  /// The exponent's bits below those of 2^52 are a number above it.
  SOFTMAX_INLINE static __m256d exponentOf(__m256d x) {
    const __m256i bits = _mm256_srli_epi64(_mm256_castpd_si256(x), 52);
    const __m256i biased = _mm256_or_si256(bits, _mm256_castpd_si256(_mm256_set1_pd(0x1p52)));
    return _mm256_sub_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(0x1p52 + 1023.0));
  }
  SOFTMAX_INLINE static __m128i halves(const std::uint16_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  SOFTMAX_INLINE static __m256i firstDoubles(std::size_t count, int begin) {
    const __m256i indices = _mm256_setr_epi64x(begin, begin + 1, begin + 2, begin + 3);
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(count)), indices);
  }
  SOFTMAX_INLINE static __m256i lanes() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
  SOFTMAX_INLINE static __m256i first(std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes());
  }
};

}  // namespace
