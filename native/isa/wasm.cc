// The kernels for wasm. Compiled with flags of its own (tools/build-wasm.mjs): includes nothing but them.
#include "../vec/wasm.h"

#include "../kernels/instantiate.h"

extern "C" {
extern const SoftmaxKernels softmax_kernels_wasm;
const SoftmaxKernels softmax_kernels_wasm = Instance<Wasm>::table("wasm");
}
