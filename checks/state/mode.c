// An addon as others are: sets the floating-point mode of the calling thread, and can lose memory.
#include <node_api.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
// Without the exceptions that were, which are no mode.
static double readMode(void) { return _mm_getcsr() & ~0x3Fu; }
static void writeMode(double mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__)
static double readMode(void) {
  unsigned long long mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return (double)mode;
}
static void writeMode(double mode) { __asm__ volatile("msr fpcr, %0" : : "r"((unsigned long long)mode)); }
#endif

static napi_value getMode(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  napi_create_double(env, readMode(), &result);
  return result;
}

static double numberOf(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  double number = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_double(env, argument, &number);
  return number;
}

static napi_value setMode(napi_env env, napi_callback_info info) {
  writeMode(numberOf(env, info));
  return NULL;
}

/// So many bytes, written and never freed.
static napi_value lose(napi_env env, napi_callback_info info) {
  const size_t size = (size_t)numberOf(env, info);
  volatile char* bytes = malloc(size);
  for (size_t i = 0; bytes != NULL && i < size; ++i) bytes[i] = 1;
  return NULL;
}

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback function;
  } functions[] = {{"getMode", getMode}, {"setMode", setMode}, {"lose", lose}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
