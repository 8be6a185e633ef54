// softmax, logSoftmax and logSumExp of a unit's rows.
#pragma once

#include "row_sum.h"

namespace {

/// The largest exponential is below this, 2 √2: a larger sum has more than one.
constexpr double loneSumBound = 2.83;

/// What exponentials are multiplied by: 1 / Σ and the like. Rounding that to float would cost up to 1 ULP of
/// every result, so a float has a second part of at most 5 bits, which leaves exponential · high +
/// exponential · low exact in double.
template <class Element>
struct Factor {
  Element high, low;

  Factor() = default;
  explicit Factor(double value) : high(static_cast<Element>(value)), low(0) {
    if constexpr (sizeof(Element) == sizeof(float)) {
      if (high - high != 0.0f) return;
      const double anchor = static_cast<double>(high) * 0x1p24;
      low = static_cast<float>(((value - static_cast<double>(high)) + anchor) - anchor);
    }
  }
};

template <class V>
typename V::Register scaled(typename V::Register exponential, typename V::Register high,
                            typename V::Register low) {
  if constexpr (sizeof(typename V::Element) == sizeof(float))
    return V::multiplyAdd(exponential, high, V::multiply(exponential, low));
  return V::multiply(exponential, high);
}

/// The exponentials of the rows' largest logits.
template <class L>
void topExponentials(const RowSums<L>& rows, const Scaling<typename L::Element>* scaling, double* tops) {
  const RowConstants<L> row(scaling, rows.reference);
  singleExponentials<L>([&](std::size_t i) { return scaling[i].logitOf(rows.top[i]); }, row, tops);
}

/// What a row's exponentials come to.
struct RowFactor {
  double value = 1.0;    // NaN fills the row
  bool is_lone = false;  // one logit alone counts: it has 1, which a product with a rounded 1 / sum may miss
  bool is_zero = false;  // the row is filled with 0
};

/// out = factor · exponential.
template <class L, class Logits, class Kept, class Out>
void scaleExponentials(const Logits& logits, const Kept& kept, const Out& out, std::size_t length,
                       const Unit& unit, const Scaling<typename L::Element>* scaling, const RowSums<L>& rows,
                       const RowFactor* factors) {
  using V = typename L::V;
  using Element = typename L::Element;
  Factor<Element> parts[L::rows];
  bool is_ordinary = true;
  for (std::size_t i = 0; i < L::rows; ++i) {
    parts[i] = Factor<Element>(factors[i].value);
    const bool is_finite = parts[i].high - parts[i].high == Element(0);
    is_ordinary &= is_finite && !factors[i].is_lone && !factors[i].is_zero;
  }
  const auto high = L::each([&](std::size_t i) { return parts[i].high; });
  const auto low = L::each([&](std::size_t i) { return parts[i].low; });
  if (is_ordinary) {
    eachExponential<L>(logits, kept, out, length, unit, scaling, rows,
                       [&](auto e) { return scaled<V>(e, high, low); });
    return;
  }
  constexpr Element half = Element(0.5) + Numbers<Element>::epsilon / 2;  // the smallest number above ½
  // Nothing is at least NaN.
  const auto threshold =
      L::each([=](std::size_t i) { return factors[i].is_lone ? half : Numbers<Element>::nan; });
  const auto one = V::broadcast(Element(1)), zero = V::broadcast(Element(0));
  const auto zeroed = L::each([=](std::size_t i) { return factors[i].is_zero ? Element(-1) : Element(1); });
  eachExponential<L>(logits, kept, out, length, unit, scaling, rows, [&](auto e) {
    const auto p = V::canonicalNan(scaled<V>(e, high, low));
    return V::keepUnlessBelow(V::selectAtLeast(p, threshold, one, p), zeroed, zero);
  });
}

/// run(kept): where the exponentials of rows go that are written to `out`. There, or where that is of another
/// type or strided, into a stage if it holds them.
template <class L, class Out, class Run>
void keepFor(const Out& out, std::size_t length, Run run) {
  if constexpr (L::is_across || !Out::is_direct) {
    if (Stage<L>::holds(length)) {
      alignas(64) typename L::Element memory[Stage<L>::size];
      return run(Stage<L>(memory));
    }
  }
  run(out);
}

template <class L, class Logits, class Kept, class Out>
void softmaxRows(const Logits& logits, const Kept& kept, const Out& out, std::size_t length, const Unit& unit,
                 const Scaling<typename L::Element>* scaling) {
  const RowSums<L> rows = rowSums<L>(logits, length, unit, scaling, nullptr, &kept);
  RowFactor factors[L::rows];
  bool may_be_lone = false;
  for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i) {
    const double sum = rows.total[i].sum;
    factors[i].value = sum > 0.0 ? 1.0 / sum : nan;
    // Only in double: the product of a float misses 1 by less than half a step.
    may_be_lone |= sizeof(typename L::Element) == sizeof(double) && sum < loneSumBound;
  }
  if (may_be_lone) {
    double tops[L::V::width];
    topExponentials<L>(rows, scaling, tops);
    for (std::size_t i = 0; i < L::rows && i < unit.lanes; ++i)
      factors[i].is_lone = rows.total[i].sum < loneSumBound && rows.total[i].sum == tops[i];
  }
  scaleExponentials<L>(logits, kept, out, length, unit, scaling, rows, factors);
}

template <class L, class Logits, class Out>
void softmaxRows(const Logits& logits, const Out& out, std::size_t length, const Unit& unit,
                 const Scaling<typename L::Element>* scaling) {
  keepFor<L>(out, length,
             [&](const auto& kept) { softmaxRows<L>(logits, kept, out, length, unit, scaling); });
}

/// log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sum` is of the
/// whole row, in the measure of its reference; `top_exponential` the largest. Where that outweighs the others
/// together it is taken out of the sum, as its error would be the error of the result, which may be close to
/// 0.
template <class Element>
double logNormalizer(Element top, const Reference<Element>& reference, double sum, double top_exponential,
                     const Scaling<Element>& scaling) {
  const double others = sum - top_exponential;
  if (others > top_exponential) return logScaled(sum, reference.exponent - 1);
  const double shifted_top = static_cast<double>(top - reference.offset);
  return shifted_top * scaling.factor() + logOnePlusRatio(others / top_exponential);
}

/// logNormalizer of each row that has a sum above 0.
template <class L>
void logNormalizers(const RowSums<L>& rows, const double* sums, const Scaling<typename L::Element>* scaling,
                    double* normalizers) {
  double tops[L::V::width];
  topExponentials<L>(rows, scaling, tops);
  for (std::size_t i = 0; i < L::rows; ++i)
    normalizers[i] =
        sums[i] > 0.0 ? logNormalizer(rows.top[i], rows.reference[i], sums[i], tops[i], scaling[i]) : nan;
}

/// log Σ exp(multiplier · logit) of a row, from the sum of the whole row and its logNormalizer.
template <class L>
double logSumExpOf(const RowSums<L>& rows, std::size_t row, double sum, double normalizer,
                   const Scaling<typename L::Element>& scaling) {
  if (sum > 0.0) return static_cast<double>(rows.reference[row].offset) * scaling.factor() + normalizer;
  if (rows.top[row] == Numbers<typename L::Element>::infinity) return rows.has_nan[row] ? nan : infinity;
  return sum == 0.0 ? -infinity : nan;
}

template <class L, class Logits>
void logSumExpRows(const Logits& logits, std::size_t length, const Unit& unit,
                   const Scaling<typename L::Element>* scaling, double* log_sum_exp) {
  const RowSums<L> rows = rowSums<L>(logits, length, unit, scaling, nullptr, nowhere<L>);
  double sums[L::rows], normalizers[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) sums[i] = rows.total[i].sum;
  logNormalizers<L>(rows, sums, scaling, normalizers);
  for (std::size_t i = 0; i < L::rows; ++i)
    log_sum_exp[i] = logSumExpOf(rows, i, sums[i], normalizers[i], scaling[i]);
}

/// −infinity, and at temperature 0 every logit below the maximum, has probability 0. The subtraction is in
/// double: one rounding. It is made the other way round, and negated, so that a log-probability of 0 is +0.
template <class L, class Logits, class Out>
void logSoftmaxRows(const Logits& logits, const Out& out, std::size_t length, const Unit& unit,
                    const Scaling<typename L::Element>* scaling) {
  using V = typename L::V;
  using Element = typename L::Element;
  const RowSums<L> rows = rowSums<L>(logits, length, unit, scaling, nullptr, nowhere<L>);
  double sums[L::rows], normalizers[L::rows];
  bool is_plain = rows.is_plain, is_nan[L::rows];
  for (std::size_t i = 0; i < L::rows; ++i) {
    sums[i] = rows.total[i].sum;
    is_nan[i] = !(sums[i] > 0.0);
    is_plain &= !is_nan[i];
  }
  logNormalizers<L>(rows, sums, scaling, normalizers);
  const auto zero = V::broadcast(0.0);
  const auto normalizer = L::eachDouble([&](std::size_t i) { return normalizers[i]; });
  if (is_plain) {
    eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
      const auto x = V::widen(logits.load(k, count));
      out.store(k, V::narrow(V::subtract(zero, V::subtract(normalizer, x))), count);
    });
    return;
  }
  const auto sign = L::each([&](std::size_t i) { return scaling[i].sign; });
  // Nothing is at least NaN: a row that is NaN takes what is for logits below the lowest.
  const auto lowest = L::each([&](std::size_t i) {
    if (is_nan[i]) return Numbers<Element>::nan;
    return scaling[i].is_limit ? rows.top[i] : -Numbers<Element>::largest;
  });
  const auto below =
      L::each([&](std::size_t i) { return is_nan[i] ? Numbers<Element>::nan : -Numbers<Element>::infinity; });
  const ScaledDifferences<L> difference([&](std::size_t i) { return rows.reference[i].offset; }, scaling);
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto signed_logit = V::multiply(logits.load(k, count), sign);
    const auto scaled = difference.of(V::widen(signed_logit));
    const auto y = V::narrow(V::subtract(zero, V::subtract(normalizer, scaled)));
    out.store(k, V::selectAtLeast(signed_logit, lowest, y, below), count);
  });
}

}  // namespace
