// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include "exponential_sum.h"
#include "row_maximum.h"
#include "scaled_sums.h"

namespace {

/// The sum of each row's exponentials, in two steps. Between them other rows can take theirs: the first ends
/// with a chain of single operations, which the second waits for.
template <class L>
struct RowSums {
  using R = typename L::Rows;
  using Blocks = ScaledSums<R>;
  static constexpr auto merged = merge<R>;
  typename R::Register top;  // the largest signed logit
  References<L> references;  // of the whole row
  typename R::Double total;  // of 2 exp(multiplier · logit), of floats times c (exp.h), in the measure of the
                             // references; NaN if the row has a NaN or +infinity, 0 if all are −infinity
  Blocks blocks;            // the same of a long row, or of a part of it, as its blocks are measured
  typename R::Double nans;  // NaN if the row has one: known only where the maximum is +infinity, to tell the
                            // two apart; else 0
  bool is_plain;            // all logits are used as they are
  bool is_kept;             // the exponentials are kept
  bool is_in_measure = false;  // sharesMeasure of all blocks of a long row, as far as that is known

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
          is_in_measure = sharesMeasure<L>(bottom, scaling, references);
          if (bottom == -Numbers<typename L::Element>::infinity)
            is_in_measure = sharesMeasure<L>(logits, 0, length, unit, scaling, references);
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
    // Against a huge maximum exponentials are kept in no measure of the blocks.
    if (length > blockSize && is_kept) is_kept = !references.is_shifted;
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
      total = blockSums<L>(logits, 0, length, unit, scaling, references, skipped, kept);
      return;
    }
    if constexpr (!L::is_across && !std::is_same_v<Kept, Nowhere>) {
      sumKeptBlocks(logits, kept, length, unit, scaling, skipped);
      setTotal();
    }
  }

  /// Rows beyond one block that are not kept.
  template <class Logits>
  void sumBlocks(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                 const typename R::Double* skipped) {
    sumOwnBlocks(logits, length, unit, scaling, skipped);
    measured(logits, length, unit, scaling);
    setTotal();
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
  /// Once all is known of a row in parts.
  void setTotal() { total = sumsIn(measureOf<L>(references, top), blocks); }

  /// Each block is measured against its own maximum (sumOwnBlocks), or the row's where that gives the same.
  template <class Logits, class Kept>
  void sumKeptBlocks(const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
                     const RowScaling<L>& scaling, const typename R::Double* skipped) {
    blocks = totalOf(length, [&](std::size_t begin, std::size_t count) -> Blocks {
      const bool is_same =
          is_in_measure || sharesMeasure<L>(logits, begin, begin + count, unit, scaling, references);
      Blocks own;
      if (!is_same) {
        const auto block_top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
        own = ownSum(logits, begin, count, unit, scaling, block_top, skipped);
      }
      const auto sums = blockSums<L>(logits, begin, count, unit, scaling, references, skipped, kept);
      return is_same ? Blocks{sums, measureOf<L>(references, top), offsetFactor<L>(scaling)} : own;
    });
  }

  /// Each block is measured against its own maximum while it is in cache, so the row is read once. Finds
  /// `top`, too.
  template <class Logits>
  void sumOwnBlocks(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                    const typename R::Double* skipped) {
    top = R::broadcast(-Numbers<typename L::Element>::infinity);
    blocks = totalOf(length, [&](std::size_t begin, std::size_t count) {
      const auto block_top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
      top = R::maximum(block_top, top);
      return ownSum(logits, begin, count, unit, scaling, block_top, skipped);
    });
  }

 private:
  template <class Logits>
  Blocks ownSum(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
                const RowScaling<L>& scaling, typename R::Register block_top,
                const typename R::Double* skipped) {
    const auto own = referencesOf<L>(block_top, scaling);
    return {blockSums<L>(logits, begin, count, unit, scaling, own, skipped, Nowhere{}),
            measureOf<L>(own, block_top), offsetFactor<L>(scaling)};
  }

  template <class BlockSum>
  static Blocks totalOf(std::size_t length, BlockSum blockSumOf) {
    BlockTree<Blocks, merge<R>> tree;
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
