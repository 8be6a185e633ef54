// The JavaScript face of the kernels. src/native.ts is its only caller and the place of every check but
// lengths.
#include <napi.h>

#include "../runtime/dispatch.h"
#include "arguments.h"

namespace softmax_native {
namespace {

/// Raised with every change of what the functions below take: a binary of another version is not used.
constexpr int interfaceVersion = 1;

using RowKernel = void (*SoftmaxKernels::*)(const float*, float*, std::size_t, std::size_t, double);
using PairKernel = void (*SoftmaxKernels::*)(const float*, const float*, float*, std::size_t, std::size_t,
                                             double);

/// (logits, out, rows, length, multiplier)
template <RowKernel kernel, bool one_per_row>
napi_value rowCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const std::size_t rows = args.size(2), length = args.size(3), elements = product(rows, length);
  const double multiplier = args.number(4);
  const float* logits = args.floats(0, elements);
  float* out = args.floats(1, one_per_row ? rows : elements);
  if (args.ok()) (args.kernels().*kernel)(logits, out, rows, length, multiplier);
  return nullptr;
}

/// (gradOutput, output, out, rows, length, multiplier)
template <PairKernel kernel>
napi_value pairCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const std::size_t rows = args.size(3), length = args.size(4), elements = product(rows, length);
  const double multiplier = args.number(5);
  const float* grad_output = args.floats(0, elements);
  const float* output = args.floats(1, elements);
  float* out = args.floats(2, elements);
  if (args.ok()) (args.kernels().*kernel)(grad_output, output, out, rows, length, multiplier);
  return nullptr;
}

/// (output, out, rows, length)
napi_value softmaxJacobian(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const std::size_t rows = args.size(2), length = args.size(3), elements = product(rows, length);
  const float* output = args.floats(0, elements);
  float* out = args.floats(1, product(elements, length));
  if (args.ok()) args.kernels().softmaxJacobian(output, out, rows, length);
  return nullptr;
}

/// (logits, targets, loss, logSumExp, grad or undefined, rows, length, multiplier, gradLoss)
napi_value crossEntropy(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const std::size_t rows = args.size(5), length = args.size(6), elements = product(rows, length);
  const double multiplier = args.number(7), grad_loss = args.number(8);
  const float* logits = args.floats(0, elements);
  const std::int32_t* targets = args.integers(1, rows);
  float* loss = args.floats(2, rows);
  float* log_sum_exp = args.floats(3, rows);
  float* grad = args.isNullish(4) ? nullptr : args.floats(4, elements);
  if (args.ok())
    args.kernels().crossEntropy(logits, targets, loss, log_sum_exp, grad, rows, length, multiplier,
                                grad_loss);
  return nullptr;
}

/// The kernels of one ISA: an object of functions that know their table.
Napi::Value kernelsOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string isa = info[0].ToString();
  const KernelList list = supportedKernels();
  const SoftmaxKernels* table = nullptr;
  for (std::size_t i = 0; i < list.count; ++i)
    if (isa == list.tables[i]->isa) table = list.tables[i];
  if (table == nullptr) return env.Undefined();

  struct Entry {
    const char* name;
    napi_callback callback;
  };
  const Entry entries[] = {
      {"softmax", rowCall<&SoftmaxKernels::softmax, false>},
      {"logSoftmax", rowCall<&SoftmaxKernels::logSoftmax, false>},
      {"logSumExp", rowCall<&SoftmaxKernels::logSumExp, true>},
      {"softmaxBackward", pairCall<&SoftmaxKernels::softmaxBackward>},
      {"logSoftmaxBackward", pairCall<&SoftmaxKernels::logSoftmaxBackward>},
      {"softmaxJacobian", softmaxJacobian},
      {"crossEntropy", crossEntropy},
  };
  Napi::Object functions = Napi::Object::New(env);
  for (const Entry& entry : entries) {
    napi_value function;
    // The table lives as long as the library does.
    void* data = const_cast<SoftmaxKernels*>(table);
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, data, &function) != napi_ok)
      return env.Undefined();
    functions.Set(entry.name, function);
  }
  return functions;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const KernelList list = supportedKernels();
  Napi::Array supported = Napi::Array::New(env, list.count);
  for (std::size_t i = 0; i < list.count; ++i)
    supported.Set(static_cast<std::uint32_t>(i), Napi::String::New(env, list.tables[i]->isa));
  exports.Set("interfaceVersion", Napi::Number::New(env, interfaceVersion));
  exports.Set("supported", supported);
  exports.Set("kernelsOf", Napi::Function::New(env, kernelsOf, "kernelsOf"));
  return exports;
}

NODE_API_MODULE(softmax_native, initialize)

}  // namespace
}  // namespace softmax_native
