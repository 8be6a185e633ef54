// One long row in parts, which threads may compute at once (SoftmaxKernels::takeStep and join).
//
// A part is a run of whole blocks, a node of the tree that the row is summed by (tree.h): joining the sums of
// parts in the order of that tree gives the bits of the row.
//
//   measure    the parts' maxima, where exponentials are kept in the output: they are in the row's measure
//   sum        the parts' sums; where nothing is kept, and each block has a measure of its own, maxima too
//   finish     the parts' results
#pragma once

#include "row_sum.h"

namespace {

/// Of rows along the last axis; WebAssembly has no threads.
template <class L>
#if defined(SOFTMAX_SMALL)
constexpr bool mayBeInParts = false;
#else
constexpr bool mayBeInParts = !L::is_across;
#endif

/// A step of a part, or the end of a step of all.
struct PartTask {
  SoftmaxStep step;
  std::size_t begin;  // of the part, in elements
  const SoftmaxPart* row;
  SoftmaxPart* part;
  // Of a join: all parts, in order, and `part` is the row.
  bool is_join;
  const SoftmaxPart* parts;
  std::size_t count;
  SoftmaxStep next;
};

/// Sums of parts, joined in the order of the blocks' tree.
template <class Value, Value (*add)(Value, Value), class ValueOf>
Value joined(const PartTask& task, const ValueOf& valueOf) {
  BlockTree<Value, add> tree;
  for (std::size_t i = 0; i < task.count; ++i) tree.push(valueOf(task.parts[i]));
  return tree.total();
}

/// What is between two steps of the functions that sum exponentials, by RowSums or by what has its members.
/// `Row` has their logits, kept, length, unit and scaling (RowArrays); it is a part, or in a join the row.
template <class L, class Sums = RowSums<L>>
struct SumsInParts {
  using R = typename L::Rows;
  using Element = typename L::Element;
  using Blocks = typename Sums::Blocks;
  static_assert(!L::is_across);

  /// All but the last step. `skipped`: the part's element that is left out of the sum.
  template <class Row, class Kept>
  static void step(Sums& sums, const Row& row, const Kept& kept, const PartTask& task, double skipped) {
    const RowScaling<L>& scaling = *row.scaling;
    const typename R::Double target = R::broadcast(skipped);
    if (task.step == softmaxMeasure) {
      Element top, bottom = -Numbers<Element>::infinity;
      if (scaling.is_negative) {
        top = rowMaxima<L>(row.logits, 0, row.length, row.unit, scaling);
      } else {
        rowRange<L>(row.logits, row.length, scaling, top, bottom);
      }
      task.part->top = static_cast<double>(top);
      task.part->bottom = static_cast<double>(bottom);
      return;
    }
    if (std::is_same_v<Kept, Nowhere> || !task.row->isKept) {
      sums.sumOwnBlocks(row.logits, row.length, row.unit, scaling, &target);
    } else if constexpr (!std::is_same_v<Kept, Nowhere>) {
      loadTop(sums, *task.row, scaling);
      sums.sumKeptBlocks(row.logits, kept, row.length, row.unit, scaling, &target);
    }
    task.part->top = static_cast<double>(sums.top);
    sums.blocks.putInto(*task.part);
  }

  template <class Row, class Kept>
  static SoftmaxStep join(Sums& sums, const Row& row, const Kept& kept, const PartTask& task) {
    SoftmaxPart& known = *task.part;
    if (task.step == softmaxBegin) {
      known.isKept = kept.holds(row.length);
      return known.isKept ? softmaxMeasure : softmaxSum;
    }
    if (task.step == (known.isKept ? softmaxMeasure : softmaxSum)) {
      double top = -infinity;
      for (std::size_t i = 0; i < task.count; ++i)
        if (task.parts[i].top > top) top = task.parts[i].top;
      sums.top = static_cast<Element>(top);
      sums.measured(row.logits, row.length, row.unit, *row.scaling);
      known.top = top;
      known.nans = sums.nans;
      // As in RowSums::sum.
      if (sums.references.is_shifted) known.isKept = false;
    }
    if (task.step == softmaxMeasure) {
      if constexpr (knowsMeasure) known.isInMeasure = areInMeasure(sums, task, *row.scaling);
      return softmaxSum;
    }
    const auto factor = offsetFactor<L>(*row.scaling);
    const auto blocksOf = [=](const SoftmaxPart& part) { return Blocks::of(part, factor); };
    joined<Blocks, Sums::merged>(task, blocksOf).putInto(known);
    return softmaxFinish;
  }

  static void load(Sums& sums, const SoftmaxPart& row, const RowScaling<L>& scaling) {
    loadTop(sums, row, scaling);
    sums.blocks = Blocks::of(row, offsetFactor<L>(scaling));
    sums.setTotal();
  }

 private:
  /// As RowSums::measure finds it; other sums do not ask.
  static constexpr bool knowsMeasure = std::is_same_v<Sums, RowSums<L>>;
  static bool areInMeasure(const Sums& sums, const PartTask& task, const RowScaling<L>& scaling) {
    double bottom = infinity;
    for (std::size_t i = 0; i < task.count; ++i)
      if (task.parts[i].bottom < bottom) bottom = task.parts[i].bottom;
    return sharesMeasure<L>(static_cast<Element>(bottom), scaling, sums.references);
  }
  static void loadTop(Sums& sums, const SoftmaxPart& row, const RowScaling<L>& scaling) {
    sums.top = static_cast<Element>(row.top);
    sums.nans = row.nans;
    sums.is_kept = row.isKept != 0;
    if constexpr (knowsMeasure) sums.is_in_measure = row.isInMeasure != 0;
    sums.setReferences(scaling);
  }
};

}  // namespace
