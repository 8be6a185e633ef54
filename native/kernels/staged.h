// Rows that vectors go across, on a stage: element k of all lanes is one vector, so that reading, computing
// and writing each run through memory in its own best order.
//
// Rows of any axis but the last are columns: they are read and written in blocks of whole cache lines side by
// side. Single columns whose elements are a power of two apart would all fall into the same few sets of a
// cache. Short rows of the last axis are transposed: no lane idles, and what is computed once per row is
// computed for a vector of rows.
#pragma once

#include "memory.h"

namespace {

/// Neighbouring rows that are on the stage at the same time: `units` vectors of them.
struct Block {
  std::size_t first, rows, units;
  std::size_t start;      // index of the first row's first element
  std::size_t stage = 0;  // which of the units on the stage the first is

  /// Where it starts: of columns.
  Unit unit(std::size_t which, std::size_t width) const {
    const std::size_t row = which * width, left = rows - row;
    return {first + row, left < width ? left : width, start + row, stage + which};
  }
};

constexpr std::size_t longestTransposedRow = 256;

/// Short rows are transposed up to a length, and where there are enough of them.
template <class V>
bool isTransposed(const SoftmaxRows& rows, std::size_t longest) {
  return rows.stride == 1 && rows.length <= longest && 2 * rows.outer >= V::width && V::width > 1;
}

/// Units whose steps are taken in turn: while one waits for the end of its chain of single operations (the
/// maximum of a vector's lanes, the reference, 1 / sum), the others have vectors to compute.
constexpr std::size_t unitsInTurn = 4;
constexpr std::size_t sizeInTurn = 16384;  // bytes of all of them, half of the first cache

/// How many units of `arrays` arrays are on the stage at the same time.
template <class V>
std::size_t unitsOnStage(const SoftmaxRows& rows, std::size_t arrays) {
  using Element = typename V::Element;
  const std::size_t unit = rows.length * V::width + (rows.length == 0);
  const std::size_t capacity = StageMemory<Element>::capacityFor(rows);
  if (rows.stride == 1) {
    // A transposed unit also needs its rows densely.
    if (unit * (arrays + 1) > capacity) return 0;
    return unit * sizeof(Element) * unitsInTurn <= sizeInTurn ? unitsInTurn : 1;
  }
  constexpr std::size_t line = 512;  // bytes side by side: an array is read fastest by so many at a time
  constexpr std::size_t most = line / (sizeof(Element) * V::width);
  const std::size_t units = capacity / (unit * arrays);
  return units < most ? units : most;
}

/// The mask of a transposed unit's rows, a byte per element, one row after another.
template <class V>
class UnitMask {
 public:
  void start(const SoftmaxRows& rows, const Unit& unit) {
    const double first = rows.maskOffsets[unit.first];
    bool is_dense = rows.maskStep == 1 && unit.lanes == V::width, is_shared = true;
    for (std::size_t i = 0; i < unit.lanes; ++i) {
      const double offset = rows.maskOffsets[unit.first + i];
      is_dense &= offset == first + static_cast<double>(i * rows.length);
      is_shared &= offset == first;
    }
    bytes_ = is_dense ? rowOf(rows, first) : own_;
    if (is_dense || (is_shared && first == shared_ && unit.lanes == lanes_)) return;
    fill(rows, unit);
    shared_ = is_shared ? first : -1.0;
    lanes_ = unit.lanes;
  }
  /// Of whole vectors.
  void applyTo(typename V::Element* elements, std::size_t count, typename V::Element fill) const {
    const auto none = V::broadcast(fill);
    for (std::size_t i = 0; i < count; i += V::width)
      V::store(elements + i, V::keep(V::load(elements + i), bytes_ + i, none));
  }

 private:
  static const std::uint8_t* rowOf(const SoftmaxRows& rows, double offset) {
    return rows.mask + static_cast<std::size_t>(offset);
  }
  void fill(const SoftmaxRows& rows, const Unit& unit) {
    std::uint8_t* to = own_;
    for (std::size_t i = 0; i < unit.lanes; ++i) {
      const std::uint8_t* const from = rowOf(rows, rows.maskOffsets[unit.first + i]);
      for (std::size_t k = 0; k < rows.length; ++k) *to++ = from[k * rows.maskStep];
    }
    // What no row has is kept as it is.
    for (std::size_t i = 0; i < V::width; ++i) *to++ = 1;
  }

  const std::uint8_t* bytes_ = nullptr;
  // The last rows that shared a mask, as all of a batch may: where it is, and how many they were.
  double shared_ = -1.0;
  std::size_t lanes_ = 0;
  std::uint8_t own_[V::width * (longestTransposedRow + 1)];
};

/// Vectors in memory, one of each element of a unit's rows.
template <class L>
struct StagedVectors {
  using V = typename L::V;
  using Register = typename L::Register;

  typename L::Element* values;

  SOFTMAX_INLINE Register load(std::size_t k, std::size_t) const { return V::load(values + k * V::width); }
  SOFTMAX_INLINE typename L::Double loadDouble(std::size_t k, std::size_t) const {
    return V::loadWide(values + k * V::width);
  }
  SOFTMAX_INLINE void store(std::size_t k, Register value, std::size_t) const {
    V::store(values + k * V::width, value);
  }
  SOFTMAX_INLINE void keep(std::size_t k, Register value, std::size_t count) const { store(k, value, count); }
  SOFTMAX_INLINE Register kept(std::size_t k, std::size_t count) const { return load(k, count); }
};

/// The rows of one unit on the stage: source, sink and memory for intermediate results. The mask is applied
/// where rows come onto the stage and leave it.
template <class L>
struct StagedRows : StagedVectors<L> {
  using V = typename L::V;
  using Element = typename L::Element;
  using StagedVectors<L>::values;
  static constexpr bool is_lean = true;
  static constexpr bool is_streamed = false;

  const SoftmaxRows* rows;
  Unit unit;

  Element element(std::size_t k, std::size_t lane) const { return values[k * V::width + lane]; }
  std::size_t keptCount(std::size_t lane, std::size_t) const {
    Mask<L> mask(*rows);
    mask.start(unit);
    return mask.keptCount(lane);
  }
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    values[k * V::width + lane] = value;
  }
  /// As Source and Sink have them.
  template <class Body>
  SOFTMAX_INLINE void eachLoad(std::size_t begin, std::size_t count, const Unit&, const Body& body) const {
    for (std::size_t i = 0; i < count; ++i) body(i, this->load(begin + i, V::width));
  }
  template <class Value>
  SOFTMAX_INLINE void eachStore(std::size_t begin, std::size_t count, const Unit&, const Value& value) const {
    for (std::size_t i = 0; i < count; ++i) this->store(begin + i, value(i), V::width);
  }
  bool holds(std::size_t) const { return true; }
};

/// Four columns at a time; the last four may have some in common with those before. 4 columns or more.
template <class Columns>
SOFTMAX_INLINE void eachFourColumns(std::size_t length, const Columns& columns) {
  const std::size_t last = length - 4;
#pragma GCC unroll 1
  for (std::size_t k = 0; k < last; k += 4) columns(k);
  columns(last);
}

/// An array on the stage.
template <class L>
class StagedArray {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;

 public:
  StagedArray(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill, Element* memory,
              Element* dense)
      : elements_(elements), rows_(rows), fill_(fill), memory_(memory), dense_(dense) {}

  /// Brings a block onto the stage. What the mask drops is `fill`, lanes that no row has are 0.
  void enter(const Block& block) const {
    withCode<V>(elements_.dtype, [&](auto code) {
      if (rows_.stride == 1) {
        gatherRows(code, block);
      } else {
        gatherColumns(code, block);
      }
    });
    if (rows_.mask && rows_.stride > 1) applyMask(block, fill_);
  }
  /// An input has nothing to write.
  void leave(const Block&) const {}
  /// Writes a block to memory. What the mask drops is `fill`.
  void leave(const Block& block, const SoftmaxElements& to, Element fill) const {
    if (rows_.mask && rows_.stride > 1) applyMask(block, fill);
    withCode<V>(to.dtype, [&](auto code) {
      if (rows_.stride == 1) {
        scatterRows(code, to, block, fill);
      } else {
        scatterColumns(code, to, block);
      }
    });
  }
  StagedRows<L> of(const Unit& unit) const {
    return {{memory_ + unit.stage * rows_.length * V::width}, &rows_, unit};
  }

 private:
  template <class Code>
  void gatherColumns(Code, const Block& block) const {
    const auto* elements = static_cast<const typename Code::Element*>(elements_.data);
    const std::size_t whole = block.rows / V::width, rest = block.rows % V::width;
    const std::size_t size = rows_.length * V::width;
    for (std::size_t k = 0; k < rows_.length; ++k) {
      const auto* from = elements + block.start + k * rows_.stride;
      Element* to = memory_ + k * V::width;
      for (std::size_t u = 0; u < whole; ++u) V::store(to + u * size, Code::load(from + u * V::width));
      if (rest) V::store(to + whole * size, Code::loadPartial(from + whole * V::width, rest));
    }
  }
  template <class Code>
  void scatterColumns(Code, const SoftmaxElements& results, const Block& block) const {
    auto* elements = static_cast<typename Code::Element*>(results.data);
    const std::size_t whole = block.rows / V::width, rest = block.rows % V::width;
    const std::size_t size = rows_.length * V::width;
    for (std::size_t k = 0; k < rows_.length; ++k) {
      auto* to = elements + block.start + k * rows_.stride;
      const Element* from = memory_ + k * V::width;
      for (std::size_t u = 0; u < whole; ++u) Code::store(to + u * V::width, V::load(from + u * size));
      if (rest) Code::storePartial(to + whole * V::width, V::load(from + whole * size), rest);
    }
  }

  /// Rows of the last axis lie densely. Incomplete units, and other types, go through dense memory of whole
  /// rows.
  template <class Code>
  void gatherRows(Code, const Block& block) const {
    const std::size_t size = V::width * rows_.length;
    for (std::size_t u = 0; u < block.units; ++u) {
      const auto* from = static_cast<const typename Code::Element*>(elements_.data) + block.start + u * size;
      const std::size_t count = block.unit(u, V::width).lanes * rows_.length;
      if constexpr (Code::is_plain)
        if (count == size && !rows_.mask) {
          transposeFrom(from, memory_ + (block.stage + u) * size);
          continue;
        }
      std::size_t i = 0;
      for (; count - i >= V::width; i += V::width) V::store(dense_ + i, Code::load(from + i));
      if (i < count) V::store(dense_ + i, Code::loadPartial(from + i, count - i));
      for (i = (count + V::width - 1) / V::width * V::width; i < size; i += V::width)
        V::store(dense_ + i, V::broadcast(Element(0)));
      maskDense(block.unit(u, V::width), fill_);
      transposeFrom(dense_, memory_ + (block.stage + u) * size);
    }
  }
  template <class Code>
  void scatterRows(Code, const SoftmaxElements& elements, const Block& block, Element fill) const {
    const std::size_t size = V::width * rows_.length;
    for (std::size_t u = 0; u < block.units; ++u) {
      auto* to = static_cast<typename Code::Element*>(elements.data) + block.start + u * size;
      const std::size_t count = block.unit(u, V::width).lanes * rows_.length;
      if constexpr (Code::is_plain)
        if (count == size && !rows_.mask) {
          transposeTo(memory_ + (block.stage + u) * size, to);
          continue;
        }
      transposeTo(memory_ + (block.stage + u) * size, dense_);
      maskDense(block.unit(u, V::width), fill);
      std::size_t i = 0;
      for (; count - i >= V::width; i += V::width) Code::store(to + i, V::load(dense_ + i));
      if (i < count) Code::storePartial(to + i, V::load(dense_ + i), count - i);
    }
  }

  void maskDense(const Unit& unit, Element fill) const {
    if (!rows_.mask) return;
    mask_.start(rows_, unit);
    mask_.applyTo(dense_, unit.lanes * rows_.length, fill);
  }

  void transposeFrom(const Element* from, Element* to) const {
    const std::size_t length = rows_.length;
    if (length < 4) {
      for (std::size_t k = 0; k < length; ++k)
        for (std::size_t i = 0; i < V::width; ++i) to[k * V::width + i] = from[i * length + k];
      return;
    }
    eachFourColumns(length, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
      Register columns[4];
      V::loadRows(from + k, length, columns);
      for (std::size_t c = 0; c < 4; ++c) V::store(to + (k + c) * V::width, columns[c]);
    });
  }
  void transposeTo(const Element* from, Element* to) const {
    const std::size_t length = rows_.length;
    if (length < 4) {
      for (std::size_t k = 0; k < length; ++k)
        for (std::size_t i = 0; i < V::width; ++i) to[i * length + k] = from[k * V::width + i];
      return;
    }
    eachFourColumns(length, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
      Register columns[4];
      for (std::size_t c = 0; c < 4; ++c) columns[c] = V::load(from + (k + c) * V::width);
      V::storeRows(to + k, length, columns);
    });
  }

  void applyMask(const Block& block, Element fill) const {
    Mask<L> mask(rows_);
    for (std::size_t u = 0; u < block.units; ++u) {
      const Unit unit = block.unit(u, V::width);
      const StagedRows<L> rows = of(unit);
      mask.start(unit);
      for (std::size_t k = 0; k < rows_.length; ++k)
        rows.store(k, mask.apply(rows.load(k, V::width), k, unit.lanes, V::broadcast(fill)), V::width);
    }
  }

  SoftmaxElements elements_;
  const SoftmaxRows& rows_;
  Element fill_;
  Element *memory_, *dense_;
  mutable UnitMask<V> mask_;
};

/// Results in the place of an input. Without elements nothing is written.
template <class L>
struct StagedOutput {
  const StagedArray<L>& stage;
  SoftmaxElements elements;
  typename L::Element fill;

  void enter(const Block&) const {}
  void leave(const Block& block) const {
    if (elements.data) stage.leave(block, elements, fill);
  }
  StagedRows<L> of(const Unit& unit) const { return stage.of(unit); }
};

}  // namespace
