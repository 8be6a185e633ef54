// The kernels for avx512. Compiled with flags of its own (variants.json): includes nothing but them.
#include "../vec/avx512.h"

#include "../kernels/instantiate.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_avx512;
const SoftmaxKernels softmax_kernels_avx512 = Instance<Avx512>::table("avx512");
}
