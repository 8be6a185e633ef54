// The kernels for scalar. Compiled with flags of its own (variants.json): includes nothing but them.
#include "../vec/scalar.h"

#include "../kernels/instantiate.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_scalar;
const SoftmaxKernels softmax_kernels_scalar = Instance<Scalar>::table("scalar");
}
