// logSumExp(x) = log Σ exp(multiplier · x), one per row.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; −∞ for a row without any; +∞ for a row with one; NaN for a row with one
//   error   float32: 4 ULP, or 1 ULP of the row's largest logit (docs/numerics.md)
#pragma once

#include "choose.h"
#include "forward.h"
#include "per_row.h"

namespace {

/// write(unit, log-sum-exps) takes the results.
template <class L, class Logits, class Write>
class LogSumExpSteps {
 public:
  void begin(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
             const Write& write) {
    arrays_ = {logits, {}, {}, length, unit, &scaling};
    write_ = &write;
  }

  void measure() { rows_.measure(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling); }
  void sum() {
    rows_.sum(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling, nullptr);
  }
  void finish() {
    const auto& [logits, kept, out, length, unit, scaling] = arrays_;
    (*write_)(unit, logSumExpsOf(logits, length, unit, rows_, *scaling));
  }

  // What together() asks of the rows that are measured, summed and finished (pipeline.h).
  static constexpr bool takes_scaled_together = true;
  bool isPlain() const { return rows_.is_plain; }
  bool isOrdinary() const { return true; }

  template <bool plain>
  static void together(LogSumExpSteps& measured, LogSumExpSteps& summed, LogSumExpSteps& finished) {
    finished.finish();
    measureAndSum<L, plain, false>(measured.rows_, measured.arrays_, summed.rows_, summed.arrays_, Nowhere{},
                                   nullptr, NoResults{}, Nowhere{});
  }

  void take(const PartTask& task) { SumsInParts<L>::step(rows_, arrays_, Nowhere{}, task, -1.0); }
  SoftmaxStep join(const PartTask& task) {
    const SoftmaxStep next = SumsInParts<L>::join(rows_, arrays_, Nowhere{}, task);
    if (next != softmaxFinish) return next;
    SumsInParts<L>::load(rows_, *task.part, *arrays_.scaling);
    finish();
    return softmaxEnd;
  }

 private:
  RowArrays<L, Logits, Nowhere, Nowhere> arrays_;
  const Write* write_;
  RowSums<L> rows_;
};

namespace calls {

/// call(x, out)
template <class V>
void logSumExp(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  const SoftmaxElements &x = call.arrays[0], &out = call.arrays[1];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto logits = frame.input(x, droppedLogit<Element>(rows));
    UnitScaling<L> scaling(rows);
    const auto write = [&](const Unit& unit, typename L::Rows::Double values) {
      storeRows<L>(out, unit, values);
    };
    using Steps = LogSumExpSteps<L, decltype(logits.of(Unit{})), decltype(write)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(logits.of(unit), rows.length, unit, scaling.of(unit), write);
    };
    frame.template each<Steps>(begin, logits);
  };
  choose<V, false, true>(rows, 1, task, run, x);
}

}  // namespace calls

}  // namespace
