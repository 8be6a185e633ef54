// Memory for the arrays of one execution: each of exactly its size, between red zones. AddressSanitizer
// reports who reads or writes one; without it, check() finds who wrote one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef SOFTMAX_FUZZ_ASAN
extern "C" void __asan_poison_memory_region(const volatile void* address, std::size_t size);
extern "C" void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
#endif

namespace softmax_fuzz {

class Arena {
 public:
  static constexpr std::size_t size = std::size_t{1} << 22, zone = 64;

  Arena() { close(0, size); }

  /// Everything taken is given back.
  void reset() {
    for (std::size_t i = 0; i < count_; ++i) close(blocks_[i].begin, blocks_[i].end);
    count_ = 0;
    end_ = zone;
  }
  /// `offset`: how far from a multiple of 64 bytes it begins.
  char* take(std::size_t bytes, std::size_t offset) {
    const std::size_t begin = (end_ + zone - 1) / zone * zone + offset;
    end_ = begin + bytes + zone;
    if (end_ > size || count_ == most) __builtin_trap();
    blocks_[count_++] = {begin, begin + bytes};
    open(begin, begin + bytes);
    return memory_ + begin;
  }
  /// Whether nobody wrote a red zone.
  bool isWhole() const {
#ifndef SOFTMAX_FUZZ_ASAN
    std::size_t at = 0;
    for (std::size_t i = 0; i <= count_; ++i) {
      const std::size_t end = i < count_ ? blocks_[i].begin : end_;
      for (; at < end; ++at)
        if (memory_[at] != canary) return false;
      if (i < count_) at = blocks_[i].end;
    }
#endif
    return true;
  }

 private:
  static constexpr std::size_t most = 48;
  static constexpr char canary = 0x5C;
  struct Block {
    std::size_t begin, end;
  };

#ifdef SOFTMAX_FUZZ_ASAN
  void open(std::size_t begin, std::size_t end) {
    __asan_unpoison_memory_region(memory_ + begin, end - begin);
  }
  void close(std::size_t begin, std::size_t end) {
    __asan_poison_memory_region(memory_ + begin, end - begin);
  }
#else
  void open(std::size_t, std::size_t) {}
  void close(std::size_t begin, std::size_t end) {
    std::memset(memory_ + begin, canary, end - begin);
  }
#endif

  alignas(64) char memory_[size];
  Block blocks_[most];
  std::size_t count_ = 0, end_ = zone;
};

}  // namespace softmax_fuzz
