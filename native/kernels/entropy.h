// entropy(x) = −Σ p log p of p = softmax(multiplier · x), one per row.
//
// With d = multiplier · (x − max x), e = exp(d) and S = Σ e, it is log S + Σ e · (−d) / S. No term is
// negative, so that nothing cancels; the largest logits are left out of S, whose logarithm is log1p of the
// others then: nothing is lost either where one p is nearly 1.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits; NaN for a row without a distribution (NaN, +∞, nothing but −∞); 0 for a row without
//           elements, or with none that the mask keeps
//   error   computed in double throughout; docs/numerics.md
#pragma once

#include "choose.h"
#include "distribution.h"
#include "per_row.h"

namespace {

/// Adds e · (−d), but of the largest logits, whose e is 1, nothing.
template <class L>
SOFTMAX_CALLED void addWeightedDepths(GroupSums<L>& sums, std::size_t count, const Unit& unit,
                                      const double* e, const double* d) {
  using V = typename L::V;
  const auto zero = V::broadcast(0.0), one = V::broadcast(1.0);
  sums.add(count, unit, [&](std::size_t k, std::size_t) SOFTMAX_INLINE_LAMBDA {
    const auto weight = V::load(e + k * L::rows);
    const auto depth = V::subtract(zero, V::load(d + k * L::rows));
    return V::selectAtLeast(weight, one, zero, product<V>(weight, depth));
  });
}

/// Adds those of all logits.
template <class L, class Logits>
void takeDepths(WideLogits<L, Logits>& shifted, GroupSums<typename L::Doubles>& depths, std::size_t length,
                const Unit& unit) {
  using D = typename L::Doubles;
  eachChunk<L>(length, [&](std::size_t begin, std::size_t count) {
    shifted.take(begin, count);
    addWeightedDepths<D>(depths, count, unit, shifted.e(begin), shifted.d(begin));
  });
}

template <class R>
typename R::Double entropiesOf(typename R::Double top, const Normalizers<R>& normalizers,
                               typename R::Double depths) {
  const auto values = R::add(normalizers.log, R::divide(depths, normalizers.sum));
  return whereProper<R>(top, R::canonicalNan(values), R::broadcast(nan));
}

/// Of a unit's rows. `memory`: two arrays of a chunk.
template <class L, class Logits>
typename L::Rows::Double entropies(const Logits& logits, std::size_t length, const Unit& unit,
                                   const RowScaling<L>& scaling, double* memory) {
  using D = typename L::Doubles;
  using R = typename D::Rows;
  WideLogits<L, Logits> shifted(logits, length, unit, scaling, false, memory,
                                memory + chunkSize<D> * L::rows);
  GroupSums<D> depths;
  takeDepths<L>(shifted, depths, length, unit);
  const auto proper = entropiesOf<R>(shifted.top, shifted.normalizers(), depths.total());
  const auto kept = L::ofRowsDouble(
      [&](std::size_t i) { return i < unit.lanes && logits.keptCount(i, length) == 0 ? 0.0 : 1.0; });
  return R::selectAtLeast(kept, R::broadcast(1.0), proper, R::broadcast(0.0));
}

/// A step of a part, or of a row between two, of `length` elements. store(entropy) in the end.
template <class L, class Logits, class Store>
SoftmaxStep entropyInParts(const PartTask& task, const Logits& logits, std::size_t length, const Unit& unit,
                           const RowScaling<L>& scaling, double* memory, const Store& store) {
  using D = typename L::Doubles;
  using R = typename D::Rows;
  if (task.step == softmaxBegin) return softmaxMeasure;
  if (task.step == softmaxMeasure) {
    measureInParts<L>(task, 0, logits, length, unit, scaling);
    return softmaxSum;
  }
  SoftmaxPart& known = *task.part;
  if (task.is_join) {
    joinDistributions(task, 0);
    joinTerms(task, 0);
    store(entropiesOf<R>(known.of[0].top, Normalizers<R>(known.of[0]), known.terms[0]));
    return softmaxEnd;
  }
  WideLogits<L, Logits> shifted(logits, unit, scaling, RowTops<R>(task.row->of[0]), false, memory,
                                memory + chunkSize<D> * L::rows);
  GroupSums<D> depths;
  takeDepths<L>(shifted, depths, length, unit);
  shifted.putInto(known.of[0]);
  known.terms[0] = depths.total();
  return softmaxEnd;
}

/// All of a unit's rows is computed at the end: nothing is kept between the steps. run(.., task): of the
/// unit, or of a row in parts; the step after it.
template <class L, class Logits, class Run>
class EntropySteps {
 public:
  void begin(const Logits& logits, const Unit& unit, const RowScaling<L>& scaling, const Run& run) {
    logits_ = logits;
    unit_ = unit;
    scaling_ = &scaling;
    run_ = &run;
  }
  void measure() {}
  void sum() {}
  SOFTMAX_CALLED void finish() { (*run_)(logits_, unit_, *scaling_, nullptr); }
  SoftmaxStep join(const PartTask& task) { return (*run_)(logits_, unit_, *scaling_, &task); }
  void take(const PartTask& task) { join(task); }

 private:
  Logits logits_;
  Unit unit_;
  const RowScaling<L>* scaling_;
  const Run* run_;
};

template <class W>
void entropyOf(const SoftmaxCall& call, const SoftmaxRows& rows, double* memory, PartTask* task) {
  const SoftmaxElements &x = call.arrays[0], &out = call.arrays[1];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto all_logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    UnitScaling<L> scaling(rows);
    using Logits = decltype(all_logits.of(Unit{}));
    const auto runUnit = [&](const Logits& logits, const Unit& unit, const RowScaling<L>& row_scaling,
                             [[maybe_unused]] const PartTask* of_part) {
      const auto store = [&](auto values) { storeRows<L>(out, unit, values); };
      if constexpr (mayBeInParts<L>)
        if (of_part)
          return entropyInParts<L>(*of_part, logits, rows.length, unit, row_scaling, memory, store);
      store(entropies<L>(logits, rows.length, unit, row_scaling, memory));
      return softmaxEnd;
    };
    using Steps = EntropySteps<L, Logits, decltype(runUnit)>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(all_logits.of(unit), unit, scaling.of(unit), runUnit);
    };
    frame.template each<Steps>(begin, all_logits);
  };
  if (task) return inDecodedParts<Along<W>>(rows, *task, run);
  chooseWideFrame<W>(rows, 1, false, run);
}

namespace calls {

/// call(x, out)
template <class V>
void entropy(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask* task) {
  inWideMemory<V>(rows, [&](const SoftmaxRows& rest, double* memory) {
    if (isDouble(call.arrays[0].dtype)) return entropyOf<Wide<V>>(call, rest, memory, task);
    entropyOf<V>(call, rest, memory, task);
  });
}

}  // namespace calls

}  // namespace
