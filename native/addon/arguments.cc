#include "arguments.h"

namespace softmax_native {

std::size_t product(std::size_t a, std::size_t b) {
  return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  std::size_t count = maximum;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values_, nullptr, &data) != napi_ok)
    refuse("ERR_BACKEND", "the call's arguments can't be read");
  kernels_ = static_cast<const SoftmaxKernels*>(data);
}

void Arguments::refuse(const char* code, const char* message) {
  if (ok_) napi_throw_type_error(env_, code, message);
  ok_ = false;
}

double Arguments::number(std::size_t index) {
  double value = 0;
  if (napi_get_value_double(env_, values_[index], &value) != napi_ok)
    refuse("ERR_BACKEND", "the native backend was given no number where it needs one");
  return value;
}

std::size_t Arguments::size(std::size_t index) {
  const double value = number(index);
  if (!(value >= 0 && value <= 9007199254740991.0)) {
    refuse("ERR_SHAPE", "the native backend was given a size that is no non-negative integer");
    return 0;
  }
  return static_cast<std::size_t>(value);
}

bool Arguments::isNullish(std::size_t index) {
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

}  // namespace softmax_native
