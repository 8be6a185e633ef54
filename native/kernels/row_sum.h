// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include <type_traits>

#include "exp.h"

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
  const auto maxima =
      L::maximum(scaling.is_negative ? foldSigned<L, true>(logits, begin, end, unit, none, larger)
                                     : foldSigned<L, false>(logits, begin, end, unit, none, larger));
  return L::Rows::multiply(maxima, scaling.unit);
}

/// Whether no signed logit in [begin, end) of a row is below its cut: no exponential is cut off. What fills
/// an incomplete vector would be.
template <class L, class Logits>
bool isAboveCut(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
                const RowScaling<L>& scaling, const References<L>& references) {
  using V = typename L::V;
  using Element = typename L::Element;
  static_assert(!L::is_across);
  const auto smaller = [](auto best, auto x) SOFTMAX_INLINE_LAMBDA { return V::minimum(x, best); };
  constexpr Element none = Numbers<Element>::infinity;
  const std::size_t whole = begin + (end - begin) / L::step * L::step;
  const auto lanes = scaling.is_negative ? foldSigned<L, true>(logits, begin, whole, unit, none, smaller)
                                         : foldSigned<L, false>(logits, begin, whole, unit, none, smaller);
  Element lowest = Element(0) - V::laneMaximum(V::subtract(V::broadcast(Element(0)), lanes));
  for (std::size_t k = whole; k < end; ++k) {
    const Element logit = logits.element(k, 0),
                  signed_logit = scaling.is_negative ? Element(0) - logit : logit;
    if (signed_logit < lowest) lowest = signed_logit;
  }
  return lowest * scaling.unit - references.offset >= references.cut;
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

/// Sums a block's exponentials, without each row's `skipped` element (null: none), and keeps them in `kept`.
template <class L, bool plain, bool skips, class Logits, class Kept>
typename L::Rows::Double exponentialSum(Logits logits, std::size_t begin, std::size_t count, const Unit& unit,
                                        const RowConstants<L> row, const typename L::Rows::Double* skipped,
                                        Kept kept) {
  using V = typename L::V;
  const auto exponentialAt = [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
    const auto e = exponential<L, plain>(logits.load(k, lanes), row);
    if constexpr (!std::is_same_v<Kept, Nowhere>) kept.keep(k, e, lanes);
    return e;
  };
  if constexpr (!skips) {
    return blockSum<L, Logits::is_lean>(begin, count, unit,
                                        [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
                                          return V::widen(exponentialAt(k, lanes));
                                        });
  } else if constexpr (L::is_across && Logits::is_lean) {
    // Rows on the stage are shorter than the integers of a float.
    const auto targets = V::narrow(*skipped);
    return blockSum<L, true>(begin, count, unit, [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
      const auto number = V::broadcast(static_cast<typename L::Element>(k));
      return V::widen(V::clearWhereEqual(exponentialAt(k, lanes), number, targets));
    });
  } else {
    const auto targets = L::spread(skipped ? *skipped : L::Rows::broadcast(-1.0));
    std::size_t target = 0;
    if constexpr (!L::is_across) target = static_cast<std::size_t>(V::firstLane(targets) + 1.0) - 1;
    return blockSum<L, Logits::is_lean>(begin, count, unit,
                                        [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
                                          auto wide = V::widen(exponentialAt(k, lanes));
                                          if (L::is_across || target - k < L::step)
                                            wide = V::clearWhereEqual(wide, elementNumbers<L>(k), targets);
                                          return wide;
                                        });
  }
}

/// Along a row it costs nothing to look for the element that is skipped; across rows, a comparison a vector.
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

/// The sum of each row's exponentials, in two steps. Between them other rows can take theirs: the first ends
/// with a chain of single operations, which the second waits for.
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
  bool is_kept;              // the exponentials are kept

  template <class Logits, class Kept>
  void measure(const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
               const RowScaling<L>& scaling) {
    is_kept = (!L::is_across || length <= blockSize) && kept.holds(length);
    if (length > blockSize && !is_kept) return;
    // A stage has the logits first, then their exponentials: the array is read once.
    if constexpr (isStage<L, Kept>) {
      top = rowMaxima<L>(Staging<L, Logits>{logits, kept}, 0, length, unit, scaling);
      measured(kept, length, unit, scaling);
    } else {
      top = rowMaxima<L>(logits, 0, length, unit, scaling);
      measured(logits, length, unit, scaling);
    }
  }

  /// Without each row's `skipped` element (null: none).
  template <class Logits, class Kept>
  void sum(const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
           const RowScaling<L>& scaling, const typename R::Double* skipped) {
    if (length > blockSize && !is_kept) return sumBlocks(logits, length, unit, scaling, skipped);
    if constexpr (isStage<L, Kept>) {
      sumMeasured(kept, kept, length, unit, scaling, skipped);
    } else {
      sumMeasured(logits, kept, length, unit, scaling, skipped);
    }
  }

 private:
  template <class Logits, class Kept>
  void sumMeasured(const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
                   const RowScaling<L>& scaling, const typename R::Double* skipped) {
    if (length <= blockSize) {
      total = {blockSums<L>(logits, 0, length, unit, scaling, references, skipped, kept),
               references.exponent};
      return;
    }
    if constexpr (!L::is_across && !std::is_same_v<Kept, Nowhere>)
      sumKeptBlocks(logits, kept, length, unit, scaling, skipped);
  }

  /// Rows beyond one block that are not kept.
  template <class Logits>
  void sumBlocks(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                 const typename R::Double* skipped) {
    sumOwnBlocks(logits, length, unit, scaling, skipped);
    measured(logits, length, unit, scaling);
    if (!references.is_shifted) return;
    const auto shared = sharedSums(logits, length, unit, scaling, skipped);
    const auto huge = hugeRows<L>(top, scaling), one = R::broadcast(1.0);
    total.sum = R::selectAtLeast(huge, one, shared.sum, total.sum);
    total.exponent = R::selectAtLeast(huge, one, shared.exponent, total.exponent);
  }

 public:
  // What follows is of all blocks of a row, or of those of a part of it (split_row.h).

  /// Once `top` is known: what the whole row, which is `logits`, is measured against.
  template <class Logits>
  void measured(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling) {
    constexpr double largest = Numbers<typename L::Element>::largest;
    setReferences(scaling);
    nans = R::broadcast(0.0);
    if (!R::allAtLeast(R::broadcast(largest), R::widen(top))) nans = nansOf<L>(logits, length, unit);
  }
  void setReferences(const RowScaling<L>& scaling) {
    references = referencesOf<L>(top, scaling);
    is_plain = isPlain(scaling, references);
  }

  /// Each block is measured against its own maximum (sumOwnBlocks). The row's gives the same, scaled exactly,
  /// if it cuts nothing off.
  template <class Logits, class Kept>
  void sumKeptBlocks(const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const typename R::Double* skipped) {
    total = totalOf(length, [&](std::size_t begin, std::size_t count) -> ScaledSums<R> {
      const bool is_same =
          references.is_shifted || isAboveCut<L>(logits, begin, begin + count, unit, scaling, references);
      ScaledSums<R> own;
      if (!is_same) {
        const auto block_top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
        own = ownSum(logits, begin, count, unit, scaling, block_top, skipped);
      }
      const auto sums = blockSums<L>(logits, begin, count, unit, scaling, references, skipped, kept);
      return is_same ? ScaledSums<R>{sums, references.exponent} : own;
    });
  }

  /// Each block is measured against its own maximum while it is in cache, so the row is read once, and the
  /// sums are scaled to each other exactly. Finds `top`, too.
  template <class Logits>
  void sumOwnBlocks(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                    const typename R::Double* skipped) {
    top = R::broadcast(-Numbers<typename L::Element>::infinity);
    total = totalOf(length, [&](std::size_t begin, std::size_t count) {
      const auto block_top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
      top = R::maximum(block_top, top);
      return ownSum(logits, begin, count, unit, scaling, block_top, skipped);
    });
  }

  /// The sums against the row's references: those of rows with huge maxima.
  template <class Logits>
  ScaledSums<R> sharedSums(const Logits& logits, std::size_t length, const Unit& unit,
                           const RowScaling<L>& scaling, const typename R::Double* skipped) const {
    return totalOf(length, [&](std::size_t begin, std::size_t count) -> ScaledSums<R> {
      return {blockSums<L>(logits, begin, count, unit, scaling, references, skipped, Nowhere{}),
              references.exponent};
    });
  }

 private:
  template <class Logits>
  ScaledSums<R> ownSum(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
                       const RowScaling<L>& scaling, typename R::Register block_top,
                       const typename R::Double* skipped) {
    const auto own = blockReferencesOf<L>(block_top, scaling);
    return {blockSums<L>(logits, begin, count, unit, scaling, own, skipped, Nowhere{}), own.exponent};
  }

  template <class BlockSum>
  static ScaledSums<R> totalOf(std::size_t length, BlockSum blockSumOf) {
    BlockTree<ScaledSums<R>, merge<R>> tree;
    for (std::size_t begin = 0; begin < length; begin += blockSize)
      tree.push(blockSumOf(begin, length - begin < blockSize ? length - begin : blockSize));
    return tree.total();
  }
};

/// finish(exponential) of every element, in the measure of its row, into `out`: from the exponentials that
/// were kept, or from the logits.
template <class L, class Logits, class Kept, class Out, class Finish>
void eachExponential(Logits logits, Kept kept, Out out, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const RowSums<L>& rows, Finish finish) {
  if constexpr (!std::is_same_v<Kept, Nowhere>)
    if (rows.is_kept)
      return eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
        out.store(k, finish(kept.kept(k, count)), count);
      });
  const RowConstants<L> row(scaling, rows.references);
  if constexpr (Logits::is_lean)
    if (rows.is_plain)
      return eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
        out.store(k, finish(exponential<L, true>(logits.load(k, count), row)), count);
      });
  eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
    out.store(k, finish(exponential<L, false>(logits.load(k, count), row)), count);
  });
}

}  // namespace
