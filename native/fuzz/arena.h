// Memory for the arrays of one execution: each of exactly its size, between red zones. AddressSanitizer
// reports who reads or writes one, but does not see what masked stores of AVX2 do: isWhole() finds who wrote
// one.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef SOFTMAX_FUZZ_ASAN
// What uses the arena is itself not compiled with AddressSanitizer.
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
    end_ = 0;
  }
  /// `offset`: how far from a multiple of 64 bytes it begins.
  char* take(std::size_t bytes, std::size_t offset) {
    const std::size_t begin = (end_ + 2 * zone - 1) / zone * zone + offset, end = begin + bytes;
    if (end + zone > size || count_ == most) __builtin_trap();
    __builtin_memset(memory_ + begin - zone, canary, zone);
    __builtin_memset(memory_ + end, canary, zone);
    blocks_[count_++] = {begin, end};
    end_ = end;
    open(begin, end);
    return memory_ + begin;
  }
  /// Whether nobody wrote a red zone.
  bool isWhole() const {
    std::uint64_t different = 0;
    for (std::size_t i = 0; i < count_; ++i)
      different |= differenceAt(blocks_[i].begin - zone) | differenceAt(blocks_[i].end);
    return different == 0;
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
  void close(std::size_t, std::size_t) {}
#endif

  std::uint64_t differenceAt(std::size_t begin) const {
    constexpr std::uint64_t wanted = 0x0101010101010101u * canary;
    std::uint64_t different = 0;
    for (std::size_t at = begin; at < begin + zone; at += 8) {
      std::uint64_t bits;
      __builtin_memcpy(&bits, memory_ + at, 8);
      different |= bits ^ wanted;
    }
    return different;
  }

  alignas(64) char memory_[size];
  Block blocks_[most];
  std::size_t count_ = 0, end_ = 0;
};

}  // namespace softmax_fuzz
