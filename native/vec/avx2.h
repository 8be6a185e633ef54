// The AVX2 + FMA vector type: 8 float lanes, and as many double lanes in two registers.
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

namespace {

struct Avx2 {
  using Float = __m256;
  struct Double {
    __m256d low, high;
  };
  static constexpr std::size_t width = 8;

  static Float broadcast(float value) { return _mm256_set1_ps(value); }
  static Float load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Float value) { _mm256_storeu_ps(to, value); }
  /// The first `count` (1 to 7) lanes from memory, `fill` in the others. Reads nothing beyond them.
  static Float loadPartial(const float* from, std::size_t count, float fill) {
    const __m256i mask = first(count);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask));
  }
  static void storePartial(float* to, Float value, std::size_t count) {
    _mm256_maskstore_ps(to, first(count), value);
  }

  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float multiplyAdd(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  /// Drops a NaN in `a`: the instruction returns its second operand when the two do not compare.
  static Float maximum(Float a, Float b) { return _mm256_max_ps(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  static Float keepUnlessBelow(Float value, Float x, Float limit) {
    return _mm256_and_ps(_mm256_cmp_ps(x, limit, _CMP_NLT_UQ), value);
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  static Float selectAtLeast(Float x, Float limit, Float value, Float otherwise) {
    return _mm256_blendv_ps(otherwise, value, _mm256_cmp_ps(x, limit, _CMP_GE_OQ));
  }
  /// Every NaN becomes 0x7FC00000.
  static Float canonicalNan(Float value) {
    const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000));
    return _mm256_blendv_ps(value, nan, _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
  }
  static Float clearLane(Float value, std::size_t lane) {
    const __m256i others = _mm256_cmpeq_epi32(lanes(), _mm256_set1_epi32(static_cast<int>(lane)));
    return _mm256_andnot_ps(_mm256_castsi256_ps(others), value);
  }
  /// p · 2^(k − 127), where k sits in the low bits of z's mantissa (kernels/exp.h).
  static Float scaleByMantissa(Float p, Float z) {
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(z), 23)));
  }
  static float laneMaximum(Float value) {
    const __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    const __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_max_ss(by2, _mm_shuffle_ps(by2, by2, 1)));
  }

  static Double widen(Float value) {
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(value)), _mm256_cvtps_pd(_mm256_extractf128_ps(value, 1))};
  }
  static Float narrow(Double value) {
    return _mm256_set_m128(_mm256_cvtpd_ps(value.high), _mm256_cvtpd_ps(value.low));
  }
  static Double broadcast(double value) { return {_mm256_set1_pd(value), _mm256_set1_pd(value)}; }
  static Double add(Double a, Double b) {
    return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
  }
  static Double subtract(Double a, Double b) {
    return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
  }
  static Double multiply(Double a, Double b) {
    return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
  }
  static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {_mm256_and_pd(_mm256_cmp_pd(x.low, limit.low, _CMP_NLT_UQ), value.low),
            _mm256_and_pd(_mm256_cmp_pd(x.high, limit.high, _CMP_NLT_UQ), value.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  static Double scaleByMantissa(Double p, Double z) {
    return {_mm256_mul_pd(p.low, _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(z.low), 52))),
            _mm256_mul_pd(p.high, _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(z.high), 52)))};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  static double laneSum(Double value) {
    const __m256d by4 = _mm256_add_pd(value.low, value.high);
    const __m128d by2 = _mm_add_pd(_mm256_castpd256_pd128(by4), _mm256_extractf128_pd(by4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(by2, _mm_unpackhi_pd(by2, by2)));
  }

 private:
  static __m256i lanes() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
  static __m256i first(std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes());
  }
};

}  // namespace
