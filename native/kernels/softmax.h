// softmax(x) = exp(multiplier · x) / Σ exp(multiplier · x), along each row.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; what is below 2^-126 of the largest exponential is 0; NaN and +∞ make the row NaN
//   error   float32: 4 ULP at most up to a million elements (docs/numerics.md)
#pragma once

#include "forward.h"
#include "same_shape.h"

namespace {

/// What is computed of a unit comes in three steps, each of which waits for the one before: the caller may
/// take them for several units in turn. Or a row comes in parts: take() is a step of one, join() is between
/// the steps (split_row.h).
template <class Arrays>
class SoftmaxSteps {
  using L = typename Arrays::Layout;
  using R = typename L::Rows;

 public:
  void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() {
    rows_.measure(arrays_.logits, arrays_.kept, arrays_.length, arrays_.unit, *arrays_.scaling);
  }
  void sum() {
    rows_.sum(arrays_.logits, arrays_.kept, arrays_.length, arrays_.unit, *arrays_.scaling, nullptr);
  }
  void finish() { write(arrays_.logits, arrays_.kept, arrays_.out, arrays_.length, arrays_.unit); }
  /// The results of some of the rows' logits.
  template <class Some, class Out>
  void finishSome(const Some& logits, const Out& out, std::size_t length, const Unit& unit) const {
    write(logits, Nowhere{}, out, length, unit);
  }

 private:
  template <class Some, class Kept, class Out>
  void write(const Some& logits, const Kept& kept, const Out& out, std::size_t length,
             const Unit& unit) const {
    const RowScaling<L>& scaling = *arrays_.scaling;
    const auto sum = rows_.total;
    RowFactors<L> factors(reciprocals<R>(sum));
    // Only in double: the product of a float misses 1 by less than half a step.
    if constexpr (sizeof(typename L::Element) == sizeof(double)) {
      const auto bound = R::broadcast(loneSumBound);
      if (!R::allAtLeast(sum, bound)) {
        const auto one = R::broadcast(1.0), zero = R::broadcast(0.0);
        // A sum is never below its largest term.
        const auto lone = R::selectAtLeast(topExponentials<L>(rows_, scaling), sum, one, zero);
        factors.lone = R::selectAtLeast(sum, bound, zero, lone);
        factors.may_be_lone = true;
      }
    }
    scaleExponentials<L>(logits, kept, out, length, unit, scaling, rows_, factors);
  }

 public:
  // What together() asks of the rows that are measured, summed and finished (pipeline.h).
  static constexpr bool takes_scaled_together = true;
  bool isPlain() const { return rows_.is_plain; }
  bool isOrdinary() const { return areFinite<R>(reciprocals<R>(rows_.total)); }

  template <bool plain>
  static void together(SoftmaxSteps& measured, SoftmaxSteps& summed, const SoftmaxSteps& finished) {
    const Factors<R> factors(reciprocals<R>(finished.rows_.total));
    const Arrays& arrays = finished.arrays_;
    measureAndSum<L, plain, false>(measured.rows_, measured.arrays_, summed.rows_, summed.arrays_,
                                   summed.arrays_.kept, nullptr, factors.resultsOf(arrays.kept), arrays.out);
  }

  void take(const PartTask& task) {
    if (task.step != softmaxFinish) return SumsInParts<L>::step(rows_, arrays_, arrays_.kept, task, -1.0);
    SumsInParts<L>::load(rows_, *task.row, *arrays_.scaling);
    finish();
  }
  SoftmaxStep join(const PartTask& task) {
    if (task.step == softmaxFinish) return softmaxEnd;
    return SumsInParts<L>::join(rows_, arrays_, arrays_.kept, task);
  }

 private:
  Arrays arrays_;
  RowSums<L> rows_;
};

namespace calls {

/// call(x, out)
template <class V>
void softmax(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  sameShape<V, SoftmaxSteps, false, true>(call, rows, 0.0, task);
}

}  // namespace calls

}  // namespace
