// The places of rows: sweeps over their logits, which fill selections, and what is found there.
#pragma once

#include "../vec/above.h"
#include "memory.h"
#include "selection.h"

namespace {

/// One sweep over a unit's rows, which fills best[i] of each row i in use. `mask`: what it drops is below all
/// others.
template <class L, class Logits>
class Sweep {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;
  static constexpr std::uint32_t all_lanes = (1u << V::width) - 1;

 public:
  Sweep(const Logits& logits, std::size_t length, const Unit& unit, const Mask<L>& mask, bool is_negative,
        Best<Element>* best)
      : logits_(logits),
        length_(length),
        unit_(unit),
        mask_(mask),
        negated_(is_negative),
        sign_(V::broadcast(is_negative ? Element(-1) : Element(1))),
        best_(best),
        limits_(V::broadcast(-Numbers<Element>::infinity)) {}

  void run() {
    if constexpr (!L::is_across)
      if (best_[0].isOfMany()) raise();
    std::size_t k = 0;
    const std::size_t whole = L::is_across ? unit_.lanes : V::width;
    const std::uint32_t in_use = L::is_across ? (1u << unit_.lanes) - 1 : all_lanes;
    while (k < length_) {
      constexpr std::size_t at_once = 4;
      if (is_full_ && length_ - k >= at_once * L::step) {
        std::uint32_t bits[at_once], any = 0;
        for (std::size_t i = 0; i < at_once; ++i)
          any |= bits[i] = above<V>(load(k + i * L::step, whole), limits_);
        if ((any & in_use) != 0) {
          if (takesDirect())
            takeDirect<at_once>(k, bits);
          else
            for (std::size_t i = 0; i < at_once; ++i)
              if ((bits[i] & in_use) != 0)
                take(k + i * L::step, load(k + i * L::step, whole), bits[i] & in_use);
        }
        k += at_once * L::step;
        continue;
      }
      const std::size_t left = length_ - k;
      const std::size_t count = L::is_across ? unit_.lanes : left < V::width ? left : V::width;
      const Register x = load(k, count);
      const std::uint32_t counted = count == V::width ? all_lanes : (1u << count) - 1;
      const std::uint32_t bits = is_full_ ? above<V>(x, limits_) & counted : counted;
      if (bits) take(k, x, bits);
      k += L::step;
    }
  }

 private:
  SOFTMAX_INLINE Register load(std::size_t k, std::size_t count) const {
    return V::multiply(logits_.load(k, count), sign_);
  }
  /// Of many candidates most would be taken in vain: the largest of groups of logits say how high the last of
  /// them is at least.
  void raise() {
    const std::size_t vectors = length_ / L::step, groups = best_[0].most() / V::width;
    const std::size_t each = groups == 0 ? 0 : vectors / groups;
    if (each < 4) return;
    for (std::size_t g = 0; g < groups; ++g) {
      constexpr std::size_t unroll = 4;  // comparisons in flight, as in foldSigned
      const auto at = [&](std::size_t i)
                          SOFTMAX_INLINE_LAMBDA { return load((g * each + i) * L::step, V::width); };
      Register top[unroll] = {at(0), at(1), at(2), at(3)};
      std::size_t i = unroll;
      for (; each - i >= unroll; i += unroll)
        for (std::size_t u = 0; u < unroll; ++u) top[u] = V::maximum(at(i + u), top[u]);
      for (; i < each; ++i) top[0] = V::maximum(at(i), top[0]);
      for (std::size_t u = 1; u < unroll; ++u) top[0] = V::maximum(top[u], top[0]);
      Element tops[V::width];
      V::store(tops, top[0]);
      best_[0].setNumbers(g * V::width, tops, V::width);
    }
    best_[0].raise(groups * V::width);
    is_full_ = best_[0].isFull();
    if (is_full_) limits_ = V::broadcast(best_[0].limit());
  }
  bool takesDirect() const { return !L::is_across && isDirect<Logits> && !mask_.isUsed(); }
  /// Those of several vectors of a row that is not masked.
  template <std::size_t count>
  void takeDirect(std::size_t k, const std::uint32_t* bits) {
    const Element sign = negated_ ? Element(-1) : Element(1);
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < count; ++i) all |= static_cast<std::uint64_t>(bits[i]) << i * V::width;
    for (; all; all &= all - 1) {
      const std::size_t index = k + static_cast<std::size_t>(__builtin_ctzll(all));
      best_[0].push(orderOf(logits_.element(index, 0) * sign), index);
    }
    is_full_ = best_[0].isFull();
    limits_ = V::broadcast(best_[0].limit());
  }
  /// The lanes of `bits`, of elements from k on.
  void take(std::size_t k, Register x, std::uint32_t bits) {
    Element lanes[V::width], limits[V::width];
    V::store(lanes, x);
    for (; bits; bits &= bits - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctz(bits));
      const std::size_t row = L::is_across ? lane : 0, index = L::is_across ? k : k + lane;
      auto order = orderOf(lanes[lane]);
      if (mask_.isUsed() && lanes[lane] == -Numbers<Element>::infinity && !mask_.keeps(index, row)) order = 0;
      best_[row].push(order, index);
    }
    if constexpr (L::is_across) {
      is_full_ = true;
      for (std::size_t i = 0; i < unit_.lanes; ++i) {
        is_full_ &= best_[i].isFull();
        limits[i] = best_[i].limit();
      }
      for (std::size_t i = unit_.lanes; i < V::width; ++i) limits[i] = Numbers<Element>::infinity;
      if (is_full_) limits_ = V::load(limits);
    } else {
      is_full_ = best_[0].isFull();
      if (is_full_) limits_ = V::broadcast(best_[0].limit());
    }
  }

  const Logits& logits_;
  std::size_t length_;
  const Unit& unit_;
  const Mask<L>& mask_;
  bool negated_;
  Register sign_;
  Best<Element>* best_;
  Register limits_;
  bool is_full_ = false;
};

/// The places of a unit's rows, some at a time: memory for candidates, and for the logits in their order.
template <class L>
class Places {
  using V = typename L::V;
  using Element = typename L::Element;

 public:
  explicit Places(const SoftmaxRows& rows) : memory_(rows) {
    // The second half may have copies of the rows (copied.h).
    most_ = memory_.size() / 2 * sizeof(double) / (L::rows * perPlace) - 1;
  }

  /// some(begin, count) for the places of [0, k) as they are found: their logits are in logits(), their
  /// numbers in indexOf(place, row); none that is wasDropped(place, row).
  template <class Logits, class Some>
  void each(const Logits& logits, const SoftmaxRows& rows, const Unit& unit, bool is_negative, std::size_t k,
            const Some& some) {
    Mask<L> mask(rows);
    mask.start(unit);
    const std::size_t lanes = L::is_across ? unit.lanes : 1;
    const std::size_t most = k < most_ ? k : most_;
    auto* candidates = reinterpret_cast<Candidate<Element>*>(memory_.elements());
    logits_ = reinterpret_cast<Element*>(candidates + 2 * most * L::rows);
    Candidate<Element> last[L::rows];
    found_ = k <= most ? k : 0;
    for (std::size_t begin = 0; begin < k; begin += most) {
      const std::size_t count = k - begin < most ? k - begin : most;
      for (std::size_t i = 0; i < lanes; ++i)
        best_[i].start(candidates + 2 * most * i, count, begin > 0 ? last + i : nullptr);
      Sweep<L, Logits>(logits, rows.length, unit, mask, is_negative, best_).run();
      for (std::size_t i = 0; i < lanes; ++i) {
        sorted_[i] = best_[i].sorted();
        __asm__("" : "+r"(sorted_[i]));  // GCC does not see that what it points to has been written
        last[i] = sorted_[i][count - 1];
        for (std::size_t j = 0; j < count; ++j)
          logits_[j * L::rows + i] = logits.element(sorted_[i][j].index, i);
      }
      for (std::size_t i = lanes; i < L::rows; ++i)
        for (std::size_t j = 0; j < count; ++j) logits_[j * L::rows + i] = logits_[j * L::rows];
      some(begin, count);
    }
  }

  std::int32_t indexOf(std::size_t place, std::size_t row) const {
    return static_cast<std::int32_t>(sorted_[row][place].index);
  }
  /// How many logits of a row are above one that may be among those that were found last, if it is.
  bool findRank(typename Candidate<Element>::Order order, std::size_t row, std::int32_t& rank) const {
    if (found_ == 0 || order < sorted_[row][found_ - 1].order) return false;
    rank = 0;
    while (sorted_[row][rank].order > order) ++rank;
    return true;
  }
  bool wasDropped(std::size_t place, std::size_t row) const { return sorted_[row][place].order == 0; }
  Element* logits() const { return logits_; }

 private:
  static constexpr std::size_t perPlace = 2 * sizeof(Candidate<Element>) + sizeof(Element);

  StageMemory<double> memory_;
  std::size_t most_, found_ = 0;
  Element* logits_ = nullptr;
  Best<Element> best_[L::rows];
  const Candidate<Element>* sorted_[L::rows] = {};
};

}  // namespace
