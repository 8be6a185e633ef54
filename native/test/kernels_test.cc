// Tests of the kernels without JavaScript around them.
//
//   kernels_test              everything, with 10^7 samples of exp per ISA (exhaustive.cc: all there are)
//   kernels_test SAMPLES      so many samples, fewer lengths, nothing of every float; below 100,000 samples
//                             what emulators have time for
//   kernels_test 1 runtime    what is not of kernels alone: threads and the CPU
//
// - The rounding step and the polynomial of exp round the same by fma and by double arithmetic, at every
//   argument: what the scalar kernels and JavaScript rely on. (exhaustive.cc: step by step.)
// - exp keeps the order of neighbouring floats: all of them, on the best ISA.
// - exp, in float and in double, is within 1 ULP of the exact value, on every ISA this CPU has; the worst
//   argument is printed.
// - Every ISA gives the bits of the scalar kernels in every function, over all dtypes, short lengths and some
//   around a block, axes and masks, reading and writing nothing beyond the array (which ends at an unreadable
//   page), and converts 16-bit elements as they do (same_bits.h).
// - What belongs to a row and not to an element is that of the same row in every thread's share (shares.h).
// - Several threads give the bits of one; jobs, the count of CPUs (threads.h).
// - The caller's floating-point mode changes no bits and stays as it was (floating_point_mode.h).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../kernels/exp.h"
#include "../runtime/dispatch.h"
#include "floating_point_mode.h"
#include "same_bits.h"
#include "shares.h"
#include "threads.h"

namespace {

float byDouble(float a, float b, float c) {
  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
}

/// 16 value log2e + shift, for every value that a kept logit can have.
void testRoundingStep() {
  constexpr float scale = 16.0f * Limits<float>::log2e, shift = Limits<float>::shift;
  long differences = 0;
  for (std::uint32_t bits = bitsOf(0x1p-20f); bits <= bitsOf(1200.0f); ++bits)
    for (const float value : {floatOf(bits), -floatOf(bits)})
      differences += std::fma(value, scale, shift) != byDouble(value, scale, shift);
  check(differences == 0, "rounding step: fma = double arithmetic for 2^-20 <= |x| <= 1200");
}

/// c 2^(j/16), of the table.
float powerOfTable(std::uint32_t j) {
  return floatOf(expTable[j] + (j << 19) + (127u << 23));
}

/// s + s q for every s of the table by fma and by double arithmetic; below 2^-30 it is s in either.
void testPolynomial() {
  float powers[16];
  for (std::uint32_t j = 0; j < 16; ++j) powers[j] = powerOfTable(j);
  long differences = 0;
  for (std::uint32_t bits = bitsOf(0x1p-30f); bits <= bitsOf(0.0225f); ++bits)
    for (const float r : {floatOf(bits), -floatOf(bits)}) {
      const float q = std::fma(r * r, std::fma(expCube, r, expSquare), r);
      const float q_by_double = byDouble(r * r, byDouble(expCube, r, expSquare), r);
      for (const float power : powers)
        differences += std::fma(power, q, power) != byDouble(power, q_by_double, power);
    }
  check(differences == 0, "polynomial: fma = double arithmetic for 2^-30 <= |r| <= 0.0225");
}

/// The numbers of the tables are those next to c 2^(j/16) and 2^(j/8).
void testTables() {
  const double factor = std::exp(logOfTable);
  double worst = 0;
  for (std::uint32_t j = 0; j < 16; ++j) {
    const double exact = factor * std::exp2(j / 16.0);
    const double power = static_cast<double>(powerOfTable(j));
    worst = std::fmax(worst, std::fabs(power / exact - 1.0));
  }
  check(worst < 0.31 * 0x1p-24, "the table of exp misses 0.31 of 2^-24 at most");
  bool is_next = true;
  for (std::uint64_t j = 0; j < 8; ++j) {
    const double power = expDoubleRoots[j];
    const long double exact = std::exp2(static_cast<long double>(j) / 8);
    is_next &= power == static_cast<double>(exact);
    const long double rest = (exact - static_cast<long double>(power)) / exact;
    is_next &= std::fabs(rest - static_cast<long double>(expDoubleRests[j])) < 0x1p-63L;
  }
  check(is_next, "the table of exp in double, and what it misses");
}

/// Over neighbouring floats, all of them from -87 to 87: order is kept.
void testMonotonicity(const SoftmaxKernels& kernels) {
  constexpr std::size_t chunk = 1 << 16;
  std::vector<float> x(chunk), e(chunk);
  long inversions = 0;
  float largest = 0;
  const auto see = [&] {
    kernels.exponential(x.data(), e.data(), chunk);
    for (const float value : e) {
      inversions += value < largest;
      largest = value;
    }
  };
  const std::uint32_t end = (bitsOf(87.0f) / chunk) * chunk;
  for (std::uint32_t bits = end; bits > 0; bits -= chunk) {
    for (std::uint32_t i = 0; i < chunk; ++i) x[i] = -floatOf(bits - i);
    see();
  }
  for (std::uint32_t bits = 0; bits < end; bits += chunk) {
    for (std::uint32_t i = 0; i < chunk; ++i) x[i] = floatOf(bits + i);
    see();
  }
  check(inversions == 0, "exp keeps the order of all floats from -87 to 87");
}

/// Half the samples are uniform over the arguments, half over their bit patterns (small arguments as often as
/// large).
float expArgument() {
  const float value = uniform(-87.0f, 87.0f);
  if (randomBits() & 1) return value;
  const float by_pattern = floatOf(static_cast<std::uint32_t>(randomBits()) & 0xC2FFFFFFu);
  return by_pattern >= -87.0f && by_pattern <= 87.0f ? by_pattern : value;
}

void testExp(const SoftmaxKernels& kernels, long samples) {
  constexpr std::size_t chunk = 4096;
  std::vector<float> x(chunk), e(chunk);
  double worst = 0;
  float worst_at = 0;
  for (long done = 0; done < samples; done += static_cast<long>(chunk)) {
    for (float& value : x) value = expArgument();
    kernels.exponential(x.data(), e.data(), chunk);
    for (std::size_t i = 0; i < chunk; ++i) {
      const double exact = 2.0 * std::exp(static_cast<double>(x[i]) + logOfTable);
      const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
      const double error = std::fabs(static_cast<double>(e[i]) - exact) / ulp;
      if (!(error <= worst)) worst = error, worst_at = x[i];
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "exp, %s: worst error %.4f ULP (at %a) over %.1e samples", kernels.isa,
                worst, static_cast<double>(worst_at), static_cast<double>(samples));
  check(worst <= 1.0, line);
}

/// exp in double, against long double where that is longer.
void testExpDouble(const SoftmaxKernels& kernels, long samples) {
  constexpr std::size_t chunk = 4096;
  std::vector<double> x(chunk), e(chunk);
  long double worst = 0;
  double worst_at = 0;
  for (long done = 0; done < samples; done += static_cast<long>(chunk)) {
    const double range = (randomBits() & 1) ? 1.0 : 700.0;
    for (double& value : x) value = range * (static_cast<double>(randomBits() >> 11) * 0x1p-52 - 1.0);
    kernels.exponentialDouble(x.data(), e.data(), chunk);
    for (std::size_t i = 0; i < chunk; ++i) {
      const long double exact = 2.0L * std::exp(static_cast<long double>(x[i]));
      const long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 52);
      const long double error = std::fabs(static_cast<long double>(e[i]) - exact) / ulp;
      if (!(error <= worst)) worst = error, worst_at = x[i];
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "exp in double, %s: worst error %.4f ULP (at %a) over %.1e samples",
                kernels.isa, static_cast<double>(worst), worst_at, static_cast<double>(samples));
  check(worst <= 1.0L, line);
}

}  // namespace

int main(int argc, char** argv) {
  const long samples = argc > 1 ? std::atol(argv[1]) : 10000000;
  const softmax_native::KernelList list = softmax_native::supportedKernels();
  const SoftmaxKernels& scalar = *list.tables[list.count - 1];
  const bool is_runtime = argc > 2;
  const Extent extent = argc == 1 ? Extent::all : samples >= 100000 ? Extent::some : Extent::few;
  if (extent == Extent::all) {
    testRoundingStep();
    testPolynomial();
    testMonotonicity(*list.tables[0]);
  }
  if (!is_runtime) testTables();
  // Those that write past the caches; scalar code may rely on the type's alignment.
  if (extent != Extent::few)
    for (std::size_t i = 0; i + 1 < list.count; ++i) testMisaligned(*list.tables[i]);
  // The scalar kernels compute what the others are compared with, in memory of the same kind; where they are
  // alone, they are compared with themselves.
  const std::size_t others = list.count > 1 ? list.count - 1 : 1;
  if (!is_runtime) testSameBits({list.tables, list.tables + others}, scalar, extent);
  for (std::size_t i = 0; i < list.count; ++i) testThreads(*list.tables[i], argc > 1 ? 40 : 1000);
  for (std::size_t i = 0; i < list.count; ++i) testFloatingPointModes(*list.tables[i]);
  testPoolModes();
  testJobs();
  testFewerThreads();
  testFairness();
  testCpuCount();
  for (std::size_t i = 0; i < list.count; ++i) testPlacesInParts(*list.tables[i]);
  testWithdrawal();
  testCpuFeatures();
  if (is_runtime) return failures == 0 ? 0 : 1;
  for (std::size_t i = 0; i < list.count; ++i) testHalves(*list.tables[i], scalar);
  for (std::size_t i = 0; i < list.count; ++i) testExp(*list.tables[i], samples);
  for (std::size_t i = 0; i < list.count; ++i) testExpDouble(*list.tables[i], samples / 4);
  return failures == 0 ? 0 : 1;
}
