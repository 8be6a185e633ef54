// The bytes of one execution as choices: a few bytes say what the problem is, the rest is what elements come
// from, over and over if there are fewer bytes than elements.
#pragma once

#include "elements.h"

namespace softmax_fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ ^ data[i]) * 0x100000001b3u;  // FNV-1a
  }

  /// 0 where there are no more.
  std::uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  std::size_t below(std::size_t count) { return byte() % count; }
  /// True for `of_256` of the 256 values of a byte, but not for 0.
  bool chance(int of_256) { return byte() >= 256 - of_256; }
  template <class Value, std::size_t count>
  Value oneOf(const Value (&values)[count]) {
    return values[below(count)];
  }
  std::uint64_t word() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8 | byte();
    return bits;
  }

  /// A byte for an element. Where all have been given they come again: the same, or changed at random.
  std::uint8_t cyclic() {
    if (size_ == 0) return 0;
    if (cycle_ >= size_) {
      cycle_ = at_ < size_ ? at_ : 0;
      is_again_ = true;
    }
    const std::uint8_t byte = data_[cycle_++];
    return is_again_ && changes_ ? static_cast<std::uint8_t>(byte ^ random()) : byte;
  }
  std::uint64_t random() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// What is random depends on every byte there is.
  void seed(std::uint8_t seed) {
    state_ = hash_ + seed;
    changes_ = seed & 1;
    is_again_ = false;
    cycle_ = at_;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0, cycle_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325u, state_ = 0;
  bool changes_ = false, is_again_ = false;
};

/// What elements are drawn from.
enum class Values { logits, gradients, probabilities, logProbabilities };

inline double specialValue(std::uint8_t byte, double largest) {
  const double infinity = __builtin_inf(), nan = __builtin_nan("");
  const double values[] = {-infinity, infinity, nan,    0.0,     -0.0,      largest, -largest,   0x1p-149,
                           -0x1p-149, 1e-42,    1e-310, 0x1p-24, 2097151.9, 2097152, -2097152.1, 1024,
                           4096,      -4096,    88.0,   -88.0,   -87.33654, 709.0,   -709.0,     1e30,
                           -1e30,     3e38,     -3e38,  65504,   -65504,    60000,   -infinity,  -infinity};
  return values[byte % 32];
}

/// Fills an array with numbers of one of several kinds.
inline void fill(Input& input, Values kind, const SoftmaxElements& elements, std::size_t count) {
  static constexpr double scales[] = {1.0,  10.0, 60.0, 400.0, 5000.0, 1e6,
                                      1e30, 3e38, 1e-3, 1e-20, 0.0,    1e300};
  const std::size_t mode = input.below(8);
  const double scale = kind == Values::logits ? input.oneOf(scales)
                       : input.chance(32)     ? input.oneOf(scales)
                                              : 1.0;
  const double largest = formatOf(elements.dtype).largest;
  const double base = (input.byte() - 128) * scale / 16;
  input.seed(input.byte());
  const std::size_t size = sizeOf(elements.dtype);
  char* const bytes = static_cast<char*>(elements.data);
  const auto uniform = [&] { return static_cast<double>(input.random() >> 11) * 0x1p-52 - 1.0; };
  for (std::size_t i = 0; i < count; ++i) {
    double value = 0.0;
    switch (mode) {
      case 0: {  // any bits at all
        std::uint64_t bits = 0;
        for (std::size_t k = 0; k < size; ++k) bits = bits << 8 | input.cyclic();
        std::memcpy(bytes + i * size, &bits, size);
        continue;
      }
      case 1: {  // any bits, half of them from a generator
        const std::uint64_t bits = input.random() ^ input.cyclic();
        std::memcpy(bytes + i * size, &bits, size);
        continue;
      }
      case 2:  // a few numbers, many times each
        value = (input.cyclic() - 128) * scale / 128;
        break;
      case 3: {  // special ones among others
        const std::uint8_t byte = input.cyclic();
        value = byte < 48 ? specialValue(byte, largest) : (byte - 128) * scale / 100;
        break;
      }
      case 4:  // random
        value = uniform() * scale;
        break;
      case 5:  // all equal, but for some
        value = input.cyclic() < 240 ? base : base + uniform() * scale;
        break;
      case 6: {  // around where exponentials become 0
        const double edge = elements.dtype == softmaxFloat64 ? 708.3964185322641 : 87.336544750553102;
        const std::uint8_t byte = input.cyclic();
        value = base - (byte % 3 ? edge * (1 + (byte - 128) * 0x1p-30) : 0.0);
        break;
      }
      default:  // one outweighs the others
        value = base + uniform() + (input.cyclic() > 250 ? 20.0 : 0.0);
    }
    if (kind == Values::probabilities && mode > 3) value = value < 0 ? -value : value;
    if (kind == Values::logProbabilities && mode > 3) value = value > 0 ? -value : value;
    setElement(elements, i, value);
  }
}

}  // namespace softmax_fuzz
