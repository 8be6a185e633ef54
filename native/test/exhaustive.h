// What exhaustive.cc runs of each ISA: the functions that all results come from, with no array around them.
// Plain data and C linkage, as in native/kernels/kernel-abi.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Steps of exp in float that vector code computes by a fused multiply-add, and scalar code and JavaScript in
/// double: in how many of them the two differ.
struct ExhaustiveSteps {
  uint64_t inputs;
  /// 16 x log2e + shift; the same by JavaScript's 1.5 · 2^52.
  uint64_t rounding, roundingJs;
  /// x − n ln2High / 16; by how many it is not exact; the rest by n ln2Low / 16; both in one double
  /// expression.
  uint64_t high, highInexact, low, lowJs;
  /// c3 r + c2; r² times that + r; s + s q for any of the 16 numbers s of the table, from all steps together.
  uint64_t series, square, result;
  /// Of a multiplied logit: what its product misses, and that with the multiplier's second part.
  uint64_t error, rest;
};

/// How a row is measured (native/kernels/reference.h).
struct ExhaustiveReference {
  double exponent, offset;
};

/// Counts are multiples of 16.
struct ExhaustiveKernels {
  const char* isa;
  /// 2 c exp(multiplier · logit) / 2^N, in a row whose largest logit times the multiplier's sign is `top`.
  ExhaustiveReference (*exponential)(const float* logits, float* out, size_t count, float top,
                                     double multiplier);
  void (*exponentialDouble)(const double* x, double* out, size_t count);
  void (*log)(const double* sums, double* out, size_t count);
  void (*logOnePlus)(const double* ratios, double* out, size_t count);
  /// Null where there is no fused multiply-add. Steps of arguments x that exp is taken of.
  void (*argumentSteps)(const float* x, size_t count, ExhaustiveSteps* steps);
  /// Of what is left of them after the reduction, |r| <= 0.0225.
  void (*seriesSteps)(const float* r, size_t count, ExhaustiveSteps* steps);
  /// Of logits that are multiplied.
  void (*productSteps)(const float* logits, size_t count, double multiplier, ExhaustiveSteps* steps);
};
