#include "dispatch.h"

#include "cpu.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_avx512;
extern const SoftmaxKernels softmax_kernels_avx2;
extern const SoftmaxKernels softmax_kernels_neon;
extern const SoftmaxKernels softmax_kernels_scalar;
}

namespace softmax_native {

// SOFTMAX_WITHOUT_…: prebuilt binaries leave out what their platforms never choose (variants.json).
KernelList supportedKernels() {
  KernelList list{};
  [[maybe_unused]] const CpuFeatures cpu = detectCpu();
#if defined(__x86_64__) || defined(_M_X64)
#if !defined(SOFTMAX_WITHOUT_AVX512)
  if (cpu.avx512) list.tables[list.count++] = &softmax_kernels_avx512;
#endif
  if (cpu.avx2_fma) list.tables[list.count++] = &softmax_kernels_avx2;
#elif defined(__aarch64__) || defined(_M_ARM64)
  if (cpu.neon) list.tables[list.count++] = &softmax_kernels_neon;
#endif
#if !defined(SOFTMAX_WITHOUT_SCALAR)
  list.tables[list.count++] = &softmax_kernels_scalar;
#endif
  return list;
}

}  // namespace softmax_native
