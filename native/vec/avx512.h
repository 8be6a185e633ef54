// The AVX-512 vector type: 16 float lanes, and as many double lanes in two registers.
//
//   intrinsic            latency  ports (Intel)  ports (Zen 4, 2 passes)
//   fmadd / add / mul    4        p0 p5          FP0-3
//   max, cmp to mask     4, 3     p0 p5, p5      FP0-1
//   cvtps_pd             7        p0 p5 (2)      FP2-3
//
// Everything is in an anonymous namespace: no symbol compiled with AVX-512 may be shared with code that has
// to run elsewhere (see CONTRIBUTING, "ISA objects").
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns about the undefined registers inside its own AVX-512 intrinsics (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

#include "inline.h"
#include "rows_avx512.h"

namespace {

struct Avx512 {
  using Element = float;
  using Register = __m512;
  struct Double {
    __m512d low, high;
  };
  static constexpr std::size_t width = 16;
  static constexpr bool has_stream = true;

  /// The value as it is, for the compiler something new: it does not load it again for each use.
  SOFTMAX_INLINE static Register once(Register value) {
    __asm__("" : "+v"(value));
    return value;
  }
  SOFTMAX_INLINE static Register broadcast(float value) { return _mm512_set1_ps(value); }
  SOFTMAX_INLINE static Register load(const float* from) { return _mm512_loadu_ps(from); }
  SOFTMAX_INLINE static void store(float* to, Register value) { _mm512_storeu_ps(to, value); }
  /// The first `count` (1 to 15) lanes from memory, `fill` in the others. Reads nothing beyond them.
  SOFTMAX_INLINE static Register loadPartial(const float* from, std::size_t count, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(count), from);
  }
  SOFTMAX_INLINE static void storePartial(float* to, Register value, std::size_t count) {
    _mm512_mask_storeu_ps(to, first(count), value);
  }

  SOFTMAX_INLINE static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) { return _mm512_sub_ps(a, b); }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  SOFTMAX_INLINE static Register multiplyAdd(Register a, Register b, Register c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  SOFTMAX_INLINE static Register subtractProduct(Register c, Register a, Register b) {
    return _mm512_fnmadd_ps(a, b, c);
  }
  /// Drops a NaN in `a`: the instruction returns its second operand when the two do not compare.
  SOFTMAX_INLINE static Register maximum(Register a, Register b) { return _mm512_max_ps(a, b); }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) { return _mm512_min_ps(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), value);
  }
  /// value, and +0 where a = b.
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ), value);
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ), otherwise, value);
  }
  /// Every NaN becomes 0x7FC00000.
  SOFTMAX_INLINE static Register canonicalNan(Register value) {
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000));
    return _mm512_mask_mov_ps(value, _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), nan);
  }
  /// x where the lane's byte is not 0, else `fill`.
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return _mm512_mask_blend_ps(_mm_test_epi8_mask(mask, mask), fill, x);
  }
  /// x in the lanes whose bits are set, the lowest first, else `fill`.
  SOFTMAX_INLINE static Register keepBits(Register x, std::uint32_t bits, Register fill) {
    return _mm512_mask_blend_ps(static_cast<__mmask16>(bits), fill, x);
  }
  /// bits((z << 19) + table[z mod 16]), of the bits of z: a power of two and what is between two of them
  /// (kernels/exp.h).
  SOFTMAX_INLINE static Register powerByMantissa(const std::uint32_t* table, Register z) {
    const __m512i bits = _mm512_castps_si512(z);
    const __m512i entries = _mm512_permutexvar_epi32(bits, _mm512_loadu_si512(table));
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(bits, 19), entries));
  }
  SOFTMAX_INLINE static float laneMaximum(Register value) { return _mm512_reduce_max_ps(value); }

  SOFTMAX_INLINE static Register loadFloat16(const std::uint16_t* from) {
    return _mm512_cvtph_ps(halves(from));
  }
  /// Rounds to nearest even. A NaN must be canonical.
  SOFTMAX_INLINE static void storeFloat16(std::uint16_t* to, Register value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  SOFTMAX_INLINE static Register loadBFloat16(const std::uint16_t* from) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves(from)), 16));
  }
  SOFTMAX_INLINE static void storeBFloat16(std::uint16_t* to, Register value) {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }

  SOFTMAX_INLINE static Double load(const double* from) {
    return {_mm512_loadu_pd(from), _mm512_loadu_pd(from + 8)};
  }
  SOFTMAX_INLINE static void store(double* to, Double value) {
    _mm512_storeu_pd(to, value.low);
    _mm512_storeu_pd(to + 8, value.high);
  }
  SOFTMAX_INLINE static Double loadPartial(const double* from, std::size_t count, double fill) {
    const __m512d fills = _mm512_set1_pd(fill);
    return {_mm512_mask_loadu_pd(fills, static_cast<__mmask8>(first(count)), from),
            _mm512_mask_loadu_pd(fills, static_cast<__mmask8>(first(count) >> 8), from + 8)};
  }
  SOFTMAX_INLINE static void storePartial(double* to, Double value, std::size_t count) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first(count)), value.low);
    _mm512_mask_storeu_pd(to + 8, static_cast<__mmask8>(first(count) >> 8), value.high);
  }
  SOFTMAX_INLINE static Double maximum(Double a, Double b) {
    return {_mm512_max_pd(a.low, b.low), _mm512_max_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double selectAtLeast(Double x, Double limit, Double value, Double otherwise) {
    return {
        _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x.low, limit.low, _CMP_GE_OQ), otherwise.low, value.low),
        _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x.high, limit.high, _CMP_GE_OQ), otherwise.high, value.high)};
  }
  /// Every NaN becomes 0x7FF8000000000000.
  SOFTMAX_INLINE static Double canonicalNan(Double value) {
    const __m512d nan = _mm512_castsi512_pd(_mm512_set1_epi64(0x7FF8000000000000));
    return {_mm512_mask_mov_pd(value.low, _mm512_cmp_pd_mask(value.low, value.low, _CMP_UNORD_Q), nan),
            _mm512_mask_mov_pd(value.high, _mm512_cmp_pd_mask(value.high, value.high, _CMP_UNORD_Q), nan)};
  }
  SOFTMAX_INLINE static double firstLane(Double value) { return _mm512_cvtsd_f64(value.low); }
  SOFTMAX_INLINE static double laneMaximum(Double v) {
    return _mm512_reduce_max_pd(_mm512_max_pd(v.low, v.high));
  }

  /// Past the caches, to an address aligned to 64 bytes; ordered by the next fence.
  SOFTMAX_INLINE static void stream(float* to, Register value) { _mm512_stream_ps(to, value); }
  SOFTMAX_INLINE static void stream(double* to, Double value) {
    _mm512_stream_pd(to, value.low);
    _mm512_stream_pd(to + 8, value.high);
  }
  SOFTMAX_INLINE static void fence() { _mm_sfence(); }
  /// As doubles.
  SOFTMAX_INLINE static Double loadWide(const float* from) {
    return {_mm512_cvtps_pd(_mm256_loadu_ps(from)), _mm512_cvtps_pd(_mm256_loadu_ps(from + 8))};
  }
  SOFTMAX_INLINE static Double widen(Register value) {
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(value)),
            _mm512_cvtps_pd(_mm512_extractf32x8_ps(value, 1))};
  }
  SOFTMAX_INLINE static Register narrow(Double value) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(value.low)), _mm512_cvtpd_ps(value.high),
                              1);
  }
  SOFTMAX_INLINE static Double broadcast(double value) {
    return {_mm512_set1_pd(value), _mm512_set1_pd(value)};
  }
  SOFTMAX_INLINE static Double add(Double a, Double b) {
    return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) {
    return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) {
    return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiplyAdd(Double a, Double b, Double c) {
    return {_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
  }
  SOFTMAX_INLINE static Double minimum(Double a, Double b) {
    return {_mm512_min_pd(a.low, b.low), _mm512_min_pd(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double divide(Double a, Double b) {
    return {_mm512_div_pd(a.low, b.low), _mm512_div_pd(a.high, b.high)};
  }
  /// Whether every lane of x is at least its limit. A NaN is not.
  SOFTMAX_INLINE static bool allAtLeast(Double x, Double limit) {
    return (_mm512_cmp_pd_mask(x.low, limit.low, _CMP_GE_OQ) &
            _mm512_cmp_pd_mask(x.high, limit.high, _CMP_GE_OQ)) == 0xFF;
  }
  /// floor(log2 x), for positive normal numbers.
  SOFTMAX_INLINE static Double exponentOf(Double x) {
    return {_mm512_getexp_pd(x.low), _mm512_getexp_pd(x.high)};
  }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.low, limit.low, _CMP_NLT_UQ), value.low),
            _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.high, limit.high, _CMP_NLT_UQ), value.high)};
  }
  SOFTMAX_INLINE static Double clearWhereEqual(Double value, Double a, Double b) {
    return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a.low, b.low, _CMP_NEQ_UQ), value.low),
            _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a.high, b.high, _CMP_NEQ_UQ), value.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByMantissa(Double p, Double z) {
    return {_mm512_mul_pd(p.low, _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(z.low), 52))),
            _mm512_mul_pd(p.high, _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(z.high), 52)))};
  }
  /// p · 2^(k − 1023), where 8 k + j, 0 <= j < 8, sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByEighths(Double p, Double z) {
    const auto half = [](__m512d of, __m512d by) SOFTMAX_INLINE_LAMBDA {
      const __m512i field = _mm512_set1_epi64(0x7FF0000000000000);
      const __m512i power = _mm512_and_si512(_mm512_slli_epi64(_mm512_castpd_si512(by), 49), field);
      return _mm512_mul_pd(of, _mm512_castsi512_pd(power));
    };
    return {half(p.low, z.low), half(p.high, z.high)};
  }
  /// table[z mod 8], of the bits of z.
  SOFTMAX_INLINE static Double entryByMantissa(const double* table, Double z) {
    const __m512d entries = _mm512_loadu_pd(table);
    return {_mm512_permutexvar_pd(_mm512_castpd_si512(z.low), entries),
            _mm512_permutexvar_pd(_mm512_castpd_si512(z.high), entries)};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  SOFTMAX_INLINE static double laneSum(Double value) {
    const __m512d by8 = _mm512_add_pd(value.low, value.high);
    const __m256d by4 = _mm256_add_pd(_mm512_castpd512_pd256(by8), _mm512_extractf64x4_pd(by8, 1));
    const __m128d by2 = _mm_add_pd(_mm256_castpd256_pd128(by4), _mm256_extractf128_pd(by4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(by2, _mm_unpackhi_pd(by2, by2)));
  }

  /// laneMaximum of each of 16 rows.
  SOFTMAX_INLINE static Register maxima(const Register* rows) { return maximaOf16(rows); }
  /// laneSum of each of 16 rows.
  SOFTMAX_INLINE static Double sums(const Double* rows) { return {sumsOf8(rows), sumsOf8(rows + 8)}; }

  /// Four elements of each of `width` rows, `stride` elements apart: columns[c] has element c of each.
  SOFTMAX_INLINE static void loadRows(const float* from, std::size_t stride, Register* columns) {
    __m512 rows[4];
    for (std::size_t j = 0; j < 4; ++j) {
      const float* row = from + j * stride;
      rows[j] = _mm512_castps128_ps512(_mm_loadu_ps(row));
      rows[j] = _mm512_insertf32x4(rows[j], _mm_loadu_ps(row + 4 * stride), 1);
      rows[j] = _mm512_insertf32x4(rows[j], _mm_loadu_ps(row + 8 * stride), 2);
      rows[j] = _mm512_insertf32x4(rows[j], _mm_loadu_ps(row + 12 * stride), 3);
    }
    transpose(rows, columns);
  }
  SOFTMAX_INLINE static void storeRows(float* to, std::size_t stride, const Register* columns) {
    __m512 rows[4];
    transpose(columns, rows);
    for (std::size_t j = 0; j < 4; ++j) {
      float* row = to + j * stride;
      _mm_storeu_ps(row, _mm512_castps512_ps128(rows[j]));
      _mm_storeu_ps(row + 4 * stride, _mm512_extractf32x4_ps(rows[j], 1));
      _mm_storeu_ps(row + 8 * stride, _mm512_extractf32x4_ps(rows[j], 2));
      _mm_storeu_ps(row + 12 * stride, _mm512_extractf32x4_ps(rows[j], 3));
    }
  }
  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t stride, Double* columns) {
    __m512d rows[4], transposed[4];
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t j = 0; j < 4; ++j) {
        const double* row = from + (8 * half + j) * stride;
        rows[j] = _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(row)),
                                     _mm256_loadu_pd(row + 4 * stride), 1);
      }
      transpose(rows, transposed);
      for (std::size_t c = 0; c < 4; ++c) (half == 0 ? columns[c].low : columns[c].high) = transposed[c];
    }
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t stride, const Double* columns) {
    __m512d rows[4], transposed[4];
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t c = 0; c < 4; ++c) transposed[c] = half == 0 ? columns[c].low : columns[c].high;
      transpose(transposed, rows);
      for (std::size_t j = 0; j < 4; ++j) {
        double* row = to + (8 * half + j) * stride;
        _mm256_storeu_pd(row, _mm512_castpd512_pd256(rows[j]));
        _mm256_storeu_pd(row + 4 * stride, _mm512_extractf64x4_pd(rows[j], 1));
      }
    }
  }

 private:
  SOFTMAX_INLINE static __m256i halves(const std::uint16_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  SOFTMAX_INLINE static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
};

}  // namespace
