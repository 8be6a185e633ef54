// logSoftmax(x) = multiplier · x − log Σ exp(multiplier · x), along each row.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; −∞ stays −∞; NaN and +∞ make the row NaN
//   error   float32: 4 ULP, or 1 ULP of the row's largest logit (docs/numerics.md)
#pragma once

#include "forward.h"
#include "same_shape.h"

namespace {

/// −infinity, and at temperature 0 every logit below the maximum, has probability 0. The subtraction is in
/// double: one rounding. It is made the other way round, and negated, so that a log-probability of 0 is +0.
template <class L, class Logits, class Out>
void writeLogSoftmax(Logits logits, Out out, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const RowSums<L>& rows) {
  using V = typename L::V;
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto sum = rows.total.sum, least = R::broadcast(smallestNormal);
  const auto normalizer = L::spread(logNormalizers<L>(rows, sum, scaling));
  const auto zero = V::broadcast(0.0);
  if (rows.is_plain && R::allAtLeast(sum, least)) {
    eachVectorOf<L>(out, length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto x = logits.loadDouble(k, count);
      out.store(k, V::narrow(V::subtract(zero, V::subtract(normalizer, x))), count);
    });
    return;
  }
  // Nothing is at least NaN: a row that is NaN takes what is for logits below the lowest.
  const auto nans = R::broadcast(nan);
  const auto at_limit = R::selectAtLeast(scaling.limit, R::broadcast(1.0), R::widen(rows.top),
                                         R::broadcast(-static_cast<double>(Numbers<Element>::largest)));
  const auto lowest = L::spread(R::narrow(R::selectAtLeast(sum, least, at_limit, nans)));
  const auto proper = R::broadcast(scaling.zeroes_empty ? 0.0 : smallestNormal);
  const auto below = L::spread(R::narrow(R::selectAtLeast(sum, proper, R::broadcast(-infinity), nans)));
  const auto sign = L::spread(scaling.sign);
  const ScaledDifferences<V> difference(L::spread(R::widen(rows.references.offset)),
                                        L::spread(scaling.factor));
  eachVectorOf<L>(out, length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
    const auto signed_logit = V::multiply(logits.load(k, count), sign);
    const auto scaled = difference.of(V::widen(signed_logit));
    const auto y = V::narrow(V::subtract(zero, V::subtract(normalizer, scaled)));
    out.store(k, V::selectAtLeast(signed_logit, lowest, y, below), count);
  });
}

template <class Arrays>
class LogSoftmaxSteps {
  using L = typename Arrays::Layout;

 public:
  void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() { rows_.measure(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling); }
  void sum() {
    rows_.sum(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling, nullptr);
  }
  void finish() {
    writeLogSoftmax<L>(arrays_.logits, arrays_.out, arrays_.length, arrays_.unit, *arrays_.scaling, rows_);
  }

  void take(const PartTask& task) {
    if (task.step != softmaxFinish) return SumsInParts<L>::step(rows_, arrays_, Nowhere{}, task, -1.0);
    SumsInParts<L>::load(rows_, *task.row, *arrays_.scaling);
    finish();
  }
  SoftmaxStep join(const PartTask& task) {
    if (task.step == softmaxFinish) return softmaxEnd;
    return SumsInParts<L>::join(rows_, arrays_, Nowhere{}, task);
  }

 private:
  Arrays arrays_;
  RowSums<L> rows_;
};

namespace calls {

/// call(x, out)
template <class V>
void logSoftmax(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  sameShape<V, LogSoftmaxSteps, true>(call, rows, -infinity, task);
}

}  // namespace calls

}  // namespace
