// Σ a b over a row of the last axis, where both arrays are read as they lie: the sum of tree.h, bit by bit,
// by code of its own.
//
// Products of floats are exact in double, so a fused multiply-add gives what a product and a sum do.
#pragma once

#include "tree.h"

namespace {

template <class L, class A, class B>
class InnerProduct {
  using V = typename L::V;
  using Double = typename L::Double;
  static constexpr std::size_t columns = laneCount / V::width;
  static constexpr bool is_double = sizeof(typename L::Element) == sizeof(double);

 public:
  SOFTMAX_INLINE InnerProduct(const A& a, const B& b) : a_(a), b_(b) {}

  SOFTMAX_INLINE double sum(std::size_t length) const {
    return length <= blockSize ? block(0, length) : blocks(length);
  }

 private:
  SOFTMAX_CALLED double blocks(std::size_t length) const {
    BlockTree<double, Scalar::add> tree;
    for (std::size_t begin = 0; begin < length; begin += blockSize)
      tree.push(block(begin, length - begin < blockSize ? length - begin : blockSize));
    return tree.total();
  }

  /// Of at most a block.
  SOFTMAX_INLINE double block(std::size_t k, std::size_t count) const {
    Double lanes[columns];
    eachColumn([&](std::size_t c) SOFTMAX_INLINE_LAMBDA { lanes[c] = V::broadcast(0.0); });
    for (; count >= groupSize; k += groupSize, count -= groupSize) {
      prefetch(k);
#pragma GCC unroll 2
      for (std::size_t c = 0; c < columns; ++c) lanes[c] = V::add(lanes[c], lines<8>(k + c * V::width));
    }
    if (count > 0) addRest(lanes, k, count);
#pragma GCC unroll 8
    for (std::size_t half = columns / 2; half > 0; half /= 2)
#pragma GCC unroll 8
      for (std::size_t c = 0; c < half; ++c) lanes[c] = V::add(lanes[c], lanes[c + half]);
    return V::laneSum(lanes[0]);
  }

  /// Less than a group: four lines, two and one as far as they are whole, and what is left. Lines that are
  /// missing would add 0: nothing.
  SOFTMAX_INLINE void addRest(Double* lanes, std::size_t k, std::size_t count) const {
    const std::size_t left = count % laneCount, last = k + count - left;
    Double rest[columns];
    eachColumn([&](std::size_t c) SOFTMAX_INLINE_LAMBDA {
      const std::size_t begin = c * V::width, lanes_left = left - begin;
      rest[c] = V::broadcast(0.0);
      if (begin < left) rest[c] = product(last + begin, lanes_left < V::width ? lanes_left : V::width);
    });
    if (count & laneCount)
      eachColumn([&](std::size_t c) SOFTMAX_INLINE_LAMBDA {
        rest[c] = productPlus(last - laneCount + c * V::width, rest[c]);
      });
    if (count & 2 * laneCount)
      eachColumn([&](std::size_t c) SOFTMAX_INLINE_LAMBDA {
        rest[c] = V::add(lines<2>(k + (count & 4 * laneCount) + c * V::width), rest[c]);
      });
    if (count & 4 * laneCount)
      eachColumn([&](std::size_t c)
                     SOFTMAX_INLINE_LAMBDA { rest[c] = V::add(lines<4>(k + c * V::width), rest[c]); });
    eachColumn([&](std::size_t c) SOFTMAX_INLINE_LAMBDA { lanes[c] = V::add(lanes[c], rest[c]); });
  }

  template <class Body>
  SOFTMAX_INLINE static void eachColumn(const Body& body) {
#pragma GCC unroll 8
    for (std::size_t c = 0; c < columns; ++c) body(c);
  }

  /// The n lines from element k on, added pairwise.
  template <std::size_t n>
  SOFTMAX_INLINE Double lines(std::size_t k) const {
    if constexpr (n == 2) {
      return productPlus(k + laneCount, product(k, V::width));
    } else {
      const auto first = lines<n / 2>(k);
      return V::add(first, lines<n / 2>(k + n / 2 * laneCount));
    }
  }
  SOFTMAX_INLINE Double product(std::size_t k, std::size_t count) const {
    return V::multiply(a_.loadDouble(k, count), b_.loadDouble(k, count));
  }
  /// The product of whole vectors, and a sum.
  SOFTMAX_INLINE Double productPlus(std::size_t k, Double sum) const {
    if constexpr (is_double) {
      return V::add(product(k, V::width), sum);
    } else {
      return V::multiplyAdd(a_.loadDouble(k, V::width), b_.loadDouble(k, V::width), sum);
    }
  }

  /// A group, some of its size ahead: the sums of doubles wait for memory more than for arithmetic (15 % of
  /// 1024x1024, Zen 5; nothing of floats).
  SOFTMAX_INLINE void prefetch(std::size_t k) const {
    constexpr std::size_t line = 64 / sizeof(double), ahead = 128;
    if constexpr (is_double) {
#pragma GCC unroll 32
      for (std::size_t i = 0; i < groupSize; i += line) {
        __builtin_prefetch(a_.elements + k + ahead + i);
        __builtin_prefetch(b_.elements + k + ahead + i);
      }
    }
  }

  A a_;
  B b_;
};

}  // namespace
