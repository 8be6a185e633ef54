// What this CPU and its operating system can run.
#pragma once

namespace softmax_native {

struct CpuFeatures {
  bool avx2_fma;  // AVX2, FMA and F16C, and the system saves the 256-bit registers
  bool avx512;    // AVX-512 F, BW, DQ and VL, and the system saves the 512-bit registers
  bool neon;
};

CpuFeatures detectCpu();

}  // namespace softmax_native
