// Rows of the last axis in a pipeline: one loop measures a row, sums the row two before it, and writes the
// results of the row two before that.
//
// Every reduction has the time of a whole row to end in before it is waited for, and what is bound by loads,
// by arithmetic and by stores shares the ports. Exponentials wait for their row's sum in a ring of four rows
// in the first cache. Terms and their order are those of a single row (tree.h): the bits are the same.
#pragma once

#include "row_sum.h"

namespace {

constexpr std::size_t pipelineLag = 2;   // rows between two steps
constexpr std::size_t pipelineRows = 8;  // a power of two, more than the 2 · pipelineLag + 1 that are in it

/// measured.measure() of one row, summed.sum() of another and finish(k, lanes) for every vector of a third,
/// in one loop (pipeline.h). Rows of no more than a block, and multipliers that are not negative. `plain`:
/// the logits of the row that is summed are used as they are.
template <class L, bool plain, bool skips, class Measured, class Summed, class Kept, class Finish>
SOFTMAX_INLINE void measureAndSum(RowSums<L>& measured, const Measured& row, RowSums<L>& summed,
                                  const Summed& row_summed, const Kept& kept,
                                  const typename L::Rows::Double* skipped, const Finish& finish) {
  using V = typename L::V;
  const auto logits = row.logits;
  const std::size_t length = row.length;
  auto best = V::broadcast(-Numbers<typename L::Element>::infinity);
  const RowConstants<L> constants(*row_summed.scaling, summed.references);
  const auto beside = [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
    best = V::maximum(logits.load(k, lanes), best);
    finish(k, lanes);
  };
  const auto sums = exponentialLaneSums<L, plain, skips>(row_summed.logits, 0, length, row.unit, constants,
                                                         skipped, kept, beside);
  summed.total = {L::sum(sums), summed.references.exponent};
  measured.is_kept = kept.holds(length);
  measured.top = L::Rows::multiply(L::maximum(best), row.scaling->unit);
  measured.measured(logits, length, row.unit, *row.scaling);
}

/// A row of the ring. Reading takes whole vectors, for what is kept is as long as that.
template <class L>
struct RingRow {
  using V = typename L::V;

  typename L::Element* values;

  bool holds(std::size_t) const { return true; }
  SOFTMAX_INLINE void keep(std::size_t k, typename L::Register value, std::size_t) const {
    V::store(values + k, value);
  }
  SOFTMAX_INLINE typename L::Register kept(std::size_t k, std::size_t) const { return V::load(values + k); }
};

/// Rows of the last axis, all of float32, without a mask. Their steps have
///   together<plain>(measured, summed, finished)   a step of each of three rows; for multipliers that are not
///                                                 negative
///   takes_scaled_together   whether that is worth code where logits are not used as they are
///   isPlain()               whether those of a row that has been measured are
///   isOrdinary()            whether together() serves a row that has been summed
template <class L>
class PipelinedFrame : public DirectArrays<L, PlainCode<typename L::V>> {
  using V = typename L::V;
  using Element = typename L::Element;
  using typename DirectArrays<L, PlainCode<V>>::Array;

  static constexpr std::size_t ringRows = 2 * pipelineLag;
  static constexpr std::size_t shortest = groupSize + 1, fewest = 2 * pipelineLag + 4;

 public:
  static bool isFor(const SoftmaxRows& rows) {
    return rows.stride == 1 && rows.outer >= fewest && rows.length >= shortest &&
           ringRows * sizeOf(rows) <= StageMemory<Element>::capacityFor(rows) && rows.length <= blockSize;
  }
  PipelinedFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows), memory_(rows) {}

  RingRow<L> kept(const Array&, const Unit& unit) const {
    return {memory_.elements() + unit.stage % ringRows * sizeOf(rows_)};
  }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    const bool is_negative = droppedLogit<Element>(rows_) > Element(0);
    Steps steps[pipelineRows];
    const auto stepsOf = [&](std::size_t row) -> Steps& { return steps[row % pipelineRows]; };
    for (std::size_t row = 0; row < rows_.outer + 2 * pipelineLag; ++row) {
      const std::size_t summed = row - pipelineLag, finished = summed - pipelineLag;
      const bool measures = row < rows_.outer, sums = summed < rows_.outer, finishes = finished < rows_.outer;
      if (measures) begin(Unit{row, V::width, row * rows_.length, row % pipelineRows}, stepsOf(row));
      if (!is_negative && measures && sums && finishes && stepsOf(finished).isOrdinary()) {
        if (stepsOf(summed).isPlain()) {
          Steps::template together<true>(stepsOf(row), stepsOf(summed), stepsOf(finished));
          continue;
        }
        if constexpr (Steps::takes_scaled_together) {
          Steps::template together<false>(stepsOf(row), stepsOf(summed), stepsOf(finished));
          continue;
        }
      }
      if (finishes) stepsOf(finished).finish();
      if (sums) stepsOf(summed).sum();
      if (measures) stepsOf(row).measure();
    }
  }

 private:
  /// Of a row in the ring: a whole vector is kept of the last elements. Rows are no multiple of a page apart,
  /// as addresses that differ by that hinder each other.
  static std::size_t sizeOf(const SoftmaxRows& rows) { return (rows.length + 143) / 16 * 16; }

  const SoftmaxRows& rows_;
  StageMemory<Element> memory_;
};

}  // namespace
