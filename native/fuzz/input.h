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

/// Where the numbers of an array come from: one of several modes.
class NumberSource {
 public:
  NumberSource(Input& input, Values kind, SoftmaxDType dtype) : input_(input), kind_(kind), dtype_(dtype) {
    static constexpr double scales[] = {1.0,  10.0, 60.0, 400.0, 5000.0, 1e6,
                                        1e30, 3e38, 1e-3, 1e-20, 0.0,    1e300};
    const std::uint8_t mode = input.byte();
    mode_ = mode < 240 ? static_cast<Mode>(mode % 8) : nearZero;
    scale_ = kind == Values::logits || input.chance(32) ? input.oneOf(scales) : 1.0;
    missing_ = input.byte();
    base_ = (missing_ - 128) * scale_ / 16;
    input.seed(input.byte());
  }

  bool hasBits() const { return mode_ == anyBits || mode_ == randomBits; }
  std::uint64_t bits() {
    if (mode_ == randomBits) {
      const std::uint64_t random = input_.random();
      return random ^ input_.cyclic();
    }
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < sizeOf(dtype_); ++k) bits = bits << 8 | input_.cyclic();
    return bits;
  }
  double number() {
    const double value = anyNumber();
    if (mode_ < random) return value;
    if (kind_ == Values::probabilities) return value < 0 ? -value : value;
    if (kind_ == Values::logProbabilities) return value > 0 ? -value : value;
    return value;
  }

 private:
  enum Mode { anyBits, randomBits, few, special, random, equal, edges, dominant, nearZero };

  double uniform() { return static_cast<double>(input_.random() >> 11) * 0x1p-52 - 1.0; }
  double anyNumber() {
    if (mode_ == random) return uniform() * scale_;
    if (mode_ == dominant) {  // one outweighs the others
      const double value = base_ + uniform();
      return input_.cyclic() > 250 ? value + 20.0 : value;
    }
    const std::uint8_t byte = input_.cyclic();
    if (mode_ == nearZero)  // a few logits whose log-sum-exp is
      return byte < missing_ ? -__builtin_inf() : -0.6 + 0.75 * uniform();
    switch (mode_) {
      case few:  // a few numbers, many times each
        return (byte - 128) * scale_ / 128;
      case special:  // among others
        return byte < 48 ? specialValue(byte, formatOf(dtype_).largest) : (byte - 128) * scale_ / 100;
      case edges: {  // around where exponentials become 0
        const double edge = dtype_ == softmaxFloat64 ? 708.3964185322641 : 87.336544750553102;
        return byte % 3 ? base_ - edge * (1 + (byte - 128) * 0x1p-30) : base_;
      }
      default:  // all equal, but for some
        return byte < 240 ? base_ : base_ + uniform() * scale_;
    }
  }

  Input& input_;
  Values kind_;
  SoftmaxDType dtype_;
  Mode mode_;
  double scale_, base_;
  std::uint8_t missing_;
};

/// Fills an array.
inline void fill(Input& input, Values kind, const SoftmaxElements& elements, std::size_t count) {
  NumberSource source(input, kind, elements.dtype);
  const std::size_t size = sizeOf(elements.dtype);
  for (std::size_t i = 0; i < count; ++i) {
    if (source.hasBits()) {
      const std::uint64_t bits = source.bits();
      std::memcpy(static_cast<char*>(elements.data) + i * size, &bits, size);
    } else {
      setElement(elements, i, source.number());
    }
  }
}

}  // namespace softmax_fuzz
