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

#include "inline.h"

namespace {

struct Neon {
  using Element = float;
  using Register = float32x4_t;
  struct Double {
    float64x2_t low, high;
  };
  static constexpr std::size_t width = 4;
  static constexpr bool has_stream = false;  // past the caches

  /// The value as it is, for the compiler something new: it does not load it again for each use.
  SOFTMAX_INLINE static Register once(Register value) {
    __asm__("" : "+w"(value));
    return value;
  }
  SOFTMAX_INLINE static Register broadcast(float value) { return vdupq_n_f32(value); }
  SOFTMAX_INLINE static Register load(const float* from) { return vld1q_f32(from); }
  SOFTMAX_INLINE static void store(float* to, Register value) { vst1q_f32(to, value); }
  /// The first `count` (1 to 3) lanes from memory, `fill` in the others. Reads nothing beyond them.
  SOFTMAX_INLINE static Register loadPartial(const float* from, std::size_t count, float fill) {
    float lanes[width] = {from[0], fill, fill, fill};
    if (count > 1) lanes[1] = from[1];
    if (count > 2) lanes[2] = from[2];
    return load(lanes);
  }
  SOFTMAX_INLINE static void storePartial(float* to, Register value, std::size_t count) {
    to[0] = vgetq_lane_f32(value, 0);
    if (count > 1) to[1] = vgetq_lane_f32(value, 1);
    if (count > 2) to[2] = vgetq_lane_f32(value, 2);
  }

  SOFTMAX_INLINE static Register add(Register a, Register b) { return vaddq_f32(a, b); }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) { return vsubq_f32(a, b); }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) { return vmulq_f32(a, b); }
  SOFTMAX_INLINE static Register multiplyAdd(Register a, Register b, Register c) {
    return vfmaq_f32(c, a, b);
  }
  SOFTMAX_INLINE static Register subtractProduct(Register c, Register a, Register b) {
    return vfmsq_f32(c, a, b);
  }
  /// Drops a quiet NaN (FMAXNM). FMAX would keep it.
  SOFTMAX_INLINE static Register maximum(Register a, Register b) { return vmaxnmq_f32(a, b); }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) { return vminnmq_f32(a, b); }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), vcltq_f32(x, limit)));
  }
  /// value, and +0 where a = b.
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), vceqq_f32(a, b)));
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return vbslq_f32(vcgeq_f32(x, limit), value, otherwise);
  }
  /// Every NaN becomes 0x7FC00000.
  SOFTMAX_INLINE static Register canonicalNan(Register value) {
    return vbslq_f32(vceqq_f32(value, value), value, vreinterpretq_f32_u32(vdupq_n_u32(0x7FC00000u)));
  }
  /// x where the lane's byte is not 0, else `fill`.
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const std::uint32_t lanes[width] = {bytes[0], bytes[1], bytes[2], bytes[3]};
    const uint32x4_t mask = vld1q_u32(lanes);
    return vbslq_f32(vtstq_u32(mask, mask), x, fill);
  }
  /// x in the lanes whose bits are set, the lowest first, else `fill`.
  SOFTMAX_INLINE static Register keepBits(Register x, std::uint32_t bits, Register fill) {
    static constexpr std::uint32_t lanes[width] = {1, 2, 4, 8};
    return vbslq_f32(vtstq_u32(vdupq_n_u32(bits), vld1q_u32(lanes)), x, fill);
  }
  /// bits((z << 19) + table[z mod 16]), of the bits of z: a power of two and what is between two of them
  /// (kernels/exp.h).
  SOFTMAX_INLINE static Register powerByMantissa(const std::uint32_t* table, Register z) {
    const uint32x4_t bits = vreinterpretq_u32_f32(z);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(table);
    const uint8x16x4_t all = {
        {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
    // The numbers of the four bytes of entry j: 4 j + (0, 1, 2, 3).
    const uint32x4_t numbers =
        vmlaq_n_u32(vdupq_n_u32(0x03020100), vandq_u32(bits, vdupq_n_u32(15)), 0x04040404);
    const uint32x4_t entries = vreinterpretq_u32_u8(vqtbl4q_u8(all, vreinterpretq_u8_u32(numbers)));
    return vreinterpretq_f32_u32(vaddq_u32(vshlq_n_u32(bits, 19), entries));
  }
  SOFTMAX_INLINE static float laneMaximum(Register value) { return vmaxnmvq_f32(value); }

  SOFTMAX_INLINE static Register loadFloat16(const std::uint16_t* from) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
  }
  /// Rounds to nearest even. A NaN must be canonical.
  SOFTMAX_INLINE static void storeFloat16(std::uint16_t* to, Register value) {
    vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(value)));
  }
  SOFTMAX_INLINE static Register loadBFloat16(const std::uint16_t* from) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(from), 16));
  }
  SOFTMAX_INLINE static void storeBFloat16(std::uint16_t* to, Register value) {
    const uint32x4_t bits = vreinterpretq_u32_f32(value);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    vst1_u16(to, vshrn_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF))), 16));
  }

  SOFTMAX_INLINE static Double load(const double* from) { return {vld1q_f64(from), vld1q_f64(from + 2)}; }
  SOFTMAX_INLINE static void store(double* to, Double value) {
    vst1q_f64(to, value.low);
    vst1q_f64(to + 2, value.high);
  }
  SOFTMAX_INLINE static Double loadPartial(const double* from, std::size_t count, double fill) {
    double lanes[width] = {from[0], fill, fill, fill};
    if (count > 1) lanes[1] = from[1];
    if (count > 2) lanes[2] = from[2];
    return load(lanes);
  }
  SOFTMAX_INLINE static void storePartial(double* to, Double value, std::size_t count) {
    to[0] = vgetq_lane_f64(value.low, 0);
    if (count > 1) to[1] = vgetq_lane_f64(value.low, 1);
    if (count > 2) to[2] = vgetq_lane_f64(value.high, 0);
  }
  SOFTMAX_INLINE static Double maximum(Double a, Double b) {
    return {vmaxnmq_f64(a.low, b.low), vmaxnmq_f64(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double selectAtLeast(Double x, Double limit, Double value, Double otherwise) {
    return {vbslq_f64(vcgeq_f64(x.low, limit.low), value.low, otherwise.low),
            vbslq_f64(vcgeq_f64(x.high, limit.high), value.high, otherwise.high)};
  }
  /// Every NaN becomes 0x7FF8000000000000.
  SOFTMAX_INLINE static Double canonicalNan(Double value) {
    const float64x2_t nan = vreinterpretq_f64_u64(vdupq_n_u64(0x7FF8000000000000u));
    return {vbslq_f64(vceqq_f64(value.low, value.low), value.low, nan),
            vbslq_f64(vceqq_f64(value.high, value.high), value.high, nan)};
  }
  SOFTMAX_INLINE static double firstLane(Double value) { return vgetq_lane_f64(value.low, 0); }
  SOFTMAX_INLINE static double laneMaximum(Double value) {
    return vmaxnmvq_f64(vmaxnmq_f64(value.low, value.high));
  }

  /// As doubles.
  SOFTMAX_INLINE static Double loadWide(const float* from) { return widen(load(from)); }
  SOFTMAX_INLINE static Double widen(Register value) {
    return {vcvt_f64_f32(vget_low_f32(value)), vcvt_high_f64_f32(value)};
  }
  SOFTMAX_INLINE static Register narrow(Double value) {
    return vcvt_high_f32_f64(vcvt_f32_f64(value.low), value.high);
  }
  SOFTMAX_INLINE static Double broadcast(double value) { return {vdupq_n_f64(value), vdupq_n_f64(value)}; }
  SOFTMAX_INLINE static Double add(Double a, Double b) {
    return {vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) {
    return {vsubq_f64(a.low, b.low), vsubq_f64(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) {
    return {vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiplyAdd(Double a, Double b, Double c) {
    return {vfmaq_f64(c.low, a.low, b.low), vfmaq_f64(c.high, a.high, b.high)};
  }
  SOFTMAX_INLINE static Double minimum(Double a, Double b) {
    return {vminnmq_f64(a.low, b.low), vminnmq_f64(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double divide(Double a, Double b) {
    return {vdivq_f64(a.low, b.low), vdivq_f64(a.high, b.high)};
  }
  /// Whether every lane of x is at least its limit. A NaN is not.
  SOFTMAX_INLINE static bool allAtLeast(Double x, Double limit) {
    const uint64x2_t both = vandq_u64(vcgeq_f64(x.low, limit.low), vcgeq_f64(x.high, limit.high));
    return vminvq_u32(vreinterpretq_u32_u64(both)) != 0;
  }
  /// floor(log2 x), for positive normal numbers.
  SOFTMAX_INLINE static Double exponentOf(Double x) { return {exponentOf(x.low), exponentOf(x.high)}; }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {keepUnlessBelow(value.low, x.low, limit.low), keepUnlessBelow(value.high, x.high, limit.high)};
  }
  SOFTMAX_INLINE static Double clearWhereEqual(Double value, Double a, Double b) {
    return {clearWhereEqual(value.low, a.low, b.low), clearWhereEqual(value.high, a.high, b.high)};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByMantissa(Double p, Double z) {
    return {scaleByMantissa(p.low, z.low), scaleByMantissa(p.high, z.high)};
  }
  /// p · 2^(k − 1023), where 8 k + j, 0 <= j < 8, sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByEighths(Double p, Double z) {
    return {scaleByEighths(p.low, z.low), scaleByEighths(p.high, z.high)};
  }
  /// table[z mod 8], of the bits of z.
  SOFTMAX_INLINE static Double entryByMantissa(const double* table, Double z) {
    return {entryByMantissa(table, z.low), entryByMantissa(table, z.high)};
  }
  /// Lane i with i + width / 2, and so on down to i + 1.
  SOFTMAX_INLINE static double laneSum(Double value) {
    const float64x2_t by2 = vaddq_f64(value.low, value.high);
    return vgetq_lane_f64(by2, 0) + vgetq_lane_f64(by2, 1);
  }

  /// laneMaximum of each of 4 rows.
  SOFTMAX_INLINE static Register maxima(const Register* rows) {
    return vpmaxnmq_f32(vpmaxnmq_f32(rows[0], rows[1]), vpmaxnmq_f32(rows[2], rows[3]));
  }
  /// laneSum of each of 4 rows.
  SOFTMAX_INLINE static Double sums(const Double* rows) {
    float64x2_t by2[4];
    for (std::size_t i = 0; i < 4; ++i) by2[i] = vaddq_f64(rows[i].low, rows[i].high);
    return {vpaddq_f64(by2[0], by2[1]), vpaddq_f64(by2[2], by2[3])};
  }

  /// Four elements of each of `width` rows, `stride` elements apart: columns[c] has element c of each.
  SOFTMAX_INLINE static void loadRows(const float* from, std::size_t stride, Register* columns) {
    Register rows[4];
    for (std::size_t j = 0; j < 4; ++j) rows[j] = vld1q_f32(from + j * stride);
    transpose(rows, columns);
  }
  SOFTMAX_INLINE static void storeRows(float* to, std::size_t stride, const Register* columns) {
    Register rows[4];
    transpose(columns, rows);
    for (std::size_t j = 0; j < 4; ++j) vst1q_f32(to + j * stride, rows[j]);
  }
  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t stride, Double* columns) {
    for (std::size_t c = 0; c < 4; c += 2) {
      const float64x2_t a = vld1q_f64(from + c), b = vld1q_f64(from + stride + c);
      const float64x2_t d = vld1q_f64(from + 2 * stride + c), e = vld1q_f64(from + 3 * stride + c);
      columns[c] = {vzip1q_f64(a, b), vzip1q_f64(d, e)};
      columns[c + 1] = {vzip2q_f64(a, b), vzip2q_f64(d, e)};
    }
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t stride, const Double* columns) {
    for (std::size_t c = 0; c < 4; c += 2) {
      const Double a = columns[c], b = columns[c + 1];
      vst1q_f64(to + c, vzip1q_f64(a.low, b.low));
      vst1q_f64(to + stride + c, vzip2q_f64(a.low, b.low));
      vst1q_f64(to + 2 * stride + c, vzip1q_f64(a.high, b.high));
      vst1q_f64(to + 3 * stride + c, vzip2q_f64(a.high, b.high));
    }
  }

 private:
  SOFTMAX_INLINE static void transpose(const Register* from, Register* to) {
    const float64x2_t a = vreinterpretq_f64_f32(vzip1q_f32(from[0], from[1]));
    const float64x2_t b = vreinterpretq_f64_f32(vzip2q_f32(from[0], from[1]));
    const float64x2_t c = vreinterpretq_f64_f32(vzip1q_f32(from[2], from[3]));
    const float64x2_t d = vreinterpretq_f64_f32(vzip2q_f32(from[2], from[3]));
    to[0] = vreinterpretq_f32_f64(vzip1q_f64(a, c));
    to[1] = vreinterpretq_f32_f64(vzip2q_f64(a, c));
    to[2] = vreinterpretq_f32_f64(vzip1q_f64(b, d));
    to[3] = vreinterpretq_f32_f64(vzip2q_f64(b, d));
  }
  SOFTMAX_INLINE static float64x2_t exponentOf(float64x2_t x) {
    const uint64x2_t bits = vshrq_n_u64(vreinterpretq_u64_f64(x), 52);
    return vsubq_f64(vcvtq_f64_u64(bits), vdupq_n_f64(1023.0));
  }
  SOFTMAX_INLINE static float64x2_t clearWhereEqual(float64x2_t value, float64x2_t a, float64x2_t b) {
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(value), vceqq_f64(a, b)));
  }
  SOFTMAX_INLINE static float64x2_t keepUnlessBelow(float64x2_t value, float64x2_t x, float64x2_t limit) {
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(value), vcltq_f64(x, limit)));
  }
  SOFTMAX_INLINE static float64x2_t scaleByEighths(float64x2_t p, float64x2_t z) {
    const uint64x2_t field = vdupq_n_u64(0x7FF0000000000000);
    const uint64x2_t power = vandq_u64(vshlq_n_u64(vreinterpretq_u64_f64(z), 49), field);
    return vmulq_f64(p, vreinterpretq_f64_u64(power));
  }
  SOFTMAX_INLINE static float64x2_t entryByMantissa(const double* table, float64x2_t z) {
    const uint64x2_t bits = vreinterpretq_u64_f64(z);
    const double entries[] = {table[vgetq_lane_u64(bits, 0) % 8], table[vgetq_lane_u64(bits, 1) % 8]};
    return vld1q_f64(entries);
  }
  SOFTMAX_INLINE static float64x2_t scaleByMantissa(float64x2_t p, float64x2_t z) {
    return vmulq_f64(p, vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(z), 52)));
  }
};

}  // namespace
