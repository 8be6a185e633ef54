// The call of an operation whose results have the shape of its logits.
#pragma once

#include "choose.h"
#include "per_row.h"

namespace {

/// What a frame does: the steps of every unit, which begin with its arrays and `more`. What the mask drops is
/// written as `dropped`.
template <template <class> class Steps, class... More>
auto sameShapeRun(const SoftmaxElements& x, const SoftmaxElements& out, const SoftmaxRows& rows,
                  double dropped, const More&... more) {
  return [&, dropped](auto layout, auto& frame) {
    using L = decltype(layout);
    using Element = typename L::Element;
    auto logits = frame.input(x, droppedLogit<Element>(rows));
    auto results = frame.output(out, static_cast<Element>(dropped), logits);
    UnitScaling<L> scaling(rows);
    using Arrays = decltype(arraysOf<L>(frame, logits, results, rows, Unit{}, scaling.of(Unit{})));
    const auto begin = [&](const Unit& unit, auto& steps) {
      steps.begin(arraysOf<L>(frame, logits, results, rows, unit, scaling.of(unit)), more...);
    };
    frame.template each<Steps<Arrays>>(begin, logits, results);
  };
}

/// call(x, out). What the mask drops is written as `dropped`. `streams`: large results may be written past
/// the caches; `pipelines`: the steps of rows can be taken together.
template <class V, template <class> class Steps, bool streams, bool pipelines = false>
void sameShape(const SoftmaxCall& call, const SoftmaxRows& rows, double dropped, PartTask* task) {
  const SoftmaxElements &x = call.arrays[0], &out = call.arrays[1];
  const auto run = sameShapeRun<Steps>(x, out, rows, dropped);
  if constexpr (streams)
    if (x.data != out.data && isAligned(out)) return choose<V, true, pipelines>(rows, 1, task, run, x, out);
  choose<V, false, pipelines>(rows, 1, task, run, x, out);
}

}  // namespace
