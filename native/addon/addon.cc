// The JavaScript face of the kernels. src/native-kernels.ts is its only caller and the place of every check
// but lengths.
#include <napi.h>

#include "../runtime/dispatch.h"
#include "arguments.h"

namespace softmax_native {
namespace {

/// Raised with every change of what the functions below take: a binary of another version is not used.
constexpr int interfaceVersion = 3;

using RowKernel = void (*SoftmaxKernels::*)(const SoftmaxElements*, const SoftmaxElements*,
                                            const SoftmaxRows*);
using PairKernel = void (*SoftmaxKernels::*)(const SoftmaxElements*, const SoftmaxElements*,
                                             const SoftmaxElements*, const SoftmaxRows*);

// The arrays of each call; its numbers are in the exchange. mask, its offsets and the multipliers may be
// missing everywhere.

/// (x, out, mask, maskOffsets, multipliers)
template <RowKernel kernel, bool one_per_row>
napi_value rowCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements x = args.elements(0, Number::dtypeA, args.elementCount());
  const SoftmaxElements out =
      args.elements(1, Number::dtypeB, one_per_row ? args.rowCount() : args.elementCount());
  const SoftmaxRows& rows = args.options(2);
  if (args.ok()) (args.kernels().*kernel)(&x, &out, &rows);
  return nullptr;
}

/// (gradOutput, output, out, mask, maskOffsets, multipliers)
template <PairKernel kernel>
napi_value pairCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements grad_output = args.elements(0, Number::dtypeA, args.elementCount());
  const SoftmaxElements output = args.elements(1, Number::dtypeB, args.elementCount());
  const SoftmaxElements out = args.elements(2, Number::dtypeC, args.elementCount());
  const SoftmaxRows& rows = args.options(3);
  if (args.ok()) (args.kernels().*kernel)(&grad_output, &output, &out, &rows);
  return nullptr;
}

/// (output, out)
napi_value softmaxJacobian(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const SoftmaxElements output = args.elements(0, Number::dtypeA, args.elementCount());
  const SoftmaxElements out =
      args.elements(1, Number::dtypeB, product(args.elementCount(), args.rows().length));
  if (args.ok()) args.kernels().softmaxJacobian(&output, &out, &args.rows());
  return nullptr;
}

/// (logits, grad, loss, logSumExp, classes, probabilities, weight, gradLosses, mask, maskOffsets,
/// multipliers); the first alone is always there. loss and logSumExp, and with class indices classes, are
/// there or in the exchange.
napi_value crossEntropy(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxCrossEntropy problem{};
  problem.logits = args.elements(0, Number::dtypeA, args.elementCount());
  problem.grad = args.optionalElements(1, Number::dtypeC, args.elementCount());
  problem.probabilities = args.optionalElements(5, Number::dtypeB, args.elementCount());
  problem.weight = args.optional<double>(6, args.rows().length);
  problem.gradLosses = args.optional<double>(7, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  problem.labelSmoothing = args.number(Number::labelSmoothing);
  const SoftmaxRows& rows = args.options(8);
  if (Exchange* exchange = args.smallBatch(); exchange != nullptr) {
    problem.loss = exchange->loss;
    problem.logSumExp = exchange->logSumExp;
    if (!args.isPresent(5)) problem.classes = exchange->classes;
  } else {
    problem.loss = args.results(2);
    problem.logSumExp = args.results(3);
    problem.classes = args.optional<std::int32_t>(4, args.rowCount());
  }
  if (args.ok()) args.kernels().crossEntropy(&problem, &rows);
  return nullptr;
}

/// (student, teacher, divergence, grad, addend, gradLosses, mask, maskOffsets, multipliers); the first three
/// are always there.
napi_value divergence(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxDivergence problem{};
  problem.student = args.elements(0, Number::dtypeA, args.elementCount());
  problem.teacher = args.elements(1, Number::dtypeB, args.elementCount());
  problem.divergence = static_cast<double*>(args.results(2));
  problem.grad = args.optionalElements(3, Number::dtypeC, args.elementCount());
  problem.addend = args.optional<double>(4, args.elementCount());
  problem.gradLosses = args.optional<double>(5, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  const SoftmaxRows& rows = args.options(6);
  if (args.ok()) args.kernels().divergence(&problem, &rows);
  return nullptr;
}

/// What the functions of `kernels` know. Its memory lives as long as the environment: they could be called as
/// long.
Callee* newCallee(Napi::Env env, const SoftmaxKernels* kernels, Napi::Object functions) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, sizeof(Exchange));
  napi_ref reference;
  if (napi_create_reference(env, buffer, 1, &reference) != napi_ok) return nullptr;
  auto* callee = new Callee{kernels, static_cast<Exchange*>(buffer.Data())};
  env.AddCleanupHook([](Callee* unused) { delete unused; }, callee);
  functions.Set("exchange", buffer);
  return callee;
}

/// The kernels of one ISA: an object of functions that know their table, and their exchange.
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
  Callee* callee = newCallee(env, table, functions);
  if (callee == nullptr) return env.Undefined();
  for (const Entry& entry : entries) {
    napi_value function;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, callee, &function) != napi_ok)
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
