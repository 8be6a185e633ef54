// softmax, logSoftmax and logSumExp of one row.
#pragma once

#include "log.h"
#include "row_sum.h"

namespace {

/// The largest exponential is below this, 2 √2: a larger sum has more than one.
constexpr double loneSumBound = 2.83;

template <class V>
void softmaxRow(const float* logits, float* out, std::size_t length, const Scaling& scaling) {
  const RowSum row = rowSum<V>(logits, length, scaling, noIndex, out);
  const double sum = row.total.sum;
  if (!(sum > 0.0)) return fill(out, length, canonicalNan);
  scaleExponentials<V>(logits, out, length, scaling, row.reference, static_cast<float>(1.0 / sum));
  // A product with the rounded 1 / sum may miss 1 where one logit alone counts.
  if (sum < loneSumBound && sum == singleExponential<V>(scaling.sign * row.top, scaling, row.reference))
    for (std::size_t i = 0; i < length; ++i) out[i] = out[i] > 0.5f ? 1.0f : out[i];
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

/// out[i] = element(logits[i]); `out` may be the logits.
template <class V, class Element>
void mapLogits(const float* logits, float* out, std::size_t length, Element element) {
  std::size_t i = 0;
  for (; length - i >= V::width; i += V::width) V::store(out + i, element(V::load(logits + i)));
  if (i < length) V::storePartial(out + i, element(V::loadPartial(logits + i, length - i, 0.0f)), length - i);
}

/// −infinity, and at temperature 0 every logit below the maximum, has probability 0. The subtraction is in
/// double: one rounding. It is made the other way round, and negated, so that a log-probability of 0 is +0.
template <class V>
void logSoftmaxRow(const float* logits, float* out, std::size_t length, const Scaling& scaling) {
  using Float = typename V::Float;
  const RowSum row = rowSum<V>(logits, length, scaling, noIndex, nullptr);
  if (!(row.total.sum > 0.0)) return fill(out, length, canonicalNan);
  const auto zero = V::broadcast(0.0);
  const auto normalizer = V::broadcast(logNormalizer<V>(row, row.total.sum, scaling));
  if (isPlain(scaling, row.reference)) {
    mapLogits<V>(logits, out, length,
                 [&](Float x) { return V::narrow(V::subtract(zero, V::subtract(normalizer, V::widen(x)))); });
    return;
  }
  const auto sign = V::broadcast(scaling.sign);
  const auto lowest = V::broadcast(scaling.is_limit ? row.top : -largestFloat);
  const auto none = V::broadcast(-floatInfinity);
  const auto offset = V::broadcast(static_cast<double>(row.reference.offset));
  const auto factor = V::broadcast(scaling.factor());
  mapLogits<V>(logits, out, length, [&](Float x) {
    const auto signed_logit = V::multiply(x, sign);
    const auto scaled = V::multiply(V::subtract(V::widen(signed_logit), offset), factor);
    const auto y = V::narrow(V::subtract(zero, V::subtract(normalizer, scaled)));
    return V::selectAtLeast(signed_logit, lowest, y, none);
  });
}

}  // namespace
