// Every operation, compiled for one vector type. An ISA's file (isa/) includes its vector header and this
// one.
#pragma once

#define SOFTMAX_ISA_OBJECT  // operations.h brings the kernels
#include "../operations.h"

namespace {

template <class V>
struct Instance {
  /// `rows`: those of the call, or in a step of a part as many elements of them. `task`: null, or what is
  /// done of a row in parts.
  static void run(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
    using Function = void (*)(const SoftmaxCall&, const SoftmaxRows&, PartTask*);
    static constexpr Function functions[] = {
#define SOFTMAX_FUNCTION(name, ...) calls::name<V>,
        SOFTMAX_OPERATIONS(SOFTMAX_FUNCTION)
#undef SOFTMAX_FUNCTION
    };
    functions[static_cast<std::size_t>(call.operation)](call, rows, task);
  }

  static void compute(const SoftmaxCall* call) {
    run(*call, call->rows, nullptr);
  }
  static void takeStep(const SoftmaxCall* call, SoftmaxStep step, std::size_t begin, std::size_t count,
                       const SoftmaxPart* row, SoftmaxPart* part) {
    SoftmaxRows rows = call->rows;
    rows.length = count;
    PartTask task{step, begin, row, part, false, nullptr, 0, softmaxEnd};
    run(*call, rows, &task);
  }
  static SoftmaxStep join(const SoftmaxCall* call, SoftmaxStep step, const SoftmaxPart* parts,
                          std::size_t count, SoftmaxPart* row) {
    PartTask task{step, 0, row, row, true, parts, count, softmaxEnd};
    run(*call, call->rows, &task);
    return task.next;
  }

  /// Values in chunks of one register, each measured against N = 0, with nothing cut off.
  template <class W>
  static void exponentials(const typename W::Element* logits, typename W::Element* out, std::size_t count) {
    using Element = typename W::Element;
    const Scaling<Element> one = scalingOf<Element>(1.0);
    const RowScaling<Along<W>> scaling(&one);
    References<Along<W>> references = referencesOf<Along<W>>(Element(0), scaling);
    references.cut = -Numbers<Element>::infinity;
    const RowConstants<Along<W>> row(scaling, references);
    for (std::size_t i = 0; i + W::width <= count; i += W::width)
      W::store(out + i, exponential<Along<W>, true>(W::load(logits + i), row));
  }

  static constexpr SoftmaxKernels table(const char* isa) {
    return {isa, V::width, compute, takeStep, join, exponentials<V>, exponentials<Wide<V>>};
  }
};

}  // namespace
