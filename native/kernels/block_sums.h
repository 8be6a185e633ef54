// Rows of which some classes are here and others elsewhere: what a shard knows of each row, block by block.
// src/operations/shards/ merges what is known, in the order of the blocks' tree; finish_shard.h has the
// results.
//
//   types   float32, float64, float16, bfloat16
//   range   any logits
//   error   as of whole rows: the same blocks, sums and exponentials (row_sum.h)
#pragma once

#include "arg_max.h"
#include "beside_top.h"
#include "choose.h"
#include "per_row.h"

namespace {

/// What is known of a block, in the measure of its own maximum (scaled_sums.h).
enum BlockField {
  blockTop,         // the largest signed logit
  blockSumOf,       // of its exponentials
  blockBeside,      // of those beside the largest: of floats in double, against N = 0, and NaN where none can
                    // need it
  blockWide,        // of floats: of all of them in double, against N = 0, or NaN; of doubles: as blockBeside
  blockLargest,     // the exponential of the largest of doubles, 0 if it is not finite; of floats 0
  blockUntargeted,  // the sum without the target's
  // Of floats, all NaN where the row's log-sum-exp cannot be near 0 (near_zero.h).
  blockNearSum,
  blockNearLargest,  // the exponential of the last of the largest logits
  blockNearTop,      // that logit, scaled
  blockFields
};
/// The fields of a row are its arg max, then its blocks'.
constexpr std::size_t fieldsBeforeBlocks = 1;

/// Log-sum-exps of floats that need sums beside the largest exponential are below this (beside_top.h).
constexpr double besideTopBound = 0x1p-22 + 0x1p-23;

template <class L, class Logits>
class BlockSumsSteps {
  using V = typename L::V;
  using R = typename L::Rows;
  using Double = typename R::Double;
  using Register = typename R::Register;
  static constexpr bool is_double = sizeof(typename L::Element) == sizeof(double);

 public:
  void begin(const Logits& logits, const SoftmaxCall& call, const SoftmaxRows& rows, const Unit& unit,
             const RowScaling<L>& scaling) {
    logits_ = logits;
    call_ = &call;
    rows_ = &rows;
    unit_ = unit;
    scaling_ = &scaling;
    count_ = static_cast<std::size_t>(call.numbers[0]);
    fields_ = static_cast<double*>(call.arrays[2].data) + unit.first * count_;
  }
  void measure() {}
  void sum() {}
  SOFTMAX_CALLED void finish() {
    const auto* targets = static_cast<const std::int32_t*>(call_->arrays[1].data);
    const Double target = L::ofRowsDouble(
        [&](std::size_t i) { return targets && i < lanes() ? targets[unit_.first + i] : -1.0; });
    Register top = R::broadcast(-Numbers<typename L::Element>::infinity);
    Double sums = R::broadcast(0.0);
    std::size_t top_begin = 0;
    for (std::size_t begin = 0, to = fieldsBeforeBlocks; begin < rows_->length;
         begin += blockSize, to += blockFields) {
      const std::size_t left = rows_->length - begin, count = left < blockSize ? left : blockSize;
      const Register block_top = rowMaxima<L>(logits_, begin, begin + count, unit_, *scaling_);
      if constexpr (!L::is_across)
        if (block_top > top) top_begin = begin;
      top = R::maximum(block_top, top);
      sums = R::add(sums, writeBlock(begin, count, block_top, targets ? &target : nullptr, to));
    }
    writeArgMax(top, sums, top_begin);
  }

 private:
  std::size_t lanes() const { return L::rows < unit_.lanes ? L::rows : unit_.lanes; }
  double* fieldsOf(std::size_t i) const { return fields_ + i * count_; }
  SOFTMAX_INLINE void write(std::size_t field, Double values) const {
    if constexpr (L::rows == 1) {
      fieldsOf(0)[field] = R::canonicalNan(values);
    } else {
      double each[L::rows];
      R::store(each, R::canonicalNan(values));
      for (std::size_t i = 0; i < lanes(); ++i) fieldsOf(i)[field] = each[i];
    }
  }

  /// The sum of the block.
  SOFTMAX_INLINE Double writeBlock(std::size_t begin, std::size_t count, Register top, const Double* target,
                                   std::size_t to) const {
    const References<L> references = referencesOf<L>(top, *scaling_);
    const Double zero = R::broadcast(0.0);
    const Double sum = blockSums<L>(logits_, begin, count, unit_, *scaling_, references, nullptr, Nowhere{});
    Double beside = R::broadcast(nan), wide = beside, largest = zero;
    if constexpr (is_double) {
      const Double last = lastTops<L>(logits_, begin, begin + count, unit_, *scaling_, top);
      beside = wide = blockSums<L>(logits_, begin, count, unit_, *scaling_, references, &last, Nowhere{});
      largest = R::selectAtLeast(last, zero, largestOf(top, references), zero);
    } else if (mayBeBesideTop(top)) {
      const References<L> of_zero = referencesOf<L>(R::broadcast(typename L::Element(0)), *scaling_);
      wide = wideSum(begin, count, of_zero, R::broadcast(nan));
      beside = wideSum(begin, count, of_zero, largestOf(top, of_zero));
      // Of other rows of the unit they would be beyond all floats.
      const Double scaled = R::multiply(R::widen(top), scaling_->factor),
                   bound = R::broadcast(besideTopBound);
      const Double none = R::broadcast(nan), one = R::broadcast(1.0);
      wide = R::selectAtLeast(scaling_->limit, one, none, R::selectAtLeast(scaled, bound, none, wide));
      beside = R::selectAtLeast(scaling_->limit, one, none, R::selectAtLeast(scaled, bound, none, beside));
    }
    const Double untargeted =
        target && isAnyIn(begin, count, *target)
            ? blockSums<L>(logits_, begin, count, unit_, *scaling_, references, target, Nowhere{})
            : sum;
    write(to + blockTop, R::widen(top));
    write(to + blockSumOf, told(sum, top, begin, count));
    write(to + blockBeside, beside);
    write(to + blockWide, wide);
    write(to + blockLargest, largest);
    write(to + blockUntargeted, untargeted);
    writeNear(begin, count, top, to);
    return sum;
  }
  /// Whether a row's target is in a block.
  bool isAnyIn(std::size_t begin, std::size_t count, Double target) const {
    double targets[L::rows];
    R::store(targets, target);
    for (std::size_t i = 0; i < lanes(); ++i) {
      const double at = targets[i] - static_cast<double>(begin);
      if (at >= 0.0 && at < static_cast<double>(count)) return true;
    }
    return false;
  }
  SOFTMAX_INLINE void writeNear(std::size_t begin, std::size_t count, Register top, std::size_t to) const {
    Double sum = R::broadcast(nan), largest = sum, near_top = sum;
    if constexpr (!is_double) {
      const auto near = NearZero<L>::ofBlock(logits_, begin, begin + count, unit_, *scaling_, top);
      const auto one = R::broadcast(1.0);
      sum = R::selectAtLeast(near.near, one, near.sum, sum);
      largest = R::selectAtLeast(near.near, one, near.top_exponential, largest);
      near_top = R::selectAtLeast(near.near, one, near.top, near_top);
    }
    write(to + blockNearSum, sum);
    write(to + blockNearLargest, largest);
    write(to + blockNearTop, near_top);
  }
  /// NaN or +infinity of a block that has one: an infinite sum is of a block without NaN.
  SOFTMAX_INLINE Double told(Double sum, Register top, std::size_t begin, std::size_t count) const {
    using Element = typename L::Element;
    if (R::allAtLeast(R::broadcast(static_cast<double>(Numbers<Element>::largest)), R::widen(top)))
      return sum;
    double sums[L::rows];
    Element tops[L::rows];
    R::store(sums, sum);
    R::store(tops, top);
    for (std::size_t i = 0; i < lanes(); ++i) {
      if (tops[i] != Numbers<Element>::infinity) continue;
      std::size_t k = begin;
      while (k < begin + count && logits_.element(k, i) == logits_.element(k, i)) ++k;
      if (k == begin + count) sums[i] = infinity;
    }
    return R::load(sums);
  }
  SOFTMAX_INLINE Double largestOf(Register top, const References<L>& references) const {
    const RowConstants<L> row(*scaling_, references);
    return singleExponentials<L>(R::multiply(top, scaling_->inverse_sign), row);
  }
  /// Of any row of the unit.
  SOFTMAX_INLINE bool mayBeBesideTop(Register top) const {
    return !R::allAtLeast(R::multiply(R::widen(top), scaling_->factor), R::broadcast(besideTopBound));
  }
  /// As sumsBeside (beside_top.h), of rows whose maximum is as good as 0: without those that are `tops`.
  SOFTMAX_INLINE Double wideSum(std::size_t begin, std::size_t count, const References<L>& references,
                                Double tops) const {
    const RowConstants<L> row(*scaling_, references);
    const auto largest = L::spread(tops);
    return blockSum<L, false>(begin, count, unit_, [&](std::size_t k, std::size_t in_use) {
      const auto e = lanesInUse<L>(V::widen(exponential<L, false>(logits_.load(k, in_use), row)), in_use);
      return V::clearWhereEqual(e, e, largest);
    });
  }

  SOFTMAX_INLINE void writeArgMax(const Register& top, const Double& sums, std::size_t top_begin) const {
    // A row with NaN, +infinity or nothing has rules of its own.
    if constexpr (!L::is_across) {
      if (sums > 0.0 && R::widen(top) <= call_->numbers[1]) return write(0, -1.0);
      if (sums > 0.0) return write(0, static_cast<double>(firstOf(top, top_begin)));
    }
    std::int32_t each[L::rows];
    ArgMaxSteps<L, Logits> steps;
    steps.begin(logits_, *rows_, unit_, each - unit_.first);
    steps.finish();
    if constexpr (L::is_across && !is_double) findSmall(top, sums, each);
    double tops[L::rows], totals[L::rows];
    R::store(tops, R::widen(top));
    R::store(totals, sums);
    for (std::size_t i = 0; i < lanes(); ++i)
      fieldsOf(i)[0] = totals[i] > 0.0 && tops[i] <= call_->numbers[1] ? -1.0 : each[i];
  }
  /// Of rows with so small a factor that logits may be equal once they are signed (scaling.h): the first of
  /// those, as in firstOf, so that it is the same of a row in any shards.
  void findSmall(const Register& top, const Double& sums, std::int32_t* each) const {
    using Element = typename L::Element;
    Element tops[L::rows], signs[L::rows];
    double totals[L::rows];
    R::store(tops, top);
    R::store(signs, scaling_->sign);
    R::store(totals, sums);
    for (std::size_t i = 0; i < lanes(); ++i) {
      if (signs[i] == Element(1) || signs[i] == Element(-1) || !(totals[i] > 0.0)) continue;
      std::int32_t k = 0;
      while (logits_.element(static_cast<std::size_t>(k), i) * signs[i] != tops[i]) ++k;
      each[i] = k;
    }
  }
  SOFTMAX_INLINE std::size_t firstOf(Register top, std::size_t k) const {
    constexpr std::uint32_t all_lanes = (1u << V::width) - 1;
    const auto sign = L::spread(scaling_->sign), tops = L::spread(top);
    const auto signedLogit = [&](std::size_t at, std::size_t count)
                                 SOFTMAX_INLINE_LAMBDA { return V::multiply(logits_.load(at, count), sign); };
    // Four vectors at once, as long as none of them has it.
    for (; rows_->length - k >= 4 * V::width; k += 4 * V::width) {
      auto best = signedLogit(k, V::width);
      for (std::size_t i = 1; i < 4; ++i) best = V::maximum(signedLogit(k + i * V::width, V::width), best);
      if (above<V>(tops, best) != all_lanes) break;
    }
    for (; k < rows_->length; k += V::width) {
      const std::size_t left = rows_->length - k, count = left < V::width ? left : V::width;
      const std::uint32_t below = above<V>(tops, signedLogit(k, count));
      if (below != all_lanes) return k + static_cast<std::size_t>(__builtin_ctz(~below));
    }
    return 0;
  }

  Logits logits_;
  const SoftmaxCall* call_;
  const SoftmaxRows* rows_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  /// Of the unit's first row, and how many a row has.
  double* fields_;
  std::size_t count_;
};

namespace calls {

/// call(x, targets, fields); numbers: the fields of a row, and a logit: of a row without any above it and
/// without NaN the arg max may be −1. A negative target, or one beyond the row, is none.
template <class V>
void blockSums(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxElements& x = call.arrays[0];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    UnitScaling<L> scaling(rows);
    using Steps = BlockSumsSteps<L, decltype(logits.of(Unit{}))>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(logits.of(unit), call, rows, unit, scaling.of(unit));
    };
    frame.template each<Steps>(begin, logits);
  };
#if defined(SOFTMAX_SMALL)
  chooseLastAxisFrame<V>(rows, true, run);
#else
  if (isDouble(x.dtype)) return chooseReadFrame<Wide<V> >(rows, true, run);
  chooseReadFrame<V>(rows, x.dtype == softmaxFloat32, run);
#endif
}

}  // namespace calls

}  // namespace
