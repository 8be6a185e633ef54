// exp of a double vector to 2^-36 relative, by + − × only, so that JavaScript computes the same bits.
// For gradients, where a float exp would leave its rounding behind after a cancellation.
#pragma once

#include "log.h"

namespace {

constexpr double log2eDouble = 0x1.71547652b82fep0;
constexpr double lowestExponent = -700.0;  // exp is taken for 0 below: nothing in float
constexpr double highestExponent = 700.0;  // and above: no log-probability

/// 1/9!, 1/8!, …, 1/1!, 1/0!: the Taylor series, whose next term is below 2^-36 for |r| <= ln 2 / 2.
constexpr double taylorCoefficients[] = {1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                                         1.0 / 24,     1.0 / 6,     1.0 / 2,    1.0,       1.0};

template <class V>
typename V::Double exponential(typename V::Double x) {
  const auto shift = V::broadcast(roundingShift64 + 1023.0);
  const auto z = V::add(V::multiply(x, V::broadcast(log2eDouble)), shift);
  const auto n = V::subtract(z, shift);
  auto r = V::subtract(x, V::multiply(n, V::broadcast(ln2Leading)));
  r = V::subtract(r, V::multiply(n, V::broadcast(ln2Trailing)));
  auto p = V::broadcast(taylorCoefficients[0]);
  for (int i = 1; i < 10; ++i) p = V::add(V::multiply(p, r), V::broadcast(taylorCoefficients[i]));
  const auto e = V::keepUnlessBelow(V::scaleByMantissa(p, z), x, V::broadcast(lowestExponent));
  return V::keepUnlessBelow(e, V::broadcast(highestExponent), x);
}

}  // namespace
