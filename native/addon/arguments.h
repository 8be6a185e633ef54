// Reading the arguments of a call by the raw Node-API, which costs a third of the C++ wrapper.
//
// TypeScript (src/native-kernels.ts) has checked the types; lengths are read here, on every call, and nowhere
// else: a detached or out-of-bounds view has length 0 whatever JavaScript saw before.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "../kernels/table.h"

namespace softmax_native {

/// Argument 0 of every call is a Float64Array of these; the arrays follow.
enum class Number {
  outer,
  length,
  inner,
  maskStep,
  multiplier,
  dtypeA,
  dtypeB,
  dtypeC,
  gradLoss,
  labelSmoothing
};

class Arguments {
 public:
  static constexpr std::size_t maximum = 12;

  Arguments(napi_env env, napi_callback_info info);

  const SoftmaxKernels& kernels() const { return *kernels_; }
  double number(Number which) const { return numbers_[static_cast<std::size_t>(which)]; }
  /// outer, length and inner.
  const SoftmaxRows& rows() const { return rows_; }
  std::size_t rowCount() const { return row_count_; }
  std::size_t elementCount() const { return element_count_; }

  /// The memory of the elements of a typed array, at least `count`. Fails, with a JavaScript error pending,
  /// if it has fewer. The optional may be undefined: no data.
  SoftmaxElements elements(std::size_t index, Number dtype, std::size_t count);
  SoftmaxElements optionalElements(std::size_t index, Number dtype, std::size_t count);
  void* results(std::size_t index) { return memory(index, row_count_); }
  /// The rows with the mask, its offsets and the multipliers at `index` and the next two.
  SoftmaxRows options(std::size_t index);
  /// The memory of an argument that may be undefined: null then.
  template <class Element>
  const Element* optional(std::size_t index, std::size_t count) {
    return isNullish(index) ? nullptr : static_cast<const Element*>(memory(index, count));
  }
  /// False once any argument was refused; a JavaScript error is then pending.
  bool ok() const { return ok_; }

 private:
  std::size_t size(Number which);
  bool isNullish(std::size_t index);
  void* memory(std::size_t index, std::size_t count);
  void refuse(const char* code, const char* message);

  napi_env env_;
  std::size_t count_ = 0;
  napi_value values_[maximum];
  const SoftmaxKernels* kernels_ = nullptr;
  double numbers_[10] = {};
  SoftmaxRows rows_{};
  std::size_t row_count_ = 0, element_count_ = 0;
  bool ok_ = true;
};

/// a · b, or SIZE_MAX where that does not fit: no memory has that length.
std::size_t product(std::size_t a, std::size_t b);

}  // namespace softmax_native
