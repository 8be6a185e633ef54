// The largest of a row's logits, in order: descending, of equal ones the first first, NaN before all others.
//
// A sweep compares vectors with the lowest of what has been kept so far; of a row in random order k (1 + ln(n
// / k)) of n logits are above it. A few are kept sorted. Many are gathered, twice as many as are wanted,
// before the best half of them is selected by the bytes of their order; the end is a radix sort.
#pragma once

#include "../vec/above.h"
#include "mask.h"
#include "memory.h"

namespace {

/// Bits whose order is that of the numbers: −0 is 0, NaN is above all, 0 is below all.
inline std::uint32_t orderOf(float value) {
  std::uint32_t bits;
  const float sum = value + 0.0f;
  __builtin_memcpy(&bits, &sum, sizeof bits);
  if (value != value) return 0xFFFFFFFF;
  return bits >> 31 ? ~bits : bits | 0x80000000;
}
inline std::uint64_t orderOf(double value) {
  std::uint64_t bits;
  const double sum = value + 0.0;
  __builtin_memcpy(&bits, &sum, sizeof bits);
  if (value != value) return 0xFFFFFFFFFFFFFFFF;
  return bits >> 63 ? ~bits : bits | 0x8000000000000000;
}
/// The number of an order; of NaN, infinity, which no number is above.
inline float valueOf(std::uint32_t order) {
  if (order == 0xFFFFFFFF) return Numbers<float>::infinity;
  const std::uint32_t bits = order >> 31 ? order & 0x7FFFFFFF : ~order;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
inline double valueOf(std::uint64_t order) {
  if (order == 0xFFFFFFFFFFFFFFFF) return Numbers<double>::infinity;
  const std::uint64_t bits = order >> 63 ? order & 0x7FFFFFFFFFFFFFFF : ~order;
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
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
          if constexpr (!L::is_across && isDirect<Logits>)
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
      Register top = load(g * each * L::step, V::width);
      for (std::size_t i = 1; i < each; ++i) top = V::maximum(load((g * each + i) * L::step, V::width), top);
      Element tops[V::width];
      V::store(tops, top);
      best_[0].setNumbers(g * V::width, tops, V::width);
    }
    best_[0].raise(groups * V::width);
    is_full_ = best_[0].isFull();
    if (is_full_) limits_ = V::broadcast(best_[0].limit());
  }
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
    most_ = memory_.size() * sizeof(double) / (L::rows * perPlace) - 1;
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
