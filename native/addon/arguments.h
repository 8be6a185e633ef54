// Reading the arguments of a call by the raw Node-API, which costs a third of the C++ wrapper.
//
// TypeScript has checked the types; lengths are read here, on every call, and nowhere else: a detached or
// out-of-bounds view has length 0 whatever JavaScript saw before.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "../kernels/table.h"

namespace softmax_native {

class Arguments {
 public:
  static constexpr std::size_t maximum = 11;

  Arguments(napi_env env, napi_callback_info info);

  const SoftmaxKernels& kernels() const { return *kernels_; }
  /// A count that TypeScript computed: a non-negative integer below 2^53. Anything else is refused.
  std::size_t size(std::size_t index);
  double number(std::size_t index);
  bool isNullish(std::size_t index);
  /// The memory of a typed array (TypeScript has checked of which type) of at least `count` elements. Fails,
  /// with a JavaScript error pending, if it is shorter.
  float* floats(std::size_t index, std::size_t count) { return static_cast<float*>(memory(index, count)); }
  const std::int32_t* integers(std::size_t index, std::size_t count) {
    return static_cast<const std::int32_t*>(memory(index, count));
  }
  /// False once any argument was refused; a JavaScript error is then pending.
  bool ok() const { return ok_; }

 private:
  void* memory(std::size_t index, std::size_t count);
  void refuse(const char* code, const char* message);

  napi_env env_;
  napi_value values_[maximum];
  const SoftmaxKernels* kernels_ = nullptr;
  bool ok_ = true;
};

/// a · b, or SIZE_MAX where that does not fit: no memory has that length.
std::size_t product(std::size_t a, std::size_t b);

}  // namespace softmax_native
