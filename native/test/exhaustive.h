// What exhaustive.cc runs of each ISA: the functions that all results come from, with no array around them.
// Plain data and C linkage, as in native/kernels/kernel-abi.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Steps of exp in float that vector code computes by a fused multiply-add, and scalar code and JavaScript in
/// double: in how many of them the two differ.
struct ExhaustiveSteps {
  uint64_t inputs;
  /// x log2e + shift, for an even and an odd shift; the same by JavaScript's 1.5 · 2^52.
  uint64_t rounding, roundingJs;
  /// x − n ln2High; by how many it is not exact; the rest by n ln2Low; both in one double expression.
  uint64_t high, highInexact, low, lowJs;
  /// The sums of Horner's scheme, r^6 and r^5 first, of the same arguments; the first three by JavaScript's
  /// shifts.
  uint64_t series[4], seriesJs[3];
  /// r² s + r; exp(r) from all steps together.
  uint64_t square, result;
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
  /// 2 exp(multiplier · logit) / 2^N, in a row whose largest logit times the multiplier's sign is `top`.
  ExhaustiveReference (*exponential)(const float* logits, float* out, size_t count, float top,
                                     double multiplier);
  void (*exponentialDouble)(const double* x, double* out, size_t count);
  void (*log)(const double* sums, double* out, size_t count);
  void (*logOnePlus)(const double* ratios, double* out, size_t count);
  /// Null where there is no fused multiply-add. Steps of arguments x that exp is taken of.
  void (*argumentSteps)(const float* x, size_t count, ExhaustiveSteps* steps);
  /// Of what is left of them after the reduction, |r| <= 0.36.
  void (*seriesSteps)(const float* r, size_t count, ExhaustiveSteps* steps);
  /// Of logits that are multiplied.
  void (*productSteps)(const float* logits, size_t count, double multiplier, ExhaustiveSteps* steps);
};
