#include "scratch.h"

#include <cstdint>
#include <cstdlib>
#if defined(__linux__)
#include <pthread.h>
#endif

namespace softmax_native {
namespace {

constexpr std::size_t alignment = 64;

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
  if (!memory.is_made) return nullptr;
  void* allocated = pthread_getspecific(memory.key);
  if (allocated != nullptr) return allocated;
  allocated = std::malloc(softmaxSampleScratch + alignment);
  if (allocated == nullptr || pthread_setspecific(memory.key, allocated) == 0) return allocated;
  std::free(allocated);
  return nullptr;
}

#else

struct Memory {
  void* allocated = nullptr;
  ~Memory() { std::free(allocated); }
};

thread_local Memory memory;

void* threadMemory() {
  if (memory.allocated == nullptr) memory.allocated = std::malloc(softmaxSampleScratch + alignment);
  return memory.allocated;
}

#endif

}  // namespace

void* scratchMemory() {
  const void* allocated = threadMemory();
  if (allocated == nullptr) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(allocated);
  return reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
}

}  // namespace softmax_native
