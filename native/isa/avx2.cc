// The kernels for avx2. Compiled with flags of its own (variants.json): includes nothing but them.
#include "../vec/avx2.h"

#include "../kernels/instantiate.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_avx2;
const SoftmaxKernels softmax_kernels_avx2 = Instance<Avx2>::table("avx2");
}
