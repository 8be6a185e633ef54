// The sum of a row's exponentials: the first half of every forward function and of the losses.
#pragma once

#include "exp.h"
#include "tree.h"

namespace {

template <class V, bool negated>
float signedMaximum(const float* logits, std::size_t length) {
  using Float = typename V::Float;
  constexpr std::size_t unroll = 8;  // as many comparisons in flight as latency times throughput asks for
  const auto signedLogit = [](Float x) {
    if constexpr (negated) return V::subtract(V::broadcast(0.0f), x);
    return x;
  };
  Float best[unroll];
  for (auto& b : best) b = V::broadcast(-floatInfinity);
  std::size_t i = 0;
  for (; length - i >= unroll * V::width; i += unroll * V::width)
    for (std::size_t u = 0; u < unroll; ++u)
      best[u] = V::maximum(signedLogit(V::load(logits + i + u * V::width)), best[u]);
  for (; length - i >= V::width; i += V::width)
    best[0] = V::maximum(signedLogit(V::load(logits + i)), best[0]);
  if (i < length) {
    const float padding = negated ? floatInfinity : -floatInfinity;
    best[0] = V::maximum(signedLogit(V::loadPartial(logits + i, length - i, padding)), best[0]);
  }
  for (std::size_t half = unroll / 2; half > 0; half /= 2)
    for (std::size_t u = 0; u < half; ++u) best[u] = V::maximum(best[u], best[u + half]);
  return V::laneMaximum(best[0]);
}

/// The largest signed logit, −infinity for none. NaN is dropped here: it always reaches the sum.
template <class V>
float rowMaximum(const float* logits, std::size_t length, float sign) {
  return sign < 0 ? signedMaximum<V, true>(logits, length) : signedMaximum<V, false>(logits, length);
}

/// Terms for blockSum: the exponentials of a block; kept in `exponentials` when `store`.
template <class V, bool plain, bool store>
struct ExponentialTerms {
  using Float = typename V::Float;
  using Register = Float;
  const float* logits;
  float* exponentials;
  const RowConstants<V>& row;
  float padding;
  std::size_t skipped;

  Float whole(std::size_t offset) const {
    const Float e = exponential<V, plain>(V::load(logits + offset), row);
    if constexpr (store) V::store(exponentials + offset, e);
    return e;
  }
  /// Padding is −infinity after the sign: exactly 0.
  Float careful(std::size_t offset, std::size_t available) const {
    const bool is_partial = available < V::width;
    const Float logit =
        is_partial ? V::loadPartial(logits + offset, available, padding) : V::load(logits + offset);
    Float e = exponential<V, plain>(logit, row);
    if (skipped - offset < V::width) e = V::clearLane(e, skipped - offset);
    if constexpr (store) {
      if (is_partial) {
        V::storePartial(exponentials + offset, e, available);
      } else {
        V::store(exponentials + offset, e);
      }
    }
    return e;
  }
  Float zero() const { return V::broadcast(0.0f); }
  typename V::Double pair(Float a, Float b) const { return V::widen(V::add(a, b)); }
};

template <class V>
double exponentialSum(const float* logits, std::size_t count, const Scaling& scaling,
                      const Reference& reference, std::size_t skipped, float* exponentials) {
  const RowConstants<V> row(scaling, reference);
  const float padding = scaling.sign * -floatInfinity;
  if (isPlain(scaling, reference)) {
    if (!exponentials)
      return blockSum<V>(count, ExponentialTerms<V, true, false>{logits, nullptr, row, padding, skipped},
                         skipped);
    return blockSum<V>(count, ExponentialTerms<V, true, true>{logits, exponentials, row, padding, skipped},
                       skipped);
  }
  if (!exponentials)
    return blockSum<V>(count, ExponentialTerms<V, false, false>{logits, nullptr, row, padding, skipped},
                       skipped);
  return blockSum<V>(count, ExponentialTerms<V, false, true>{logits, exponentials, row, padding, skipped},
                     skipped);
}

inline bool hasNan(const float* values, std::size_t count) {
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) found |= values[i] != values[i];
  return found;
}

struct RowSum {
  float top;            // the largest signed logit
  Reference reference;  // of the whole row
  ScaledSum
      total;  // of 2 exp(multiplier · logit); NaN if the row has a NaN or +infinity, 0 if all are −infinity
  bool has_nan;  // known only where the maximum is +infinity, to tell the two apart
};

/// Rows beyond one block: each block is measured against its own maximum while it is in cache, so the row is
/// read once, and the sums are scaled to each other exactly.
template <class V>
RowSum longRowSum(const float* logits, std::size_t length, const Scaling& scaling, std::size_t skipped) {
  const auto blockOf = [&](std::size_t begin, const Reference& reference) -> ScaledSum {
    const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
    const std::size_t skipped_here = skipped - begin < count ? skipped - begin : noIndex;
    return {exponentialSum<V>(logits + begin, count, scaling, reference, skipped_here, nullptr),
            reference.exponent};
  };
  float top = -floatInfinity;
  BlockTree<ScaledSum, decltype(&merge)> own(&merge);
  for (std::size_t begin = 0; begin < length; begin += blockSize) {
    const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
    const float block_top = rowMaximum<V>(logits + begin, count, scaling.sign);
    if (block_top > top) top = block_top;
    const bool is_low =
        static_cast<double>(block_top) * static_cast<double>(scaling.high) < lowestBlockReference;
    own.push(blockOf(begin, is_low ? nothingCounts : referenceOf(block_top, scaling, false)));
  }
  const bool huge = isHuge(top, scaling);
  const Reference reference = referenceOf(top, scaling, huge);
  if (!huge) return {top, reference, own.total(), top == floatInfinity && hasNan(logits, length)};
  BlockTree<ScaledSum, decltype(&merge)> shared(&merge);
  for (std::size_t begin = 0; begin < length; begin += blockSize) shared.push(blockOf(begin, reference));
  return {top, reference, shared.total(), false};
}

/// The exponentials themselves are kept in `exponentials` (which may be the logits, or null) if the row is a
/// single block; a longer row computes them again, which costs less than a sweep through memory.
template <class V>
RowSum rowSum(const float* logits, std::size_t length, const Scaling& scaling, std::size_t skipped,
              float* exponentials) {
  if (length > blockSize) return longRowSum<V>(logits, length, scaling, skipped);
  const float top = rowMaximum<V>(logits, length, scaling.sign);
  const Reference reference = referenceOf(top, scaling, isHuge(top, scaling));
  const bool has_nan = top == floatInfinity && hasNan(logits, length);
  const double sum = exponentialSum<V>(logits, length, scaling, reference, skipped, exponentials);
  return {top, reference, {sum, reference.exponent}, has_nan};
}

/// out = factor · exponential, from the exponentials that rowSum left in `out`, or from the logits of a long
/// row.
template <class V>
void scaleExponentials(const float* logits, float* out, std::size_t length, const Scaling& scaling,
                       const Reference& reference, float factor) {
  const auto factors = V::broadcast(factor);
  const auto sweep = [&](const float* from, auto element) {
    std::size_t i = 0;
    for (; length - i >= V::width; i += V::width)
      V::store(out + i, V::multiply(element(V::load(from + i)), factors));
    if (i < length) {
      const auto tail = element(V::loadPartial(from + i, length - i, 0.0f));
      V::storePartial(out + i, V::multiply(tail, factors), length - i);
    }
  };
  using Float = typename V::Float;
  const RowConstants<V> row(scaling, reference);
  if (length <= blockSize) {
    sweep(out, [](Float e) { return e; });
  } else if (isPlain(scaling, reference)) {
    sweep(logits, [&](Float x) { return exponential<V, true>(x, row); });
  } else {
    sweep(logits, [&](Float x) { return exponential<V, false>(x, row); });
  }
}

inline void fill(float* out, std::size_t count, float value) {
  for (std::size_t i = 0; i < count; ++i) out[i] = value;
}

constexpr float canonicalNan = __builtin_nanf("");

}  // namespace
