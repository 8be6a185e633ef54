// The WebAssembly SIMD vector type: 4 float lanes, and as many double lanes in two registers.
//
// Plain SIMD has no fused multiply-add: multiplyAdd computes in double and rounds once more, as scalar.h does
// and with the same bits; exp stays in double meanwhile (kernels/exp.h). With relaxed SIMD it is one
// instruction, which an engine may fuse or not: who loads the module asks (isFused, wasm/module.cc).
#pragma once

#include <wasm_simd128.h>

#include <cstddef>
#include <cstdint>

#include "inline.h"
#include "rows_wasm.h"

// Programs wait for the module to be loaded and compiled, so that the kernels leave out what makes it large:
// float64, which JavaScript computes with the same bits, 16-bit elements (wasm/module.cc), rows in parts,
// batches, loops that are written out.
#define SOFTMAX_SMALL

namespace {

struct Wasm {
  using Element = float;
  using Register = v128_t;
  struct Double {
    v128_t low, high;
  };
  static constexpr std::size_t width = 4;
  static constexpr bool has_stream = false;  // past the caches
#if !defined(__wasm_relaxed_simd__)
  static constexpr bool exp_in_double = true;
#endif

  /// The value as it is, for the compiler something new. It also keeps LLVM from making scalar code of a
  /// demotion before a promotion, and a bitselect, three instructions on x64, of an and with a comparison.
  SOFTMAX_INLINE static Register once(Register value) {
    __asm__("" : "+r"(value));
    return value;
  }
  SOFTMAX_INLINE static Register broadcast(float value) {
    return wasm_f32x4_splat(value);
  }
  SOFTMAX_INLINE static Register load(const float* from) {
    return wasm_v128_load(from);
  }
  SOFTMAX_INLINE static void store(float* to, Register value) {
    wasm_v128_store(to, value);
  }
  /// The first `count` (1 to 3) lanes from memory, `fill` in the others. Reads nothing beyond them.
  SOFTMAX_INLINE static Register loadPartial(const float* from, std::size_t count, float fill) {
    Register lanes = wasm_f32x4_replace_lane(broadcast(fill), 0, from[0]);
    if (count > 1) lanes = wasm_f32x4_replace_lane(lanes, 1, from[1]);
    if (count > 2) lanes = wasm_f32x4_replace_lane(lanes, 2, from[2]);
    return lanes;
  }
  SOFTMAX_INLINE static void storePartial(float* to, Register value, std::size_t count) {
    to[0] = wasm_f32x4_extract_lane(value, 0);
    if (count > 1) to[1] = wasm_f32x4_extract_lane(value, 1);
    if (count > 2) to[2] = wasm_f32x4_extract_lane(value, 2);
  }

  SOFTMAX_INLINE static Register add(Register a, Register b) {
    return wasm_f32x4_add(a, b);
  }
  SOFTMAX_INLINE static Register subtract(Register a, Register b) {
    return wasm_f32x4_sub(a, b);
  }
  SOFTMAX_INLINE static Register multiply(Register a, Register b) {
    return wasm_f32x4_mul(a, b);
  }
  SOFTMAX_INLINE static Register multiplyAdd(Register a, Register b, Register c) {
#if defined(__wasm_relaxed_simd__)
    return (v128_t)__builtin_wasm_relaxed_madd_f32x4((__f32x4)a, (__f32x4)b, (__f32x4)c);
#else
    return narrow(add(multiply(widen(a), widen(b)), widen(c)));
#endif
  }
  SOFTMAX_INLINE static Register subtractProduct(Register c, Register a, Register b) {
#if defined(__wasm_relaxed_simd__)
    return (v128_t)__builtin_wasm_relaxed_nmadd_f32x4((__f32x4)a, (__f32x4)b, (__f32x4)c);
#else
    return narrow(subtract(widen(c), multiply(widen(a), widen(b))));
#endif
  }
  /// Drops a NaN in `a`: pmax(x, y) is x < y ? y : x.
  SOFTMAX_INLINE static Register maximum(Register a, Register b) {
    return wasm_f32x4_pmax(b, a);
  }
  SOFTMAX_INLINE static Register minimum(Register a, Register b) {
    return wasm_f32x4_pmin(b, a);
  }
  /// value where !(x < limit), else +0. A NaN in x keeps its value.
  SOFTMAX_INLINE static Register keepUnlessBelow(Register value, Register x, Register limit) {
    return wasm_v128_andnot(value, once(wasm_f32x4_lt(x, limit)));
  }
  /// value, and +0 where a = b.
  SOFTMAX_INLINE static Register clearWhereEqual(Register value, Register a, Register b) {
    return wasm_v128_and(value, once(wasm_f32x4_ne(a, b)));
  }
  /// value where x >= limit, else `otherwise` (a NaN in x too).
  SOFTMAX_INLINE static Register selectAtLeast(Register x, Register limit, Register value,
                                               Register otherwise) {
    return wasm_v128_bitselect(value, otherwise, wasm_f32x4_ge(x, limit));
  }
  /// Every NaN becomes 0x7FC00000.
  SOFTMAX_INLINE static Register canonicalNan(Register value) {
    return wasm_v128_bitselect(value, wasm_i32x4_splat(0x7FC00000), wasm_f32x4_eq(value, value));
  }
  /// x where the lane's byte is not 0, else `fill`.
  SOFTMAX_INLINE static Register keep(Register x, const std::uint8_t* bytes, Register fill) {
    const v128_t wide =
        wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(bytes)));
    return wasm_v128_bitselect(fill, x, wasm_i32x4_eq(wide, wasm_i32x4_splat(0)));
  }
  /// bits((z << 19) + table[z mod 16]), of the bits of z: a power of two and what is between two of them
  /// (kernels/exp.h).
  SOFTMAX_INLINE static Register powerByMantissa(const std::uint32_t* table, Register z) {
    const v128_t numbers = wasm_v128_and(z, wasm_i32x4_splat(15));
    v128_t entries = wasm_v128_load32_zero(table + wasm_i32x4_extract_lane(numbers, 0));
    entries = wasm_v128_load32_lane(table + wasm_i32x4_extract_lane(numbers, 1), entries, 1);
    entries = wasm_v128_load32_lane(table + wasm_i32x4_extract_lane(numbers, 2), entries, 2);
    entries = wasm_v128_load32_lane(table + wasm_i32x4_extract_lane(numbers, 3), entries, 3);
    return wasm_i32x4_add(wasm_i32x4_shl(z, 19), entries);
  }
  SOFTMAX_INLINE static float laneMaximum(Register value) {
    const Register by2 = maximum(value, wasm_i32x4_shuffle(value, value, 2, 3, 2, 3));
    return wasm_f32x4_extract_lane(maximum(by2, wasm_i32x4_shuffle(by2, by2, 1, 1, 1, 1)), 0);
  }

  SOFTMAX_INLINE static Register loadFloat16(const std::uint16_t* from) {
    return fromFloat16(from);
  }
  /// Rounds to nearest even. A NaN must be canonical.
  SOFTMAX_INLINE static void storeFloat16(std::uint16_t* to, Register value) {
    storeHalves(to, toFloat16(value));
  }
  SOFTMAX_INLINE static Register loadBFloat16(const std::uint16_t* from) {
    return wasm_i32x4_shl(wasm_u32x4_load16x4(from), 16);
  }
  SOFTMAX_INLINE static void storeBFloat16(std::uint16_t* to, Register value) {
    storeHalves(to, toBFloat16(value));
  }

  SOFTMAX_INLINE static Double load(const double* from) {
    return {wasm_v128_load(from), wasm_v128_load(from + 2)};
  }
  SOFTMAX_INLINE static void store(double* to, Double value) {
    wasm_v128_store(to, value.low);
    wasm_v128_store(to + 2, value.high);
  }
  SOFTMAX_INLINE static Double loadPartial(const double* from, std::size_t count, double fill) {
    return loadSome<Double>(from, count, fill);
  }
  SOFTMAX_INLINE static void storePartial(double* to, Double value, std::size_t count) {
    storeSome(to, value, count);
  }
  SOFTMAX_INLINE static Double maximum(Double a, Double b) {
    return {wasm_f64x2_pmax(b.low, a.low), wasm_f64x2_pmax(b.high, a.high)};
  }
  SOFTMAX_INLINE static Double selectAtLeast(Double x, Double limit, Double value, Double otherwise) {
    return {wasm_v128_bitselect(value.low, otherwise.low, wasm_f64x2_ge(x.low, limit.low)),
            wasm_v128_bitselect(value.high, otherwise.high, wasm_f64x2_ge(x.high, limit.high))};
  }
  /// Every NaN becomes 0x7FF8000000000000.
  SOFTMAX_INLINE static Double canonicalNan(Double value) {
    const v128_t nan = wasm_i64x2_splat(0x7FF8000000000000);
    return {wasm_v128_bitselect(value.low, nan, wasm_f64x2_eq(value.low, value.low)),
            wasm_v128_bitselect(value.high, nan, wasm_f64x2_eq(value.high, value.high))};
  }
  SOFTMAX_INLINE static double firstLane(Double value) {
    return wasm_f64x2_extract_lane(value.low, 0);
  }
  SOFTMAX_INLINE static double laneMaximum(Double value) {
    const v128_t by2 = wasm_f64x2_pmax(value.high, value.low);
    const double a = wasm_f64x2_extract_lane(by2, 0), b = wasm_f64x2_extract_lane(by2, 1);
    return a > b ? a : b;
  }

  /// As doubles.
  SOFTMAX_INLINE static Double loadWide(const float* from) {
    return {wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(from)),
            wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(from + 2))};
  }
  SOFTMAX_INLINE static Double widen(Register value) {
    return {wasm_f64x2_promote_low_f32x4(value),
            wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(value, value, 2, 3, 2, 3))};
  }
  SOFTMAX_INLINE static Register narrow(Double value) {
    return firsts(wasm_f32x4_demote_f64x2_zero(value.low), wasm_f32x4_demote_f64x2_zero(value.high));
  }
  SOFTMAX_INLINE static Double broadcast(double value) {
    return {wasm_f64x2_splat(value), wasm_f64x2_splat(value)};
  }
  SOFTMAX_INLINE static Double add(Double a, Double b) {
    return {wasm_f64x2_add(a.low, b.low), wasm_f64x2_add(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double subtract(Double a, Double b) {
    return {wasm_f64x2_sub(a.low, b.low), wasm_f64x2_sub(a.high, b.high)};
  }
  SOFTMAX_INLINE static Double multiply(Double a, Double b) {
    return {wasm_f64x2_mul(a.low, b.low), wasm_f64x2_mul(a.high, b.high)};
  }
  /// Of products that are exact.
  SOFTMAX_INLINE static Double multiplyAdd(Double a, Double b, Double c) {
    return add(multiply(a, b), c);
  }
  SOFTMAX_INLINE static Double minimum(Double a, Double b) {
    return {wasm_f64x2_pmin(b.low, a.low), wasm_f64x2_pmin(b.high, a.high)};
  }
  SOFTMAX_INLINE static Double divide(Double a, Double b) {
    return {wasm_f64x2_div(a.low, b.low), wasm_f64x2_div(a.high, b.high)};
  }
  /// Whether every lane of x is at least its limit. A NaN is not.
  SOFTMAX_INLINE static bool allAtLeast(Double x, Double limit) {
    const v128_t both = wasm_v128_and(wasm_f64x2_ge(x.low, limit.low), wasm_f64x2_ge(x.high, limit.high));
    return wasm_i64x2_all_true(both);
  }
  /// floor(log2 x), for positive normal numbers.
  SOFTMAX_INLINE static Double exponentOf(Double x) {
    return {exponentsOf(x.low), exponentsOf(x.high)};
  }
  SOFTMAX_INLINE static Double keepUnlessBelow(Double value, Double x, Double limit) {
    return {wasm_v128_andnot(value.low, once(wasm_f64x2_lt(x.low, limit.low))),
            wasm_v128_andnot(value.high, once(wasm_f64x2_lt(x.high, limit.high)))};
  }
  SOFTMAX_INLINE static Double clearWhereEqual(Double value, Double a, Double b) {
    return {wasm_v128_and(value.low, once(wasm_f64x2_ne(a.low, b.low))),
            wasm_v128_and(value.high, once(wasm_f64x2_ne(a.high, b.high)))};
  }
  /// p · 2^(k − 1023), where k sits in the low bits of z's mantissa.
  SOFTMAX_INLINE static Double scaleByMantissa(Double p, Double z) {
    return {wasm_f64x2_mul(p.low, wasm_i64x2_shl(z.low, 52)),
            wasm_f64x2_mul(p.high, wasm_i64x2_shl(z.high, 52))};
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
    const v128_t by2 = wasm_f64x2_add(value.low, value.high);
    return wasm_f64x2_extract_lane(by2, 0) + wasm_f64x2_extract_lane(by2, 1);
  }

  /// laneMaximum of each of 4 rows.
  SOFTMAX_INLINE static Register maxima(const Register* rows) {
    Register columns[4];
    transpose(rows, columns);
    return maximum(maximum(columns[0], columns[2]), maximum(columns[1], columns[3]));
  }
  /// laneSum of each of 4 rows.
  SOFTMAX_INLINE static Double sums(const Double* rows) {
    return sumsOf4(rows);
  }

  /// Four elements of each of `width` rows, `stride` elements apart: columns[c] has element c of each.
  SOFTMAX_INLINE static void loadRows(const float* from, std::size_t stride, Register* columns) {
    const Register rows[4] = {load(from), load(from + stride), load(from + 2 * stride),
                              load(from + 3 * stride)};
    transpose(rows, columns);
  }
  SOFTMAX_INLINE static void storeRows(float* to, std::size_t stride, const Register* columns) {
    Register rows[4];
    transpose(columns, rows);
    for (std::size_t j = 0; j < 4; ++j) store(to + j * stride, rows[j]);
  }
  SOFTMAX_INLINE static void loadRows(const double* from, std::size_t stride, Double* columns) {
    loadColumns(from, stride, columns);
  }
  SOFTMAX_INLINE static void storeRows(double* to, std::size_t stride, const Double* columns) {
    storeColumns(to, stride, columns);
  }

  /// Rounded to floats, as doubles.
  SOFTMAX_INLINE static Double roundedToFloat(Double value) {
    return {wasm_f64x2_promote_low_f32x4(once(wasm_f32x4_demote_f64x2_zero(value.low))),
            wasm_f64x2_promote_low_f32x4(once(wasm_f32x4_demote_f64x2_zero(value.high)))};
  }
  /// The low 32 bits of each double.
  SOFTMAX_INLINE static Register lowWords(Double value) {
    return wasm_i32x4_shuffle(value.low, value.high, 0, 2, 4, 6);
  }

 private:
  SOFTMAX_INLINE static v128_t scaleByEighths(v128_t p, v128_t z) {
    const v128_t field = wasm_i64x2_splat(0x7FF0000000000000);
    return wasm_f64x2_mul(p, wasm_v128_and(wasm_i64x2_shl(z, 49), field));
  }
  SOFTMAX_INLINE static v128_t entryByMantissa(const double* table, v128_t z) {
    const v128_t first = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(z, 0) % 8u);
    return wasm_v128_load64_lane(table + wasm_i32x4_extract_lane(z, 2) % 8u, first, 1);
  }
};

}  // namespace
