// What softmax, logSoftmax, logSumExp and the losses have in common: what becomes of a row's exponentials,
// and of the logarithm of their sum.
#pragma once

#include "beside_top.h"
#include "near_zero.h"
#include "pipeline.h"

namespace {

/// The largest exponential of doubles is below this, 2 √2: a larger sum has more than one.
constexpr double loneSumBound = 2.83;

template <class V>
SOFTMAX_INLINE typename V::Register scaled(typename V::Register exponential, typename V::Register high,
                                           typename V::Register low) {
  if constexpr (sizeof(typename V::Element) == sizeof(float)) {
    return V::multiplyAdd(exponential, high, V::multiply(exponential, low));
  } else {
    return V::multiply(exponential, high);
  }
}

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

  /// Multiplies the exponentials that are kept: what measureAndSum asks for (pipeline.h).
  template <class Kept>
  auto resultsOf(const Kept& kept) const {
    return [=, *this](auto row) SOFTMAX_INLINE_LAMBDA {
      const auto first = row.spread(high), second = row.spread(low);
      return [=, from = row.of(kept)](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
        using V = typename std::decay_t<decltype(from)>::V;
        return scaled<V>(V::once(from.kept(k, lanes)), first, second);
      };
    };
  }
};

/// What the exponentials of each row are multiplied by.
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
  if (are_finite && !factors.may_be_lone && !factors.has_zero) {
    eachExponential<L>(logits, kept, out, length, unit, scaling, rows, [&](auto row) SOFTMAX_INLINE_LAMBDA {
      const auto high = row.spread(parts.high), low = row.spread(parts.low);
      return [=](auto e) SOFTMAX_INLINE_LAMBDA { return scaled<V>(V::once(e), high, low); };
    });
    return;
  }
  // A factor that is not finite has no second part.
  const auto none = R::broadcast(Element(0));
  const auto lows = R::selectAtLeast(R::subtract(parts.high, parts.high), none, parts.low, none);
  constexpr Element half = Element(0.5) + Numbers<Element>::epsilon / 2;  // the smallest number above ½
  // Nothing is at least NaN.
  const auto thresholds = R::selectAtLeast(R::narrow(factors.lone), R::broadcast(Element(1)),
                                           R::broadcast(half), R::broadcast(Numbers<Element>::nan));
  const auto zeroes = R::subtract(none, R::narrow(factors.zero));
  eachExponential<L>(logits, kept, out, length, unit, scaling, rows, [&](auto row) SOFTMAX_INLINE_LAMBDA {
    const auto high = row.spread(parts.high), low = row.spread(lows);
    const auto threshold = row.spread(thresholds), zeroed = row.spread(zeroes);
    const auto one = V::broadcast(Element(1)), zero = V::broadcast(Element(0));
    return [=](auto e) SOFTMAX_INLINE_LAMBDA {
      const auto p = V::canonicalNan(scaled<V>(e, high, low));
      return V::keepUnlessBelow(V::selectAtLeast(p, threshold, one, p), zeroed, zero);
    };
  });
}

/// 1 / sum, or NaN where the sum is 0.
template <class R>
typename R::Double reciprocals(typename R::Double sums) {
  const auto reciprocal = R::divide(R::broadcast(1.0), sums);
  return R::selectAtLeast(sums, R::broadcast(smallestNormal), reciprocal, R::broadcast(nan));
}

/// What logarithms are relative to (logNormalizers): the offset of the exponentials, but in double the
/// maximum. Each log-probability is then a sum of two numbers of one sign, −(max − x) and −log(Σ / e^max),
/// which loses nothing, where x − log Σ may cancel. For floats double has digits enough.
template <class L>
typename L::Rows::Register normalizerOffsets(const RowSums<L>& rows) {
  if constexpr (sizeof(typename L::Element) == sizeof(double))
    return rows.top;
  else
    return rows.references.offset;
}
template <class L>
typename L::Rows::Register normalizerOffsets(const SumsBesideTop<L>& rows) {
  return rows.top;
}

/// log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sums` are of
/// whole rows, in the measure of their reference. Where the largest exponential outweighs the others together
/// it is taken out of the sum, as its error would be the error of the result, which may be close to 0. NaN
/// where there is no sum.
template <class L>
typename L::Rows::Double logNormalizers(const RowSums<L>& rows, typename L::Rows::Double sums,
                                        const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto tops = topExponentials<L>(rows, scaling), others = R::subtract(sums, tops);
  auto normalizer = others;
  if constexpr (sizeof(typename L::Element) == sizeof(double)) {
    normalizer = logRelativeToTop<R>(tops, others);
  } else {
    const auto exponent = R::subtract(rows.references.exponent, R::broadcast(1.0));
    const auto shifted_top = R::widen(R::subtract(rows.top, rows.references.offset));
    const auto log = logArgumentsOfSum<R>(tops, others, sums, exponent).log();
    const auto with_top = R::add(R::multiply(shifted_top, scaling.factor), log);
    normalizer = R::selectAtLeast(tops, others, with_top, R::subtract(log, R::broadcast(logOfTable)));
  }
  return R::selectAtLeast(sums, R::broadcast(smallestNormal), normalizer, R::broadcast(nan));
}

/// The sums of rows that nothing was left out of, and their logNormalizers.
template <class L>
typename L::Rows::Double sumsOf(const RowSums<L>& rows) {
  return rows.total;
}
template <class L>
typename L::Rows::Double normalizersOf(const RowSums<L>& rows, const RowScaling<L>& scaling) {
  return logNormalizers<L>(rows, rows.total, scaling);
}
template <class L>
typename L::Rows::Double sumsOf(const SumsBesideTop<L>& rows) {
  return rows.blocks.sum();
}
template <class L>
typename L::Rows::Double normalizersOf(const SumsBesideTop<L>& rows, const RowScaling<L>&) {
  using R = typename L::Rows;
  const auto normalizers = logRelativeToTop<R>(rows.blocks.top, rows.blocks.others);
  return R::selectAtLeast(rows.blocks.sum(), R::broadcast(smallestNormal), normalizers, R::broadcast(nan));
}

/// log Σ exp(multiplier · logit) of each row, from the sums of whole rows and their logNormalizers.
template <class L>
typename L::Rows::Double logSumExpsOf(const RowSums<L>& rows, typename L::Rows::Double sums,
                                      typename L::Rows::Double normalizers, const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto least = R::broadcast(smallestNormal), infinite = R::broadcast(infinity);
  const auto offset = R::multiply(R::widen(normalizerOffsets(rows)), scaling.factor);
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
  const auto sum = rows.total;
  NearZero<L> near_zero;
  near_zero.find(logits, length, unit, scaling, rows.top);
  const auto values = logSumExpsOf(rows, sum, logNormalizers<L>(rows, sum, scaling), scaling);
  return near_zero.putInto(besideTops<L>(logits, Nowhere{}, length, unit, scaling, rows, sum, values));
}

template <class L, class Logits>
typename L::Rows::Double logSumExpRows(const Logits& logits, std::size_t length, const Unit& unit,
                                       const RowScaling<L>& scaling) {
  RowSums<L> rows;
  rows.measure(logits, Nowhere{}, length, unit, scaling);
  rows.sum(logits, Nowhere{}, length, unit, scaling, nullptr);
  return logSumExpsOf(logits, length, unit, rows, scaling);
}

}  // namespace
