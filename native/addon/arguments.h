// Reading the arguments of a call by the raw Node-API, which costs a third of the C++ wrapper.
//
// TypeScript (src/backends/native/kernels.ts) has checked the types; lengths are read here, on every call,
// and nowhere else: a detached or out-of-bounds view has length 0 whatever JavaScript saw before.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "../operations.h"
#include "jobs.h"

namespace softmax_native {

/// The numbers of a call, where src/backends/native/exchange.ts writes them.
enum class Number {
  operation,
  outer,
  length,
  inner,
  maskStep,
  multiplier,
  /// SoftmaxCall::numbers.
  first,
  second,
  /// Four bits of each array from the lowest on, where its elements are of a dtype that the caller chooses.
  dtypes,
  /// Bit i: argument i, an optional one, is there. Asking Node-API for its type would cost as much as reading
  /// it.
  present,
  /// Not 0: classes and results per row, or what is known of rows, are in the exchange.
  isSmall,
  /// 0: compute now. Else the number of a job.
  job,
  count
};

/// Memory that TypeScript has as an ArrayBuffer of its own, which no caller of the package ever gets. What is
/// in it costs no Node-API call: the numbers of every call, and what a small batch has per row.
/// src/backends/native/exchange.ts has the same fields at the same places.
struct Exchange {
  static constexpr std::size_t rows = 64;
  double numbers[16];
  /// Those of the first array of results per row, and of the second: double or float, as the operation has.
  double results[2][rows];
  std::int32_t classes[rows];
};
static_assert(offsetof(Exchange, results) == 128 && offsetof(Exchange, classes) == 128 + 16 * Exchange::rows);
static_assert(static_cast<std::size_t>(Number::count) <= sizeof Exchange::numbers / sizeof(double));

/// What the functions of one ISA know.
struct Callee {
  const SoftmaxKernels* kernels;
  Exchange* exchange;
  /// Null until JavaScript says who is told of their ends.
  Jobs* jobs;
};

/// The arguments of a call: the operation's arrays in the order of operations.h, then the mask, its offsets
/// and the multipliers. Those that are optional may be missing.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  /// Computes the call, unless an argument was refused: a JavaScript error is pending then. As a job: true if
  /// it was posted, false if there was no thread for it and it was computed at once.
  napi_value perform();

 private:
  static constexpr std::size_t maximum = softmaxMostArrays + 3;

  double number(Number which) const { return numbers_[static_cast<std::size_t>(which)]; }
  bool isPresent(std::size_t index) const { return (present_ >> index & 1) != 0; }
  template <Count count>
  std::size_t countOf();
  std::size_t wordCount() const;
  std::size_t editCount() const;
  template <Contents contents>
  SoftmaxDType dtypeOf(std::size_t index) const;
  void readRows();
  template <std::size_t operation, std::size_t index>
  void readArray(Exchange* exchange);
  template <std::size_t operation, std::size_t... index>
  void readArrays(std::index_sequence<index...>);
  template <std::size_t operation>
  void readArraysOf();
  template <std::size_t... operation>
  void readArraysOf(std::size_t which, std::index_sequence<operation...>);
  void readOptions(std::size_t index);
  /// Null, or where the classes and results are instead of in arguments.
  Exchange* smallBatch();
  /// All of its results, for what is known of rows.
  void* numbersIn(Exchange* exchange);
  std::size_t size(Number which);
  /// The memory of a typed array of at least `count` elements.
  void* memory(std::size_t index, std::size_t count);
  void refuse(const char* code, const char* message);

  napi_env env_;
  napi_value values_[maximum];
  Callee callee_{};
  const double* numbers_ = nullptr;
  std::uint32_t present_ = 0, dtypes_ = 0;
  SoftmaxCall call_;  // only the operation's arrays are set: to clear all of it would cost 5 ns
  std::size_t row_count_ = 0, element_count_ = 0;
  bool ok_ = true;
};

}  // namespace softmax_native
