// What the WebAssembly vector type does to several rows at once, to bits of doubles, and to 16-bit elements.
#pragma once

#include <wasm_simd128.h>

#include <cstddef>
#include <cstdint>

#include "inline.h"

namespace {

SOFTMAX_INLINE v128_t firsts(v128_t a, v128_t b) {
  return wasm_i64x2_shuffle(a, b, 0, 2);
}
SOFTMAX_INLINE v128_t seconds(v128_t a, v128_t b) {
  return wasm_i64x2_shuffle(a, b, 1, 3);
}

SOFTMAX_INLINE void transpose(const v128_t* from, v128_t* to) {
  const v128_t a = wasm_i32x4_shuffle(from[0], from[1], 0, 4, 1, 5);
  const v128_t b = wasm_i32x4_shuffle(from[0], from[1], 2, 6, 3, 7);
  const v128_t c = wasm_i32x4_shuffle(from[2], from[3], 0, 4, 1, 5);
  const v128_t d = wasm_i32x4_shuffle(from[2], from[3], 2, 6, 3, 7);
  to[0] = firsts(a, c);
  to[1] = seconds(a, c);
  to[2] = firsts(b, d);
  to[3] = seconds(b, d);
}

/// Of 4 rows of doubles, `stride` apart: columns[c] has element c of each. Double: two registers.
template <class Double>
SOFTMAX_INLINE void loadColumns(const double* from, std::size_t stride, Double* columns) {
  for (std::size_t c = 0; c < 4; c += 2) {
    const v128_t a = wasm_v128_load(from + c), b = wasm_v128_load(from + stride + c);
    const v128_t d = wasm_v128_load(from + 2 * stride + c), e = wasm_v128_load(from + 3 * stride + c);
    columns[c] = {firsts(a, b), firsts(d, e)};
    columns[c + 1] = {seconds(a, b), seconds(d, e)};
  }
}
template <class Double>
SOFTMAX_INLINE void storeColumns(double* to, std::size_t stride, const Double* columns) {
  for (std::size_t c = 0; c < 4; c += 2) {
    const Double a = columns[c], b = columns[c + 1];
    wasm_v128_store(to + c, firsts(a.low, b.low));
    wasm_v128_store(to + stride + c, seconds(a.low, b.low));
    wasm_v128_store(to + 2 * stride + c, firsts(a.high, b.high));
    wasm_v128_store(to + 3 * stride + c, seconds(a.high, b.high));
  }
}

/// The first `count` (1 to 3) lanes.
template <class Double>
SOFTMAX_INLINE Double loadSome(const double* from, std::size_t count, double fill) {
  const v128_t fills = wasm_f64x2_splat(fill);
  Double lanes = {wasm_f64x2_replace_lane(fills, 0, from[0]), fills};
  if (count > 1) lanes.low = wasm_f64x2_replace_lane(lanes.low, 1, from[1]);
  if (count > 2) lanes.high = wasm_f64x2_replace_lane(fills, 0, from[2]);
  return lanes;
}
template <class Double>
SOFTMAX_INLINE void storeSome(double* to, Double value, std::size_t count) {
  to[0] = wasm_f64x2_extract_lane(value.low, 0);
  if (count > 1) to[1] = wasm_f64x2_extract_lane(value.low, 1);
  if (count > 2) to[2] = wasm_f64x2_extract_lane(value.high, 0);
}

/// laneSum of each of 4 rows.
template <class Double>
SOFTMAX_INLINE Double sumsOf4(const Double* rows) {
  v128_t by2[4];
  for (std::size_t i = 0; i < 4; ++i) by2[i] = wasm_f64x2_add(rows[i].low, rows[i].high);
  return {wasm_f64x2_add(firsts(by2[0], by2[1]), seconds(by2[0], by2[1])),
          wasm_f64x2_add(firsts(by2[2], by2[3]), seconds(by2[2], by2[3]))};
}

/// floor(log2 x), for positive normal doubles.
SOFTMAX_INLINE v128_t exponentsOf(v128_t x) {
  const v128_t biased = wasm_v128_or(wasm_u64x2_shr(x, 52), wasm_f64x2_splat(0x1p52));
  return wasm_f64x2_sub(biased, wasm_f64x2_splat(0x1p52 + 1023.0));
}

SOFTMAX_INLINE v128_t fromFloat16(const std::uint16_t* from) {
  const v128_t halves = wasm_u32x4_load16x4(from);
  const v128_t sign = wasm_i32x4_shl(wasm_v128_and(halves, wasm_i32x4_splat(0x8000)), 16);
  const v128_t magnitude = wasm_v128_and(halves, wasm_i32x4_splat(0x7FFF));
  const v128_t moved = wasm_i32x4_shl(magnitude, 13);
  // By 2^112: also what is denormal in 16 bits.
  const v128_t finite = wasm_f32x4_mul(moved, wasm_i32x4_splat(0x77800000));
  const v128_t other = wasm_v128_or(moved, wasm_i32x4_splat(0x7F800000));
  const v128_t is_other = wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x7C00));
  return wasm_v128_or(sign, wasm_v128_bitselect(other, finite, is_other));
}
/// As Scalar::storeFloat16 does it.
SOFTMAX_INLINE v128_t toFloat16(v128_t value) {
  const v128_t sign = wasm_v128_and(wasm_u32x4_shr(value, 16), wasm_i32x4_splat(0x8000));
  const v128_t magnitude = wasm_v128_and(value, wasm_i32x4_splat(0x7FFFFFFF));
  const v128_t odd = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_splat(1));
  const v128_t rounding = wasm_i32x4_add(odd, wasm_i32x4_splat(0xFFF - 0x38000000));
  const v128_t small =
      wasm_i32x4_sub(wasm_f32x4_add(magnitude, wasm_f32x4_splat(0.5f)), wasm_i32x4_splat(0x3F000000));
  v128_t half = wasm_u32x4_shr(wasm_i32x4_add(magnitude, rounding), 13);
  half = wasm_v128_bitselect(small, half, wasm_i32x4_lt(magnitude, wasm_i32x4_splat(0x38800000)));
  half = wasm_v128_bitselect(wasm_i32x4_splat(0x7C00), half,
                             wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x477FF000)));
  half = wasm_v128_bitselect(wasm_i32x4_splat(0x7E00), half,
                             wasm_i32x4_gt(magnitude, wasm_i32x4_splat(0x7F800000)));
  return wasm_v128_or(sign, half);
}
SOFTMAX_INLINE v128_t toBFloat16(v128_t value) {
  const v128_t odd = wasm_v128_and(wasm_u32x4_shr(value, 16), wasm_i32x4_splat(1));
  return wasm_u32x4_shr(wasm_i32x4_add(value, wasm_i32x4_add(odd, wasm_i32x4_splat(0x7FFF))), 16);
}
/// The low halves of the lanes.
SOFTMAX_INLINE void storeHalves(std::uint16_t* to, v128_t lanes) {
  const v128_t packed = wasm_i8x16_shuffle(lanes, lanes, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
  wasm_v128_store64_lane(to, packed, 0);
}

}  // namespace
