// argMax(x): the number of each row's largest logit, of equal ones the first; of the first NaN, if there is
// one.
//
// A multiplier changes no order but by its sign: below 0 the smallest logit is looked for.
//
//   types   float32, float64, float16, bfloat16
//   range   any logits; −1 for a row without elements, or with none that the mask keeps
#pragma once

#include "../vec/above.h"
#include "choose.h"

namespace {

template <class L, bool negated, class Logits>
class FirstLargest {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;
  static constexpr Element infinite = Numbers<Element>::infinity;
  static constexpr std::uint32_t all_lanes = (1u << V::width) - 1;

 public:
  FirstLargest(const Logits& logits, std::size_t length, const Unit& unit)
      : logits_(logits), length_(length), unit_(unit) {
    for (std::size_t i = 0; i < L::rows; ++i) {
      tops[i] = -infinite;
      found[i] = 0;
    }
    std::uint32_t nans = 0;
    for (std::size_t begin = 0; begin < length; begin += blockSize) {
      const std::size_t end = length - begin < blockSize ? length : begin + blockSize;
      const std::uint32_t of_block = L::is_across ? lookAcross(begin, end) : lookAlong(begin, end);
      for (std::size_t i = 0; i < L::rows; ++i)
        if ((of_block & ~nans) >> i & 1) {
          found[i] = firstNan(begin, i);
          tops[i] = infinite;  // which nothing is above
        }
      nans |= of_block;
      if (nans == (L::is_across ? all_lanes : 1u)) return;
    }
    if constexpr (!L::is_across) found[0] = firstTop(found[0]);
  }

  Element tops[L::rows];  // the largest signed logit
  std::size_t found[L::rows];

 private:
  SOFTMAX_INLINE Register load(std::size_t k, std::size_t count) const {
    const Register x = logits_.load(k, count);
    if constexpr (negated)
      return V::subtract(V::broadcast(Element(0)), x);
    else
      return x;
  }

  /// Bit i: row i has a NaN in this block. Else the row may have a new top: `found` is the block's begin.
  std::uint32_t lookAlong(std::size_t begin, std::size_t end) {
    std::uint32_t nans = 0;
    const auto infinities = V::broadcast(infinite);
    const auto larger = [&](Register best, Register x) SOFTMAX_INLINE_LAMBDA {
      nans |= above<V>(x, infinities);
      return V::maximum(x, best);
    };
    const auto best = L::maximum(foldSigned<L, negated>(logits_, begin, end, unit_, -infinite, larger));
    Element top[L::rows];
    L::Rows::store(top, best);
    if (nans == 0 && top[0] > tops[0]) {
      tops[0] = top[0];
      found[0] = begin;
    }
    return nans != 0;
  }
  /// The same across rows: `found` is the element. Numbers in a block are exact in a float.
  std::uint32_t lookAcross(std::size_t begin, std::size_t end) {
    std::uint32_t nans = 0;
    const auto infinities = V::broadcast(infinite);
    auto best = V::broadcast(-infinite), numbers = V::broadcast(Element(0));
    for (std::size_t k = begin; k < end; ++k) {
      const Register x = load(k, unit_.lanes);
      nans |= above<V>(x, infinities);
      numbers = V::selectAtLeast(best, x, numbers, V::broadcast(static_cast<Element>(k - begin)));
      best = V::maximum(x, best);
    }
    Element top[V::width], number[V::width];
    V::store(top, best);
    V::store(number, numbers);
    for (std::size_t i = 0; i < L::rows; ++i)
      if (!(nans >> i & 1) && top[i] > tops[i]) {
        tops[i] = top[i];
        found[i] = begin + static_cast<std::size_t>(number[i]);
      }
    return nans;
  }

  /// In row i, which has one from `k` on.
  std::size_t firstNan(std::size_t k, std::size_t i) const {
    while (k + 1 < length_ && logits_.element(k, i) == logits_.element(k, i)) ++k;
    return k;
  }
  /// From element k on, which is in the block that has the top.
  std::size_t firstTop(std::size_t k) const {
    const auto top = V::broadcast(tops[0]);
    for (; k < length_; k += V::width) {
      const std::size_t left = length_ - k, count = left < V::width ? left : V::width;
      const std::uint32_t below = above<V>(top, load(k, count));
      if (below != all_lanes) return k + static_cast<std::size_t>(__builtin_ctz(~below));
    }
    return 0;
  }

  const Logits& logits_;
  std::size_t length_;
  const Unit& unit_;
};

/// All is done at the end: nothing is kept between the steps.
template <class L, class Logits>
class ArgMaxSteps {
  using Element = typename L::Element;

 public:
  void begin(const Logits& logits, const SoftmaxRows& rows, const Unit& unit, std::int32_t* out) {
    logits_ = logits;
    rows_ = &rows;
    unit_ = unit;
    out_ = out;
  }
  void measure() {}
  void sum() {}
  void finish() {
    if (droppedLogit<Element>(*rows_) > Element(0)) return find<true>();
    find<false>();
  }

 private:
  template <bool negated>
  void find() {
    const FirstLargest<L, negated, Logits> first(logits_, rows_->length, unit_);
    const std::size_t count = L::rows < unit_.lanes ? L::rows : unit_.lanes;
    for (std::size_t i = 0; i < count; ++i) {
      const bool may_be_dropped = rows_->mask && first.tops[i] == -Numbers<Element>::infinity;
      out_[unit_.first + i] = rows_->length == 0 ? -1
                              : may_be_dropped   ? firstKept(i)
                                                 : static_cast<std::int32_t>(first.found[i]);
    }
  }
  /// What the mask drops is no larger than any other.
  std::int32_t firstKept(std::size_t i) const {
    Mask<L> mask(*rows_);
    mask.start(unit_);
    for (std::size_t k = 0; k < rows_->length; ++k)
      if (mask.keeps(k, i)) return static_cast<std::int32_t>(k);
    return -1;
  }

  Logits logits_;
  const SoftmaxRows* rows_;
  Unit unit_;
  std::int32_t* out_;
};

namespace calls {

/// call(x, out)
template <class V>
void argMax(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxElements& x = call.arrays[0];
  auto* out = static_cast<std::int32_t*>(call.arrays[1].data);
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    using Steps = ArgMaxSteps<L, decltype(logits.of(Unit{}))>;
    const auto begin = [&](const Unit& unit, Steps& steps) { steps.begin(logits.of(unit), rows, unit, out); };
    frame.template each<Steps>(begin, logits);
  };
  if (isDouble(x.dtype)) return chooseReadFrame<Wide<V>>(rows, true, run);
  chooseReadFrame<V>(rows, x.dtype == softmaxFloat32, run);
}

}  // namespace calls

}  // namespace
