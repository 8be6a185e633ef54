// softmax, logSoftmax and logSumExp of a unit's rows.
#pragma once

#include "near_zero.h"
#include "parts.h"

namespace {

constexpr double smallestNormal = 0x1p-1022;

/// The largest exponential is below this, 2 √2: a larger sum has more than one.
constexpr double loneSumBound = 2.83;

/// What exponentials are multiplied by: 1 / Σ and the like. Rounding that to float would cost up to 1 ULP of
/// every result, so a float has a second part of at most 5 bits, which leaves exponential · high +
/// exponential · low exact in double.
template <class R>
struct Factors {
  using Element = typename R::Element;
  typename R::Register high, low;

  explicit Factors(typename R::Double value) : high(R::narrow(value)), low(R::broadcast(Element(0))) {
    if constexpr (sizeof(Element) == sizeof(float)) {
      const auto wide = R::widen(high), anchor = R::multiply(wide, R::broadcast(0x1p24));
      low = R::narrow(R::subtract(R::add(R::subtract(value, wide), anchor), anchor));
    }
  }
};

template <class V>
SOFTMAX_INLINE typename V::Register scaled(typename V::Register exponential, typename V::Register high,
                                           typename V::Register low) {
  if constexpr (sizeof(typename V::Element) == sizeof(float)) {
    return V::multiplyAdd(exponential, high, V::multiply(exponential, low));
  } else {
    return V::multiply(exponential, high);
  }
}

/// The exponentials of the rows' largest logits.
template <class L>
typename L::Rows::Double topExponentials(const RowSums<L>& rows, const RowScaling<L>& scaling) {
  const RowConstants<L> row(scaling, rows.references);
  return singleExponentials<L>(L::Rows::multiply(rows.top, scaling.inverse_sign), row);
}

/// What the exponentials of rows come to.
template <class L>
struct RowFactors {
  using R = typename L::Rows;
  typename R::Double values;      // NaN fills the row
  typename R::Double lone, zero;  // 1 or 0. One logit alone counts: it has 1, which a product with a
                                  // rounded 1 / sum may miss. The row is filled with 0.
  bool may_be_lone = false, has_zero = false;

  explicit RowFactors(typename R::Double values_)
      : values(values_), lone(R::broadcast(0.0)), zero(R::broadcast(0.0)) {}
};

/// Whether every number is finite.
template <class R>
bool areFinite(typename R::Double values) {
  return R::allAtLeast(R::subtract(values, values), R::broadcast(0.0));
}

/// out = factor · exponential.
template <class L, class Logits, class Kept, class Out>
void scaleExponentials(const Logits& logits, const Kept& kept, const Out& out, std::size_t length,
                       const Unit& unit, const RowScaling<L>& scaling, const RowSums<L>& rows,
                       const RowFactors<L>& factors) {
  using V = typename L::V;
  using R = typename L::Rows;
  using Element = typename L::Element;
  const Factors<R> parts(factors.values);
  const bool are_finite = areFinite<R>(R::widen(parts.high));
  const auto high = L::spread(parts.high);
  if (are_finite && !factors.may_be_lone && !factors.has_zero) {
    const auto low = L::spread(parts.low);
    eachExponential<L>(logits, kept, out, length, unit, scaling, rows,
                       [=](auto e) SOFTMAX_INLINE_LAMBDA { return scaled<V>(e, high, low); });
    return;
  }
  // A factor that is not finite has no second part.
  const auto none = R::broadcast(Element(0));
  const auto low = L::spread(R::selectAtLeast(R::subtract(parts.high, parts.high), none, parts.low, none));
  constexpr Element half = Element(0.5) + Numbers<Element>::epsilon / 2;  // the smallest number above ½
  // Nothing is at least NaN.
  const auto threshold = L::spread(R::selectAtLeast(R::narrow(factors.lone), R::broadcast(Element(1)),
                                                    R::broadcast(half), R::broadcast(Numbers<Element>::nan)));
  const auto one = V::broadcast(Element(1)), zero = V::broadcast(Element(0));
  const auto zeroed = V::subtract(zero, L::spread(R::narrow(factors.zero)));
  eachExponential<L>(logits, kept, out, length, unit, scaling, rows, [=](auto e) SOFTMAX_INLINE_LAMBDA {
    const auto p = V::canonicalNan(scaled<V>(e, high, low));
    return V::keepUnlessBelow(V::selectAtLeast(p, threshold, one, p), zeroed, zero);
  });
}

/// 1 / sum, or NaN where the sum is 0.
template <class R>
typename R::Double reciprocals(typename R::Double sums) {
  const auto reciprocal = R::divide(R::broadcast(1.0), sums);
  return R::selectAtLeast(sums, R::broadcast(smallestNormal), reciprocal, R::broadcast(nan));
}

/// Where a unit's rows are read, written and kept, and how they are scaled.
template <class L, class LogitsOf, class KeptOf, class OutOf>
struct RowArrays {
  using Layout = L;
  using Logits = LogitsOf;
  using Kept = KeptOf;
  using Out = OutOf;
  Logits logits;
  Kept kept;
  Out out;
  std::size_t length;
  Unit unit;
  const RowScaling<L>* scaling;
};

/// What is computed of a unit comes in three steps, each of which waits for the one before: the caller may
/// take them for several units in turn. Or a row comes in parts: take() is a step of one, join() is between
/// the steps (parts.h).
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
  void finish() {
    const auto& [logits, kept, out, length, unit, scaling_of] = arrays_;
    const RowScaling<L>& scaling = *scaling_of;
    const auto sum = rows_.total.sum;
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

/// log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sums` are of
/// whole rows, in the measure of their reference. Where the largest exponential outweighs the others together
/// it is taken out of the sum, as its error would be the error of the result, which may be close to 0. NaN
/// where there is no sum.
template <class L>
typename L::Rows::Double logNormalizers(const RowSums<L>& rows, typename L::Rows::Double sums,
                                        const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto tops = topExponentials<L>(rows, scaling), others = R::subtract(sums, tops);
  const auto exponent = R::subtract(rows.references.exponent, R::broadcast(1.0));
  const auto shifted_top = R::widen(R::subtract(rows.top, rows.references.offset));
  const auto log = logArgumentsOfSum<R>(tops, others, sums, exponent).log();
  const auto with_top = R::add(R::multiply(shifted_top, scaling.factor), log);
  const auto normalizer = R::selectAtLeast(tops, others, with_top, log);
  return R::selectAtLeast(sums, R::broadcast(smallestNormal), normalizer, R::broadcast(nan));
}

/// log Σ exp(multiplier · logit) of each row, from the sums of whole rows and their logNormalizers.
template <class L>
typename L::Rows::Double logSumExpsOf(const RowSums<L>& rows, typename L::Rows::Double sums,
                                      typename L::Rows::Double normalizers, const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto least = R::broadcast(smallestNormal), infinite = R::broadcast(infinity);
  const auto offset = R::multiply(R::widen(rows.references.offset), scaling.factor);
  const auto value = R::add(offset, normalizers);
  if (R::allAtLeast(sums, least)) return value;
  const auto empty = R::selectAtLeast(R::broadcast(0.0), sums, R::broadcast(-infinity), R::broadcast(nan));
  const auto special = R::selectAtLeast(R::widen(rows.top), infinite, R::add(infinite, rows.nans), empty);
  return R::selectAtLeast(sums, least, value, R::canonicalNan(special));
}

/// The same of rows that nothing was left out of, with those near 0 as they have to be.
template <class L, class Logits>
typename L::Rows::Double logSumExpsOf(const Logits& logits, std::size_t length, const Unit& unit,
                                      const RowSums<L>& rows, const RowScaling<L>& scaling) {
  const auto sum = rows.total.sum;
  NearZero<L> near_zero;
  near_zero.find(logits, length, unit, scaling, rows.top);
  return near_zero.putInto(logSumExpsOf(rows, sum, logNormalizers<L>(rows, sum, scaling), scaling));
}

template <class L, class Logits>
typename L::Rows::Double logSumExpRows(const Logits& logits, std::size_t length, const Unit& unit,
                                       const RowScaling<L>& scaling) {
  RowSums<L> rows;
  rows.measure(logits, Nowhere{}, length, unit, scaling);
  rows.sum(logits, Nowhere{}, length, unit, scaling, nullptr);
  return logSumExpsOf(logits, length, unit, rows, scaling);
}

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
  const auto below = L::spread(R::narrow(R::selectAtLeast(sum, least, R::broadcast(-infinity), nans)));
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

}  // namespace
