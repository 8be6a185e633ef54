// The floating-point mode that results depend on.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace softmax_native {

/// Rounding to nearest, denormals as they are, no exception trapped, for as long as it lives. Another addon
/// of the process may have set something else on this thread, which it has again afterwards.
class DefaultFloatingPoint {
#if defined(__x86_64__) || defined(_M_X64)
  using Mode = std::uint32_t;
  static constexpr Mode usual = 0x1F80, flags = 0x3F;  // of exceptions that were: no mode
  static Mode get() {
    return _mm_getcsr();
  }
  static void set(Mode mode) {
    _mm_setcsr(mode);
  }
#elif defined(__aarch64__)
  using Mode = std::uint64_t;
  static constexpr Mode usual = 0, flags = 0;
  static Mode get() {
    Mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set(Mode mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
  }
#else
  using Mode = int;
  static constexpr Mode usual = 0, flags = 0;
  static Mode get() {
    return usual;
  }
  static void set(Mode) {}
#endif

 public:
  DefaultFloatingPoint() : before_(get()) {
    if ((before_ & ~flags) != usual) set(usual);
  }
  ~DefaultFloatingPoint() {
    if ((before_ & ~flags) != usual) set(before_);
  }
  DefaultFloatingPoint(const DefaultFloatingPoint&) = delete;
  DefaultFloatingPoint& operator=(const DefaultFloatingPoint&) = delete;

 private:
  Mode before_;
};

}  // namespace softmax_native
