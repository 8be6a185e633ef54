// Reading the arguments of a call by the raw Node-API, which costs a third of the C++ wrapper.
//
// TypeScript (src/backends/native/kernels.ts) has checked the types; lengths are read here, on every call, and nowhere
// else: a detached or out-of-bounds view has length 0 whatever JavaScript saw before.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "../kernels/table.h"
#include "jobs.h"

namespace softmax_native {

/// The numbers of a call, where src/backends/native/kernels.ts writes them.
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
  labelSmoothing,
  /// Bit i: argument i, an optional one, is there. Asking Node-API for its type would cost as much as reading
  /// it.
  present,
  /// Not 0: the classes and results of the rows are in the exchange.
  isSmall,
  /// 0: compute now. Else the number of a job.
  job,
  count
};

/// Memory that TypeScript has as an ArrayBuffer of its own, which no caller of the package ever gets. What is
/// in it costs no Node-API call: the numbers of every call, and what a small batch has one of a row.
/// src/backends/native/kernels.ts has the same fields at the same places.
struct Exchange {
  static constexpr std::size_t rows = 64;
  double numbers[16];
  /// float or double.
  double loss[rows], logSumExp[rows];
  std::int32_t classes[rows];
};
static_assert(offsetof(Exchange, loss) == 128 && offsetof(Exchange, classes) == 128 + 16 * Exchange::rows);
static_assert(static_cast<std::size_t>(Number::count) <= sizeof Exchange::numbers / sizeof(double));

/// What the functions of one ISA know.
struct Callee {
  const SoftmaxKernels* kernels;
  Exchange* exchange;
  /// Null until JavaScript says who is told of their ends.
  Jobs* jobs;
};

class Arguments {
 public:
  static constexpr std::size_t maximum = 11;

  Arguments(napi_env env, napi_callback_info info);

  double number(Number which) const { return numbers_[static_cast<std::size_t>(which)]; }
  /// outer, length and inner.
  const SoftmaxRows& rows() const { return call_.rows; }
  std::size_t rowCount() const { return row_count_; }
  std::size_t elementCount() const { return element_count_; }
  /// Null, or where the classes and results are instead of in arguments.
  Exchange* smallBatch();

  /// Whether an optional argument is there.
  bool isPresent(std::size_t index) const { return (present_ >> index & 1) != 0; }
  /// The memory of the elements of a typed array, at least `count`. Fails, with a JavaScript error pending,
  /// if it has fewer. The optional may be missing: no data.
  SoftmaxElements elements(std::size_t index, Number dtype, std::size_t count);
  SoftmaxElements optionalElements(std::size_t index, Number dtype, std::size_t count);
  void* results(std::size_t index) { return memory(index, row_count_); }
  /// The rows with the mask, its offsets and the multipliers at `index` and the next two.
  void options(std::size_t index);
  /// The memory of an argument that may be missing: null then.
  template <class Element>
  const Element* optional(std::size_t index, std::size_t count) {
    return isPresent(index) ? static_cast<const Element*>(memory(index, count)) : nullptr;
  }
  /// False once any argument was refused; a JavaScript error is then pending.
  bool ok() const { return ok_; }

  /// What is made of the arguments; its rows are those of options().
  SoftmaxCall& call() { return call_; }
  /// Computes the call, unless an argument was refused. As a job: true if it was posted, false if there was
  /// no thread for it and it was computed at once.
  napi_value perform();

 private:
  std::size_t size(Number which);
  void* memory(std::size_t index, std::size_t count);
  void refuse(const char* code, const char* message);

  napi_env env_;
  napi_value values_[maximum];
  Callee callee_{};
  const double* numbers_ = nullptr;
  std::uint32_t present_ = 0;
  SoftmaxCall call_;  // the functions set what theirs has: to clear all of it would cost 5 ns
  std::size_t row_count_ = 0, element_count_ = 0;
  bool ok_ = true;
};

/// a · b, or SIZE_MAX where that does not fit: no memory has that length.
std::size_t product(std::size_t a, std::size_t b);

}  // namespace softmax_native
