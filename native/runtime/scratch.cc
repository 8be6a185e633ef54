#include "scratch.h"

#include <cstdint>
#include <cstdlib>

namespace softmax_native {
namespace {

constexpr std::size_t alignment = 64;

struct Memory {
  void* allocated = nullptr;
  ~Memory() { std::free(allocated); }
};

thread_local Memory memory;

}  // namespace

void* scratchMemory() {
  if (memory.allocated == nullptr) memory.allocated = std::malloc(scratchSize + alignment);
  if (memory.allocated == nullptr) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(memory.allocated);
  return reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
}

}  // namespace softmax_native
