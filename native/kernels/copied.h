// Rows of the last axis that have a mask, or elements of another type than they are computed in: copied, a
// few at a time, computed in the copy as plain rows are, and written from there.
//
// Reading a row takes two or three sweeps, each of which would decode it and look at its mask again; and code
// for rows that are read in another way would be as long again.
#pragma once

#include "pipeline.h"
#include "traversal.h"

namespace {

/// move(k, count, kept) for every vector of a row: kept(x) is x where the mask keeps the element, else
/// `fill`.
template <class L, class Move>
SOFTMAX_INLINE void eachMasked(const SoftmaxRows& rows, const Unit& unit, typename L::Element fill,
                               const Move& move) {
  using V = typename L::V;
  using Register = typename L::Register;
  const std::size_t length = rows.length, whole = length / V::width * V::width;
  const auto none = V::broadcast(fill);
  if (!rows.mask) {
    const auto all = [](Register x) SOFTMAX_INLINE_LAMBDA { return x; };
    return eachVector<L>(
        length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA { move(k, count, all); });
  }
  std::size_t k = 0;
  if (rows.maskStep == 1) {
    const std::uint8_t* const bytes = rows.mask + static_cast<std::size_t>(rows.maskOffsets[unit.first]);
    for (; k < whole; k += V::width)
      move(k, V::width, [=](Register x) SOFTMAX_INLINE_LAMBDA { return V::keep(x, bytes + k, none); });
  }
  Mask<L> mask(rows);
  mask.start(unit);
  const auto rest = [&](std::size_t at, std::size_t count) {
    move(at, count, [&](Register x) { return mask.apply(x, at, count, none); });
  };
  eachVector<L>(length, unit, rest, k);
}

template <class L>
DirectRows<L, PlainCode<typename L::V>> plainRows(const SoftmaxRows& rows, const Unit& unit,
                                                  typename L::Element* elements, typename L::Element fill) {
  const std::uint8_t* mask = nullptr;
  if (rows.mask) mask = rows.mask + static_cast<std::size_t>(rows.maskOffsets[unit.first]);
  return {elements, fill, mask, rows.maskStep};
}

/// An array whose rows are copied: to slot `unit.stage` of memory for them, or to where those of another
/// array are.
template <class L>
class CopiedArray {
  using V = typename L::V;
  using Element = typename L::Element;

 public:
  CopiedArray(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill, Element* slots,
              std::size_t size)
      : elements_(elements), rows_(rows), fill_(fill), memory_(slots), size_(size) {}

  /// Of an array of the same shape.
  void copyTo(void* array) {
    memory_ = static_cast<Element*>(array);
    is_in_array_ = true;
  }
  void enter(const Unit& unit) const {
    withCode<V>(elements_.dtype, [&](auto code) {
      const auto* const from =
          static_cast<const typename decltype(code)::Element*>(elements_.data) + unit.start;
      Element* const to = at(unit);
      const Element fill = fill_;
      eachMasked<L>(rows_, unit, fill,
                    [=](std::size_t k, std::size_t count, auto kept) SOFTMAX_INLINE_LAMBDA {
                      if (count == V::width) return V::store(to + k, kept(code.load(from + k)));
                      V::storePartial(to + k, kept(code.loadPartial(from + k, count, fill)), count);
                    });
    });
  }
  void leave(const Unit&) const {}
  Element* at(const Unit& unit) const { return memory_ + (is_in_array_ ? unit.start : unit.stage * size_); }
  DirectRows<L, PlainCode<V>> of(const Unit& unit) const {
    return plainRows<L>(rows_, unit, at(unit), fill_);
  }
  const SoftmaxRows& rows() const { return rows_; }

 private:
  SoftmaxElements elements_;
  const SoftmaxRows& rows_;
  Element fill_;
  Element* memory_;
  std::size_t size_;
  bool is_in_array_ = false;
};

/// Results: written where they go, or in the place of an input, if they are of another type. Without elements
/// nothing is written.
template <class L>
class CopiedOutput {
  using V = typename L::V;
  using Element = typename L::Element;

 public:
  CopiedOutput(const CopiedArray<L>& copy, const SoftmaxElements& elements, Element fill)
      : copy_(copy),
        elements_(elements),
        fill_(fill),
        results_(isPlain(elements) ? static_cast<Element*>(elements.data) : nullptr) {}

  Element* results() const { return results_; }
  void enter(const Unit&) const {}
  void leave(const Unit& unit) const {
    const SoftmaxRows& rows = copy_.rows();
    if (!elements_.data || (results_ && !rows.mask)) return;
    const Element* const from = results_ ? results_ + unit.start : copy_.at(unit);
    withCode<V>(elements_.dtype, [&](auto code) {
      auto* const to = static_cast<typename decltype(code)::Element*>(elements_.data) + unit.start;
      eachMasked<L>(rows, unit, fill_,
                    [=](std::size_t k, std::size_t count, auto kept) SOFTMAX_INLINE_LAMBDA {
                      if (count == V::width) return code.store(to + k, kept(V::load(from + k)));
                      code.storePartial(to + k, kept(PlainCode<V>::loadPartial(from + k, count)), count);
                    });
    });
  }
  DirectRows<L, PlainCode<V>> of(const Unit& unit) const {
    return results_ ? plainRows<L>(copy_.rows(), unit, results_ + unit.start, fill_) : copy_.of(unit);
  }
  RingRow<L> slot(const Unit& unit) const { return {copy_.at(unit)}; }

 private:
  static bool isPlain(const SoftmaxElements& elements) {
    bool is_plain = false;
    withCode<V>(elements.dtype, [&](auto code) { is_plain = decltype(code)::is_plain; });
    return is_plain;
  }

  const CopiedArray<L>& copy_;
  SoftmaxElements elements_;
  Element fill_;
  Element* results_;
};

/// Memory for copies: the second half of the stage's, as what is found of rows (places.h) takes the first. In
/// WebAssembly arrays are copies already, which the mask is applied to where they are.
template <class L>
class CopiedArrays {
  using Element = typename L::Element;

 public:
  CopiedArrays(const SoftmaxRows& rows, std::size_t slots)
      : rows_(rows), memory_(rows, slots * sizeOf(rows)) {}

  CopiedArray<L> input(const SoftmaxElements& elements, Element fill) {
    CopiedArray<L> array{elements, rows_, fill, memory_.next(), sizeOf(rows_)};
    if constexpr (is_in_place) array.copyTo(elements.data);
    return array;
  }

 protected:
#if defined(SOFTMAX_SMALL)
  static constexpr bool is_in_place = true;
#else
  static constexpr bool is_in_place = false;
#endif

  static bool fits(const SoftmaxRows& rows, std::size_t copies) {
    const bool is_enough = copies * sizeOf(rows) <= StageMemory<Element>::capacityFor(rows) / 2;
    return rows.stride == 1 && (is_in_place || is_enough);
  }
  /// Whole vectors are kept of the last elements. Rows are no multiple of a page apart, as addresses that
  /// differ by that hinder each other.
  static std::size_t sizeOf(const SoftmaxRows& rows) {
    return (rows.length + softmaxCopyPadding - 1) / 16 * 16;
  }

  const SoftmaxRows& rows_;

 private:
  class Slots {
   public:
    Slots(const SoftmaxRows& rows, std::size_t size)
        : memory_(rows), next_(memory_.elements() + memory_.size() / 2), size_(size) {}
    Element* next() { return (next_ += size_) - size_; }

   private:
    StageMemory<Element> memory_;
    Element* next_;
    std::size_t size_;
  };
  struct NoSlots {
    NoSlots(const SoftmaxRows&, std::size_t) {}
    Element* next() { return nullptr; }
  };
  std::conditional_t<is_in_place, NoSlots, Slots> memory_;
};

/// A few rows in turn.
template <class L>
class CopiedFrame : public CopiedArrays<L> {
  using V = typename L::V;
  using Element = typename L::Element;
  using CopiedArrays<L>::rows_;

 public:
  /// `inputs`: how many arrays are read.
  static bool isFor(const SoftmaxRows& rows, std::size_t inputs) {
    return CopiedArrays<L>::fits(rows, inputs * slotsFor(rows));
  }
  CopiedFrame(const SoftmaxRows& rows, std::size_t inputs)
      : CopiedArrays<L>(rows, slotsFor(rows)), inputs_(inputs) {}

  /// Of one input, a long row and its copy would be twice as much as has to stay in the caches.
  CopiedOutput<L> output(const SoftmaxElements& elements, Element fill, CopiedArray<L>& input) const {
    const CopiedOutput<L> output(input, elements, fill);
    if (!this->is_in_place && inputs_ == 1 && output.results()) input.copyTo(output.results());
    return output;
  }
  DirectRows<L, PlainCode<V>> kept(const CopiedOutput<L>& output, const Unit& unit) const {
    return output.of(unit);
  }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&... arrays) const {
    const std::size_t most = slotsFor(rows_);
    Steps steps[unitsInTurn];
#pragma GCC unroll 1
    for (std::size_t first = 0; first < rows_.outer; first += most) {
      const std::size_t count = rows_.outer - first < most ? rows_.outer - first : most;
      const auto unitOf = [&](std::size_t i) {
        return Unit{first + i, V::width, (first + i) * rows_.length, i};
      };
#pragma GCC unroll 1
      for (std::size_t i = 0; i < count; ++i) {
        (arrays.enter(unitOf(i)), ...);
        begin(unitOf(i), steps[i]);
      }
      takeSteps(steps, count);
#pragma GCC unroll 1
      for (std::size_t i = 0; i < count; ++i) (arrays.leave(unitOf(i)), ...);
    }
  }

 private:
  static std::size_t slotsFor(const SoftmaxRows& rows) {
    return rows.length * sizeof(Element) <= longestInTurn ? unitsInTurn : 1;
  }

  std::size_t inputs_;
};

#if !defined(SOFTMAX_SMALL)
/// In a pipeline. Exponentials take the place of the logits.
template <class L>
class PipelinedCopies : public CopiedArrays<L> {
  using V = typename L::V;
  using Element = typename L::Element;
  using CopiedArrays<L>::rows_;

  static constexpr std::size_t slots = 2 * pipelineLag + 1;

 public:
  static bool isFor(const SoftmaxRows& rows) {
    return PipelinedFrame<L>::isFor(rows) && CopiedArrays<L>::fits(rows, slots);
  }
  PipelinedCopies(const SoftmaxRows& rows, std::size_t) : CopiedArrays<L>(rows, slots) {}

  CopiedOutput<L> output(const SoftmaxElements& elements, Element fill, const CopiedArray<L>& input) const {
    return {input, elements, fill};
  }
  RingRow<L> kept(const CopiedOutput<L>& output, const Unit& unit) const { return output.slot(unit); }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&... arrays) const {
    const auto unitOf = [&](std::size_t row) { return Unit{row, V::width, row * rows_.length, row % slots}; };
    const bool is_negative = droppedLogit<Element>(rows_) > Element(0);
    const auto beginRow = [&](std::size_t row, Steps& steps) {
      // The row that was in the slot has been finished.
      if (row >= slots) (arrays.leave(unitOf(row - slots)), ...);
      (arrays.enter(unitOf(row)), ...);
      begin(unitOf(row), steps);
    };
    const std::size_t together = is_negative ? 0 : rows_.outer;
    inPipeline<Steps, pipelineLag, Steps::takes_scaled_together>(rows_.outer, together, beginRow);
    for (std::size_t row = rows_.outer - slots; row < rows_.outer; ++row) (arrays.leave(unitOf(row)), ...);
  }
};
#endif

}  // namespace
