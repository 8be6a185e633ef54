// How vectors lie on rows. Every algorithm is written once, over a layout:
//
//   Along   a vector holds elements of one row, one after another (rows of the last axis)
//   Across  a vector holds the same element of neighbouring rows (any other axis): nothing is transposed
//
// The order in which a row is summed is the same in both (tree.h), and so are its bits.
#pragma once

#include "../vec/wide.h"
#include "table.h"

namespace {

/// The rows that are computed together.
struct Unit {
  std::size_t first;  // row of the first lane
  std::size_t lanes;  // lanes in use, as Source::load counts them
  std::size_t start;  // index of the first row's first element
};

/// What the layouts share: `rows` is how many rows a vector holds, `step` how many elements of each.
template <class Vector, std::size_t row_count>
struct Layout {
  using V = Vector;
  using Element = typename V::Element;
  using Register = typename V::Register;
  using Double = typename V::Double;
  static constexpr std::size_t rows = row_count;
  static constexpr std::size_t step = V::width / row_count;

  /// valueOf(row) in the lanes of each row.
  template <class ValueOf>
  static Register each(ValueOf valueOf) {
    if constexpr (rows == 1) return V::broadcast(static_cast<Element>(valueOf(0)));
    Element values[V::width];
    for (std::size_t i = 0; i < rows; ++i) values[i] = static_cast<Element>(valueOf(i));
    return V::load(values);
  }
  template <class ValueOf>
  static Double eachDouble(ValueOf valueOf) {
    if constexpr (rows == 1) return V::broadcast(static_cast<double>(valueOf(0)));
    double values[V::width];
    for (std::size_t i = 0; i < rows; ++i) values[i] = static_cast<double>(valueOf(i));
    return V::load(values);
  }
  /// The lanes of each row in one: lane i with i + width / 2, and so on down to i + 1.
  static void sum(Double value, double* sums) {
    if constexpr (rows == 1) {
      sums[0] = V::laneSum(value);
    } else {
      V::store(sums, value);
    }
  }
  static void maximum(Register value, Element* maxima) {
    if constexpr (rows == 1) {
      maxima[0] = V::laneMaximum(value);
    } else {
      V::store(maxima, value);
    }
  }
  /// One value a row, from a vector whose lanes are equal in a row.
  static void values(Double value, double* to) {
    if constexpr (rows == 1) {
      to[0] = V::firstLane(value);
    } else {
      V::store(to, value);
    }
  }
};

template <class V>
struct Along : Layout<V, 1> {
  static constexpr bool is_across = false;
  using Doubles = Along<typename DoubleLanes<V>::Type>;
  template <class Body>
  static void eachUnit(const SoftmaxRows& rows, const Body& body) {
    for (std::size_t row = 0; row < rows.outer; ++row) body(Unit{row, V::width, row * rows.length});
  }
};

template <class V>
struct Across : Layout<V, V::width> {
  static constexpr bool is_across = true;
  using Doubles = Across<typename DoubleLanes<V>::Type>;
  template <class Body>
  static void eachUnit(const SoftmaxRows& rows, const Body& body) {
    for (std::size_t outer = 0; outer < rows.outer; ++outer)
      for (std::size_t i = 0; i < rows.inner; i += V::width) {
        const std::size_t lanes = rows.inner - i < V::width ? rows.inner - i : V::width;
        body(Unit{outer * rows.inner + i, lanes, outer * rows.length * rows.inner + i});
      }
  }
};

/// body(k, count) for every vector of a row, from element k on. `count`: the lanes in use.
template <class L, class Body>
void eachVector(std::size_t length, const Unit& unit, Body body) {
  constexpr std::size_t width = L::V::width;
  std::size_t k = 0;
  if (L::rows == 1 || unit.lanes == width) {
    for (; length - k >= L::step; k += L::step) body(k, width);
    if (k < length) body(k, length - k);
  } else {
    for (; k < length; ++k) body(k, unit.lanes);
  }
}

/// The lanes in use where `left` elements of a row are left.
template <class L>
std::size_t lanesOf(std::size_t left, const Unit& unit) {
  if constexpr (L::is_across) return unit.lanes;
  return left < L::step ? left : L::step;
}

}  // namespace
