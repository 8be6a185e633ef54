// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include "exp.h"

namespace {

template <class L, bool negated, class Logits>
typename L::Rows::Register signedMaxima(const Logits& logits, std::size_t begin, std::size_t end,
                                        const Unit& unit) {
  using V = typename L::V;
  using Register = typename L::Register;
  using Element = typename L::Element;
  constexpr std::size_t unroll = 8;  // as many comparisons in flight as latency times throughput asks for
  const auto signedLogit = [&](std::size_t k, std::size_t count) {
    const Register x = logits.load(k, count);
    if constexpr (negated) return V::subtract(V::broadcast(Element(0)), x);
    return x;
  };
  const std::size_t whole = L::is_across ? unit.lanes : V::width;
  Register best[unroll];
  for (auto& b : best) b = V::broadcast(-Numbers<Element>::infinity);
  std::size_t k = begin;
  const bool is_long = end - begin >= unroll * L::step;
  for (; end - k >= unroll * L::step; k += unroll * L::step)
    for (std::size_t u = 0; u < unroll; ++u)
      best[u] = V::maximum(signedLogit(k + u * L::step, whole), best[u]);
  for (; end - k >= L::step; k += L::step) best[0] = V::maximum(signedLogit(k, whole), best[0]);
  if (k < end) best[0] = V::maximum(signedLogit(k, end - k), best[0]);
  for (std::size_t half = is_long ? unroll / 2 : 0; half > 0; half /= 2)
    for (std::size_t u = 0; u < half; ++u) best[u] = V::maximum(best[u], best[u + half]);
  return L::maximum(best[0]);
}

/// The largest signed logit of each row, −infinity for none. NaN is dropped here: it always reaches the sum.
template <class L, class Logits>
typename L::Rows::Register rowMaxima(const Logits& logits, std::size_t begin, std::size_t end,
                                     const Unit& unit, const RowScaling<L>& scaling) {
  const auto maxima = scaling.is_negative ? signedMaxima<L, true>(logits, begin, end, unit)
                                          : signedMaxima<L, false>(logits, begin, end, unit);
  return L::Rows::multiply(maxima, scaling.unit);
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

/// Sums a block's exponentials, without each row's `skipped` element (null: none). `kept`: where they are
/// kept.
template <class L, bool plain, class Logits, class Kept>
typename L::Rows::Double exponentialSum(const Logits& logits, std::size_t begin, std::size_t count,
                                        const Unit& unit, const RowConstants<L>& row,
                                        const typename L::Rows::Double* skipped, const Kept* kept) {
  using V = typename L::V;
  const auto termOf = [&](std::size_t k, std::size_t lanes) {
    const auto e = exponential<L, plain>(logits.load(k, lanes), row);
    if (kept) kept->keep(k, e, lanes);
    return V::widen(e);
  };
  if (!skipped) return blockSum<L>(begin, count, unit, termOf);
  const auto targets = L::spreadDouble(*skipped);
  std::size_t target = 0;
  if constexpr (!L::is_across) target = static_cast<std::size_t>(static_cast<std::int64_t>(*skipped));
  return blockSum<L>(begin, count, unit, [&](std::size_t k, std::size_t lanes) {
    const auto wide = termOf(k, lanes);
    if (!L::is_across && target - k >= L::step) return wide;
    return clearWhereEqual<V>(wide, elementNumbers<L>(k), targets);
  });
}

/// Exponentials are not kept.
template <class L>
constexpr const Sink<L, true>* nowhere = nullptr;

/// What is known of a unit's rows after the first half.
template <class L>
struct RowSums {
  using R = typename L::Rows;
  typename R::Register top;  // the largest signed logit
  References<L> references;  // of the whole row
  ScaledSums<R> total;       // of 2 exp(multiplier · logit); NaN if the row has a NaN or +infinity, 0 if all
                             // are −infinity
  typename R::Double nans;   // NaN if the row has one: known only where the maximum is +infinity, to tell the
                             // two apart; else 0
  bool is_plain;             // all logits are used as they are
  bool is_kept;              // the exponentials are in `kept`
};

template <class L, class Logits, class Kept>
typename L::Rows::Double blockSums(const Logits& logits, std::size_t begin, std::size_t count,
                                   const Unit& unit, const RowScaling<L>& scaling,
                                   const References<L>& references, const typename L::Rows::Double* skipped,
                                   const Kept* kept) {
  const RowConstants<L> row(scaling, references);
  if (isPlain(scaling, references))
    return exponentialSum<L, true>(logits, begin, count, unit, row, skipped, kept);
  return exponentialSum<L, false>(logits, begin, count, unit, row, skipped, kept);
}

/// Rows beyond one block: each block is measured against its own maximum while it is in cache, so the row is
/// read once, and the sums are scaled to each other exactly.
template <class L, class Logits>
void longRowSums(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                 const typename L::Rows::Double* skipped, RowSums<L>& rows) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  const auto totalOf = [&](auto referencesOf) {
    BlockTree<ScaledSums<R>, merge<R>> tree;
    for (std::size_t begin = 0; begin < length; begin += blockSize) {
      const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
      const References<L> references = referencesOf(begin, count);
      const auto sums = blockSums<L>(logits, begin, count, unit, scaling, references, skipped, nowhere<L>);
      tree.push({sums, references.exponent});
    }
    return tree.total();
  };
  rows.top = R::broadcast(-Numbers<Element>::infinity);
  rows.total = totalOf([&](std::size_t begin, std::size_t count) {
    const auto top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
    rows.top = R::maximum(top, rows.top);
    return blockReferencesOf<L>(top, scaling);
  });
  rows.references = referencesOf<L>(rows.top, scaling);
  if (!rows.references.is_shifted) return;
  const auto shared = totalOf([&](std::size_t, std::size_t) { return rows.references; });
  const auto huge = hugeRows<L>(rows.top, scaling), one = R::broadcast(1.0);
  rows.total.sum = R::selectAtLeast(huge, one, shared.sum, rows.total.sum);
  rows.total.exponent = R::selectAtLeast(huge, one, shared.exponent, rows.total.exponent);
}

/// The exponentials themselves are kept in `kept` (which may be the logits' memory, or null) if the row is a
/// single block; a longer row computes them again, which costs less than a sweep through memory.
template <class L, class Logits, class Kept>
RowSums<L> rowSums(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                   const typename L::Rows::Double* skipped, const Kept* kept) {
  using R = typename L::Rows;
  using Element = typename L::Element;
  RowSums<L> rows;
  rows.is_kept = kept && length <= blockSize && kept->holds(length);
  if (length > blockSize) {
    longRowSums(logits, length, unit, scaling, skipped, rows);
  } else {
    // A stage has the logits first, then their exponentials: the array is read once.
    if constexpr (isStage<L, Kept>) {
      rows.top = rowMaxima<L>(Staging<L, Logits>{logits, *kept}, 0, length, unit, scaling);
    } else {
      rows.top = rowMaxima<L>(logits, 0, length, unit, scaling);
    }
    rows.references = referencesOf<L>(rows.top, scaling);
  }
  rows.is_plain = isPlain(scaling, rows.references);
  rows.nans = R::broadcast(0.0);
  const bool is_finite =
      R::allAtLeast(R::broadcast(static_cast<double>(Numbers<Element>::largest)), R::widen(rows.top));
  if (!is_finite) rows.nans = nansOf<L>(logits, length, unit);
  if (length > blockSize) return rows;
  const Kept* keeps = rows.is_kept ? kept : nullptr;
  if constexpr (isStage<L, Kept>) {
    rows.total.sum = blockSums<L>(*kept, 0, length, unit, scaling, rows.references, skipped, keeps);
  } else {
    rows.total.sum = blockSums<L>(logits, 0, length, unit, scaling, rows.references, skipped, keeps);
  }
  rows.total.exponent = rows.references.exponent;
  return rows;
}

/// finish(exponential) of every element, in the measure of its row, into `out`: from the exponentials that
/// rowSums kept, or from the logits.
template <class L, class Logits, class Kept, class Out, class Finish>
void eachExponential(const Logits& logits, const Kept& kept, const Out& out, std::size_t length,
                     const Unit& unit, const RowScaling<L>& scaling, const RowSums<L>& rows, Finish finish) {
  const RowConstants<L> row(scaling, rows.references);
  if (rows.is_kept) {
    eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
      out.store(k, finish(kept.kept(k, count)), count);
    });
  } else if (rows.is_plain) {
    eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
      out.store(k, finish(exponential<L, true>(logits.load(k, count), row)), count);
    });
  } else {
    eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
      out.store(k, finish(exponential<L, false>(logits.load(k, count), row)), count);
    });
  }
}

}  // namespace
