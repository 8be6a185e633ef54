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

/// A unit's rows, of k places in the place of their length.
template <class L>
Unit placesOf(const Unit& unit, const SoftmaxRows& rows, std::size_t k) {
  Unit places = unit;
  const std::size_t outer = unit.first / rows.inner;
  places.start = L::is_across ? outer * k * rows.stride + unit.first % rows.inner : unit.first * k;
  return places;
}

/// Logits that lie one after another, or in vectors of a unit's rows.
template <class L>
auto rowsIn(typename L::Element* memory, const SoftmaxRows& rows, const Unit& unit) {
  if constexpr (L::is_across)
    return StagedRows<L>{memory, &rows, unit};
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
    const SoftmaxRows& rows = *rows_;
    const auto k = static_cast<std::size_t>(call_->numbers[0]);
    SoftmaxRows of_places = rows;
    of_places.length = k;
    of_places.mask = nullptr;
    const Unit unit = placesOf<L>(unit_, rows, k);
    const Sink<L> results = Sink<L>(call_->arrays[1], of_places, Element(0)).of(unit);
    auto* const indices = static_cast<std::int32_t*>(call_->arrays[2].data) + unit.start;
    const std::size_t distance = L::is_across ? rows.stride : 1, lanes = L::is_across ? unit.lanes : 1;
    constexpr Element dropped =
        values == PlaceValues::probabilities ? Element(0) : -Numbers<Element>::infinity;
    const bool is_negative = droppedLogit<Element>(rows) > Element(0);
    places_->each(logits_, rows, unit_, is_negative, k, [&](std::size_t begin, std::size_t count) {
      const PlaceRows<L> out{results, begin};
      steps_.finishSome(rowsIn<L>(places_->logits(), rows, unit), out, count, unit);
      for (std::size_t j = 0; j < count; ++j)
        for (std::size_t i = 0; i < lanes; ++i) {
          indices[(begin + j) * distance + i] = places_->indexOf(j, i);
          if (rows.mask && places_->wasDropped(j, i)) out.storeElement(j, i, dropped);
        }
    });
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
