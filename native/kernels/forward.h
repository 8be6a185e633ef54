// softmax, logSoftmax and logSumExp of one row.
#pragma once

#include "log.h"
#include "row_sum.h"

namespace {

template <class V>
void softmaxRow(const float* logits, float* out, std::size_t length, const Scaling& scaling) {
  const RowSum row = rowSum<V>(logits, length, scaling, noIndex, out);
  if (!(row.total.sum > 0.0)) return fill(out, length, canonicalNan);
  scaleExponentials<V>(logits, out, length, scaling, row.reference, static_cast<float>(1.0 / row.total.sum));
}

/// log Σ exp(multiplier · logit) − offset: what is subtracted from a shifted, scaled logit. `sum` is of the
/// whole row, in the measure of row.reference. Where the largest logit outweighs the others together it is
/// taken out of the sum, as the error of its exponential would be the error of the result, which may be close
/// to 0.
template <class V>
double logNormalizer(const RowSum& row, double sum, const Scaling& scaling) {
  const double top = singleExponential<V>(scaling.sign * row.top, scaling, row.reference);
  const double others = sum - top;
  if (others > top) return logScaled(sum, row.reference.exponent - 1);
  const double shifted_top = static_cast<double>(row.top - row.reference.offset);
  return shifted_top * scaling.factor() + logOnePlusRatio(others / top);
}

template <class V>
float logSumExpOf(const RowSum& row, double sum, const Scaling& scaling) {
  if (row.top == floatInfinity) return row.has_nan ? canonicalNan : floatInfinity;
  if (sum != sum) return canonicalNan;
  if (sum == 0.0) return -floatInfinity;
  const double offset = static_cast<double>(row.reference.offset) * scaling.factor();
  return static_cast<float>(offset + logNormalizer<V>(row, sum, scaling));
}

template <class V>
float logSumExpRow(const float* logits, std::size_t length, const Scaling& scaling) {
  const RowSum row = rowSum<V>(logits, length, scaling, noIndex, nullptr);
  return logSumExpOf<V>(row, row.total.sum, scaling);
}

/// The normalizer is subtracted as the sum of two floats: one rounding beside that of the result.
template <class V, bool plain>
void subtractNormalizer(const float* logits, float* out, std::size_t length, const RowConstants<V>& row,
                        double normalizer, float lowest) {
  const float high = static_cast<float>(normalizer);
  const auto highs = V::broadcast(high);
  const auto lows = V::broadcast(static_cast<float>(normalizer - static_cast<double>(high)));
  const auto element = [&](typename V::Float logit) {
    const auto x = scaledLogit<V, plain>(logit, row);
    const auto y = V::add(V::subtract(x.value, highs), V::subtract(x.rest, lows));
    if constexpr (plain) return y;
    const auto none = V::broadcast(-floatInfinity);
    const auto bounded = V::selectAtLeast(x.value, V::broadcast(-largestFloat), y, none);
    return V::selectAtLeast(x.shifted, V::broadcast(lowest), bounded, none);
  };
  std::size_t i = 0;
  for (; length - i >= V::width; i += V::width) V::store(out + i, element(V::load(logits + i)));
  if (i < length) V::storePartial(out + i, element(V::loadPartial(logits + i, length - i, 0.0f)), length - i);
}

template <class V>
void logSoftmaxRow(const float* logits, float* out, std::size_t length, const Scaling& scaling) {
  const RowSum row = rowSum<V>(logits, length, scaling, noIndex, nullptr);
  if (!(row.total.sum > 0.0)) return fill(out, length, canonicalNan);
  const double normalizer = logNormalizer<V>(row, row.total.sum, scaling);
  const RowConstants<V> constants(scaling, row.reference);
  if (isPlain(scaling, row.reference))
    return subtractNormalizer<V, true>(logits, out, length, constants, normalizer, -largestFloat);
  // At temperature 0 every logit below the maximum has probability 0.
  const float lowest = scaling.is_limit ? 0.0f : -largestFloat;
  subtractNormalizer<V, false>(logits, out, length, constants, normalizer, lowest);
}

}  // namespace
