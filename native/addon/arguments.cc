#include "arguments.h"

namespace softmax_native {

std::size_t product(std::size_t a, std::size_t b) {
  return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  void* data = nullptr;
  count_ = maximum;
  if (napi_get_cb_info(env, info, &count_, values_, nullptr, &data) != napi_ok)
    refuse("ERR_BACKEND", "the call's arguments can't be read");
  kernels_ = static_cast<const SoftmaxKernels*>(data);
  constexpr std::size_t number_count = sizeof numbers_ / sizeof *numbers_;
  if (const void* numbers = ok_ ? memory(0, number_count) : nullptr; ok_)
    for (std::size_t i = 0; i < number_count; ++i) numbers_[i] = static_cast<const double*>(numbers)[i];
  rows_.outer = size(Number::outer);
  rows_.length = size(Number::length);
  rows_.inner = size(Number::inner);
  rows_.multiplier = number(Number::multiplier);
  row_count_ = product(rows_.outer, rows_.inner);
  element_count_ = product(row_count_, rows_.length);
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

bool Arguments::isNullish(std::size_t index) {
  if (index >= count_) return true;
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env_, values_[index], &type) != napi_ok)
    refuse("ERR_BACKEND", "the call's arguments can't be read");
  return type == napi_undefined || type == napi_null;
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

SoftmaxElements Arguments::elements(std::size_t index, Number dtype, std::size_t count) {
  return {memory(index, count), static_cast<SoftmaxDType>(static_cast<int>(number(dtype)))};
}

SoftmaxElements Arguments::optionalElements(std::size_t index, Number dtype, std::size_t count) {
  if (isNullish(index)) return {};
  return elements(index, dtype, count);
}

SoftmaxRows Arguments::options(std::size_t index) {
  SoftmaxRows rows = rows_;
  rows.multipliers = optional<double>(index + 2, row_count_);
  if (isNullish(index)) return rows;
  rows.maskStep = size(Number::maskStep);
  rows.maskOffsets = static_cast<const double*>(memory(index + 1, row_count_));
  if (!ok_) return rows;
  double last = 0;
  for (std::size_t i = 0; i < row_count_; ++i)
    if (rows.maskOffsets[i] > last) last = rows.maskOffsets[i];
  const std::size_t span = rows.length == 0 ? 0 : product(rows.length - 1, rows.maskStep) + 1;
  const bool is_empty = row_count_ == 0 || rows.length == 0;
  rows.mask =
      static_cast<const std::uint8_t*>(memory(index, is_empty ? 0 : static_cast<std::size_t>(last) + span));
  return rows;
}

}  // namespace softmax_native
