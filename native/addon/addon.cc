// The JavaScript face of the kernels. src/backends/native/kernels.ts is its only caller and the place of
// every check but lengths.
#include <napi.h>

#include <cstring>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "arguments.h"

namespace softmax_native {
namespace {

/// Raised with every change of what the functions below take or return: a binary of another version is not
/// used.
constexpr int interfaceVersion = 8;

/// (...arrays): see Arguments. Its numbers are in the exchange.
napi_value computeCall(napi_env env, napi_callback_info info) {
  return Arguments(env, info).perform();
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
      {"compute", computeCall},
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

/// The names of operations.h, in its order: an index is a number in the exchange.
Napi::Array operationNames(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env, operationCount);
  for (std::size_t i = 0; i < operationCount; ++i)
    names.Set(static_cast<std::uint32_t>(i), Napi::String::New(env, operations[i].name));
  return names;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const KernelList list = supportedKernels();
  Napi::Array supported = Napi::Array::New(env, list.count);
  for (std::size_t i = 0; i < list.count; ++i)
    supported.Set(static_cast<std::uint32_t>(i), Napi::String::New(env, list.tables[i]->isa));
  exports.Set("interfaceVersion", Napi::Number::New(env, interfaceVersion));
  exports.Set("supported", supported);
  exports.Set("operations", operationNames(env));
  exports.Set("getThreads", Napi::Function::New(env, getThreads, "getThreads"));
  exports.Set("setThreads", Napi::Function::New(env, setThreads, "setThreads"));
  exports.Set("kernelsOf", Napi::Function::New(env, kernelsOf, "kernelsOf"));
  return exports;
}

NODE_API_MODULE(softmax_native, initialize)

}  // namespace
}  // namespace softmax_native
