// The AVX-512 vector type: 16 float lanes, and as many double lanes in two registers.
//
//   intrinsic            latency  ports (Intel)  ports (Zen 4, 2 passes)
//   fmadd / add / mul    4        p0 p5          FP0-3
//   max, cmp to mask     4, 3     p0 p5, p5      FP0-1
//   slli_epi32           1        p0             FP1-2
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

namespace {

struct Avx512 {
  using Float = __m512;
  struct Double {
    __m512d low, high;
  };
  static constexpr std::size_t width = 16;

  static Float broadcast(float value) { return _mm512_set1_ps(value); }
  static Float load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Float value) { _mm512_storeu_ps(to, value); }
  /// The first `count` (1 to 15) lanes from memory, `fill` in the others. Reads nothing beyond them.
  static Float loadPartial(const float* from, std::size_t count, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(count), from);
  }
  static void storePartial(float* to, Float value, std::size_t count) {
    _mm512_mask_storeu_ps(to, first(count), value);
  }

  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float multiplyAdd(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  /// Drops a NaN in `a`: the instruction returns its second operand when the two do not compare.
  static Float maximum(Float a, Float b) { return _mm512_max_ps(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  static Float keepUnlessBelow(Float value, Float x, Float limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), value);
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  static Float selectAtLeast(Float x, Float limit, Float value, Float otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ), otherwise, value);
  }
  /// Every NaN becomes 0x7FC00000.
  static Float canonicalNan(Float value) {
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000));
    return _mm512_mask_mov_ps(value, _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), nan);
  }
  static Float clearLane(Float value, std::size_t lane) {
    return _mm512_maskz_mov_ps(static_cast<__mmask16>(~(1u << lane)), value);
  }
  /// p · 2^(k − 127), where k sits in the low bits of z's mantissa (kernels/exp.h).
  static Float scaleByMantissa(Float p, Float z) {
    return _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(z), 23)));
  }
  static float laneMaximum(Float value) { return _mm512_reduce_max_ps(value); }

  static Double widen(Float value) {
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(value)),
            _mm512_cvtps_pd(_mm512_extractf32x8_ps(value, 1))};
  }
  static Float narrow(Double value) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(value.low)), _mm512_cvtpd_ps(value.high),
                              1);
  }
  static Double broadcast(double value) { return {_mm512_set1_pd(value), _mm512_set1_pd(value)}; }
  static Double add(Double a, Double b) {
    return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
  }
  static Double subtract(Double a, Double b) {
    return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
  }
  static Double multiply(Double a, Double b) {
    return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
  }
  static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.low, limit.low, _CMP_NLT_UQ), value.low),
            _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.high, limit.high, _CMP_NLT_UQ), value.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  static Double scaleByMantissa(Double p, Double z) {
    return {_mm512_mul_pd(p.low, _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(z.low), 52))),
            _mm512_mul_pd(p.high, _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(z.high), 52)))};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  static double laneSum(Double value) {
    const __m512d by8 = _mm512_add_pd(value.low, value.high);
    const __m256d by4 = _mm256_add_pd(_mm512_castpd512_pd256(by8), _mm512_extractf64x4_pd(by8, 1));
    const __m128d by2 = _mm_add_pd(_mm256_castpd256_pd128(by4), _mm256_extractf128_pd(by4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(by2, _mm_unpackhi_pd(by2, by2)));
  }

 private:
  static __mmask16 first(std::size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
};

}  // namespace
