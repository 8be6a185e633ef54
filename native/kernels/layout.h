// How vectors lie on rows. Every algorithm is written once, over a layout:
//
//   Along   a vector holds elements of one row, one after another (rows of the last axis)
//   Across  a vector holds the same element of neighbouring rows (any other axis): nothing is transposed
//   Batch   short rows of the last axis: along them where there is something to do for each element, but
//           what there is once per row is computed across them (batch.h)
//
// The order in which a row is summed is the same in both (tree.h), and so are its bits.
#pragma once

#include "../vec/scalar.h"
#include "../vec/wide.h"
#include "kernel-abi.h"

namespace {

/// The rows that are computed together.
struct Unit {
  std::size_t first;      // row of the first lane
  std::size_t lanes;      // lanes in use, as Source::load counts them
  std::size_t start;      // index of the first row's first element
  std::size_t stage = 0;  // which of the units on the stage (staged.h)
};

/// Whether rows whose first array is of that type are computed in double.
inline bool isDouble([[maybe_unused]] SoftmaxDType dtype) {
#if defined(SOFTMAX_SMALL)
  return false;  // they are left to JavaScript
#else
  return dtype == softmaxFloat64;
#endif
}

/// One number, with the operations of a vector type.
template <class Element>
struct SingleNumber {
  using Type = Scalar;
};
template <>
struct SingleNumber<double> {
  using Type = Wide<Scalar>;
};

/// What the layouts share: `rows` is how many rows a vector holds, `step` how many elements of each. `Rows`
/// is for what there is once per row: a number, or where lanes are rows, a vector.
template <class Vector, std::size_t row_count, class RowVector>
struct Layout {
  using V = Vector;
  using Element = typename V::Element;
  using Register = typename V::Register;
  using Double = typename V::Double;
  using Rows = RowVector;
  static constexpr std::size_t rows = row_count;
  static constexpr std::size_t step = V::width / row_count;

  /// valueOf(row) in the lanes of each row.
  template <class ValueOf>
  static Register each(ValueOf valueOf) {
    return spread(ofRows([&](std::size_t i) { return static_cast<Element>(valueOf(i)); }));
  }
  template <class ValueOf>
  static Double eachDouble(ValueOf valueOf) {
    return spread(ofRowsDouble([&](std::size_t i) { return static_cast<double>(valueOf(i)); }));
  }
  template <class ValueOf>
  static typename Rows::Register ofRows(ValueOf valueOf) {
    Element values[rows];
    for (std::size_t i = 0; i < rows; ++i) values[i] = valueOf(i);
    return Rows::load(values);
  }
  template <class ValueOf>
  static typename Rows::Double ofRowsDouble(ValueOf valueOf) {
    double values[rows];
    for (std::size_t i = 0; i < rows; ++i) values[i] = valueOf(i);
    return Rows::load(values);
  }

  /// One value per row, of either type, in all of its lanes.
  template <class Value>
  SOFTMAX_INLINE static auto spread(Value value) {
    if constexpr (rows == 1)
      return V::broadcast(value);
    else
      return value;
  }
  /// The lanes of each row in one: lane i with i + width / 2, and so on down to i + 1.
  SOFTMAX_INLINE static typename Rows::Double sum(Double value) {
    if constexpr (rows == 1)
      return V::laneSum(value);
    else
      return value;
  }
  SOFTMAX_INLINE static typename Rows::Register maximum(Register value) {
    if constexpr (rows == 1)
      return V::laneMaximum(value);
    else
      return value;
  }
  /// One value per row, from a vector whose lanes are equal in a row.
  SOFTMAX_INLINE static typename Rows::Double values(Double value) {
    if constexpr (rows == 1)
      return V::firstLane(value);
    else
      return value;
  }
};

template <class V>
struct Along : Layout<V, 1, typename SingleNumber<typename V::Element>::Type> {
  static constexpr bool is_across = false, is_batch = false;
  using Doubles = Along<typename DoubleLanes<V>::Type>;
  template <class Body>
  static void eachUnit(const SoftmaxRows& rows, const Body& body) {
    for (std::size_t row = 0; row < rows.outer; ++row) body(Unit{row, V::width, row * rows.length});
  }
};

template <class V>
struct Across : Layout<V, V::width, V> {
  static constexpr bool is_across = true, is_batch = false;
  using Doubles = Across<typename DoubleLanes<V>::Type>;
  template <class Body>
  static void eachUnit(const SoftmaxRows& rows, const Body& body) {
    for (std::size_t outer = 0; outer < rows.outer; ++outer)
      for (std::size_t i = 0; i < rows.inner; i += V::width) {
        const std::size_t lanes = rows.inner - i < V::width ? rows.inner - i : V::width;
        body(Unit{outer * rows.inner + i, lanes, outer * rows.length * rows.stride + i});
      }
  }
};

template <class V>
struct Batch : Across<V> {
  static constexpr bool is_batch = true;
  using Row = Along<V>;
};

/// A row's number, of either type, from one vector of them.
template <class V>
SOFTMAX_INLINE typename V::Register broadcastLane(typename V::Register lanes, std::size_t i) {
  typename V::Element values[V::width];
  V::store(values, lanes);
  return V::broadcast(values[i]);
}
template <class V>
SOFTMAX_INLINE typename V::Double broadcastLane(typename V::Double lanes, std::size_t i) {
  double values[V::width];
  V::store(values, lanes);
  return V::broadcast(values[i]);
}

/// Of a unit's rows at once: what there is once per row, in the lanes of its row, and the elements.
template <class L>
struct EachRow {
  template <class Value>
  SOFTMAX_INLINE auto spread(Value value) const {
    return L::spread(value);
  }
  template <class Rows>
  SOFTMAX_INLINE Rows of(const Rows& rows) const {
    return rows;
  }
};
/// The same of row i of a batch.
template <class V>
struct RowOfBatch {
  std::size_t i;
  template <class Value>
  SOFTMAX_INLINE auto spread(Value lanes) const {
    return broadcastLane<V>(lanes, i);
  }
  template <class Rows>
  SOFTMAX_INLINE auto of(const Rows& rows) const {
    return rows.row(i);
  }
};

/// body(layout, row) for the rows of a unit at once, or of a batch one after another, in the layout of those
/// rows.
template <class L, class Body>
SOFTMAX_INLINE void eachRowOf(const Unit& unit, const Body& body) {
  if constexpr (L::is_batch) {
    for (std::size_t i = 0; i < unit.lanes; ++i) body(typename L::Row{}, RowOfBatch<typename L::V>{i});
  } else {
    body(L{}, EachRow<L>{});
  }
}

/// each[i] = valueOf(i, unit) of the rows of a batch. Lanes that no row has repeat the first.
template <class L, class Value, class ValueOf>
SOFTMAX_INLINE void fillBatch(const Unit& unit, Value* each, const ValueOf& valueOf) {
  std::size_t i = 0;
  do {
    each[i] = valueOf(i, Unit{unit.first + i, L::V::width, 0});
  } while (++i < unit.lanes);
  for (; i < L::rows; ++i) each[i] = each[0];
}

/// body(k, count) for every vector of a row, from element k on. `count`: the lanes in use.
template <class L, class Body>
SOFTMAX_INLINE void eachVector(std::size_t length, const Unit& unit, const Body& body, std::size_t k = 0) {
  if constexpr (L::is_across) {
    for (; k < length; ++k) body(k, unit.lanes);
  } else {
    for (; length - k >= L::step; k += L::step) body(k, L::step);
    if (k < length) body(k, length - k);
  }
}

/// The same for a loop that writes `out`: in vectors that are aligned there, if that matters to it.
template <class L, class Out, class Body>
SOFTMAX_INLINE void eachVectorOf(const Out& out, std::size_t length, const Unit& unit, const Body& body) {
  std::size_t k = 0;
  if constexpr (Out::is_streamed) {
    k = out.unaligned(length);
    if (k > 0) body(0, k);
  }
  eachVector<L>(length, unit, body, k);
}

/// The lanes in use where `left` elements of a row are left.
template <class L>
SOFTMAX_INLINE std::size_t lanesOf(std::size_t left, const Unit& unit) {
  if constexpr (L::is_across) return unit.lanes;
  return left < L::step ? left : L::step;
}

/// The vector's element numbers, from k on.
template <class L>
SOFTMAX_INLINE typename L::Double elementNumbers(std::size_t k) {
  using V = typename L::V;
  static constexpr double numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  static_assert(V::width <= 16);
  const auto first = V::broadcast(static_cast<double>(k));
  if constexpr (L::rows == 1) return V::add(V::load(numbers), first);
  return first;
}

/// value in the lanes in use, 0 in the others: what blockSum asks of a term.
template <class L>
SOFTMAX_INLINE typename L::Double lanesInUse(typename L::Double value, std::size_t count) {
  using V = typename L::V;
  if (L::rows > 1 || count == V::width) return value;
  const auto end = V::broadcast(static_cast<double>(count));
  return V::selectAtLeast(elementNumbers<L>(0), end, V::broadcast(0.0), value);
}

}  // namespace
