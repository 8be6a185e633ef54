// Losses of rows that come one by one: what they are computed of waits until there is a vector of rows.
//
// The two logarithms and the divisions of a loss wait for each other: some hundred cycles, that a row of a
// thousand logits has no other work to hide behind. Its gradient needs none of them.
#pragma once

#include "target_loss.h"

namespace {

/// write(unit, losses) takes what was computed of a unit; of the last rows that wait when the queue goes.
template <class L, class Write>
class LossQueue {
  using Lanes = Across<typename L::V>;
  using V = typename L::V;
  using R = typename L::Rows;

 public:
  /// Whether rows wait.
#if defined(SOFTMAX_SMALL)
  static constexpr bool is_used = false;
#else
  static constexpr bool is_used = L::rows == 1 && V::width > 1 &&
                                  sizeof(typename L::Element) == sizeof(float);
#endif

  explicit LossQueue(const Write& write) : write_(write) {}
  LossQueue(const LossQueue&) = delete;
  LossQueue& operator=(const LossQueue&) = delete;
  ~LossQueue() {
    if constexpr (is_used)
      if (count_ > 0) computeAll();
  }

  void write(const Unit& unit, const UnitLoss<L>& loss) const {
    write_(unit, loss);
  }

  /// Takes a row, unless it has no distribution, or its logits may still be needed (besideTops).
  SOFTMAX_INLINE bool takes(const Unit& unit, const RowSums<L>& row, const RowScaling<L>& scaling,
                            const TargetSums<R>& sums, typename R::Double near_zero,
                            const UnitLoss<L>& loss) {
    // besideTops looks at rows whose largest exponential outweighs the others, so that their log-sum-exp is
    // above that logit by log 2 at most, and is within 2^-24 of 0.
    const double top = R::widen(row.top) * scaling.factor;
    if ((top > -1.0 && top < 0x1p-20) || !(sums.total >= smallestNormal)) return false;
    waiting_[count_] = {unit, row.top, row.references, scaling, sums, near_zero, loss.weights[0]};
    if (++count_ == V::width) computeAll();
    return true;
  }

 private:
  struct Row {
    Unit unit;
    typename R::Register top;
    References<L> references;
    RowScaling<L> scaling;
    TargetSums<R> sums;
    typename R::Double near_zero, weight;
  };

  [[gnu::noinline]] void computeAll() {
    for (std::size_t i = count_; i < V::width; ++i) waiting_[i] = waiting_[0];
    const auto lanes = [&](auto valueOf) {
      return Lanes::ofRows([&](std::size_t i) { return valueOf(waiting_[i]); });
    };
    const auto doubles = [&](auto valueOf) {
      return Lanes::ofRowsDouble([&](std::size_t i) { return valueOf(waiting_[i]); });
    };
    RowScaling<Lanes> scaling;
    scaling.sign = lanes([](const Row& row) { return row.scaling.sign; });
    scaling.inverse_sign = lanes([](const Row& row) { return row.scaling.inverse_sign; });
    scaling.high = lanes([](const Row& row) { return row.scaling.high; });
    scaling.low = lanes([](const Row& row) { return row.scaling.low; });
    scaling.factor = doubles([](const Row& row) { return row.scaling.factor; });
    RowSums<Lanes> rows;
    rows.top = lanes([](const Row& row) { return row.top; });
    rows.references.offset = lanes([](const Row& row) { return row.references.offset; });
    rows.references.cut = lanes([](const Row& row) { return row.references.cut; });
    rows.references.shift = lanes([](const Row& row) { return row.references.shift; });
    rows.references.exponent = doubles([](const Row& row) { return row.references.exponent; });
    const TargetSums<V> sums{lanes([](const Row& row) { return row.sums.logit; }),
                             doubles([](const Row& row) { return row.sums.target_class; }),
                             doubles([](const Row& row) { return row.sums.others; }),
                             doubles([](const Row& row) { return row.sums.target; }),
                             doubles([](const Row& row) { return row.sums.total; })};
    const auto near_zero = doubles([](const Row& row) { return row.near_zero; });
    const auto weights = doubles([](const Row& row) { return row.weight; });

    const auto found = targetLosses<Lanes>(rows, scaling, sums);
    double losses[V::width], log_sum_exps[V::width];
    V::store(losses, countedLosses<V>(found.losses, sums, weights));
    V::store(log_sum_exps, V::selectAtLeast(near_zero, near_zero, near_zero, found.log_sum_exps));
    for (std::size_t i = 0; i < count_; ++i) {
      UnitLoss<L> loss;
      loss.loss[0] = losses[i];
      loss.log_sum_exp[0] = log_sum_exps[i];
      write_(waiting_[i].unit, loss);
    }
    count_ = 0;
  }

  const Write& write_;
  std::size_t count_ = 0;
  Row waiting_[is_used ? V::width : 1];
};

}  // namespace
