// softmaxBackward, logSoftmaxBackward and softmaxJacobian of one row.
//
// The row's inner product is summed in double, where the product of two floats is exact. A float sum would
// leave an error of its own size in gradOutput − Σ, and nothing else where the two nearly cancel.
#pragma once

#include "exp_double.h"
#include "row_sum.h"

namespace {

/// Terms for blockSum: a(i) · b(i), or a(i) alone when b is null, in double.
template <class V, bool product>
struct DoubleTerms {
  using Double = typename V::Double;
  using Register = Double;
  const float* a;
  const float* b;

  Double whole(std::size_t offset) const {
    const Double left = V::widen(V::load(a + offset));
    if constexpr (product) return V::multiply(left, V::widen(V::load(b + offset)));
    return left;
  }
  Double careful(std::size_t offset, std::size_t available) const {
    if (available >= V::width) return whole(offset);
    const Double left = V::widen(V::loadPartial(a + offset, available, 0.0f));
    if constexpr (product) return V::multiply(left, V::widen(V::loadPartial(b + offset, available, 0.0f)));
    return left;
  }
  Double zero() const { return V::broadcast(0.0); }
  Double pair(Double a, Double b) const { return V::add(a, b); }
};

inline double addDoubles(double a, double b) {
  return a + b;
}

template <class V, bool product>
double doubleSum(const float* a, const float* b, std::size_t length) {
  if (length == 0) return 0.0;
  BlockTree<double, decltype(&addDoubles)> tree(&addDoubles);
  for (std::size_t begin = 0; begin < length; begin += blockSize) {
    const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
    tree.push(blockSum<V>(count, DoubleTerms<V, product>{a + begin, product ? b + begin : nullptr}));
  }
  return tree.total();
}

/// out[i] = element(a[i], b[i]); `out` may be either.
template <class V, class Element>
void mapPairs(const float* a, const float* b, float* out, std::size_t length, Element element) {
  std::size_t i = 0;
  for (; length - i >= V::width; i += V::width)
    V::store(out + i, V::canonicalNan(element(V::load(a + i), V::load(b + i))));
  if (i < length) {
    const std::size_t rest = length - i;
    const auto tail = element(V::loadPartial(a + i, rest, 0.0f), V::loadPartial(b + i, rest, 0.0f));
    V::storePartial(out + i, V::canonicalNan(tail), rest);
  }
}

/// p (g − Σ g p) · multiplier, in double throughout: no product in between leaves the range, nothing cancels.
template <class V>
void softmaxBackwardRow(const float* grad_output, const float* output, float* out, std::size_t length,
                        double multiplier) {
  const auto sum = V::broadcast(doubleSum<V, true>(grad_output, output, length));
  const auto factor = V::broadcast(multiplier);
  using Float = typename V::Float;
  mapPairs<V>(grad_output, output, out, length, [&](Float g, Float p) {
    return V::narrow(V::multiply(V::multiply(V::subtract(V::widen(g), sum), V::widen(p)), factor));
  });
}

/// (g − exp(output) Σ g) · multiplier, in double throughout.
template <class V>
void logSoftmaxBackwardRow(const float* grad_output, const float* output, float* out, std::size_t length,
                           double multiplier) {
  const auto sum = V::broadcast(doubleSum<V, false>(grad_output, nullptr, length));
  const auto factor = V::broadcast(multiplier);
  using Float = typename V::Float;
  mapPairs<V>(grad_output, output, out, length, [&](Float g, Float log_p) {
    const auto p = exponential<V>(V::widen(log_p));
    return V::narrow(V::multiply(V::subtract(V::widen(g), V::multiply(p, sum)), factor));
  });
}

/// out[i][j] = p_i (δ_ij − p_j), length × length.
template <class V>
void softmaxJacobianRow(const float* p, float* out, std::size_t length) {
  using Float = typename V::Float;
  const auto zero = V::broadcast(0.0f);
  for (std::size_t i = 0; i < length; ++i) {
    float* line = out + i * length;
    const auto p_i = V::broadcast(p[i]);
    // 0 − p_i p_j rather than −p_i p_j: a zero comes out as +0.
    mapPairs<V>(p, p, line, length,
                [&](Float p_j, Float) { return V::subtract(zero, V::multiply(p_i, p_j)); });
    const float diagonal = p[i] * (1.0f - p[i]);
    line[i] = diagonal == diagonal ? diagonal : canonicalNan;
  }
}

}  // namespace
