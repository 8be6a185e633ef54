// How the arrays of a call are traversed: unit by unit, a few of them in turn.
//
// A frame makes the arrays (input, output, where intermediate results are kept) and calls begin(unit, steps)
// for each unit, which sets its steps (forward.h).
#pragma once

#include "numbered_rows.h"
#include "split_row.h"
#include "staged.h"

namespace {

/// Rows of the last axis that are taken in turn: those whose input and output fit in the first cache.
constexpr std::size_t longestInTurn = 4096;  // bytes

/// Steps that wait longer for each other say how long such rows may be.
template <class Steps>
constexpr auto longestInTurnOf(int) -> decltype(Steps::longest_in_turn + std::size_t{}) {
  return Steps::longest_in_turn;
}
template <class Steps>
constexpr std::size_t longestInTurnOf(long) {
  return longestInTurn;
}

template <class Steps>
void takeSteps(Steps* steps, std::size_t count) {
#pragma GCC unroll 1
  for (std::size_t i = 0; i < count; ++i) steps[i].measure();
#pragma GCC unroll 1
  for (std::size_t i = 0; i < count; ++i) steps[i].sum();
#pragma GCC unroll 1
  for (std::size_t i = 0; i < count; ++i) steps[i].finish();
}

/// begin(i, steps) sets the steps of unit i, for all of `count`; `most` of them are taken in turn.
template <class Steps, class Begin>
void eachInTurn(std::size_t count, std::size_t most, const Begin& begin) {
  Steps steps[unitsInTurn];
#pragma GCC unroll 1
  for (std::size_t i = 0; i < count; i += most) {
    const std::size_t taken = count - i < most ? count - i : most;
#pragma GCC unroll 1
    for (std::size_t j = 0; j < taken; ++j) begin(i + j, steps[j]);
    takeSteps(steps, taken);
  }
}

/// begin(unit, steps) for every row of the last axis; unit.stage: which of those taken in turn.
template <class Steps, class Begin>
void eachRow(const SoftmaxRows& rows, std::size_t lanes, std::size_t element_size, const Begin& begin) {
  if constexpr (keepsNumber<Steps>) return eachNumberedRow<Steps>(rows, lanes, element_size, begin);
  const bool in_turn = rows.length * element_size <= longestInTurnOf<Steps>(0);
  const auto beginRow = [&](std::size_t row, Steps& steps) {
    begin(Unit{row, lanes, row * rows.length, in_turn ? row % unitsInTurn : 0}, steps);
  };
  eachInTurn<Steps>(rows.outer, in_turn ? unitsInTurn : 1, beginRow);
}

/// Memory for the intermediate results of rows that are not of the type they are computed in.
template <class L>
class RowStages {
  using Element = typename L::Element;
  static_assert(blockSize + L::V::width <= StageMemory<Element>::least,
                "RowSums keeps every row of one block");

 public:
  explicit RowStages(const SoftmaxRows& rows) : memory_(rows) {
    const bool in_turn = rows.length * sizeof(Element) <= longestInTurn;
    size_ = in_turn ? memory_.size() / unitsInTurn : memory_.size();
  }
  Stage<L> of(const Unit& unit) const { return {memory_.elements() + unit.stage * size_, size_}; }

 private:
  StageMemory<Element> memory_;
  std::size_t size_;
};
struct NoStages {
  explicit NoStages(const SoftmaxRows&) {}
};

/// Rows of the last axis, all of one type, without a mask.
template <class L, class Code>
class DirectFrame : public DirectArrays<L, Code> {
  using Element = typename L::Element;
  using typename DirectArrays<L, Code>::Array;

 public:
  DirectFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows), stages_(rows) {}

  /// Where a unit's intermediate results go: to its output, if that is of the right type.
  auto kept(const Array& output, const Unit& unit) const {
    if constexpr (Code::is_plain) {
      return output.of(unit);
    } else {
      return stages_.of(unit);
    }
  }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    eachRow<Steps>(rows_, L::V::width, sizeof(Element), begin);
  }

 private:
  const SoftmaxRows& rows_;
  std::conditional_t<Code::is_plain, NoStages, RowStages<L>> stages_;
};

/// A row, or a part of one, as DirectFrame has rows: elements as they are computed, no mask.
template <class L>
class PartFrame : public DirectArrays<L, PlainCode<typename L::V>> {
  using V = typename L::V;
  using typename DirectArrays<L, PlainCode<V>>::Array;

 public:
  explicit PartFrame(PartTask& task) : task_(task) {}

  auto kept(const Array& output, const Unit& unit) const { return output.of(unit); }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    Steps steps;
    begin(Unit{0, V::width, task_.begin}, steps);
    if (task_.is_join) {
      task_.next = steps.join(task_);
    } else {
      steps.take(task_);
    }
  }

 private:
  PartTask& task_;
};

/// The same, of elements that are read and written one chunk after another, as DecodedFrame has them.
template <class L>
class DecodedPartFrame : public PartFrame<L> {
  using Element = typename L::Element;

 public:
  DecodedPartFrame(const SoftmaxRows& rows, PartTask& task) : PartFrame<L>(task), rows_(rows) {}

  Source<L> input(const SoftmaxElements& elements, Element fill) const { return {elements, rows_, fill}; }
  Sink<L> output(const SoftmaxElements& elements, Element fill, const Source<L>&) const {
    return {elements, rows_, fill};
  }

 private:
  const SoftmaxRows& rows_;
};

/// Long rows of the last axis whose results are more than caches hold: written past them, which saves reading
/// the memory that is written. Of no use to exponentials that are kept there until the row's sum is known.
template <class L>
class StreamedFrame {
  using V = typename L::V;
  using Element = typename L::Element;
  static constexpr std::size_t least = std::size_t{1} << 23;  // bytes of the results

  struct Input {
    Element* elements;
    Element fill;
    DirectRows<L, PlainCode<V>> of(const Unit& unit) const { return {elements + unit.start, fill}; }
  };
  struct Output {
    Element* elements;
    StreamedRows<L> of(const Unit& unit) const { return {{elements + unit.start, Element(0)}}; }
  };

 public:
  static bool isFor(const SoftmaxRows& rows) {
    return rows.length > blockSize && rows.elements >= least / sizeof(Element);
  }
  StreamedFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows) {}

  Input input(const SoftmaxElements& elements, Element fill) const {
    return {static_cast<Element*>(elements.data), fill};
  }
  Output output(const SoftmaxElements& elements, Element, const Input&) const {
    return {static_cast<Element*>(elements.data)};
  }
  Nowhere kept(const Output&, const Unit&) const { return {}; }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    eachRow<Steps>(rows_, V::width, sizeof(Element), begin);
    V::fence();
  }

 private:
  const SoftmaxRows& rows_;
};

/// Rows of any type and axis, masked or not, read and written where they are.
template <class L>
class DecodedFrame {
  using Element = typename L::Element;

 public:
  DecodedFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows), stages_(rows) {}

  Source<L> input(const SoftmaxElements& elements, Element fill) const { return {elements, rows_, fill}; }
  Sink<L> output(const SoftmaxElements& elements, Element fill, const Source<L>&) const {
    return {elements, rows_, fill};
  }
  auto kept(const Sink<L>&, const Unit& unit) const {
    if constexpr (L::is_across) {
      return Nowhere{};
    } else {
      return stages_.of(unit);
    }
  }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    L::eachUnit(rows_, [&](const Unit& unit) {
      Steps steps;
      begin(unit, steps);
      takeSteps(&steps, 1);
    });
  }

 private:
  const SoftmaxRows& rows_;
  std::conditional_t<L::is_across, NoStages, RowStages<L>> stages_;
};

/// Rows that vectors go across, on the stage. Results take the place of an input.
template <class L>
class StagedFrame {
  using V = typename L::V;
  using Element = typename L::Element;

  using Output = StagedOutput<L>;

 public:
  /// `inputs`: how many arrays there will be.
  StagedFrame(const SoftmaxRows& rows, std::size_t inputs)
      : rows_(rows), memory_(rows), units_(unitsOnStage<V>(rows, inputs)), next_(memory_.elements()) {
    dense_ = next_;
    if (rows.stride == 1) next_ += rows.length * V::width;
  }

  StagedArray<L> input(const SoftmaxElements& elements, Element fill) {
    Element* memory = next_;
    next_ += units_ * rows_.length * V::width;
    return {elements, rows_, fill, memory, dense_};
  }
  Output output(const SoftmaxElements& elements, Element fill, StagedArray<L>& input) const {
    return {input, elements, fill};
  }
  StagedRows<L> kept(const Output& output, const Unit& unit) const { return output.of(unit); }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&... arrays) const {
    const bool is_transposed = rows_.stride == 1;
    const std::size_t outer = is_transposed ? 1 : rows_.outer;
    const std::size_t inner = is_transposed ? rows_.outer : rows_.inner;
    const std::size_t most = units_ * V::width;
    for (std::size_t o = 0; o < outer; ++o)
      for (std::size_t i = 0; i < inner; i += most) {
        const std::size_t rows = inner - i < most ? inner - i : most;
        const std::size_t start = is_transposed ? i * rows_.length : o * rows_.length * rows_.stride + i;
        const Block block{o * inner + i, rows, (rows + V::width - 1) / V::width, start};
        (arrays.enter(block), ...);
        const auto beginUnit = [&](std::size_t u, Steps& steps) { begin(block.unit(u, V::width), steps); };
        eachInTurn<Steps>(block.units, unitsInTurn, beginUnit);
        (arrays.leave(block), ...);
      }
  }

 private:
  const SoftmaxRows& rows_;
  StageMemory<Element> memory_;
  std::size_t units_;
  Element *next_, *dense_;
};

}  // namespace
