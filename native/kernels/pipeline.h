// Rows of the last axis in a pipeline: one loop measures a row, sums the row two before it, and writes the
// results of the row two before that. Short rows go through it in batches, one after another, whose
// exponentials wait in the results' memory (batch.h); shorter ones are transposed (transposed_frame.h).
//
// Every reduction has the time of a whole row to end in before it is waited for, and what is bound by loads,
// by arithmetic and by stores shares the ports. Exponentials wait for their row's sum in a ring of four rows
// in the first cache. Terms and their order are those of a single row (tree.h): the bits are the same.
#pragma once

#include "row_sum.h"
#include "transposed.h"

namespace {

/// Where there are none to write.
struct NoResults {
  template <class Row>
  SOFTMAX_INLINE Nothing operator()(const Row&) const {
    return {};
  }
};

/// What writes the results of every vector (k, lanes) of a row.
template <class ResultsOf, class Row, class Out>
SOFTMAX_INLINE auto writerOf(const ResultsOf& results_of, const Row& row, const Out& out) {
  if constexpr (std::is_same_v<ResultsOf, NoResults>) {
    return Nothing{};
  } else {
    return [result = results_of(row), to = row.of(out)](std::size_t k, std::size_t lanes)
               SOFTMAX_INLINE_LAMBDA { to.store(k, result(k, lanes), lanes); };
  }
}

/// measured.measure() of one unit, summed.sum() of another and the results of a third, in one loop. Rows of
/// no more than a block, in a batch of no more than a group, and multipliers that are not negative. `plain`:
/// the logits that are summed are used as they are. results_of(row), as in eachRowOf, makes what computes the
/// results of every vector (k, lanes) of a row, which go to `out`.
template <class L, bool plain, bool skips, class Measured, class Summed, class Kept, class ResultsOf,
          class Out>
SOFTMAX_INLINE void measureAndSum(RowSums<L>& measured, const Measured& row, RowSums<L>& summed,
                                  const Summed& row_summed, const Kept& kept,
                                  const typename L::Rows::Double* skipped, const ResultsOf& results_of,
                                  const Out& out) {
  using V = typename L::V;
  using R = typename L::Rows;
  const std::size_t length = row.length;
  const RowConstants<L> constants(*row_summed.scaling, summed.references);
  const auto none = V::broadcast(-Numbers<typename L::Element>::infinity);
  typename R::Double sums;
  typename R::Register tops;
  if constexpr (L::is_batch) {
    const RowConstantsOf<L> each_row(constants);
    double skips_at[L::rows];
    if constexpr (skips) R::store(skips_at, *skipped);
    typename L::Double lane_sums[L::rows];
    typename L::Register best[L::rows];
    for (std::size_t i = 0; i < L::rows; ++i) {
      const RowOfBatch<V> of{i};
      const auto write = writerOf(results_of, of, out);
      const auto logits = of.of(row.logits);
      auto largest = none;
      const auto beside = [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
        largest = V::maximum(logits.load(k, lanes), largest);
        write(k, lanes);
      };
      lane_sums[i] = exponentialLaneSums<typename L::Row, plain, skips, true>(
          of.of(row_summed.logits), 0, length, Unit{0, V::width, 0}, each_row.of(i),
          skips ? skips_at + i : nullptr, of.of(kept), beside);
      best[i] = largest;
    }
    sums = V::sums(lane_sums);
    tops = V::maxima(best);
  } else if constexpr (L::is_across) {
    sums = transposedSum<L, plain, skips>(row.logits, tops, row_summed.logits, length, constants, skipped,
                                          kept, results_of(EachRow<L>{}), out);
  } else {
    const auto write = writerOf(results_of, EachRow<L>{}, out);
    const auto logits = row.logits;
    auto best = none;
    const auto beside = [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
      best = V::maximum(logits.load(k, lanes), best);
      write(k, lanes);
    };
    sums = L::sum(exponentialLaneSums<L, plain, skips>(row_summed.logits, 0, length, row.unit, constants,
                                                       skipped, kept, beside));
    tops = L::maximum(best);
  }
  summed.total = sums;
  measured.is_kept = kept.holds(length);
  measured.top = R::multiply(tops, row.scaling->unit);
  measured.measured(row.logits, length, row.unit, *row.scaling);
}

/// Units in a ring: how many steps objects it takes.
template <std::size_t lag>
constexpr std::size_t pipelineUnits = 4 * lag;  // a power of two, more than the 2 · lag + 1 that are in it

/// Units 0 to `count`, `lag` between two steps of a unit; begin(i, steps). The first `together` of them may
/// be taken together. Their steps have
///   together<plain>(measured, summed, finished)   a step of each of three units, of multipliers that are not
///                                                 negative; `plain`: logits are used as they are
///   isPlain()                                     whether those of a unit that has been measured are
///   isOrdinary()                                  whether together() serves a unit that has been summed
/// `takes_scaled`: so is what is not plain. enter(i) comes before a unit is measured alone, leave(i) after it
/// was finished alone.
template <class Steps, std::size_t lag, bool takes_scaled, class Begin, class Enter = Nothing,
          class Leave = Nothing>
void inPipeline(std::size_t count, std::size_t together, const Begin& begin, const Enter& enter = {},
                const Leave& leave = {}) {
  constexpr std::size_t size = pipelineUnits<lag>;
  Steps steps[size];
  const auto stepsOf = [&](std::size_t i) -> Steps& { return steps[i % size]; };
  for (std::size_t i = 0; i < count + 2 * lag; ++i) {
    const std::size_t summed = i - lag, finished = summed - lag;
    const bool measures = i < count, sums = summed < count, finishes = finished < count;
    if (measures) begin(i, stepsOf(i));
    if (i < together && sums && finishes && stepsOf(finished).isOrdinary()) {
      if (stepsOf(summed).isPlain()) {
        Steps::template together<true>(stepsOf(i), stepsOf(summed), stepsOf(finished));
        continue;
      }
      if constexpr (takes_scaled) {
        Steps::template together<false>(stepsOf(i), stepsOf(summed), stepsOf(finished));
        continue;
      }
    }
    if (finishes) {
      stepsOf(finished).finish();
      leave(finished);
    }
    if (sums) stepsOf(summed).sum();
    if (measures) {
      enter(i);
      stepsOf(i).measure();
    }
  }
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

constexpr std::size_t pipelineLag = 2;  // rows between two steps

/// Rows of the last axis, all of float32, without a mask. Steps::takes_scaled_together: whether code for
/// logits that are not used as they are is worth its size.
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
    inPipeline<Steps, pipelineLag, Steps::takes_scaled_together>(
        rows_.outer, is_negative ? 0 : rows_.outer, [&](std::size_t row, Steps& steps) {
          begin(Unit{row, V::width, row * rows_.length, row % pipelineUnits<pipelineLag>}, steps);
        });
  }

 private:
  /// Of a row in the ring: a whole vector is kept of the last elements. Rows are no multiple of a page apart,
  /// as addresses that differ by that hinder each other.
  static std::size_t sizeOf(const SoftmaxRows& rows) { return (rows.length + 143) / 16 * 16; }

  const SoftmaxRows& rows_;
  StageMemory<Element> memory_;
};

}  // namespace
