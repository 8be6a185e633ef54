// logSoftmax(x) = multiplier · x − log Σ exp(multiplier · x), along each row.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; −∞ stays −∞; NaN and +∞ make the row NaN
//   error   float32: 4 ULP, or 1 ULP of the row's largest logit (docs/numerics.md)
#pragma once

#include "forward.h"
#include "same_shape.h"

namespace {

/// A normalizer as a float and what is to be added once that is subtracted from a logit. The error is less
/// than an ULP: where the logit is within a factor of two of the float, as where the result is near 0, the
/// difference is exact; elsewhere the rest is nothing beside it. A scaled logit has more digits than a float:
/// there the difference is rounded, by 2^-49 of the normalizer where the result is near 0. A log-probability
/// of 0 is +0, as the rest is.
template <class R>
struct NormalizerParts {
  typename R::Register high, rest;
  explicit NormalizerParts(typename R::Double normalizers)
      : high(R::narrow(normalizers)), rest(R::narrow(R::subtract(R::widen(high), normalizers))) {}
};

/// −infinity, and at temperature 0 every logit below the maximum, has probability 0.
template <class L, class Logits, class Out, class Sums>
void writeLogSoftmax(Logits logits, Out out, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const Sums& rows) {
  using V = typename L::V;
  using R = typename L::Rows;
  using Element = typename L::Element;
  constexpr bool is_double = sizeof(Element) == sizeof(double);
  const auto sum = sumsOf<L>(rows), least = R::broadcast(smallestNormal);
  const auto normalizers = normalizersOf<L>(rows, scaling);
  const auto offsets = R::widen(normalizerOffsets(rows));
  const NormalizerParts<R> parts(normalizers);
  if (rows.is_plain && R::allAtLeast(sum, least)) {
    const auto firsts = is_double ? normalizerOffsets(rows) : parts.high;
    const auto rests = is_double ? R::narrow(R::subtract(R::broadcast(0.0), normalizers)) : parts.rest;
    eachRowOf<L>(unit, [&](auto layout, auto row) SOFTMAX_INLINE_LAMBDA {
      const auto first = row.spread(firsts), rest = row.spread(rests);
      const auto from = row.of(logits);
      const auto to = row.of(out);
      eachVectorOf<decltype(layout)>(
          to, length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
            to.store(k, V::add(V::subtract(from.load(k, count), first), rest), count);
          });
    });
    return;
  }
  // Nothing is at least NaN: a row that is NaN takes what is for logits below the lowest.
  const auto nans = R::broadcast(nan);
  const auto at_limit = R::selectAtLeast(scaling.limit, R::broadcast(1.0), R::widen(rows.top),
                                         R::broadcast(-static_cast<double>(Numbers<Element>::largest)));
  const auto lowests = R::narrow(R::selectAtLeast(sum, least, at_limit, nans));
  const auto belows = R::narrow(R::selectAtLeast(sum, least, R::broadcast(-infinity), nans));
  eachRowOf<L>(unit, [&](auto layout, auto row) SOFTMAX_INLINE_LAMBDA {
    const auto high = row.spread(R::widen(parts.high));
    const auto rest = row.spread(parts.rest);
    const auto lowest = row.spread(lowests), below = row.spread(belows), sign = row.spread(scaling.sign);
    const ScaledDifferences<V> difference(row.spread(offsets), row.spread(scaling.factor));
    const auto from = row.of(logits);
    const auto to = row.of(out);
    eachVectorOf<decltype(layout)>(to, length, unit,
                                   [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
                                     const auto signed_logit = V::multiply(from.load(k, count), sign);
                                     const auto scaled = difference.of(V::widen(signed_logit));
                                     const auto y = V::add(V::narrow(V::subtract(scaled, high)), rest);
                                     to.store(k, V::selectAtLeast(signed_logit, lowest, y, below), count);
                                   });
  });
}

template <class Arrays>
class LogSoftmaxSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;
  using R = typename L::Rows;
  static constexpr bool is_double = sizeof(typename L::Element) == sizeof(double);
  using Sums = std::conditional_t<is_double, SumsBesideTop<L>, RowSums<L>>;
  using InParts = SumsInParts<L, Sums>;

 public:
  /// Where the largest logit is, is known by a branch that no CPU foresees.
  static constexpr std::size_t longest_in_turn = is_double ? 8192 : longestInTurn;

  void begin(const Arrays& arrays) { arrays_ = arrays; }

  void measure() { rows_.measure(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling); }
  void sum() {
    rows_.sum(arrays_.logits, Nowhere{}, arrays_.length, arrays_.unit, *arrays_.scaling, nullptr);
  }
  void finish() {
    writeLogSoftmax<L>(arrays_.logits, arrays_.out, arrays_.length, arrays_.unit, *arrays_.scaling, rows_);
  }

  const Sums& sums() const { return rows_; }
  /// The results of some of the rows' logits.
  template <class Some, class Out>
  void finishSome(const Some& logits, const Out& out, std::size_t length, const Unit& unit) const {
    writeLogSoftmax<L>(logits, out, length, unit, *arrays_.scaling, rows_);
  }

  // What together() asks of the rows that are measured, summed and finished (pipeline.h). Of floats.
  static constexpr bool takes_scaled_together = false;
  bool isPlain() const { return rows_.is_plain; }
  bool isOrdinary() const {
    return rows_.is_plain && R::allAtLeast(rows_.total, R::broadcast(smallestNormal));
  }

  template <bool plain>
  static void together(LogSoftmaxSteps& measured, LogSoftmaxSteps& summed, const LogSoftmaxSteps& finished) {
    const NormalizerParts<R> parts(normalizersOf<L>(finished.rows_, *finished.arrays_.scaling));
    const Arrays& arrays = finished.arrays_;
    measureAndSum<L, plain, false>(
        measured.rows_, measured.arrays_, summed.rows_, summed.arrays_, Nowhere{}, nullptr,
        [&](auto row) SOFTMAX_INLINE_LAMBDA {
          const auto high = row.spread(parts.high), rest = row.spread(parts.rest);
          return [=, x = row.of(arrays.logits)](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
            return V::add(V::subtract(V::once(x.load(k, lanes)), high), rest);
          };
        },
        arrays.out);
  }

  void take(const PartTask& task) {
    if (task.step != softmaxFinish) return InParts::step(rows_, arrays_, Nowhere{}, task, -1.0);
    InParts::load(rows_, *task.row, *arrays_.scaling);
    finish();
  }
  SoftmaxStep join(const PartTask& task) {
    if (task.step == softmaxFinish) return softmaxEnd;
    return InParts::join(rows_, arrays_, Nowhere{}, task);
  }

 private:
  Arrays arrays_;
  Sums rows_;
};

namespace calls {

/// call(x, out)
template <class V>
void logSoftmax(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  sameShape<V, LogSoftmaxSteps, true, true>(call, rows, -infinity, task);
}

}  // namespace calls

}  // namespace
