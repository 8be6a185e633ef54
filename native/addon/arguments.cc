#include "arguments.h"

#include <algorithm>

#include "../kernels/sample_call.h"
#include "../runtime/call.h"
#include "../runtime/compute.h"

namespace softmax_native {

namespace {

/// a · b, or SIZE_MAX where that does not fit: no memory has that length.
std::size_t product(std::size_t a, std::size_t b) {
  std::size_t result;
  return __builtin_mul_overflow(a, b, &result) ? SIZE_MAX : result;
}

}  // namespace

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  void* data = nullptr;
  std::size_t count = maximum;
  if (napi_get_cb_info(env, info, &count, values_, nullptr, &data) != napi_ok) {
    refuse("ERR_BACKEND", "the call's arguments can't be read");
    return;
  }
  callee_ = *static_cast<const Callee*>(data);
  numbers_ = callee_.exchange->numbers;
  const double which = number(Number::operation);
  if (!(which >= 0 && which < static_cast<double>(operationCount))) {
    refuse("ERR_BACKEND", "the native backend was asked for an operation that it does not have");
    return;
  }
  const auto operation = static_cast<std::size_t>(which);
  call_.operation = static_cast<SoftmaxOperation>(operation);
  readRows();
  readArraysOf(operation, std::make_index_sequence<operationCount>());
}

void Arguments::readRows() {
  present_ = static_cast<std::uint32_t>(size(Number::present));
  dtypes_ = static_cast<std::uint32_t>(size(Number::dtypes));
  call_.numbers[0] = number(Number::first);
  call_.numbers[1] = number(Number::second);
  SoftmaxRows& rows = call_.rows;
  rows.mask = nullptr;
  rows.maskOffsets = nullptr;
  rows.maskStep = 0;
  rows.multipliers = nullptr;
  rows.scratch = nullptr;
  rows.scratchSize = 0;
  rows.outer = size(Number::outer);
  rows.length = size(Number::length);
  rows.inner = rows.stride = size(Number::inner);
  rows.multiplier = number(Number::multiplier);
  row_count_ = product(rows.outer, rows.inner);
  element_count_ = product(row_count_, rows.length);
  rows.elements = element_count_;
}

template <Count count>
std::size_t Arguments::countOf() {
  if constexpr (count == Count::perRow) return row_count_;
  if constexpr (count == Count::perClass) return call_.rows.length;
  if constexpr (count == Count::perPair) return product(element_count_, call_.rows.length);
  if constexpr (count == Count::perPlace) return product(row_count_, size(Number::first));
  if constexpr (count == Count::perTop) return product(row_count_, size(Number::second));
  if constexpr (count == Count::perSetting) return product(row_count_, softmaxSettings);
  if constexpr (count == Count::perRowTop) return product(row_count_, size(Number::second));
  if constexpr (count == Count::words) return wordCount();
  if constexpr (count == Count::edits) return editCount();
  if constexpr (count == Count::editPairs) return product(2, editCount());
  if constexpr (count == Count::perDraw || count == Count::perNumber)
    return product(row_count_, drawCount(call_));
  return element_count_;
}

/// How many the settings of sample refer to, which have been read.
std::size_t Arguments::wordCount() const {
  const auto sample = sampleCallOf<float>(call_);
  double most = 0;
  for (std::size_t row = 0; ok_ && row < row_count_; ++row)
    most = std::max(most, sample.settings[row].firstAllowed);
  return static_cast<std::size_t>(most) + (call_.rows.length + 31) / 32;
}
std::size_t Arguments::editCount() const {
  const auto sample = sampleCallOf<float>(call_);
  double most = 0;
  for (std::size_t row = 0; ok_ && row < row_count_; ++row)
    most = std::max({most, sample.settings[row].lastEdit, sample.settings[row].lastBias});
  return static_cast<std::size_t>(most);
}

template <Contents contents>
SoftmaxDType Arguments::dtypeOf(std::size_t index) const {
  if constexpr (contents == Contents::results)
    return call_.arrays[0].dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  if constexpr (contents == Contents::doubles) return softmaxFloat64;
  if constexpr (contents == Contents::int32) return softmaxInt32;
  return static_cast<SoftmaxDType>(dtypes_ >> 4 * index & 3);
}

/// Numbers per row that a small batch has in the exchange.
constexpr bool isResult(const OperationArray& array) {
  const bool is_of_floats = array.contents == Contents::results || array.contents == Contents::doubles;
  return array.isOutput && array.count == Count::perRow && is_of_floats;
}
/// How many arrays of them come before.
constexpr std::size_t resultsBefore(const OperationRow& row, std::size_t index) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < index; ++i) count += isResult(row.arrays[i]);
  return count;
}

template <std::size_t operation, std::size_t index>
void Arguments::readArray(Exchange* exchange) {
  constexpr OperationArray array = operations[operation].arrays[index];
  SoftmaxElements& elements = call_.arrays[index];
  elements.dtype = dtypeOf<array.contents>(index);
  elements.data = nullptr;
  if (array.isOptional && !isPresent(index)) return;
  if constexpr (isResult(array))
    if (exchange != nullptr) elements.data = exchange->results[resultsBefore(operations[operation], index)];
  if constexpr (array.count == Count::perNumber && array.isOutput)
    if (exchange != nullptr) elements.data = numbersIn(exchange);
  if constexpr (array.contents == Contents::int32 && !array.isOutput)
    if (exchange != nullptr) elements.data = exchange->classes;
  if (elements.data == nullptr) elements.data = memory(index, countOf<array.count>());
}

template <std::size_t operation, std::size_t... index>
void Arguments::readArrays(std::index_sequence<index...>) {
  Exchange* const exchange = smallBatch();
  (readArray<operation, index>(exchange), ...);
  if (operations[operation].layouts != Layouts::lastAxis) readOptions(sizeof...(index));
}
template <std::size_t operation>
void Arguments::readArraysOf() {
  readArrays<operation>(std::make_index_sequence<arrayCount(operations[operation])>());
}

/// The table's rows as code: to look at them one by one would cost a call 10 ns.
template <std::size_t... operation>
void Arguments::readArraysOf(std::size_t which, std::index_sequence<operation...>) {
  using Read = void (Arguments::*)();
  static constexpr Read reads[] = {&Arguments::readArraysOf<operation>...};
  (this->*reads[which])();
}

Exchange* Arguments::smallBatch() {
  if (number(Number::isSmall) == 0) return nullptr;
  if (number(Number::job) != 0) {
    refuse("ERR_BACKEND", "a job was given memory that the next call uses");
    return nullptr;
  }
  if (row_count_ <= Exchange::rows) return callee_.exchange;
  refuse("ERR_SHAPE", "the native backend was given more rows than a small batch has");
  return nullptr;
}

void* Arguments::numbersIn(Exchange* exchange) {
  if (product(row_count_, drawCount(call_)) <= 2 * Exchange::rows) return exchange->results;
  refuse("ERR_SHAPE", "the native backend was asked for more numbers than a small batch has");
  return nullptr;
}

void Arguments::refuse(const char* code, const char* message) {
  if (ok_) napi_throw_type_error(env_, code, message);
  ok_ = false;
}

std::size_t Arguments::size(Number which) {
  const double value = number(which);
  if (value >= 0 && value <= 9007199254740991.0) return static_cast<std::size_t>(value);
  refuse("ERR_SHAPE", "the native backend was given a size that is no non-negative integer");
  return 0;
}

void* Arguments::memory(std::size_t index, std::size_t count) {
  std::size_t length = 0;
  void* data = nullptr;
  // Asking for the type as well would cost twice as much, and leaves it unset for Float16Array on older
  // versions.
  if (napi_get_typedarray_info(env_, values_[index], nullptr, &length, &data, nullptr, nullptr) != napi_ok) {
    refuse("ERR_DTYPE", "the native backend was given something that is no typed array");
    return nullptr;
  }
  if (length < count) refuse("ERR_DETACHED", "an array was detached or shrunk");
  return data;
}

void Arguments::readOptions(std::size_t index) {
  SoftmaxRows& rows = call_.rows;
  if (isPresent(index + 2)) rows.multipliers = static_cast<const double*>(memory(index + 2, row_count_));
  if (!isPresent(index)) return;
  rows.maskStep = size(Number::maskStep);
  rows.maskOffsets = static_cast<const double*>(memory(index + 1, row_count_));
  if (!ok_) return;
  double last = 0;
  for (std::size_t i = 0; i < row_count_; ++i)
    if (rows.maskOffsets[i] > last) last = rows.maskOffsets[i];
  const std::size_t span = rows.length == 0 ? 0 : product(rows.length - 1, rows.maskStep) + 1;
  const bool is_empty = row_count_ == 0 || rows.length == 0;
  rows.mask =
      static_cast<const std::uint8_t*>(memory(index, is_empty ? 0 : static_cast<std::size_t>(last) + span));
}

napi_value Arguments::perform() {
  if (!ok_) return nullptr;
  const double job = number(Number::job);
  if (job == 0) {
    compute(*callee_.kernels, call_);
    return nullptr;
  }
  const bool is_posted = callee_.jobs != nullptr && callee_.jobs->post(job, *callee_.kernels, call_);
  if (!is_posted) compute(*callee_.kernels, call_);
  napi_value result;
  return napi_get_boolean(env_, is_posted, &result) == napi_ok ? result : nullptr;
}

}  // namespace softmax_native
