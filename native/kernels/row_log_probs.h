// Log-probabilities of some logits of a row, with the bits that logSoftmax gives them.
#pragma once

#include "top_k.h"

namespace {

template <class V>
class RowLogProbs {
  using L = Along<V>;
  using Element = typename V::Element;
  using Rows = DirectRows<L, PlainCode<V>>;
  using Arrays = RowArrays<L, Rows, Nowhere, Nowhere>;
  static constexpr Unit unit{0, V::width, 0};
  static constexpr SoftmaxDType dtype = sizeof(Element) == sizeof(double) ? softmaxFloat64 : softmaxFloat32;

 public:
  RowLogProbs() = default;
  RowLogProbs(const RowLogProbs&) = delete;
  RowLogProbs& operator=(const RowLogProbs&) = delete;

  SOFTMAX_CALLED void measure(const Element* logits, std::size_t length, double multiplier) {
    const Scaling<Element> one = scalingOf<Element>(multiplier);
    scaling_ = RowScaling<L>(&one);
    logits_ = {const_cast<Element*>(logits), -Numbers<Element>::infinity};
    length_ = length;
    steps_.begin(Arrays{logits_, {}, {}, length, unit, &scaling_});
    steps_.measure();
    steps_.sum();
  }

  /// Takes the place of logits.
  SOFTMAX_CALLED void replace(Element* logits, std::size_t count) const {
    const Rows some{logits, Element(0)};
    steps_.finishSome(some, some, count, unit);
  }

  /// The largest, and their numbers, in descending order, equal ones by their numbers. `memory`: bytes for
  /// what is looked at.
  SOFTMAX_CALLED void largest(std::size_t count, Element* log_probs, std::int32_t* numbers, void* memory,
                              std::size_t bytes) const {
    SoftmaxRows row{};
    row.outer = row.inner = row.stride = 1;
    row.length = row.elements = length_;
    row.multiplier = 1.0;
    row.scratch = memory;
    row.scratchSize = bytes;
    Places<L> places(row);
    writeLargest<L>(logits_, row, unit, count, places, steps_, {log_probs, dtype}, {numbers, softmaxInt32},
                    -Numbers<Element>::infinity);
  }

 private:
  RowScaling<L> scaling_;
  Rows logits_{nullptr, Element(0)};
  std::size_t length_ = 0;
  LogSoftmaxSteps<Arrays> steps_;
};

}  // namespace
