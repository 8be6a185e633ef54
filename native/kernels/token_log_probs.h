// tokenLogProbs(logits, tokens): the log-probabilities of some classes of each row, how many logits are
// larger than theirs, the row's log-sum-exp; and the most likely classes, with their log-probabilities.
//
// The bits are those of logSoftmax and logSumExp: of one sum, but for double, where each has its own.
//
//   types   float32, float64, float16, bfloat16
//   range   any logits; what the mask drops is −∞, all that it keeps is larger; NaN is above all numbers
#pragma once

#include "log_sum_exp.h"
#include "top_k.h"

namespace {

/// How many logits are larger than one of each row. NaN is; nothing is larger than NaN.
template <class L, class Logits>
void countAbove(const Logits& logits, std::size_t length, const Unit& unit, bool is_negative,
                const typename L::Element* limits, std::int32_t* counts) {
  using V = typename L::V;
  using Element = typename L::Element;
  constexpr std::size_t unroll = 4, longest = 4096 * blockSize;  // counts are exact in a float
  const auto sign = V::broadcast(is_negative ? Element(-1) : Element(1));
  const auto limit = V::multiply(L::each([&](std::size_t i) { return limits[i]; }), sign);
  const auto zero = V::broadcast(Element(0)), one = V::broadcast(Element(1));
  const std::size_t whole = L::is_across ? unit.lanes : V::width;
  std::uint64_t all[L::rows] = {};
  for (std::size_t begin = 0; begin < length; begin += longest) {
    const std::size_t end = length - begin < longest ? length : begin + longest;
    typename L::Register sums[unroll] = {zero, zero, zero, zero};
    const auto add = [&](std::size_t u, std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      const auto x = V::multiply(logits.load(k, count), sign);
      sums[u] = V::add(sums[u], V::selectAtLeast(limit, x, zero, one));
    };
    std::size_t k = begin;
    for (; end - k >= unroll * L::step; k += unroll * L::step)
      for (std::size_t u = 0; u < unroll; ++u) add(u, k + u * L::step, whole);
    for (; end - k >= L::step; k += L::step) add(0, k, whole);
    if (k < end) add(0, k, end - k);
    for (std::size_t u = 1; u < unroll; ++u) sums[0] = V::add(sums[0], sums[u]);
    Element lanes[V::width];
    V::store(lanes, sums[0]);
    for (std::size_t i = 0; i < V::width; ++i)
      all[L::is_across ? i : 0] += static_cast<std::uint64_t>(lanes[i]);
  }
  for (std::size_t i = 0; i < L::rows; ++i)
    counts[i] = limits[i] == limits[i] ? static_cast<std::int32_t>(all[i]) : 0;
}

template <class L, class Logits>
class TokenLogProbsSteps {
  using Element = typename L::Element;
  using Arrays = RowArrays<L, Logits, Nowhere, Nowhere>;
  static constexpr bool is_double = sizeof(Element) == sizeof(double);
  static constexpr std::size_t atOnce = 64;  // tokens of a row

 public:
  void begin(const Logits& logits, const SoftmaxCall& call, const SoftmaxRows& rows, const Unit& unit,
             const RowScaling<L>& scaling, Places<L>& places) {
    logits_ = logits;
    call_ = &call;
    rows_ = &rows;
    unit_ = unit;
    scaling_ = &scaling;
    places_ = &places;
    steps_.begin(Arrays{logits, {}, {}, rows.length, unit, &scaling});
  }
  void measure() { steps_.measure(); }
  void sum() { steps_.sum(); }
  void finish() {
    writeLogSumExp();
    const auto top = static_cast<std::size_t>(call_->numbers[1]);
    if (top > 0)
      writeLargest<L>(logits_, *rows_, unit_, top, *places_, steps_, call_->arrays[5], call_->arrays[6],
                      dropped);
    writeTokens(static_cast<std::size_t>(call_->numbers[0]));
  }

 private:
  static constexpr Element dropped = -Numbers<Element>::infinity;

  void writeLogSumExp() const {
    const auto write = [&](typename L::Rows::Double values) {
      storeRows<L>(call_->arrays[4], unit_, values);
    };
    if constexpr (is_double)
      write(logSumExpRows<L>(logits_, rows_->length, unit_, *scaling_));
    else
      write(logSumExpsOf(logits_, rows_->length, unit_, steps_.sums(), *scaling_));
  }

  bool isNegative() const { return droppedLogit<Element>(*rows_) > Element(0); }

  void writeTokens(std::size_t count) {
    const PlaceAxis<L> axis(*rows_, unit_, count);
    const Sink<L> results = axis.sink(call_->arrays[2]);
    const auto* const tokens = axis.template of<std::int32_t>(call_->arrays[1]);
    auto* const ranks = axis.template of<std::int32_t>(call_->arrays[3]);
    Mask<L> mask(*rows_);
    mask.start(unit_);
    Element logits[atOnce * L::rows];
    for (std::size_t begin = 0; begin < count; begin += atOnce) {
      const std::size_t some = count - begin < atOnce ? count - begin : atOnce;
      const auto tokenOf = [&](std::size_t j, std::size_t i) {
        return static_cast<std::size_t>(tokens[(begin + j) * axis.distance + (i < axis.lanes ? i : 0)]);
      };
      for (std::size_t j = 0; j < some; ++j)
        for (std::size_t i = 0; i < L::rows; ++i)
          logits[j * L::rows + i] = logits_.element(tokenOf(j, i), i < axis.lanes ? i : 0);
      const PlaceRows<L> out{results, begin};
      steps_.finishSome(rowsIn<L>(logits, *rows_, axis.unit), out, some, axis.unit);
      for (std::size_t j = 0; j < some; ++j) {
        std::int32_t counts[L::rows] = {};
        setRanks(logits + j * L::rows, counts);
        for (std::size_t i = 0; i < axis.lanes; ++i) {
          const bool is_kept = mask.keeps(tokenOf(j, i), i);
          if (!is_kept) out.storeElement(j, i, dropped);
          ranks[(begin + j) * axis.distance + i] =
              is_kept ? counts[i] : static_cast<std::int32_t>(mask.keptCount(i));
        }
      }
    }
  }
  /// A logit that is among the largest, where these are known, needs no sweep.
  void setRanks(const Element* logits, std::int32_t* counts) const {
    const std::size_t lanes = L::is_across ? unit_.lanes : 1;
    bool are_known = true;
    for (std::size_t i = 0; i < lanes && are_known; ++i)
      are_known = places_->findRank(orderOf(isNegative() ? -logits[i] : logits[i]), i, counts[i]);
    if (!are_known) countAbove<L>(logits_, rows_->length, unit_, isNegative(), logits, counts);
  }

  Logits logits_;
  const SoftmaxCall* call_;
  const SoftmaxRows* rows_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  Places<L>* places_;
  LogSoftmaxSteps<Arrays> steps_;
};

template <class W>
void tokenLogProbsOf(const SoftmaxCall& call, const SoftmaxRows& rows) {
  const SoftmaxElements& x = call.arrays[0];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    UnitScaling<L> scaling(rows);
    Places<L> places(rows);
    using Steps = TokenLogProbsSteps<L, decltype(logits.of(Unit{}))>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(logits.of(unit), call, rows, unit, scaling.of(unit), places);
    };
    frame.template each<Steps>(begin, logits);
  };
  const bool is_plain = x.dtype == softmaxFloat32 || x.dtype == softmaxFloat64;
#if !defined(SOFTMAX_SMALL)
  // One token of each row lies as one number of each row does. Candidates would take the stage's memory.
  if (call.numbers[0] == 1.0 && call.numbers[1] == 0.0) return chooseReadFrame<W>(rows, is_plain, run);
#endif
  chooseRowFrame<W>(rows, is_plain, run);
}

namespace calls {

/// call(logits, tokens, logProbs, ranks, logSumExp, topLogProbs, topTokens); numbers: how many tokens a row
/// has, and how many of the most likely are wanted.
template <class V>
void tokenLogProbs(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  if (isDouble(call.arrays[0].dtype)) return tokenLogProbsOf<Wide<V>>(call, rows);
  tokenLogProbsOf<V>(call, rows);
}

}  // namespace calls

}  // namespace
