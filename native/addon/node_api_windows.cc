// Node-API on Windows. An addon that names the program it imports from, node.exe, does not load in any other:
// Electron, applications of a single executable, Bun, Deno. So there is no import library: what calls through
// dllimport read, a pointer a function, is set here, from whatever program this is.
#include <windows.h>

// clang-format off
#define SOFTMAX_NODE_API(X) \
  X(napi_add_env_cleanup_hook) \
  X(napi_add_finalizer) \
  X(napi_call_function) \
  X(napi_call_threadsafe_function) \
  X(napi_close_handle_scope) \
  X(napi_coerce_to_bool) \
  X(napi_coerce_to_number) \
  X(napi_create_array_with_length) \
  X(napi_create_arraybuffer) \
  X(napi_create_double) \
  X(napi_create_error) \
  X(napi_create_function) \
  X(napi_create_object) \
  X(napi_create_reference) \
  X(napi_create_string_utf8) \
  X(napi_create_threadsafe_function) \
  X(napi_create_type_error) \
  X(napi_define_properties) \
  X(napi_delete_reference) \
  X(napi_fatal_error) \
  X(napi_get_and_clear_last_exception) \
  X(napi_get_arraybuffer_info) \
  X(napi_get_boolean) \
  X(napi_get_cb_info) \
  X(napi_get_last_error_info) \
  X(napi_get_property) \
  X(napi_get_reference_value) \
  X(napi_get_typedarray_info) \
  X(napi_get_undefined) \
  X(napi_get_value_bool) \
  X(napi_get_value_double) \
  X(napi_get_value_string_utf8) \
  X(napi_get_value_uint32) \
  X(napi_has_property) \
  X(napi_is_exception_pending) \
  X(napi_open_handle_scope) \
  X(napi_ref_threadsafe_function) \
  X(napi_release_threadsafe_function) \
  X(napi_set_element) \
  X(napi_set_named_property) \
  X(napi_throw) \
  X(napi_throw_type_error) \
  X(napi_typeof) \
  X(napi_unref_threadsafe_function)
// clang-format on

extern "C" {
#define SOFTMAX_POINTER(name) void* __imp_##name = nullptr;
SOFTMAX_NODE_API(SOFTMAX_POINTER)

/// False, and the addon does not load, where the program has no Node-API.
BOOL WINAPI DllMain(HINSTANCE, DWORD reason, LPVOID) {
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  const HMODULE program = GetModuleHandleW(nullptr);
#define SOFTMAX_LOOK_UP(name)                                             \
  __imp_##name = reinterpret_cast<void*>(GetProcAddress(program, #name)); \
  if (__imp_##name == nullptr) return FALSE;
  SOFTMAX_NODE_API(SOFTMAX_LOOK_UP)
  return TRUE;
}
}
