#include "dispatch.h"

#include "cpu.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_avx512;
extern const SoftmaxKernels softmax_kernels_avx2;
extern const SoftmaxKernels softmax_kernels_neon;
extern const SoftmaxKernels softmax_kernels_scalar;
}

namespace softmax_native {

KernelList supportedKernels() {
  KernelList list{};
  [[maybe_unused]] const CpuFeatures cpu = detectCpu();
#if defined(__x86_64__) || defined(_M_X64)
  if (cpu.avx512) list.tables[list.count++] = &softmax_kernels_avx512;
  if (cpu.avx2_fma) list.tables[list.count++] = &softmax_kernels_avx2;
#elif defined(__aarch64__) || defined(_M_ARM64)
  if (cpu.neon) list.tables[list.count++] = &softmax_kernels_neon;
#endif
  list.tables[list.count++] = &softmax_kernels_scalar;
  return list;
}

}  // namespace softmax_native
