// The NEON (AArch64 Advanced SIMD) vector type: 4 float lanes, and as many double lanes in two registers.
//
//   intrinsic            latency  pipes (Neoverse N1)
//   fma / add / mul      4 2 3    V0 V1
//   maxnm, cmge, bsl     2        V0 V1
//   shl                  2        V1
//   fcvtl                3        V0
//
// Everything is in an anonymous namespace, as in the other ISAs' headers.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Neon {
  using Float = float32x4_t;
  struct Double {
    float64x2_t low, high;
  };
  static constexpr std::size_t width = 4;

  static Float broadcast(float value) { return vdupq_n_f32(value); }
  static Float load(const float* from) { return vld1q_f32(from); }
  static void store(float* to, Float value) { vst1q_f32(to, value); }
  /// The first `count` (1 to 3) lanes from memory, `fill` in the others. Reads nothing beyond them.
  static Float loadPartial(const float* from, std::size_t count, float fill) {
    float lanes[width] = {from[0], fill, fill, fill};
    if (count > 1) lanes[1] = from[1];
    if (count > 2) lanes[2] = from[2];
    return load(lanes);
  }
  static void storePartial(float* to, Float value, std::size_t count) {
    to[0] = vgetq_lane_f32(value, 0);
    if (count > 1) to[1] = vgetq_lane_f32(value, 1);
    if (count > 2) to[2] = vgetq_lane_f32(value, 2);
  }

  static Float add(Float a, Float b) { return vaddq_f32(a, b); }
  static Float subtract(Float a, Float b) { return vsubq_f32(a, b); }
  static Float multiply(Float a, Float b) { return vmulq_f32(a, b); }
  static Float multiplyAdd(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }
  /// Drops a quiet NaN (FMAXNM). FMAX would keep it.
  static Float maximum(Float a, Float b) { return vmaxnmq_f32(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  static Float keepUnlessBelow(Float value, Float x, Float limit) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), vcltq_f32(x, limit)));
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  static Float selectAtLeast(Float x, Float limit, Float value, Float otherwise) {
    return vbslq_f32(vcgeq_f32(x, limit), value, otherwise);
  }
  /// Every NaN becomes 0x7FC00000.
  static Float canonicalNan(Float value) {
    return vbslq_f32(vceqq_f32(value, value), value, vreinterpretq_f32_u32(vdupq_n_u32(0x7FC00000u)));
  }
  static Float clearLane(Float value, std::size_t lane) {
    const std::uint32_t indices[width] = {0, 1, 2, 3};
    const uint32x4_t is_lane = vceqq_u32(vld1q_u32(indices), vdupq_n_u32(static_cast<std::uint32_t>(lane)));
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), is_lane));
  }
  /// p · 2^(k − 127), where k sits in the low bits of z's mantissa (kernels/exp.h).
  static Float scaleByMantissa(Float p, Float z) {
    return vmulq_f32(p, vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(z), 23)));
  }
  static float laneMaximum(Float value) { return vmaxnmvq_f32(value); }

  static Double widen(Float value) { return {vcvt_f64_f32(vget_low_f32(value)), vcvt_high_f64_f32(value)}; }
  static Float narrow(Double value) { return vcvt_high_f32_f64(vcvt_f32_f64(value.low), value.high); }
  static Double broadcast(double value) { return {vdupq_n_f64(value), vdupq_n_f64(value)}; }
  static Double add(Double a, Double b) { return {vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)}; }
  static Double subtract(Double a, Double b) { return {vsubq_f64(a.low, b.low), vsubq_f64(a.high, b.high)}; }
  static Double multiply(Double a, Double b) { return {vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)}; }
  static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {keepUnlessBelow(value.low, x.low, limit.low), keepUnlessBelow(value.high, x.high, limit.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  static Double scaleByMantissa(Double p, Double z) {
    return {scaleByMantissa(p.low, z.low), scaleByMantissa(p.high, z.high)};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  static double laneSum(Double value) {
    const float64x2_t by2 = vaddq_f64(value.low, value.high);
    return vgetq_lane_f64(by2, 0) + vgetq_lane_f64(by2, 1);
  }

 private:
  static float64x2_t keepUnlessBelow(float64x2_t value, float64x2_t x, float64x2_t limit) {
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(value), vcltq_f64(x, limit)));
  }
  static float64x2_t scaleByMantissa(float64x2_t p, float64x2_t z) {
    return vmulq_f64(p, vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(z), 52)));
  }
};

}  // namespace
