// The WebAssembly module around the kernels: a call in its memory, and what computes it. It has no C library,
// allocates nothing and imports nothing: TypeScript (src/backends/wasm/module.ts) lays arrays into the memory
// from __heap_base on and writes the call's fields, which have the same places there.
#include "../operations.h"
#include "../vec/wasm.h"

extern "C" const SoftmaxKernels softmax_kernels_wasm;

#define SOFTMAX_EXPORT(name) extern "C" __attribute__((export_name(#name), used))

namespace softmax_native {
namespace {

static_assert(sizeof(SoftmaxElements) == 8 && offsetof(SoftmaxCall, arrays) == 4);
static_assert(offsetof(SoftmaxCall, numbers) == 72 && offsetof(SoftmaxCall, rows) == 88);
static_assert(offsetof(SoftmaxRows, mask) == 20 && offsetof(SoftmaxRows, multipliers) == 32);
static_assert(offsetof(SoftmaxRows, multiplier) == 40 && sizeof(SoftmaxCall) == 144);

/// As much as native code has (runtime/scratch.h).
constexpr std::size_t scratch_size = 1048576;
alignas(64) unsigned char scratch[scratch_size];

SoftmaxCall call;

}  // namespace

SOFTMAX_EXPORT(call) void* callAddress() {
  call.rows.scratch = scratch;
  call.rows.scratchSize = scratch_size;
  return &call;
}

SOFTMAX_EXPORT(compute) void compute() {
  softmax_kernels_wasm.compute(&call);
}

/// 16-bit elements as the floats that they stand for, which take their place: they lie at the end of as much
/// memory as the floats of `count`, a multiple of 4, take.
SOFTMAX_EXPORT(widen) void widen(SoftmaxDType dtype, float* memory, std::size_t count) {
  const auto* from = reinterpret_cast<const std::uint16_t*>(memory + count / 2);
  for (std::size_t i = 0; i < count; i += Wasm::width)
    Wasm::store(memory + i,
                dtype == softmaxFloat16 ? Wasm::loadFloat16(from + i) : Wasm::loadBFloat16(from + i));
}
/// Floats rounded to 16 bits, at the beginning of their memory.
SOFTMAX_EXPORT(narrow) void narrow(SoftmaxDType dtype, float* memory, std::size_t count) {
  auto* to = reinterpret_cast<std::uint16_t*>(memory);
  for (std::size_t i = 0; i < count; i += Wasm::width) {
    const auto value = Wasm::load(memory + i);
    dtype == softmaxFloat16 ? Wasm::storeFloat16(to + i, value) : Wasm::storeBFloat16(to + i, value);
  }
}

/// Of an operation's array, the numbers of the enums and one bit each (operations.h); 0 after the last.
SOFTMAX_EXPORT(arrayOf) std::uint32_t arrayOf(std::size_t operation, std::size_t index) {
  if (operation >= operationCount || index >= softmaxMostArrays) return 0;
  const OperationArray& array = operations[operation].arrays[index];
  if (array.name == nullptr) return 0;
  const auto bit = [](bool is_set, int place) { return static_cast<std::uint32_t>(is_set) << place; };
  return static_cast<std::uint32_t>(array.contents) | static_cast<std::uint32_t>(array.count) << 4 |
         bit(array.isOutput, 8) | bit(array.isReplaceable, 9) | bit(true, 10);
}

/// A string of C; null after the last operation.
SOFTMAX_EXPORT(nameOf) const char* nameOf(std::size_t operation) {
  return operation < operationCount ? operations[operation].name : nullptr;
}

/// Whether multiplyAdd and subtractProduct round once, which engines may do or not: (1 + 2^-12)^2 - (1 +
/// 2^-11) is 2^-24, or 0 if the product is rounded. An engine does the same everywhere in a program.
SOFTMAX_EXPORT(isFused) int isFused() {
  volatile float a = 1.0f + 0x1p-12f, c = 1.0f + 0x1p-11f;
  const auto factor = Wasm::broadcast(a), product = Wasm::broadcast(c), rest = Wasm::broadcast(0x1p-24f);
  const auto sum = Wasm::multiplyAdd(factor, factor, Wasm::subtract(Wasm::broadcast(0.0f), product));
  const auto difference = Wasm::subtractProduct(product, factor, factor);
  return wasm_i32x4_all_true(wasm_v128_and(
      wasm_f32x4_eq(sum, rest), wasm_f32x4_eq(difference, Wasm::subtract(Wasm::broadcast(0.0f), rest))));
}

/// Whether this is the module with relaxed SIMD.
SOFTMAX_EXPORT(isRelaxed) int isRelaxed() {
#if defined(__wasm_relaxed_simd__)
  return 1;
#else
  return 0;
#endif
}

}  // namespace softmax_native
