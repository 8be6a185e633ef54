// The largest of a row's logits, in order: descending, of equal ones the first first, NaN before all others.
//
// A sweep compares vectors with the lowest of what has been kept so far; of a row in random order k (1 + ln(n
// / k)) of n logits are above it. A few are kept sorted. Many are gathered, twice as many as are wanted,
// before the best half of them is selected by the bytes of their order; the end is a radix sort.
#pragma once

#include <type_traits>

#include "scaling.h"

namespace {

/// Bits in the order of numbers: the sign turned, or of negative numbers all bits. −0 is 0.
template <class Element>
auto orderedBits(Element value) {
  using Bits = std::conditional_t<sizeof(Element) == sizeof(float), std::uint32_t, std::uint64_t>;
  constexpr Bits sign = Bits(1) << (8 * sizeof(Bits) - 1);
  const Element number = value + Element(0);
  Bits bits;
  __builtin_memcpy(&bits, &number, sizeof bits);
  return bits & sign ? static_cast<Bits>(~bits) : bits | sign;
}
template <class Bits>
auto ofOrderedBits(Bits ordered) {
  constexpr Bits sign = Bits(1) << (8 * sizeof(Bits) - 1);
  const Bits bits = ordered & sign ? ordered ^ sign : static_cast<Bits>(~ordered);
  std::conditional_t<sizeof(Bits) == sizeof(float), float, double> value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/// The same, but NaN is above all; 0 is below all.
template <class Element>
auto orderOf(Element value) {
  const auto bits = orderedBits(value);
  return value == value ? bits : static_cast<decltype(orderedBits(value))>(-1);
}
/// The number of an order; of NaN, infinity, which no number is above.
template <class Order>
auto valueOf(Order order) {
  using Element = decltype(ofOrderedBits(order));
  return order == static_cast<Order>(-1) ? Numbers<Element>::infinity : ofOrderedBits(order);
}

template <class Element>
struct Candidate {
  using Order = decltype(orderOf(Element()));
  Order order;
  std::uint32_t index;
};

/// The `wanted` best of candidates, which come in the order of their indices, but none that is as good as
/// `bound`: what an earlier sweep had last.
template <class Element>
class Best {
  using Order = typename Candidate<Element>::Order;
  /// So many are kept sorted.
  static constexpr std::size_t few = 64;

 public:
  /// `memory`: of twice as many candidates as there may be wanted.
  void start(Candidate<Element>* memory, std::size_t wanted, const Candidate<Element>* bound) {
    kept_ = memory;
    wanted_ = wanted;
    has_bound_ = bound != nullptr;
    if (bound) bound_ = *bound;
    count_ = 0;
    lowest_ = 0;
    is_full_ = false;
  }

  /// Whether it is worth a sweep of its own to know how high the last of them is at least.
  bool isOfMany() const { return wanted_ >= 32 && !has_bound_; }
  /// How many candidates there is room for, or in the second half of it for as many numbers.
  std::size_t most() const { return 2 * wanted_; }
  void setNumbers(std::size_t i, const Element* numbers, std::size_t count) {
    __builtin_memcpy(reinterpret_cast<char*>(kept_ + wanted_) + i * sizeof(Element), numbers,
                     count * sizeof(Element));
  }
  /// The numbers are the largest of groups of logits: no logit counts that is below the last wanted of them.
  void raise(std::size_t count) {
    const auto* from = reinterpret_cast<const char*>(kept_ + wanted_);
    for (std::size_t i = 0; i < count; ++i) {
      Element number;
      __builtin_memcpy(&number, from + i * sizeof number, sizeof number);
      kept_[i] = {orderOf(number == number ? number : -Numbers<Element>::infinity), 0};
    }
    count_ = count;
    select();
    count_ = 0;
    // −0 is one lower than 0, which is equal. Nothing is below −infinity but what is dropped.
    is_full_ = lowest_ > orderOf(-Numbers<Element>::infinity);
    lowest_ = is_full_ ? lowest_ - 2 : 0;
  }

  /// Whether no logit counts any more that is not above limit().
  bool isFull() const { return is_full_ && lowest_ > 0; }
  Element limit() const { return valueOf(lowest_); }

  void push(Order order, std::size_t index) {
    if (is_full_ && order <= lowest_) return;
    if (has_bound_ && (order > bound_.order || (order == bound_.order && index <= bound_.index))) return;
    const Candidate<Element> candidate{order, static_cast<std::uint32_t>(index)};
    if (wanted_ > few) {
      kept_[count_++] = candidate;
      if (count_ == 2 * wanted_) select();
      return;
    }
    std::size_t at = count_ == wanted_ ? wanted_ - 1 : count_++;
    for (; at > 0 && kept_[at - 1].order < order; --at) kept_[at] = kept_[at - 1];
    kept_[at] = candidate;
    if (count_ < wanted_) return;
    is_full_ = true;
    lowest_ = kept_[wanted_ - 1].order;
  }

  /// How many there are, the best first, once all have come.
  const Candidate<Element>* sorted() {
    // Another thread may have changed logits between two sweeps: then there are less.
    while (count_ < wanted_) kept_[count_++] = {0, 0};
    if (wanted_ <= few) return kept_;
    if (count_ > wanted_) select();
    return sort();
  }

 private:
  static constexpr int topByte = 8 * (sizeof(Order) - 1);

  static std::size_t byteOf(Order order, int shift) { return order >> shift & 255; }

  /// Keeps the best, in the order of their indices.
  void select() {
    Order different = 0;
    for (std::size_t i = 1; i < count_; ++i) different |= kept_[i].order ^ kept_[0].order;
    int shift = 0;  // of the byte that comes next, the highest in which any differ
    while (different >> shift > 255) shift += 8;
    Order prefix = kept_[0].order >> shift >> 8 << shift << 8;  // of the last that is kept
    std::size_t left = wanted_;
    for (;;) {
      std::uint32_t counts[256] = {};
      for (std::size_t i = 0; i < count_; ++i)
        if ((kept_[i].order ^ prefix) >> shift >> 8 == 0) ++counts[byteOf(kept_[i].order, shift)];
      std::size_t byte = 255;
      for (; counts[byte] < left; --byte) left -= counts[byte];
      prefix |= static_cast<Order>(byte) << shift;
      if (counts[byte] == left || shift == 0) break;
      shift -= 8;
    }
    std::size_t count = 0;
    lowest_ = static_cast<Order>(~Order(0));
    for (std::size_t i = 0; i < count_; ++i) {
      const Candidate<Element> candidate = kept_[i];
      const Order part = candidate.order >> shift, last = prefix >> shift;
      if (part < last || (part == last && left == 0)) continue;
      left -= part == last;
      if (candidate.order < lowest_) lowest_ = candidate.order;
      kept_[count++] = candidate;
    }
    count_ = count;
    is_full_ = true;
  }

  /// By their bytes, from the lowest on: equal ones stay in the order of their indices.
  const Candidate<Element>* sort() {
    Candidate<Element>*from = kept_, *to = kept_ + wanted_;
    std::uint32_t all_places[sizeof(Order)][256] = {};
    for (std::size_t i = 0; i < count_; ++i)
      for (int shift = 0; shift <= topByte; shift += 8) ++all_places[shift / 8][byteOf(from[i].order, shift)];
    for (int shift = 0; shift <= topByte; shift += 8) {
      std::uint32_t* const places = all_places[shift / 8];
      if (places[byteOf(from[0].order, shift)] == count_) continue;
      std::uint32_t place = 0;
      for (std::size_t byte = 256; byte-- > 0;) {
        const std::uint32_t count = places[byte];
        places[byte] = place;
        place += count;
      }
      for (std::size_t i = 0; i < count_; ++i) to[places[byteOf(from[i].order, shift)]++] = from[i];
      Candidate<Element>* const other = from;
      from = to;
      to = other;
    }
    return from;
  }

  Candidate<Element>* kept_ = nullptr;
  Candidate<Element> bound_{};
  std::size_t wanted_ = 0, count_ = 0;
  Order lowest_ = 0;
  bool has_bound_ = false, is_full_ = false;
};

}  // namespace
