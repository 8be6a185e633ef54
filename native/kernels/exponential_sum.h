// The sum of a block's exponentials, in the order of the tree.
#pragma once

#include <type_traits>

#include "exp.h"

namespace {

/// What is done beside a sum: nothing.
struct Nothing {
  template <class... Any>
  SOFTMAX_INLINE void operator()(Any...) const {}
};

/// Of element k of a unit's rows: 0 where it is the row's `target`. Rows on the stage are shorter than the
/// integers of a float.
template <class L>
SOFTMAX_INLINE typename L::Register withoutTarget(typename L::Register value, std::size_t k,
                                                  typename L::Register targets) {
  return L::V::clearWhereEqual(value, L::V::broadcast(static_cast<typename L::Element>(k)), targets);
}

/// Sums a block's exponentials, without each row's `skipped` element (null: none), and keeps them in `kept`:
/// lane by lane (laneSums). beside(k, lanes) is called for each vector.
template <class L, bool plain, bool skips, bool is_short = false, class Logits, class Kept, class Beside>
SOFTMAX_INLINE typename L::Double exponentialLaneSums(Logits logits, std::size_t begin, std::size_t count,
                                                      const Unit& unit, const RowConstants<L> row,
                                                      const typename L::Rows::Double* skipped, Kept kept,
                                                      const Beside& beside) {
  using V = typename L::V;
  const auto exponentialAt = [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
    const auto e = exponential<L, plain>(V::once(logits.load(k, lanes)), row);
    if constexpr (!std::is_same_v<Kept, Nowhere>) kept.keep(k, e, lanes);
    beside(k, lanes);
    return e;
  };
  if constexpr (!skips) {
    return laneSums<L, Logits::is_lean, is_short>(
        begin, count, unit,
        [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA { return exponentialAt(k, lanes); });
  } else if constexpr (L::is_across && Logits::is_lean) {
    const auto targets = V::narrow(*skipped);
    return laneSums<L, true, is_short>(begin, count, unit,
                                       [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
                                         return withoutTarget<L>(exponentialAt(k, lanes), k, targets);
                                       });
  } else {
    const auto targets = L::spread(skipped ? *skipped : L::Rows::broadcast(-1.0));
    std::size_t target = 0;
    if constexpr (!L::is_across) target = static_cast<std::size_t>(V::firstLane(targets) + 1.0) - 1;
    return laneSums<L, Logits::is_lean, is_short>(
        begin, count, unit, [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
          auto e = exponentialAt(k, lanes);
          if (L::is_across || target - k < L::step) {
            const auto distance = V::narrow(V::subtract(elementNumbers<L>(k), targets));
            e = V::clearWhereEqual(e, distance, V::broadcast(typename L::Element(0)));
          }
          return e;
        });
  }
}

/// The sum of 1 element or more on the stage, but no more than there are lanes.
template <class L, bool skips, class Terms>
SOFTMAX_INLINE typename L::Double fewTermsSum(const Terms& terms, std::size_t begin, std::size_t count,
                                              const typename L::Rows::Double* skipped) {
  using V = typename L::V;
  if constexpr (skips) {
    const auto targets = V::narrow(*skipped);
    return joinedTerms<L>(count, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
      return withoutTarget<L>(terms.load(begin + k, V::width), begin + k, targets);
    });
  } else {
    return joinedTerms<L>(
        count, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA { return terms.loadDouble(begin + k, V::width); });
  }
}

/// As exponentialLaneSums, of 1 element or more, but no more than there are lanes, on the stage: first all
/// exponentials, then their sum from there, for which no lane waits in memory.
template <class L, bool plain, bool skips, class Logits, class Kept>
SOFTMAX_INLINE typename L::Double fewExponentialsSum(Logits logits, std::size_t begin, std::size_t count,
                                                     const Unit& unit, const RowConstants<L> row,
                                                     const typename L::Rows::Double* skipped, Kept kept) {
  using V = typename L::V;
#pragma GCC unroll 1
  for (std::size_t k = begin; k < begin + count; ++k)
    kept.keep(k, exponential<L, plain>(V::once(logits.load(k, unit.lanes)), row), unit.lanes);
  return fewTermsSum<L, skips>(kept, begin, count, skipped);
}

template <class L, bool plain, bool skips, class Logits, class Kept>
typename L::Rows::Double exponentialSum(Logits logits, std::size_t begin, std::size_t count, const Unit& unit,
                                        const RowConstants<L> row, const typename L::Rows::Double* skipped,
                                        Kept kept) {
  if constexpr (L::is_batch) {
    using Row = typename L::Row;
    const RowConstantsOf<L> constants(row);
    double skips_at[L::rows];
    if constexpr (skips) L::Rows::store(skips_at, *skipped);
    typename L::Double each[L::rows];
    fillBatch<L>(unit, each, [&](std::size_t i, const Unit& of_row) SOFTMAX_INLINE_LAMBDA {
      return exponentialLaneSums<Row, plain, skips, true>(logits.row(i), begin, count, of_row,
                                                          constants.of(i), skips ? skips_at + i : nullptr,
                                                          kept.row(i), Nothing{});
    });
    return L::V::sums(each);
  } else {
    // On the stage the exponentials take the place of the logits.
    if constexpr (L::is_across && std::is_same_v<Kept, Logits>)
      if (count > 0 && count <= laneCount)
        return fewExponentialsSum<L, plain, skips>(logits, begin, count, unit, row, skipped, kept);
    return L::sum(
        exponentialLaneSums<L, plain, skips>(logits, begin, count, unit, row, skipped, kept, Nothing{}));
  }
}

/// Looking for the skipped element costs nothing along a row, and across rows a comparison per vector.
template <class L, bool plain, class Logits, class Kept>
typename L::Rows::Double skippingSum(const Logits& logits, std::size_t begin, std::size_t count,
                                     const Unit& unit, const RowConstants<L>& row,
                                     const typename L::Rows::Double* skipped, const Kept& kept) {
  if constexpr (L::is_across)
    if (!skipped)
      return exponentialSum<L, plain, false, Logits, Kept>(logits, begin, count, unit, row, skipped, kept);
  return exponentialSum<L, plain, true, Logits, Kept>(logits, begin, count, unit, row, skipped, kept);
}

template <class L, class Logits, class Kept>
typename L::Rows::Double blockSums(const Logits& logits, std::size_t begin, std::size_t count,
                                   const Unit& unit, const RowScaling<L>& scaling,
                                   const References<L>& references, const typename L::Rows::Double* skipped,
                                   const Kept& kept) {
  const RowConstants<L> row(scaling, references);
  if constexpr (Logits::is_lean)
    if (isPlain(scaling, references))
      return skippingSum<L, true>(logits, begin, count, unit, row, skipped, kept);
  return skippingSum<L, false>(logits, begin, count, unit, row, skipped, kept);
}

}  // namespace
