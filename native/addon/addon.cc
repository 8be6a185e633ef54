// The JavaScript face of the kernels. src/backends/native/kernels.ts is its only caller and the place of every check
// but lengths.
#include <napi.h>

#include <cstring>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "arguments.h"

namespace softmax_native {
namespace {

/// Raised with every change of what the functions below take: a binary of another version is not used.
constexpr int interfaceVersion = 5;

// The arrays of each call; its numbers are in the exchange. mask, its offsets and the multipliers may be
// missing everywhere.

/// (x, out, mask, maskOffsets, multipliers)
template <SoftmaxFunction function>
napi_value rowCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxCall& call = args.call();
  call.function = function;
  call.x = args.elements(0, Number::dtypeA, args.elementCount());
  call.out =
      args.elements(1, Number::dtypeB, function == callLogSumExp ? args.rowCount() : args.elementCount());
  args.options(2);
  return args.perform();
}

/// (gradOutput, output, out, mask, maskOffsets, multipliers)
template <SoftmaxFunction function>
napi_value pairCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxCall& call = args.call();
  call.function = function;
  call.x = args.elements(0, Number::dtypeA, args.elementCount());
  call.y = args.elements(1, Number::dtypeB, args.elementCount());
  call.out = args.elements(2, Number::dtypeC, args.elementCount());
  args.options(3);
  return args.perform();
}

/// (output, out)
napi_value softmaxJacobian(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  SoftmaxCall& call = args.call();
  call.function = callSoftmaxJacobian;
  call.x = args.elements(0, Number::dtypeA, args.elementCount());
  call.out = args.elements(1, Number::dtypeB, product(args.elementCount(), args.rows().length));
  return args.perform();
}

/// (logits, grad, loss, logSumExp, classes, probabilities, weight, gradLosses, mask, maskOffsets,
/// multipliers); the first alone is always there. loss and logSumExp, and with class indices classes, are
/// there or in the exchange.
napi_value crossEntropy(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  args.call().function = callCrossEntropy;
  SoftmaxCrossEntropy& problem = args.call().crossEntropy;
  problem.logits = args.elements(0, Number::dtypeA, args.elementCount());
  problem.grad = args.optionalElements(1, Number::dtypeC, args.elementCount());
  problem.probabilities = args.optionalElements(5, Number::dtypeB, args.elementCount());
  problem.weight = args.optional<double>(6, args.rows().length);
  problem.gradLosses = args.optional<double>(7, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  problem.labelSmoothing = args.number(Number::labelSmoothing);
  args.options(8);
  if (Exchange* exchange = args.smallBatch(); exchange != nullptr) {
    problem.loss = exchange->loss;
    problem.logSumExp = exchange->logSumExp;
    problem.classes = args.isPresent(5) ? nullptr : exchange->classes;
  } else {
    problem.loss = args.results(2);
    problem.logSumExp = args.results(3);
    problem.classes = args.optional<std::int32_t>(4, args.rowCount());
  }
  return args.perform();
}

/// (student, teacher, divergence, grad, addend, gradLosses, mask, maskOffsets, multipliers); the first three
/// are always there.
napi_value divergence(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  args.call().function = callDivergence;
  SoftmaxDivergence& problem = args.call().divergence;
  problem.student = args.elements(0, Number::dtypeA, args.elementCount());
  problem.teacher = args.elements(1, Number::dtypeB, args.elementCount());
  problem.divergence = static_cast<double*>(args.results(2));
  problem.grad = args.optionalElements(3, Number::dtypeC, args.elementCount());
  problem.addend = args.optional<double>(4, args.elementCount());
  problem.gradLosses = args.optional<double>(5, args.rowCount());
  problem.gradLoss = args.number(Number::gradLoss);
  args.options(6);
  return args.perform();
}

/// (callback): called with the number of each job that ends, and whether it was cancelled.
napi_value connect(napi_env env, napi_callback_info info) {
  napi_value callback;
  std::size_t count = 1;
  void* callee = nullptr;
  if (napi_get_cb_info(env, info, &count, &callback, nullptr, &callee) != napi_ok) return nullptr;
  static_cast<Callee*>(callee)->jobs = Jobs::create(env, callback);
  return nullptr;
}

/// (job)
napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value value;
  std::size_t count = 1;
  void* callee = nullptr;
  double job = 0;
  if (napi_get_cb_info(env, info, &count, &value, nullptr, &callee) != napi_ok) return nullptr;
  if (napi_get_value_double(env, value, &job) != napi_ok) return nullptr;
  if (Jobs* jobs = static_cast<Callee*>(callee)->jobs; jobs != nullptr) jobs->cancel(job);
  return nullptr;
}

/// What the functions of `kernels` know. It and the exchange live as long as the environment: they could be
/// called as long.
Callee* newCallee(Napi::Env env, const SoftmaxKernels* kernels, Napi::Object functions) {
  struct Owned {
    Callee callee;
    napi_env env;
    napi_ref exchange;
  };
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, sizeof(Exchange));
  napi_ref reference;
  if (napi_create_reference(env, buffer, 1, &reference) != napi_ok) return nullptr;
  auto* owned = new Owned{{kernels, static_cast<Exchange*>(buffer.Data()), nullptr}, env, reference};
  const auto end = [](Owned* unused) {
    // An environment that ends leaves the memory of references to who made them.
    napi_delete_reference(unused->env, unused->exchange);
    delete unused;
  };
  env.AddCleanupHook(end, owned);
  functions.Set("exchange", buffer);
  return &owned->callee;
}

/// The kernels of one ISA: an object of functions that know their table, and their exchange.
Napi::Value kernelsOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  char isa[16] = "";
  if (napi_get_value_string_utf8(env, info[0], isa, sizeof isa, nullptr) != napi_ok) return env.Undefined();
  const KernelList list = supportedKernels();
  const SoftmaxKernels* table = nullptr;
  for (std::size_t i = 0; i < list.count; ++i)
    if (std::strcmp(isa, list.tables[i]->isa) == 0) table = list.tables[i];
  if (table == nullptr) return env.Undefined();

  struct Entry {
    const char* name;
    napi_callback callback;
  };
  const Entry entries[] = {
      {"softmax", rowCall<callSoftmax>},
      {"logSoftmax", rowCall<callLogSoftmax>},
      {"logSumExp", rowCall<callLogSumExp>},
      {"softmaxBackward", pairCall<callSoftmaxBackward>},
      {"logSoftmaxBackward", pairCall<callLogSoftmaxBackward>},
      {"softmaxJacobian", softmaxJacobian},
      {"crossEntropy", crossEntropy},
      {"divergence", divergence},
      {"connect", connect},
      {"cancel", cancel},
  };
  Napi::Object functions = Napi::Object::New(env);
  Callee* callee = newCallee(env, table, functions);
  if (callee == nullptr) return env.Undefined();
  functions.Set("lanes", Napi::Number::New(env, static_cast<double>(table->lanes)));
  for (const Entry& entry : entries) {
    napi_value function;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, callee, &function) != napi_ok)
      return env.Undefined();
    functions.Set(entry.name, function);
  }
  return functions;
}

Napi::Value getThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Pool::get().threads()));
}

/// (count, isDefault)
void setThreads(const Napi::CallbackInfo& info) {
  Pool::get().setThreads(info[0].ToNumber().Uint32Value(), info[1].ToBoolean());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const KernelList list = supportedKernels();
  Napi::Array supported = Napi::Array::New(env, list.count);
  for (std::size_t i = 0; i < list.count; ++i)
    supported.Set(static_cast<std::uint32_t>(i), Napi::String::New(env, list.tables[i]->isa));
  exports.Set("interfaceVersion", Napi::Number::New(env, interfaceVersion));
  exports.Set("supported", supported);
  exports.Set("getThreads", Napi::Function::New(env, getThreads, "getThreads"));
  exports.Set("setThreads", Napi::Function::New(env, setThreads, "setThreads"));
  exports.Set("kernelsOf", Napi::Function::New(env, kernelsOf, "kernelsOf"));
  return exports;
}

NODE_API_MODULE(softmax_native, initialize)

}  // namespace
}  // namespace softmax_native
