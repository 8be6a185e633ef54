// The kernels for neon. Compiled with flags of its own (variants.json): includes nothing but them.
#include "../vec/neon.h"

#include "../kernels/instantiate.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_neon;
const SoftmaxKernels softmax_kernels_neon = Instance<Neon>::table("neon");
}
