// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include "exp.h"

namespace {

template <class L, bool negated, class Logits>
void signedMaxima(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
                  typename L::Element* maxima) {
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
  L::maximum(best[0], maxima);
}

/// The largest signed logit of each row, −infinity for none. NaN is dropped here: it always reaches the sum.
template <class L, class Logits>
void rowMaxima(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
               const Scaling<typename L::Element>* scaling, typename L::Element* maxima) {
  if (scaling[0].sign < 0) {
    signedMaxima<L, true>(logits, begin, end, unit, maxima);
  } else {
    signedMaxima<L, false>(logits, begin, end, unit, maxima);
  }
  for (std::size_t i = 0; i < L::rows; ++i) maxima[i] *= scaling[i].unit();
}

/// Which rows have a NaN. Every number is at least −infinity.
template <class L, class Logits>
void findNans(const Logits& logits, std::size_t length, const Unit& unit, bool* has_nan) {
  using V = typename L::V;
  using Element = typename L::Element;
  const auto lowest = V::broadcast(-Numbers<Element>::infinity);
  const auto zero = V::broadcast(Element(0)), nans = V::broadcast(Numbers<Element>::nan);
  double sums[V::width];
  auto found = zero;
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) {
    found = V::add(found, V::selectAtLeast(logits.load(k, count), lowest, zero, nans));
  });
  L::sum(V::widen(found), sums);
  for (std::size_t i = 0; i < L::rows; ++i) has_nan[i] = sums[i] != sums[i];
}

/// Sums a block's exponentials, without each row's `skipped` element (null: none). `kept`: where they are
/// kept.
template <class L, bool plain, class Logits, class Kept>
void exponentialSum(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
                    const RowConstants<L>& row, const std::int32_t* skipped, const Kept* kept, double* sums) {
  using V = typename L::V;
  if (!skipped) {
    blockSum<L>(
        begin, count, unit,
        [&](std::size_t k, std::size_t lanes) {
          const auto e = exponential<L, plain>(logits.load(k, lanes), row);
          if (kept) kept->keep(k, e, lanes);
          return V::widen(e);
        },
        sums);
    return;
  }
  const auto targets = L::eachDouble([=](std::size_t i) { return skipped[i]; });
  const std::size_t target = static_cast<std::size_t>(skipped[0]);
  blockSum<L>(
      begin, count, unit,
      [&](std::size_t k, std::size_t lanes) {
        const auto e = exponential<L, plain>(logits.load(k, lanes), row);
        if (kept) kept->keep(k, e, lanes);
        const auto wide = V::widen(e);
        if (!L::is_across && target - k >= L::step) return wide;
        return clearWhereEqual<V>(wide, elementNumbers<L>(k), targets);
      },
      sums);
}

/// Exponentials are not kept.
template <class L>
constexpr const Sink<L, true>* nowhere = nullptr;

/// What is known of a unit's rows after the first half.
template <class L>
struct RowSums {
  using Element = typename L::Element;
  Element top[L::V::width];               // the largest signed logit
  Reference<Element> reference[L::rows];  // of the whole row
  ScaledSum total[L::rows];  // of 2 exp(multiplier · logit); NaN if the row has a NaN or +infinity,
                             // 0 if all are −infinity
  bool has_nan[L::rows];     // known only where the maximum is +infinity, to tell the two apart
  bool is_plain;             // all logits are used as they are
  bool is_kept;              // the exponentials are in `kept`
};

template <class L, class Logits, class Kept>
void blockSums(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
               const Scaling<typename L::Element>* scaling, const Reference<typename L::Element>* reference,
               const std::int32_t* skipped, const Kept* kept, double* sums) {
  const RowConstants<L> row(scaling, reference);
  bool plain = true;
  for (std::size_t i = 0; i < L::rows; ++i) plain &= isPlain(scaling[i], reference[i]);
  if (plain) return exponentialSum<L, true>(logits, begin, count, unit, row, skipped, kept, sums);
  exponentialSum<L, false>(logits, begin, count, unit, row, skipped, kept, sums);
}

/// Rows beyond one block: each block is measured against its own maximum while it is in cache, so the row is
/// read once, and the sums are scaled to each other exactly.
template <class L, class Logits>
void longRowSums(const Logits& logits, std::size_t length, const Unit& unit,
                 const Scaling<typename L::Element>* scaling, const std::int32_t* skipped, RowSums<L>& rows) {
  using Element = typename L::Element;
  using Tree = BlockTree<ScaledSum, merge>;
  const auto eachBlock = [&](auto referencesOf, Tree* trees) {
    for (std::size_t begin = 0; begin < length; begin += blockSize) {
      const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
      const Reference<Element>* references = referencesOf(begin, count);
      double sums[L::V::width];
      blockSums<L>(logits, begin, count, unit, scaling, references, skipped, nowhere<L>, sums);
      for (std::size_t i = 0; i < L::rows; ++i) trees[i].push({sums[i], references[i].exponent});
    }
  };
  for (std::size_t i = 0; i < L::rows; ++i) rows.top[i] = -Numbers<Element>::infinity;
  Reference<Element> own[L::rows];
  Tree trees[L::rows];
  eachBlock(
      [&](std::size_t begin, std::size_t count) {
        Element tops[L::V::width];
        rowMaxima<L>(logits, begin, begin + count, unit, scaling, tops);
        for (std::size_t i = 0; i < L::rows; ++i) {
          if (tops[i] > rows.top[i]) rows.top[i] = tops[i];
          own[i] = blockReferenceOf(tops[i], scaling[i]);
        }
        return own;
      },
      trees);
  bool any_huge = false;
  for (std::size_t i = 0; i < L::rows; ++i) {
    const bool huge = isHuge(rows.top[i], scaling[i]);
    any_huge |= huge;
    rows.reference[i] = referenceOf(rows.top[i], scaling[i], huge);
    rows.total[i] = trees[i].total();
  }
  if (!any_huge) return;
  Tree shared[L::rows];
  eachBlock([&](std::size_t, std::size_t) { return rows.reference; }, shared);
  for (std::size_t i = 0; i < L::rows; ++i)
    if (isHuge(rows.top[i], scaling[i])) rows.total[i] = shared[i].total();
}

/// One scaling a row. The exponentials themselves are kept in `kept` (which may be the logits' memory, or
/// null) if the row is a single block; a longer row computes them again, which costs less than a sweep
/// through memory.
template <class L, class Logits, class Kept>
RowSums<L> rowSums(const Logits& logits, std::size_t length, const Unit& unit,
                   const Scaling<typename L::Element>* scaling, const std::int32_t* skipped,
                   const Kept* kept) {
  using Element = typename L::Element;
  RowSums<L> rows;
  rows.is_kept = kept && kept->holds(length) && length <= blockSize;
  if (length > blockSize) {
    longRowSums(logits, length, unit, scaling, skipped, rows);
  } else {
    // A stage has the logits first, then their exponentials: the array is read once.
    if constexpr (isStage<L, Kept>) {
      rowMaxima<L>(Staging<L, Logits>{logits, *kept}, 0, length, unit, scaling, rows.top);
    } else {
      rowMaxima<L>(logits, 0, length, unit, scaling, rows.top);
    }
    for (std::size_t i = 0; i < L::rows; ++i)
      rows.reference[i] = referenceOf(rows.top[i], scaling[i], isHuge(rows.top[i], scaling[i]));
  }
  bool any_infinite = false;
  rows.is_plain = true;
  for (std::size_t i = 0; i < L::rows; ++i) {
    rows.has_nan[i] = false;
    any_infinite |= rows.top[i] == Numbers<Element>::infinity;
    rows.is_plain &= isPlain(scaling[i], rows.reference[i]);
  }
  if (any_infinite) findNans<L>(logits, length, unit, rows.has_nan);
  if (length > blockSize) return rows;
  double sums[L::V::width];
  const Kept* keeps = rows.is_kept ? kept : nullptr;
  if constexpr (isStage<L, Kept>) {
    blockSums<L>(*kept, 0, length, unit, scaling, rows.reference, skipped, keeps, sums);
  } else {
    blockSums<L>(logits, 0, length, unit, scaling, rows.reference, skipped, keeps, sums);
  }
  for (std::size_t i = 0; i < L::rows; ++i) rows.total[i] = {sums[i], rows.reference[i].exponent};
  return rows;
}

/// finish(exponential) of every element, in the measure of its row, into `out`: from the exponentials that
/// rowSums kept, or from the logits.
template <class L, class Logits, class Kept, class Out, class Finish>
void eachExponential(const Logits& logits, const Kept& kept, const Out& out, std::size_t length,
                     const Unit& unit, const Scaling<typename L::Element>* scaling, const RowSums<L>& rows,
                     Finish finish) {
  const RowConstants<L> row(scaling, rows.reference);
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
