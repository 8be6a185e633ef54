// Sums of exponentials, each with what it is measured against, and how two of them become one.
//
// Sums of one row, of its blocks or of its shards, are measured against maxima of their own. Where these are
// not huge, measures are powers of two: the scaling is exact, so any measures give the same sum. A huge
// maximum is the measure itself (reference.h), and sums are scaled by an exponential of the difference.
#pragma once

#include "exp_double.h"

namespace {

/// What sums are measured against: exp(offset · factor) · 2^exponent, one per row.
template <class R>
struct Measure {
  typename R::Double offset, exponent;
};

/// sum · exp(offset · factor) · 2^exponent, one per row. Nothing summed: sum 0.
template <class R>
struct ScaledSums {
  using Double = typename R::Double;
  Double sum;
  Measure<R> measure;
  Double factor;  // of the row's offsets

  static ScaledSums of(const SoftmaxPart& part, Double factor) {
    return {part.sum, {part.offset, part.exponent}, factor};
  }
  void putInto(SoftmaxPart& part) const {
    part.sum = sum;
    part.offset = measure.offset;
    part.exponent = measure.exponent;
  }
};

/// The factor of offsets: at temperature 0 what is below the maximum is nothing.
template <class L>
SOFTMAX_INLINE typename L::Rows::Double offsetFactor(const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  return R::selectAtLeast(scaling.limit, R::broadcast(1.0), R::broadcast(infinity), scaling.factor);
}

/// The exponent of a block without a number: the smaller of any two.
constexpr double emptyExponent = -0x1p30;

/// What rows or blocks are measured against whose largest signed logits are `top`.
template <class L>
SOFTMAX_INLINE Measure<typename L::Rows> measureOf(const References<L>& references,
                                                   typename L::Rows::Register top) {
  using R = typename L::Rows;
  const auto exponent = R::selectAtLeast(R::broadcast(-infinity), R::widen(top), R::broadcast(emptyExponent),
                                         references.exponent);
  return {R::widen(references.offset), exponent};
}

/// What a sum in one measure is multiplied by to be in another.
template <class R>
SOFTMAX_INLINE typename R::Double weightIn(const Measure<R>& to, const Measure<R>& from,
                                           typename R::Double factor) {
  const auto zero = R::broadcast(0.0);
  const auto exponent = R::subtract(from.exponent, to.exponent), offset = R::subtract(from.offset, to.offset);
  const auto power = powerOfTwo<R>(exponent);
  if (R::allAtLeast(offset, zero) && R::allAtLeast(zero, offset)) return power;
  const auto logs = R::add(R::multiply(exponent, R::broadcast(ln2Leading)), R::multiply(offset, factor));
  const auto weight = exponential<R>(R::add(logs, R::multiply(exponent, R::broadcast(ln2Trailing))));
  return R::selectAtLeast(offset, zero, R::selectAtLeast(zero, offset, power, weight), weight);
}

/// The larger of two measures, by which neither sum is multiplied by much more than 1. A block without a
/// number takes the other's.
template <class R>
SOFTMAX_INLINE Measure<R> commonMeasure(Measure<R>& a, Measure<R>& b) {
  const auto empty = R::broadcast(emptyExponent);
  const Measure<R> own = a;
  a = {R::selectAtLeast(empty, a.exponent, b.offset, a.offset),
       R::selectAtLeast(empty, a.exponent, b.exponent, a.exponent)};
  b = {R::selectAtLeast(empty, b.exponent, own.offset, b.offset),
       R::selectAtLeast(empty, b.exponent, own.exponent, b.exponent)};
  const auto largest = R::maximum(a.exponent, b.exponent);
  const auto of_larger = R::selectAtLeast(a.offset, b.offset, a.exponent, b.exponent);
  const auto of_smaller = R::selectAtLeast(b.offset, a.offset, b.exponent, a.exponent);
  // The same where both offsets are.
  const auto exponent = R::selectAtLeast(
      a.offset, b.offset, R::selectAtLeast(b.offset, a.offset, largest, of_larger), of_smaller);
  return {R::maximum(a.offset, b.offset), exponent};
}

template <class R>
ScaledSums<R> merge(ScaledSums<R> a, ScaledSums<R> b) {
  const Measure<R> measure = commonMeasure<R>(a.measure, b.measure);
  const auto of_a = R::multiply(a.sum, weightIn<R>(measure, a.measure, a.factor));
  const auto of_b = R::multiply(b.sum, weightIn<R>(measure, b.measure, a.factor));
  return {R::add(of_a, of_b), measure, a.factor};
}

/// Sums in the measure of their row: 0 where nothing was summed.
template <class R>
typename R::Double sumsIn(const Measure<R>& measure, const ScaledSums<R>& total) {
  const auto zero = R::broadcast(0.0);
  const auto moved = R::multiply(total.sum, weightIn<R>(measure, total.measure, total.factor));
  return R::selectAtLeast(zero, total.sum, zero, moved);
}

}  // namespace
