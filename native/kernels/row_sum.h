// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include "exponential_sum.h"
#include "row_maximum.h"

namespace {

/// The sum of each row's exponentials, in two steps. Between them other rows can take theirs: the first ends
/// with a chain of single operations, which the second waits for.
template <class L>
struct RowSums {
  using R = typename L::Rows;
  using Total = ScaledSums<R>;
  static constexpr auto merged = merge<R>;
  typename R::Register top;  // the largest signed logit
  References<L> references;  // of the whole row
  ScaledSums<R> total;  // of 2 exp(multiplier · logit), of floats times c (exp.h); NaN if the row has a NaN
                        // or +infinity, 0 if all are −infinity
  typename R::Double nans;  // NaN if the row has one: known only where the maximum is +infinity, to tell the
                            // two apart; else 0
  bool is_plain;            // all logits are used as they are
  bool is_kept;             // the exponentials are kept
  bool is_above_cut = false;  // no logit of a long row is below the cut, as far as that is known

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
      if constexpr (!L::is_across)
        if (length > blockSize && !scaling.is_negative) {
          typename L::Element bottom;
          rowRange<L>(logits, length, scaling, top, bottom);
          measured(logits, length, unit, scaling);
          is_above_cut = bottom - references.offset >= references.cut;
          return;
        }
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
      const bool is_same = references.is_shifted || is_above_cut ||
                           isAboveCut<L>(logits, begin, begin + count, unit, scaling, references);
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

/// Every element of `out`: finishOf(row), of one or all rows (eachRowOf), makes what turns exponentials, in
/// the measure of their row, into results. They were kept, or come from the logits again.
template <class L, class Logits, class Kept, class Out, class FinishOf>
void eachExponential(Logits logits, Kept kept, Out out, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const RowSums<L>& rows, FinishOf finishOf) {
  eachRowOf<L>(unit, [&](auto layout, auto each) SOFTMAX_INLINE_LAMBDA {
    using Row = decltype(layout);
    const auto finish = finishOf(each);
    const auto to = each.of(out);
    if constexpr (!std::is_same_v<Kept, Nowhere>)
      if (L::is_batch || rows.is_kept) {
        const auto from = each.of(kept);
        return eachVector<Row>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
          to.store(k, finish(from.kept(k, count)), count);
        });
      }
    if constexpr (!L::is_batch) {
      const RowConstants<L> row(scaling, rows.references);
      if constexpr (Logits::is_lean)
        if (rows.is_plain)
          return eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
            to.store(k, finish(exponential<L, true>(logits.load(k, count), row)), count);
          });
      eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
        to.store(k, finish(exponential<L, false>(logits.load(k, count), row)), count);
      });
    }
  });
}

}  // namespace
