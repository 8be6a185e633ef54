#include "scratch.h"

#include <cstdint>
#include <cstdlib>
#if defined(__linux__)
#include <pthread.h>
#endif

namespace softmax_native {
namespace {

constexpr std::size_t alignment = 64;

/// What a thread's memory begins with.
struct Header {
  std::size_t size;
};

#if defined(__linux__)

// Not a thread_local: what it calls is in musl, but not in the library where glibc has it (its destructors
// are in no library of musl), and one binary serves both.
struct Key {
  pthread_key_t key;
  bool is_made;
  Key() : is_made(pthread_key_create(&key, std::free) == 0) {}
};
const Key memory;

void* threadMemory() {
  return memory.is_made ? pthread_getspecific(memory.key) : nullptr;
}
bool setThreadMemory(void* allocated) {
  return memory.is_made && pthread_setspecific(memory.key, allocated) == 0;
}

#else

struct Memory {
  void* allocated = nullptr;
  ~Memory() { std::free(allocated); }
};

thread_local Memory memory;

void* threadMemory() {
  return memory.allocated;
}
bool setThreadMemory(void* allocated) {
  memory.allocated = allocated;
  return true;
}

#endif

/// With its header; null if there is no memory.
void* memoryOf(std::size_t size) {
  void* const kept = threadMemory();
  if (kept != nullptr && static_cast<const Header*>(kept)->size >= size) return kept;
  void* const allocated = std::malloc(sizeof(Header) + alignment + size);
  if (allocated == nullptr || !setThreadMemory(allocated)) {
    std::free(allocated);
    return nullptr;
  }
  static_cast<Header*>(allocated)->size = size;
  std::free(kept);
  return allocated;
}

}  // namespace

void* scratchMemory(std::size_t size) {
  void* const allocated = memoryOf(size);
  if (allocated == nullptr) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(allocated) + sizeof(Header);
  return reinterpret_cast<void*>((begin + alignment - 1) / alignment * alignment);
}

}  // namespace softmax_native
