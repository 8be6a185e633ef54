// What is found of a row's logits before their exponentials: the maximum, whether any is cut off, and NaN.
#pragma once

#include "reference.h"

namespace {

/// fold(best, signed logit) over [begin, end): the largest, or smallest, of each row.
template <class L, bool negated, class Logits, class Fold>
SOFTMAX_INLINE typename L::Register foldSigned(const Logits& logits, std::size_t begin, std::size_t end,
                                               const Unit& unit, typename L::Element start, Fold fold) {
  using V = typename L::V;
  using Register = typename L::Register;
  using Element = typename L::Element;
  constexpr std::size_t unroll = 8;  // as many comparisons in flight as latency times throughput asks for
  const auto signedLogit = [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
    const Register x = logits.load(k, count);
    if constexpr (negated) {
      return V::subtract(V::broadcast(Element(0)), x);
    } else {
      return x;
    }
  };
  const std::size_t whole = L::is_across ? unit.lanes : V::width;
  Register best[unroll];
  for (auto& b : best) b = V::broadcast(start);
  std::size_t k = begin;
  const bool is_long = end - begin >= unroll * L::step;
  for (; end - k >= unroll * L::step; k += unroll * L::step)
    for (std::size_t u = 0; u < unroll; ++u) best[u] = fold(best[u], signedLogit(k + u * L::step, whole));
  if (is_long)
    for (std::size_t half = unroll / 2; half > 0; half /= 2)
      for (std::size_t u = 0; u < half; ++u) best[u] = fold(best[u], best[u + half]);
  for (; end - k >= L::step; k += L::step)
    best[k / L::step % 2] = fold(best[k / L::step % 2], signedLogit(k, whole));
  if (k < end) best[0] = fold(best[0], signedLogit(k, end - k));
  return fold(best[0], best[1]);
}

/// The largest signed logit of each row, −infinity for none. NaN is dropped here: it always reaches the sum.
template <class L, class Logits>
typename L::Rows::Register rowMaxima(const Logits& logits, std::size_t begin, std::size_t end,
                                     const Unit& unit, const RowScaling<L>& scaling) {
  using V = typename L::V;
  const auto larger = [](auto best, auto x) SOFTMAX_INLINE_LAMBDA { return V::maximum(x, best); };
  constexpr auto none = -Numbers<typename L::Element>::infinity;
  if constexpr (L::is_batch) {
    using Row = typename L::Row;
    typename L::Register each[L::rows];
    fillBatch<L>(unit, each, [&](std::size_t i, const Unit& row) SOFTMAX_INLINE_LAMBDA {
      return scaling.is_negative ? foldSigned<Row, true>(logits.row(i), begin, end, row, none, larger)
                                 : foldSigned<Row, false>(logits.row(i), begin, end, row, none, larger);
    });
    return V::multiply(V::maxima(each), scaling.unit);
  }
  const auto maxima =
      L::maximum(scaling.is_negative ? foldSigned<L, true>(logits, begin, end, unit, none, larger)
                                     : foldSigned<L, false>(logits, begin, end, unit, none, larger));
  return L::Rows::multiply(maxima, scaling.unit);
}

/// Whether blocks whose smallest signed logit is `lowest` have the same sums in the row's measure as in their
/// own (scaled_sums.h), but for a power of two: no exponential is cut off, and no maximum so far below 0 that
/// it would be subtracted, as the row's is not.
template <class L>
bool sharesMeasure(typename L::Element lowest, const RowScaling<L>& scaling,
                   const References<L>& references) {
  static_assert(!L::is_across);
  constexpr double bound = Limits<typename L::Element>::largestReference;
  return lowest - references.offset >= references.cut &&
         static_cast<double>(lowest) * static_cast<double>(scaling.high) >= -bound;
}

/// The same of the logits in [begin, end) of a row, but for those that are −infinity, whose exponential is 0
/// in any measure. What fills an incomplete vector would be cut off.
template <class L, class Logits>
bool sharesMeasure(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
                   const RowScaling<L>& scaling, const References<L>& references) {
  using V = typename L::V;
  using Element = typename L::Element;
  constexpr Element none = Numbers<Element>::infinity, least = -Numbers<Element>::largest;
  const auto smaller = [](auto best, auto x) SOFTMAX_INLINE_LAMBDA {
    return V::minimum(V::selectAtLeast(x, V::broadcast(least), x, V::broadcast(none)), best);
  };
  const std::size_t whole = begin + (end - begin) / L::step * L::step;
  const auto lanes = scaling.is_negative ? foldSigned<L, true>(logits, begin, whole, unit, none, smaller)
                                         : foldSigned<L, false>(logits, begin, whole, unit, none, smaller);
  Element lowest = Element(0) - V::laneMaximum(V::subtract(V::broadcast(Element(0)), lanes));
  for (std::size_t k = whole; k < end; ++k) {
    const Element logit = logits.element(k, 0),
                  signed_logit = scaling.is_negative ? Element(0) - logit : logit;
    if (signed_logit >= least && signed_logit < lowest) lowest = signed_logit;
  }
  return sharesMeasure<L>(lowest * scaling.unit, scaling, references);
}

/// The largest logit of a row, and one that no logit is below; the multiplier is not negative.
template <class L, class Logits>
void rowRange(const Logits& logits, std::size_t length, const RowScaling<L>& scaling,
              typename L::Element& top, typename L::Element& bottom) {
  using V = typename L::V;
  using Element = typename L::Element;
  constexpr std::size_t unroll = 4;
  constexpr Element infinite = Numbers<Element>::infinity;
  typename L::Register largest[unroll], smallest[unroll];
  for (auto& value : largest) value = V::broadcast(-infinite);
  for (auto& value : smallest) value = V::broadcast(infinite);
  std::size_t k = 0;
  for (; length - k >= unroll * L::step; k += unroll * L::step)
    for (std::size_t u = 0; u < unroll; ++u) {
      const auto x = V::once(logits.load(k + u * L::step, V::width));
      if constexpr (isDirect<Logits>) logits.prefetch(k + u * L::step);
      largest[u] = V::maximum(x, largest[u]);
      smallest[u] = V::minimum(x, smallest[u]);
    }
  for (std::size_t u = 1; u < unroll; ++u) {
    largest[0] = V::maximum(largest[u], largest[0]);
    smallest[0] = V::minimum(smallest[u], smallest[0]);
  }
  Element most = V::laneMaximum(largest[0]),
          least = Element(0) - V::laneMaximum(V::subtract(V::broadcast(Element(0)), smallest[0]));
  for (; k < length; ++k) {
    const Element x = logits.element(k, 0);
    if (x > most) most = x;
    if (x < least) least = x;
  }
  top = most * scaling.unit;
  bottom = least * scaling.unit;
}

/// NaN for each row that has one, else 0. Every number is at least −infinity.
template <class L, class Logits>
typename L::Rows::Double nansOf(const Logits& logits, std::size_t length, const Unit& unit) {
  using V = typename L::V;
  using Element = typename L::Element;
  const auto lowest = V::broadcast(-Numbers<Element>::infinity);
  const auto zero = V::broadcast(Element(0)), nans = V::broadcast(Numbers<Element>::nan);
  auto found = zero;
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    found = V::add(found, V::selectAtLeast(logits.load(k, count), lowest, zero, nans));
  });
  return L::sum(V::widen(found));
}

}  // namespace
