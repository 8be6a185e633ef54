// Results of a shard's logits (block_sums.h), once what is known of their whole rows is.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; a row with one above the largest that is known has others, and is NaN
//   error   as of whole rows: the same exponentials and factors (softmax.h, log_softmax.h)
#pragma once

#include "log_softmax.h"
#include "softmax.h"

namespace {

/// What is known of whole rows, of which the logits are a part: `count` numbers each.
template <class L>
class ShardedRows {
 public:
  ShardedRows(const SoftmaxElements& numbers, std::size_t count, const Unit& unit)
      : numbers_(static_cast<const double*>(numbers.data)), count_(count), unit_(unit) {}
  typename L::Rows::Double of(std::size_t index) const {
    return L::ofRowsDouble([&](std::size_t i) { return at(index, i); });
  }
  typename L::Rows::Register elements(std::size_t index) const {
    return L::ofRows([&](std::size_t i) { return static_cast<typename L::Element>(at(index, i)); });
  }

 private:
  /// Lanes beyond those in use repeat the last.
  double at(std::size_t index, std::size_t i) const {
    const std::size_t last = L::rows < unit_.lanes ? L::rows - 1 : unit_.lanes - 1;
    return numbers_[(unit_.first + (L::rows == 1 ? 0 : i < last ? i : last)) * count_ + index];
  }
  const double* numbers_;
  std::size_t count_;
  Unit unit_;
};

/// 1, or NaN of rows that have a logit above `top`, which is then not of the whole row: exp is of nothing
/// that large.
template <class L, class Logits>
typename L::Rows::Double oneIfOwn(typename L::Rows::Register top, const Logits& logits, std::size_t length,
                                  const Unit& unit, const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto largest = rowMaxima<L>(logits, 0, length, unit, scaling);
  return R::selectAtLeast(R::widen(top), R::widen(largest), R::broadcast(1.0), R::broadcast(nan));
}

/// A unit's arrays, and what is known of its rows. All is computed at the end.
template <class Arrays>
class ShardedSteps {
 public:
  void begin(const Arrays& arrays, const SoftmaxElements& known) {
    arrays_ = arrays;
    known_ = known;
  }
  void measure() {}
  void sum() {}

 protected:
  Arrays arrays_;
  SoftmaxElements known_;
};

/// out = factor · exponential. Of each row: its largest signed logit, the factor, and 1 or 0 twice: whether
/// one logit of it alone counts (RowFactors), and whether the results are 0.
template <class Arrays>
class ScaledExponentialsSteps : public ShardedSteps<Arrays> {
  using L = typename Arrays::Layout;
  using R = typename L::Rows;

 public:
  static constexpr std::size_t numbers = 4;
  SOFTMAX_CALLED void finish() {
    const auto& [logits, kept, out, length, unit, scaling] = this->arrays_;
    const ShardedRows<L> known(this->known_, numbers, unit);
    RowSums<L> rows;
    rows.top = known.elements(0);
    rows.is_kept = false;
    rows.setReferences(*scaling);
    const auto own = oneIfOwn<L>(rows.top, logits, length, unit, *scaling);
    RowFactors<L> factors(R::multiply(known.of(1), own));
    factors.lone = known.of(2);
    factors.zero = R::multiply(known.of(3), own);
    const auto none = R::broadcast(0.0);
    factors.may_be_lone = !R::allAtLeast(none, factors.lone);
    factors.has_zero = !R::allAtLeast(none, factors.zero);
    scaleExponentials<L>(logits, Nowhere{}, out, length, unit, *scaling, rows, factors);
  }
};

/// Of each row: its largest signed logit, the sum of its exponentials in the measure of that, of doubles
/// without the largest, which comes last.
template <class Arrays>
class ShardLogSoftmaxSteps : public ShardedSteps<Arrays> {
  using L = typename Arrays::Layout;
  static constexpr bool is_double = sizeof(typename L::Element) == sizeof(double);

 public:
  static constexpr std::size_t numbers = 3;
  SOFTMAX_CALLED void finish() {
    const auto& [logits, kept, out, length, unit, scaling] = this->arrays_;
    const ShardedRows<L> known(this->known_, numbers, unit);
    std::conditional_t<is_double, SumsBesideTop<L>, RowSums<L>> rows;
    rows.top = known.elements(0);
    rows.setReferences(*scaling);
    const auto sum = L::Rows::multiply(known.of(1), oneIfOwn<L>(rows.top, logits, length, unit, *scaling));
    if constexpr (is_double) {
      rows.blocks.others = sum;
      rows.blocks.top = known.of(2);
    } else {
      rows.total = sum;
    }
    writeLogSoftmax<L>(logits, out, length, unit, *scaling, rows);
  }
};

template <class V, template <class> class Steps>
void finishShard(const SoftmaxCall& call, const SoftmaxRows& rows, double dropped) {
  const SoftmaxElements &x = call.arrays[0], &out = call.arrays[2];
  const auto run = sameShapeRun<Steps>(x, out, rows, dropped, call.arrays[1]);
  const bool is_plain = out.dtype == x.dtype;
  if (isDouble(x.dtype)) return chooseRowFrame<Wide<V>>(rows, is_plain, run);
  chooseRowFrame<V>(rows, is_plain && x.dtype == softmaxFloat32, run);
}

namespace calls {

/// call(x, known, out)
template <class V>
void scaledExponentials(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  finishShard<V, ScaledExponentialsSteps>(call, rows, 0.0);
}

/// call(x, known, out)
template <class V>
void shardLogSoftmax(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  finishShard<V, ShardLogSoftmaxSteps>(call, rows, -infinity);
}

}  // namespace calls

}  // namespace
