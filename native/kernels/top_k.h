// topK(x, k): the k largest logits of each row, or their softmax or logSoftmax, and their numbers.
//
// Probabilities are normalised over the whole row, with the bits of softmax and logSoftmax: its sum is
// theirs, and what becomes of a logit, too.
//
//   types   float32, float64, float16, bfloat16; x and values may differ, but for float64
//   range   any logits; what the mask drops comes last, as −∞, or probability 0
#pragma once

#include "choose.h"
#include "log_softmax.h"
#include "places.h"
#include "softmax.h"

namespace {

/// What a place has: numbers[1] of the call.
enum class PlaceValues { logits, probabilities, logProbabilities };

/// Results along an axis of k places.
template <class L>
struct PlaceRows {
  using V = typename L::V;
  static constexpr bool is_streamed = false;
  Sink<L> sink;
  std::size_t begin = 0;

  SOFTMAX_INLINE void store(std::size_t k, typename L::Register value, std::size_t count) const {
    sink.store(begin + k, value, count);
  }
  void storeElement(std::size_t k, std::size_t lane, typename L::Element value) const {
    sink.storeElement(begin + k, lane, value);
  }
};

/// A unit's rows with so many places in the place of their length.
template <class L>
struct PlaceAxis {
  SoftmaxRows rows;
  Unit unit;
  std::size_t distance;  // between a row's places
  std::size_t lanes;

  PlaceAxis(const SoftmaxRows& rows_, const Unit& unit_, std::size_t places)
      : rows(rows_),
        unit(unit_),
        distance(L::is_across ? rows_.stride : 1),
        lanes(L::is_across ? unit_.lanes : 1) {
    const std::size_t outer = unit.first / rows.inner;
    unit.start = L::is_across ? outer * places * rows.stride + unit.first % rows.inner : unit.first * places;
    rows.length = places;
    rows.mask = nullptr;
  }
  /// An array of the call that has such places.
  template <class Value>
  Value* of(const SoftmaxElements& array) const {
    return static_cast<Value*>(array.data) + unit.start;
  }
  Sink<L> sink(const SoftmaxElements& array) const {
    return Sink<L>(array, rows, typename L::Element(0)).of(unit);
  }
};

/// Logits that lie one after another, or in vectors of a unit's rows.
template <class L>
auto rowsIn(typename L::Element* memory, const SoftmaxRows& rows, const Unit& unit) {
  if constexpr (L::is_across)
    return StagedRows<L>{{memory}, &rows, unit};
  else
    return DirectRows<L, PlainCode<typename L::V>>{memory, typename L::Element(0)};
}

/// As they are, but for NaN.
template <class L>
class PlainSteps {
 public:
  template <class Arrays>
  void begin(const Arrays&) {}
  void measure() {}
  void sum() {}
  template <class Some, class Out>
  void finishSome(const Some& logits, const Out& out, std::size_t length, const Unit& unit) const {
    eachVector<L>(length, unit, [&](std::size_t k, std::size_t count) SOFTMAX_INLINE_LAMBDA {
      out.store(k, L::V::canonicalNan(logits.load(k, count)), count);
    });
  }
};

template <class L, class Logits, PlaceValues values>
struct StepsOf {
  using Arrays = RowArrays<L, Logits, Nowhere, Nowhere>;
  using Type = std::conditional_t<values == PlaceValues::logits, PlainSteps<L>,
                                  std::conditional_t<values == PlaceValues::probabilities,
                                                     SoftmaxSteps<Arrays>, LogSoftmaxSteps<Arrays>>>;
};

/// The largest of a unit's rows, and their numbers. `steps` make of logits what is written; `dropped`: what
/// is of those that the mask drops.
template <class L, class Logits, class Steps>
void writeLargest(const Logits& logits, const SoftmaxRows& rows, const Unit& unit, std::size_t wanted,
                  Places<L>& places, const Steps& steps, const SoftmaxElements& values,
                  const SoftmaxElements& numbers, typename L::Element dropped) {
  const PlaceAxis<L> axis(rows, unit, wanted);
  const Sink<L> results = axis.sink(values);
  auto* const indices = axis.template of<std::int32_t>(numbers);
  const bool is_negative = droppedLogit<typename L::Element>(rows) > 0;
  places.each(logits, rows, unit, is_negative, wanted, [&](std::size_t begin, std::size_t count) {
    const PlaceRows<L> out{results, begin};
    steps.finishSome(rowsIn<L>(places.logits(), rows, axis.unit), out, count, axis.unit);
    for (std::size_t j = 0; j < count; ++j)
      for (std::size_t i = 0; i < axis.lanes; ++i) {
        indices[(begin + j) * axis.distance + i] = places.indexOf(j, i);
        if (rows.mask && places.wasDropped(j, i)) out.storeElement(j, i, dropped);
      }
  });
}

template <class L, class Logits, PlaceValues values>
class TopKSteps {
  using Element = typename L::Element;

 public:
  void begin(const Logits& logits, const SoftmaxCall& call, const SoftmaxRows& rows, const Unit& unit,
             const RowScaling<L>& scaling, Places<L>& places) {
    logits_ = logits;
    call_ = &call;
    rows_ = &rows;
    unit_ = unit;
    places_ = &places;
    steps_.begin(RowArrays<L, Logits, Nowhere, Nowhere>{logits, {}, {}, rows.length, unit, &scaling});
  }
  void measure() { steps_.measure(); }
  void sum() { steps_.sum(); }
  void finish() {
    constexpr Element dropped =
        values == PlaceValues::probabilities ? Element(0) : -Numbers<Element>::infinity;
    writeLargest<L>(logits_, *rows_, unit_, static_cast<std::size_t>(call_->numbers[0]), *places_, steps_,
                    call_->arrays[1], call_->arrays[2], dropped);
  }

 private:
  Logits logits_;
  const SoftmaxCall* call_;
  const SoftmaxRows* rows_;
  Unit unit_;
  Places<L>* places_;
  typename StepsOf<L, Logits, values>::Type steps_;
};

template <class V, PlaceValues values>
void topKOf(const SoftmaxCall& call, const SoftmaxRows& rows) {
  const SoftmaxElements& x = call.arrays[0];
  const auto run = [&](auto layout, auto& frame) {
    using L = decltype(layout);
    auto logits = frame.input(x, droppedLogit<typename L::Element>(rows));
    UnitScaling<L> scaling(rows);
    Places<L> places(rows);
    using Steps = TopKSteps<L, decltype(logits.of(Unit{})), values>;
    const auto begin = [&](const Unit& unit, Steps& steps) {
      steps.begin(logits.of(unit), call, rows, unit, scaling.of(unit), places);
    };
    frame.template each<Steps>(begin, logits);
  };
  if (isDouble(x.dtype)) return chooseRowFrame<Wide<V>>(rows, true, run);
  chooseRowFrame<V>(rows, x.dtype == softmaxFloat32, run);
}

namespace calls {

/// call(x, values, indices); numbers: k, PlaceValues.
template <class V>
void topK(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  if (call.numbers[1] == 1.0) return topKOf<V, PlaceValues::probabilities>(call, rows);
  if (call.numbers[1] == 2.0) return topKOf<V, PlaceValues::logProbabilities>(call, rows);
  topKOf<V, PlaceValues::logits>(call, rows);
}

}  // namespace calls

}  // namespace
