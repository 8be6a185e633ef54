// log-sum-exps near 0 of float logits, from exponentials in double.
//
// A log-sum-exp is off by what the sum of its exponentials is off, relatively: by up to 1.2 · 2^-24 of each
// and 2^-24 of the sum of two, less than 2^-22. That is within 4 ULP of a result from ½ on, and within an ULP
// of a logit from 2 on. Rows that have neither are summed once more: they have at most a dozen logits that
// count.
#pragma once

#include "exp_double.h"
#include "row_sum.h"

namespace {

constexpr double nearZeroLogit = 2.0, nearZeroResult = 0.5;

/// Exponentials in double of a unit's rows, or of a block of each. Nothing is set at first: a tree of them
/// would take longer than a short row.
template <class R>
struct NearSums {
  using Double = typename R::Double;
  Double near;  // 1 for what may be of a row near 0, else 0
  Double sum, top, top_exponential;

  bool isAnyNear() const { return !R::allAtLeast(R::broadcast(0.0), near); }
  /// 1 for what a logit of a row near 0 can be, scaled, else 0. NaN is neither below nor above.
  static Double inRange(Double z) {
    const auto zero = R::broadcast(0.0);
    const auto is_above = R::selectAtLeast(z, R::broadcast(-nearZeroLogit), R::broadcast(1.0), zero);
    return R::selectAtLeast(R::broadcast(nearZeroResult), z, is_above, zero);
  }
  void add(Double logit, Double factor) {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    const auto z = R::multiply(logit, factor);
    // −infinity stays that, whatever the factor.
    const auto e = R::selectAtLeast(logit, R::broadcast(-largestDouble), exponential<R>(z), zero);
    near = R::multiply(near, R::selectAtLeast(R::broadcast(-infinity), logit, one, inRange(z)));
    top_exponential = R::selectAtLeast(z, top, e, top_exponential);
    top = R::selectAtLeast(z, top, z, top);
    sum = R::add(sum, e);
    near = R::selectAtLeast(R::broadcast(2.0), sum, near, zero);
  }
  /// NaN where it is not near 0.
  Double logSumExp() const {
    const auto zero = R::broadcast(0.0);
    const auto others = R::subtract(sum, top_exponential);
    const auto log = logArgumentsOfSum<R>(top_exponential, others, sum, zero).log();
    const auto value = R::selectAtLeast(top_exponential, others, R::add(top, log), log);
    const auto distance = R::selectAtLeast(value, zero, value, R::subtract(zero, value));
    const auto is_near = R::selectAtLeast(R::broadcast(nearZeroResult), distance, near, zero);
    return R::selectAtLeast(is_near, R::broadcast(1.0), value, R::broadcast(nan));
  }
};

/// Of two neighbouring blocks: of equal largest logits the last counts.
template <class R>
NearSums<R> joinNear(NearSums<R> a, NearSums<R> b) {
  const auto sum = R::add(a.sum, b.sum);
  const auto near = R::selectAtLeast(R::broadcast(2.0), sum, R::multiply(a.near, b.near), R::broadcast(0.0));
  return {near, sum, R::selectAtLeast(b.top, a.top, b.top, a.top),
          R::selectAtLeast(b.top, a.top, b.top_exponential, a.top_exponential)};
}

/// What is found of a unit's rows; NaN where a row's log-sum-exp is as good as it has to be.
template <class L>
class NearZero {
  using V = typename L::V;
  using R = typename L::Rows;
  using Double = typename R::Double;
  using Sums = NearSums<R>;
  static constexpr bool is_float = sizeof(typename L::Element) == sizeof(float);

 public:
  /// Of elements [begin, end), at most a block, whose largest are `tops`. Float logits.
  template <class Logits>
  static Sums ofBlock(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
                      const RowScaling<L>& scaling, typename R::Register tops) {
    const auto lowest = R::broadcast(-Numbers<typename L::Element>::infinity);
    const auto none = R::broadcast(typename L::Element(0));
    // Of a block of −infinity alone there is nothing, which may be of a row near 0.
    Sums sums = start(R::selectAtLeast(lowest, tops, none, tops), scaling);
    addBlock(sums, {&logits, load<Logits>}, begin, end, unit, scaling);
    return sums;
  }

  /// Before anything is kept in the logits' memory. `tops`: the largest signed logits.
  template <class Logits>
  void find(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
            typename R::Register tops) {
    if constexpr (is_float) findIn({&logits, load<Logits>}, length, unit, scaling, tops);
  }
  void set(double value) {
    any_ = value == value;
    values_ = R::broadcast(value);
  }
  Double value() const { return any_ ? values_ : R::broadcast(nan); }
  /// Log-sum-exps, with those that were found in their places.
  Double putInto(Double log_sum_exps) const {
    return any_ ? R::selectAtLeast(values_, values_, values_, log_sum_exps) : log_sum_exps;
  }

 private:
  /// The logits of any kind of array.
  struct AnyDoubles {
    const void* array;
    typename L::Double (*load)(const void* array, std::size_t k, std::size_t count);
  };
  template <class Logits>
  static typename L::Double load(const void* array, std::size_t k, std::size_t count) {
    return static_cast<const Logits*>(array)->loadDouble(k, count);
  }

  /// In the order of the elements and of the blocks' tree, until it is clear that no row is looked for: soon,
  /// if none is. This code is there once, not once for each kind of array.
  [[gnu::noinline]] void findIn(AnyDoubles logits, std::size_t length, const Unit& unit,
                                const RowScaling<L>& scaling, typename R::Register tops) {
    const Sums of_rows = start(tops, scaling);
    any_ = of_rows.isAnyNear();
    BlockTree<Sums, joinNear<R>> tree;
    for (std::size_t begin = 0; begin < length && any_; begin += blockSize) {
      const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
      Sums sums = of_rows;
      addBlock(sums, logits, begin, begin + count, unit, scaling);
      any_ = sums.isAnyNear();
      tree.push(sums);
    }
    if (any_) values_ = tree.total().logSumExp();
  }
  /// Of the rows' largest logits alone. Those of a block may be −infinity.
  static Sums start(typename R::Register tops, const RowScaling<L>& scaling) {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    const auto near = Sums::inRange(R::multiply(R::widen(tops), scaling.factor));
    return {R::selectAtLeast(scaling.limit, one, zero, near), zero, R::broadcast(-infinity), zero};
  }
  static void addBlock(Sums& sums, AnyDoubles logits, std::size_t begin, std::size_t end, const Unit& unit,
                       const RowScaling<L>& scaling) {
    const auto sign = L::spread(R::widen(scaling.sign));
    for (std::size_t k = begin; k < end && sums.isAnyNear(); k += L::step) {
      const std::size_t count = lanesOf<L>(end - k, unit);
      const auto logits_at = V::multiply(logits.load(logits.array, k, count), sign);
      // Of a long row with a few logits that count, most is −infinity.
      if (V::allAtLeast(V::broadcast(-infinity), logits_at)) continue;
      if constexpr (L::is_across) {
        sums.add(logits_at, scaling.factor);
      } else {
        double lanes[V::width];
        V::store(lanes, logits_at);
        for (std::size_t i = 0; i < count && sums.isAnyNear(); ++i) sums.add(lanes[i], scaling.factor);
      }
    }
  }

  Double values_;
  bool any_ = false;
};

}  // namespace
