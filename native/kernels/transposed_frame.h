// Which short rows are transposed in registers (transposed.h), and how they are traversed.
#pragma once

#include "pipeline.h"

namespace {

/// Rows of the last axis, all of float32, without a mask: a unit after the other in a pipeline. A unit that
/// is not taken together with others goes onto the stage and off it alone.
template <class L>
class TransposedFrame {
  using V = typename L::V;
  using Element = typename L::Element;
  static constexpr std::size_t ring = pipelineUnits<1>, shortest = 4;
  static constexpr std::size_t fewestUnits = 8;  // of fewer, too many are not taken together

  struct Input {
    StagedArray<L> stage;
    Element* elements;

    void enter(const Block& block) const { stage.enter(block); }
    void leave(const Block&) const {}
    TransposedRows<L> of(const Unit& unit) const { return {stage.of(unit), elements + unit.start}; }
  };
  struct Output : StagedOutput<L> {
    Element* to;

    TransposedRows<L> of(const Unit& unit) const { return {this->stage.of(unit), to + unit.start}; }
  };

 public:
  /// On Zen 5 a third of the time with vectors of 16; nothing with 8, and half as many registers.
  static constexpr bool pays = V::width >= 16;
  static bool isFor(const SoftmaxRows& rows) {
    return rows.stride == 1 && rows.length >= shortest && rows.length <= longestInRegisters &&
           rows.outer >= fewestUnits * V::width &&
           (ring + 1) * rows.length * V::width <= StageMemory<Element>::capacityFor(rows);
  }
  TransposedFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows), memory_(rows) {}

  Input input(const SoftmaxElements& elements, Element fill) const {
    Element* dense = memory_.elements();
    return {{elements, rows_, fill, dense + rows_.length * V::width, dense},
            static_cast<Element*>(elements.data)};
  }
  Output output(const SoftmaxElements& elements, Element fill, const Input& input) const {
    // Without results nothing is written: the input's rows will do.
    auto* to = elements.data ? static_cast<Element*>(elements.data) : input.elements;
    return {{input.stage, elements, fill}, to};
  }
  StagedRows<L> kept(const Output& output, const Unit& unit) const { return output.stage.of(unit); }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&... arrays) const {
    const bool is_negative = droppedLogit<Element>(rows_) > Element(0);
    const std::size_t units = (rows_.outer + V::width - 1) / V::width;
    const std::size_t whole = is_negative ? 0 : rows_.outer / V::width;
    const auto blockOf = [&](std::size_t i) {
      const std::size_t row = i * V::width, left = rows_.outer - row;
      return Block{row, left < V::width ? left : V::width, 1, row * rows_.length, i % ring};
    };
    inPipeline<Steps, 1, Steps::takes_scaled_together>(
        units, whole, [&](std::size_t i, Steps& steps) { begin(blockOf(i).unit(0, V::width), steps); },
        [&](std::size_t i) { (arrays.enter(blockOf(i)), ...); },
        [&](std::size_t i) { (arrays.leave(blockOf(i)), ...); });
  }

 private:
  const SoftmaxRows& rows_;
  StageMemory<Element> memory_;
};

}  // namespace
