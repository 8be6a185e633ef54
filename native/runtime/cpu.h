// What this CPU and its operating system can run.
#pragma once

#include <cstdint>

namespace softmax_native {

struct CpuFeatures {
  bool avx2_fma;  // AVX2, FMA and F16C, and the system saves the 256-bit registers
  bool avx512;    // AVX-512 F, BW, DQ and VL, and the system saves the 512-bit registers
  bool neon;
};

CpuFeatures detectCpu();

#if defined(__x86_64__) || defined(_M_X64)
/// Of what CPUID says (ECX of leaf 1, EBX of leaf 7), and XCR0: the register states that the system saves. A
/// CPU can have AVX while the system does not keep it.
CpuFeatures featuresOf(std::uint32_t basic, std::uint32_t extended, std::uint64_t states);
#endif

}  // namespace softmax_native
