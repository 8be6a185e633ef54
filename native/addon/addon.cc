// The JavaScript face of the kernels. src/native-kernels.ts is its only caller and the place of every check
// but lengths.
#include <napi.h>

#include "../runtime/dispatch.h"
#include "arguments.h"

namespace softmax_native {
namespace {

/// Raised with every change of what the functions below take: a binary of another version is not used.
constexpr int interfaceVersion = 2;

using RowKernel = void (*SoftmaxKernels::*)(const SoftmaxElements*, const SoftmaxElements*,
                                            const SoftmaxRows*);
using PairKernel = void (*SoftmaxKernels::*)(const SoftmaxElements*, const SoftmaxElements*,
                                             const SoftmaxElements*, const SoftmaxRows*);

// The arrays of each call, after the numbers. mask, its offsets and the multipliers may be missing
// everywhere.

/// (x, out, mask, maskOffsets, multipliers)
template <RowKernel kernel, bool one_per_row>
napi_value rowCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements x = args.elements(1, Number::dtypeA, args.elementCount());
  const SoftmaxElements out =
      args.elements(2, Number::dtypeB, one_per_row ? args.rowCount() : args.elementCount());
  const SoftmaxRows rows = args.options(3);
  if (args.ok()) (args.kernels().*kernel)(&x, &out, &rows);
  return nullptr;
}

/// (gradOutput, output, out, mask, maskOffsets, multipliers)
template <PairKernel kernel>
napi_value pairCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements grad_output = args.elements(1, Number::dtypeA, args.elementCount());
  const SoftmaxElements output = args.elements(2, Number::dtypeB, args.elementCount());
  const SoftmaxElements out = args.elements(3, Number::dtypeC, args.elementCount());
  const SoftmaxRows rows = args.options(4);
  if (args.ok()) (args.kernels().*kernel)(&grad_output, &output, &out, &rows);
  return nullptr;
}

/// (output, out)
napi_value softmaxJacobian(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements output = args.elements(1, Number::dtypeA, args.elementCount());
  const SoftmaxElements out =
      args.elements(2, Number::dtypeB, product(args.elementCount(), args.rows().length));
  if (args.ok()) args.kernels().softmaxJacobian(&output, &out, &args.rows());
  return nullptr;
}

/// (logits, loss, logSumExp, mask, maskOffsets, multipliers, classes or undefined, probabilities or
/// undefined, weight or undefined, grad or undefined, gradLosses or undefined)
napi_value crossEntropy(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxCrossEntropy problem{};
  problem.logits = args.elements(1, Number::dtypeA, args.elementCount());
  problem.loss = args.results(2);
  problem.logSumExp = args.results(3);
  const SoftmaxRows rows = args.options(4);
  problem.classes = args.optional<std::int32_t>(7, args.rowCount());
  problem.probabilities = args.optionalElements(8, Number::dtypeB, args.elementCount());
  problem.weight = args.optional<double>(9, rows.length);
  problem.labelSmoothing = args.number(Number::labelSmoothing);
  problem.grad = args.optionalElements(10, Number::dtypeC, args.elementCount());
  problem.gradLosses = args.optional<double>(11, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  if (args.ok()) args.kernels().crossEntropy(&problem, &rows);
  return nullptr;
}

/// (student, teacher, divergence, mask, maskOffsets, multipliers, grad or undefined, addend or undefined,
/// gradLosses or undefined)
napi_value divergence(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxDivergence problem{};
  problem.student = args.elements(1, Number::dtypeA, args.elementCount());
  problem.teacher = args.elements(2, Number::dtypeB, args.elementCount());
  problem.divergence = static_cast<double*>(args.results(3));
  const SoftmaxRows rows = args.options(4);
  problem.grad = args.optionalElements(7, Number::dtypeC, args.elementCount());
  problem.addend = args.optional<double>(8, args.elementCount());
  problem.gradLosses = args.optional<double>(9, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  if (args.ok()) args.kernels().divergence(&problem, &rows);
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
      {"divergence", divergence},
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
