// Rows that vectors go across, on a stage: element k of all lanes is one vector, so that reading, computing
// and writing each run through memory in its own best order.
//
//   columns   rows of any axis but the last. An array is read and written in blocks of whole cache lines side
//   by
//             side: single columns whose elements are a power of two apart would all fall into the same few
//             sets of a cache.
//   rows      short rows of the last axis are transposed: no lane idles, and what is computed once a row is
//   computed
//             for a vector of rows.
#pragma once

#include "memory.h"

namespace {

/// How elements lie in memory: as they are computed, or in 16 bits.
template <class V>
struct PlainCode {
  using Element = typename V::Element;
  static constexpr bool is_plain = true;
  static typename V::Register load(const Element* from) { return V::load(from); }
  static typename V::Register loadPartial(const Element* from, std::size_t count) {
    return V::loadPartial(from, count, Element(0));
  }
  static void store(Element* to, typename V::Register value) { V::store(to, value); }
  static void storePartial(Element* to, typename V::Register value, std::size_t count) {
    V::storePartial(to, value, count);
  }
};

template <class V, bool is_bfloat>
struct HalfCode {
  using Element = std::uint16_t;
  static constexpr bool is_plain = false;
  static typename V::Register load(const Element* from) {
    if constexpr (is_bfloat)
      return V::loadBFloat16(from);
    else
      return V::loadFloat16(from);
  }
  static typename V::Register loadPartial(const Element* from, std::size_t count) {
    Element lanes[V::width] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return load(lanes);
  }
  static void store(Element* to, typename V::Register value) {
    if constexpr (is_bfloat)
      V::storeBFloat16(to, value);
    else
      V::storeFloat16(to, value);
  }
  static void storePartial(Element* to, typename V::Register value, std::size_t count) {
    Element lanes[V::width];
    store(lanes, value);
    for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
};

/// run(code) with the code of a dtype.
template <class V, class Run>
void withCode(SoftmaxDType dtype, Run run) {
  if constexpr (sizeof(typename V::Element) == sizeof(float)) {
    if (dtype == softmaxFloat16) return run(HalfCode<V, false>{});
    if (dtype == softmaxBFloat16) return run(HalfCode<V, true>{});
  }
  run(PlainCode<V>{});
}

/// Neighbouring rows that are on the stage at the same time: `units` vectors of them.
struct Block {
  std::size_t first, rows, units;
  std::size_t start;  // index of the first row's first element

  Unit unit(std::size_t which, std::size_t width) const {
    const std::size_t row = which * width, left = rows - row;
    return {first + row, left < width ? left : width, 0, which};
  }
};

/// The stage's memory: the caller's scratch memory, or some of the stack.
template <class Element>
class StageMemory {
  static constexpr std::size_t own_size = 65536;

 public:
  StageMemory(const StageMemory&) = delete;
  StageMemory& operator=(const StageMemory&) = delete;
  explicit StageMemory(const SoftmaxRows& rows)
      : elements_(static_cast<Element*>(rows.scratch)), size_(rows.scratchSize) {
    if (size_ >= own_size) return;
    elements_ = own_;
    size_ = own_size;
  }
  Element* elements() { return elements_; }
  std::size_t capacity() const { return size_ / sizeof(Element); }
  static std::size_t capacityFor(const SoftmaxRows& rows) {
    return (rows.scratchSize >= own_size ? rows.scratchSize : own_size) / sizeof(Element);
  }

 private:
  alignas(64) Element own_[own_size / sizeof(Element)];
  Element* elements_;
  std::size_t size_;
};

/// Short rows are transposed up to this length, and where there are enough of them.
constexpr std::size_t longestTransposed = 64;

template <class V>
bool isTransposed(const SoftmaxRows& rows) {
  return rows.inner == 1 && rows.length <= longestTransposed && 2 * rows.outer >= V::width && V::width > 1;
}

/// How many units of `arrays` arrays the stage holds at the same time. A transposed unit needs its rows
/// twice.
template <class V>
std::size_t unitsOnStage(const SoftmaxRows& rows, std::size_t arrays) {
  const std::size_t copies = rows.inner == 1 ? arrays + 1 : arrays;
  const std::size_t size = rows.length * V::width * copies;
  constexpr std::size_t most = 8;  // of cache lines: an array is read fastest by 512 bytes at a time
  const std::size_t units = StageMemory<typename V::Element>::capacityFor(rows) / (size + (size == 0));
  const std::size_t lines = sizeof(typename V::Element) * V::width > 64 ? most / 2 : most;
  if (rows.inner == 1) return units > 0 ? 1 : 0;
  return units < lines ? units : lines;
}

/// An array on the stage, of which `start` picks a unit.
template <class L>
class StagedSource {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;

 public:
  StagedSource(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill, Element* memory,
               Element* dense)
      : elements_(elements), rows_(rows), mask_(rows), fill_(fill), memory_(memory), dense_(dense) {}

  /// Brings a block onto the stage. What the mask drops is `fill`, lanes that no row has are 0.
  void enter(const Block& block) {
    if (!elements_.data) return;
    withCode<V>(elements_.dtype, [&](auto code) {
      if (rows_.inner == 1) {
        gatherRows(code, block);
      } else {
        gatherColumns(code, block);
      }
    });
    if (rows_.mask) applyMask(block, fill_);
  }
  void leave(const Block&) {}
  /// Writes a block to memory. What the mask drops is `fill`.
  void write(const Block& block, const SoftmaxElements& to, Element fill) {
    if (rows_.mask) applyMask(block, fill);
    withCode<V>(to.dtype, [&](auto code) {
      if (rows_.inner == 1) {
        scatterRows(code, to, block);
      } else {
        scatterColumns(code, to, block);
      }
    });
  }
  void start(const Unit& unit) {
    values_ = memory_ + unit.stage * rows_.length * V::width;
    mask_.start(unit);
  }

  const Mask<L>& mask() const { return mask_; }
  Register load(std::size_t k, std::size_t) const { return V::load(values_ + k * V::width); }
  Element element(std::size_t k, std::size_t lane) const { return values_[k * V::width + lane]; }
  void store(std::size_t k, Register value) const { V::store(values_ + k * V::width, value); }
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    values_[k * V::width + lane] = value;
  }

 private:
  template <class Code>
  void gatherColumns(Code, const Block& block) const {
    const auto* from = static_cast<const typename Code::Element*>(elements_.data) + block.start;
    const std::size_t whole = block.rows / V::width, rest = block.rows % V::width;
    const std::size_t size = rows_.length * V::width;
    for (std::size_t k = 0; k < rows_.length; ++k, from += rows_.inner) {
      Element* to = memory_ + k * V::width;
      for (std::size_t u = 0; u < whole; ++u) V::store(to + u * size, Code::load(from + u * V::width));
      if (rest) V::store(to + whole * size, Code::loadPartial(from + whole * V::width, rest));
    }
  }
  template <class Code>
  void scatterColumns(Code, const SoftmaxElements& elements, const Block& block) const {
    auto* to = static_cast<typename Code::Element*>(elements.data) + block.start;
    const std::size_t whole = block.rows / V::width, rest = block.rows % V::width;
    const std::size_t size = rows_.length * V::width;
    for (std::size_t k = 0; k < rows_.length; ++k, to += rows_.inner) {
      const Element* from = memory_ + k * V::width;
      for (std::size_t u = 0; u < whole; ++u) Code::store(to + u * V::width, V::load(from + u * size));
      if (rest) Code::storePartial(to + whole * V::width, V::load(from + whole * size), rest);
    }
  }

  /// Rows of the last axis lie densely. Incomplete units, and other types, go through dense memory of whole
  /// rows.
  template <class Code>
  void gatherRows(Code, const Block& block) const {
    const auto* from = static_cast<const typename Code::Element*>(elements_.data) + block.start;
    if constexpr (Code::is_plain)
      if (block.rows == V::width) return transposeFrom(from);
    const std::size_t count = block.rows * rows_.length, size = V::width * rows_.length;
    std::size_t i = 0;
    for (; count - i >= V::width; i += V::width) V::store(dense_ + i, Code::load(from + i));
    if (i < count) V::store(dense_ + i, Code::loadPartial(from + i, count - i));
    for (i = (count + V::width - 1) / V::width * V::width; i < size; i += V::width)
      V::store(dense_ + i, V::broadcast(Element(0)));
    transposeFrom(dense_);
  }
  template <class Code>
  void scatterRows(Code, const SoftmaxElements& elements, const Block& block) const {
    auto* to = static_cast<typename Code::Element*>(elements.data) + block.start;
    if constexpr (Code::is_plain)
      if (block.rows == V::width) return transposeTo(to);
    transposeTo(dense_);
    const std::size_t count = block.rows * rows_.length;
    std::size_t i = 0;
    for (; count - i >= V::width; i += V::width) Code::store(to + i, V::load(dense_ + i));
    if (i < count) Code::storePartial(to + i, V::load(dense_ + i), count - i);
  }

  /// Four columns at a time; the last four may have some in common with those before.
  template <class Columns>
  void eachFourColumns(Columns columns) const {
    const std::size_t length = rows_.length;
    for (std::size_t k = 0; k + 4 < length; k += 4) columns(k);
    columns(length - 4);
  }
  void transposeFrom(const Element* from) const {
    const std::size_t length = rows_.length;
    if (length < 4) {
      for (std::size_t k = 0; k < length; ++k)
        for (std::size_t i = 0; i < V::width; ++i) memory_[k * V::width + i] = from[i * length + k];
      return;
    }
    eachFourColumns([&](std::size_t k) {
      Register columns[4];
      V::loadRows(from + k, length, columns);
      for (std::size_t c = 0; c < 4; ++c) V::store(memory_ + (k + c) * V::width, columns[c]);
    });
  }
  void transposeTo(Element* to) const {
    const std::size_t length = rows_.length;
    if (length < 4) {
      for (std::size_t k = 0; k < length; ++k)
        for (std::size_t i = 0; i < V::width; ++i) to[i * length + k] = memory_[k * V::width + i];
      return;
    }
    eachFourColumns([&](std::size_t k) {
      Register columns[4];
      for (std::size_t c = 0; c < 4; ++c) columns[c] = V::load(memory_ + (k + c) * V::width);
      V::storeRows(to + k, length, columns);
    });
  }

  void applyMask(const Block& block, Element fill) {
    for (std::size_t u = 0; u < block.units; ++u) {
      const Unit unit = block.unit(u, V::width);
      start(unit);
      for (std::size_t k = 0; k < rows_.length; ++k)
        store(k, mask_.apply(load(k, unit.lanes), k, unit.lanes, V::broadcast(fill)));
    }
  }

  SoftmaxElements elements_;
  const SoftmaxRows& rows_;
  Mask<L> mask_;
  Element fill_;
  Element *memory_, *dense_;
  Element* values_ = nullptr;
};

/// Results in place of a source's elements, and memory for intermediate results. Without elements of its own
/// it writes nothing.
template <class L>
class StagedSink {
  using Source = StagedSource<L>;

 public:
  using Element = typename L::Element;
  static constexpr bool is_direct = true;

  StagedSink(Source& stage, const SoftmaxElements& elements, Element fill)
      : stage_(stage), elements_(elements), fill_(fill) {}

  void enter(const Block&) {}
  void leave(const Block& block) {
    if (elements_.data) stage_.write(block, elements_, fill_);
  }
  void start(const Unit&) {}

  void store(std::size_t k, typename L::Register value, std::size_t) const { stage_.store(k, value); }
  void storeDouble(std::size_t k, typename L::Double value, std::size_t) const {
    stage_.store(k, L::V::canonicalNan(L::V::narrow(value)));
  }
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    stage_.storeElement(k, lane, value);
  }
  bool holds(std::size_t) const { return true; }
  void keep(std::size_t k, typename L::Register value, std::size_t) const { stage_.store(k, value); }
  typename L::Register kept(std::size_t k, std::size_t count) const { return stage_.load(k, count); }

 private:
  Source& stage_;
  SoftmaxElements elements_;
  Element fill_;
};

/// The arrays of a call, read and written where they are.
template <class L, bool direct>
class InMemory {
 public:
  using Input = Source<L, direct>;
  using Output = Sink<L, direct>;

  InMemory(const SoftmaxRows& rows, std::size_t) : rows_(rows) {}

  Input input(const SoftmaxElements& elements, typename L::Element fill) { return {elements, rows_, fill}; }
  Output output(const SoftmaxElements& elements, typename L::Element fill, Input&) {
    return {elements, rows_, fill};
  }
  template <class Body, class... Arrays>
  void eachUnit(Body body, Arrays&... arrays) {
    L::eachUnit(rows_, [&](const Unit& unit) {
      (arrays.start(unit), ...);
      body(unit);
    });
  }

 private:
  const SoftmaxRows& rows_;
};

/// The arrays of a call on the stage: results take the place of an input.
template <class L>
class OnStage {
  using V = typename L::V;

 public:
  using Input = StagedSource<L>;
  using Output = StagedSink<L>;

  /// `inputs`: how many arrays there will be.
  OnStage(const SoftmaxRows& rows, std::size_t inputs)
      : rows_(rows), memory_(rows), units_(unitsOnStage<V>(rows, inputs)), next_(memory_.elements()) {
    dense_ = next_;
    if (rows.inner == 1) next_ += rows.length * V::width;
  }

  Input input(const SoftmaxElements& elements, typename L::Element fill) {
    typename L::Element* memory = next_;
    next_ += units_ * rows_.length * V::width;
    return {elements, rows_, fill, memory, dense_};
  }
  Output output(const SoftmaxElements& elements, typename L::Element fill, Input& input) {
    return {input, elements, fill};
  }
  template <class Body, class... Arrays>
  void eachUnit(Body body, Arrays&... arrays) {
    const bool is_transposed = rows_.inner == 1;
    const std::size_t outer = is_transposed ? 1 : rows_.outer;
    const std::size_t inner = is_transposed ? rows_.outer : rows_.inner;
    for (std::size_t o = 0; o < outer; ++o)
      for (std::size_t i = 0; i < inner; i += units_ * V::width) {
        const std::size_t left = inner - i, most = units_ * V::width;
        const std::size_t rows = left < most ? left : most;
        const std::size_t start = is_transposed ? i * rows_.length : o * rows_.length * inner + i;
        const Block block{o * inner + i, rows, (rows + V::width - 1) / V::width, start};
        (arrays.enter(block), ...);
        for (std::size_t u = 0; u < block.units; ++u) {
          const Unit unit = block.unit(u, V::width);
          (arrays.start(unit), ...);
          body(unit);
        }
        (arrays.leave(block), ...);
      }
  }

 private:
  const SoftmaxRows& rows_;
  StageMemory<typename L::Element> memory_;
  std::size_t units_;
  typename L::Element *next_, *dense_;
};

}  // namespace
