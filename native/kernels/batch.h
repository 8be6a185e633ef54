// Short rows of the last axis in batches of as many as a vector has lanes: vectors run along them, so nothing
// is transposed but the rows' maxima and sums, and what there is once per row is computed for all of a batch.
#pragma once

#include "pipeline.h"
#include "traversal.h"

namespace {

/// The rows of a batch. Element k of all of them is a vector, too, put together for what is rare.
template <class L>
struct BatchRows {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;
  static constexpr bool is_lean = true;
  static constexpr bool is_streamed = false;

  Element* elements;
  Element fill;
  std::size_t length, lanes;

  SOFTMAX_INLINE DirectRows<typename L::Row, PlainCode<V>> row(std::size_t i) const {
    return {elements + i * length, fill};
  }

  Element element(std::size_t k, std::size_t lane) const { return row(lane).element(k, 0); }
  Register load(std::size_t k, std::size_t) const {
    Element values[V::width];
    for (std::size_t i = 0; i < V::width; ++i) values[i] = element(k, i < lanes ? i : 0);
    return V::load(values);
  }
  typename L::Double loadDouble(std::size_t k, std::size_t count) const { return V::widen(load(k, count)); }
  std::size_t keptCount(std::size_t, std::size_t) const { return length; }
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    row(lane).storeElement(k, 0, value);
  }
  bool holds(std::size_t) const { return true; }
  Register kept(std::size_t k, std::size_t count) const { return load(k, count); }
};

/// Rows of the last axis, all of float32, without a mask.
template <class L>
class BatchFrame {
  using V = typename L::V;
  using Element = typename L::Element;
  struct Array {
    Element* elements;
    Element fill;
    std::size_t length;
    BatchRows<L> of(const Unit& unit) const { return {elements + unit.start, fill, length, unit.lanes}; }
  };

  /// kernels_bench on Zen 5: shorter rows gain nothing on those that are transposed, as incomplete vectors
  /// cost more than whole ones. Longer ones than a group (tree.h) have their row's time to wait in.
  static constexpr std::size_t shortest = longestInRegisters + 1, longest = groupSize;

 public:
  static bool isFor(const SoftmaxRows& rows) {
    return rows.stride == 1 && rows.length >= shortest && rows.length <= longest &&
           2 * rows.outer >= V::width;
  }
  BatchFrame(const SoftmaxRows& rows, std::size_t) : rows_(rows) {}

  Array input(const SoftmaxElements& elements, Element fill) const {
    return {static_cast<Element*>(elements.data), fill, rows_.length};
  }
  Array output(const SoftmaxElements& elements, Element fill, const Array& logits) const {
    return elements.data ? input(elements, fill) : logits;
  }
  BatchRows<L> kept(const Array& output, const Unit& unit) const { return output.of(unit); }

  template <class Steps, class Begin, class... Arrays>
  void each(const Begin& begin, const Arrays&...) const {
    const bool is_negative = droppedLogit<Element>(rows_) > Element(0);
    const std::size_t batches = (rows_.outer + V::width - 1) / V::width;
    const std::size_t whole = is_negative ? 0 : rows_.outer / V::width;
    inPipeline<Steps, 1, Steps::takes_scaled_together>(batches, whole, [&](std::size_t i, Steps& steps) {
      const std::size_t row = i * V::width, left = rows_.outer - row;
      begin(Unit{row, left < V::width ? left : V::width, row * rows_.length, i % pipelineUnits<1>}, steps);
    });
  }

 private:
  const SoftmaxRows& rows_;
};

}  // namespace
