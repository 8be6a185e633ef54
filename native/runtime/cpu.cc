#include "cpu.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#include <cstdint>

namespace softmax_native {
namespace {

struct Registers {
  std::uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r{};
#if defined(_MSC_VER) && !defined(__clang__)
  int values[4];
  __cpuidex(values, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<std::uint32_t>(values[0]), static_cast<std::uint32_t>(values[1]),
       static_cast<std::uint32_t>(values[2]), static_cast<std::uint32_t>(values[3])};
#else
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
#endif
  return r;
}

/// XCR0.
std::uint64_t enabledStates() {
#if defined(_MSC_VER) && !defined(__clang__)
  return _xgetbv(0);
#else
  std::uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
#endif
}

bool bit(std::uint32_t value, int index) {
  return (value >> index) & 1u;
}

}  // namespace

CpuFeatures featuresOf(std::uint32_t basic, std::uint32_t extended, std::uint64_t states) {
  constexpr std::uint64_t ymm_states = 0x6, zmm_states = 0xE6;
  const bool avx = bit(basic, 28), fma = bit(basic, 12), f16c = bit(basic, 29), avx2 = bit(extended, 5);
  const bool f = bit(extended, 16), dq = bit(extended, 17), bw = bit(extended, 30), vl = bit(extended, 31);
  const bool avx2_fma = avx && fma && f16c && avx2 && (states & ymm_states) == ymm_states;
  return {avx2_fma, avx2_fma && f && dq && bw && vl && (states & zmm_states) == zmm_states, false};
}

CpuFeatures detectCpu() {
  if (cpuid(0, 0).eax < 7) return {};
  const Registers basic = cpuid(1, 0);
  const bool has_xgetbv = bit(basic.ecx, 27);
  if (!has_xgetbv) return {};
  return featuresOf(basic.ecx, cpuid(7, 0).ebx, enabledStates());
}

}  // namespace softmax_native

#else

namespace softmax_native {

CpuFeatures detectCpu() {
#if defined(__aarch64__) || defined(_M_ARM64)
  return {false, false, true};  // NEON is part of the base architecture
#else
  return {};
#endif
}

}  // namespace softmax_native

#endif
