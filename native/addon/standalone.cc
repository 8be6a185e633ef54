// What a prebuilt binary has in place of the C++ library's: functions that end the process where those would
// throw. Nothing here catches an exception, and what throws brings an unwinder and a demangler along, an
// eighth of a binary.
#include <cstdlib>
#include <new>
#include <string>

void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

extern "C" void __cxa_pure_virtual() {
  std::abort();
}

namespace std {
const nothrow_t nothrow{};

// Of node-addon-api's strings; the library's own copies come with all that it throws.
template void string::resize(size_type, char);
template void string::reserve(size_type);
template string& string::append(size_type, char);
template void string::__grow_by(size_type, size_type, size_type, size_type, size_type, size_type);

// libc++'s way out of what can't go on (an index out of range): made to be replaced.
inline namespace __1 {
void __libcpp_verbose_abort(const char*, ...) {
  std::abort();
}
}  // namespace __1
}  // namespace std
