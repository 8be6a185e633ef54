// Rows of the last axis without a mask, all of one type: read and written where they are.
#pragma once

#include "layout.h"

namespace {

/// How elements lie in memory: as they are computed, or in 16 bits.
template <class V>
struct PlainCode {
  using Element = typename V::Element;
  static constexpr bool is_plain = true;
  SOFTMAX_INLINE static typename V::Register load(const Element* from) { return V::load(from); }
  SOFTMAX_INLINE static typename V::Register loadPartial(const Element* from, std::size_t count,
                                                         Element fill = 0) {
    return V::loadPartial(from, count, fill);
  }
  SOFTMAX_INLINE static typename V::Double loadWide(const Element* from) { return V::loadWide(from); }
  SOFTMAX_INLINE static void store(Element* to, typename V::Register value) { V::store(to, value); }
  SOFTMAX_INLINE static void storePartial(Element* to, typename V::Register value, std::size_t count) {
    V::storePartial(to, value, count);
  }
  static Element value(const Element* from) { return *from; }
  static void setValue(Element* to, Element value) { *to = value; }
};

template <class V, bool is_bfloat>
struct HalfCode {
  using Element = std::uint16_t;
  static constexpr bool is_plain = false;
  SOFTMAX_INLINE static typename V::Register load(const Element* from) {
    if constexpr (is_bfloat)
      return V::loadBFloat16(from);
    else
      return V::loadFloat16(from);
  }
  SOFTMAX_INLINE static typename V::Register loadPartial(const Element* from, std::size_t count,
                                                         float fill = 0.0f) {
    float lanes[V::width];
    Element halves[V::width] = {};
    for (std::size_t i = 0; i < count; ++i) halves[i] = from[i];
    V::store(lanes, load(halves));
    for (std::size_t i = count; i < V::width; ++i) lanes[i] = fill;
    return V::load(lanes);
  }
  SOFTMAX_INLINE static typename V::Double loadWide(const Element* from) { return V::widen(load(from)); }
  SOFTMAX_INLINE static void store(Element* to, typename V::Register value) {
    if constexpr (is_bfloat)
      V::storeBFloat16(to, value);
    else
      V::storeFloat16(to, value);
  }
  SOFTMAX_INLINE static void storePartial(Element* to, typename V::Register value, std::size_t count) {
    Element lanes[V::width];
    store(lanes, value);
    for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
  static float value(const Element* from) {
    float lanes[V::width];
    V::store(lanes, loadPartial(from, 1));
    return lanes[0];
  }
  static void setValue(Element* to, float value) { storePartial(to, V::broadcast(value), 1); }
};

/// run(code) with the code of a dtype.
template <class V, class Run>
void withCode([[maybe_unused]] SoftmaxDType dtype, Run run) {
#if !defined(SOFTMAX_SMALL)
  if constexpr (sizeof(typename V::Element) == sizeof(float)) {
    if (dtype == softmaxFloat16) return run(HalfCode<V, false>{});
    if (dtype == softmaxBFloat16) return run(HalfCode<V, true>{});
  }
#endif
  run(PlainCode<V>{});
}

/// Rounds to the type of the elements, every NaN canonical. `out`: any rows that are written.
template <class Out>
SOFTMAX_INLINE void storeDouble(const Out& out, std::size_t k, typename Out::V::Double value,
                                std::size_t count) {
  using V = typename Out::V;
  out.store(k, V::canonicalNan(V::narrow(value)), count);
}

/// A unit's elements along rows: source and sink, and where they are as they are computed, memory for
/// intermediate results. What a mask drops of them reads as it should.
template <class L, class Code>
struct DirectRows {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;

  /// Whether a load is worth code of its own (tree.h).
  static constexpr bool is_lean = true;
  static constexpr bool is_streamed = false;

  typename Code::Element* elements;
  Element fill;
  const std::uint8_t* mask = nullptr;  // of a row that was copied (copied.h)
  std::size_t mask_step = 0;

  SOFTMAX_INLINE Register load(std::size_t k, std::size_t count) const {
    return count == V::width ? Code::load(elements + k) : Code::loadPartial(elements + k, count, fill);
  }
  SOFTMAX_INLINE typename L::Double loadDouble(std::size_t k, std::size_t count) const {
    return count == V::width ? Code::loadWide(elements + k) : V::widen(load(k, count));
  }
  /// Of what a sweep through memory reads two pages later, which it need not have: CPUs look ahead no further
  /// than to the end of a page.
  SOFTMAX_INLINE void prefetch(std::size_t k) const {
    constexpr std::size_t ahead = 8192;
    __builtin_prefetch(reinterpret_cast<const char*>(elements + k) + ahead);
  }
  Element element(std::size_t k, std::size_t) const { return Code::value(elements + k); }
  std::size_t keptCount(std::size_t, std::size_t length) const {
    if (!mask) return length;
    std::size_t count = 0;
    for (std::size_t k = 0; k < length; ++k) count += mask[k * mask_step] != 0;
    return count;
  }

  SOFTMAX_INLINE void store(std::size_t k, Register value, std::size_t count) const {
    if (count == V::width) return Code::store(elements + k, value);
    Code::storePartial(elements + k, value, count);
  }
  void storeElement(std::size_t k, std::size_t, Element value) const { Code::setValue(elements + k, value); }

  /// Longer rows are computed twice, which costs less than a sweep through memory.
  bool holds(std::size_t length) const { return length <= longestKept / sizeof(Element); }
  SOFTMAX_INLINE void keep(std::size_t k, Register value, std::size_t count) const { store(k, value, count); }
  SOFTMAX_INLINE Register kept(std::size_t k, std::size_t count) const { return load(k, count); }

 private:
  static constexpr std::size_t longestKept = std::size_t{1} << 23;
};

/// The arrays of frames (traversal.h) whose rows are such.
template <class L, class Code>
struct DirectArrays {
  using Element = typename L::Element;
  struct Array {
    typename Code::Element* elements;
    Element fill;
    DirectRows<L, Code> of(const Unit& unit) const { return {elements + unit.start, fill}; }
  };

  Array input(const SoftmaxElements& elements, Element fill) const {
    return {static_cast<typename Code::Element*>(elements.data), fill};
  }
  /// Without elements nothing is written: the input's rows will do.
  Array output(const SoftmaxElements& elements, Element fill, const Array& logits) const {
    return elements.data ? input(elements, fill) : logits;
  }
};

template <class Rows>
constexpr bool isDirect = false;
template <class L, class Code>
constexpr bool isDirect<DirectRows<L, Code>> = true;

/// A unit's elements along rows, written past the caches.
template <class L>
struct StreamedRows : DirectRows<L, PlainCode<typename L::V>> {
  using V = typename L::V;
  static constexpr bool is_streamed = true;

  /// How many elements there are before the first that a vector may be streamed to.
  std::size_t unaligned(std::size_t length) const {
    constexpr std::size_t alignment = V::width * sizeof(float);
    const std::size_t beyond = reinterpret_cast<std::uintptr_t>(this->elements) % alignment;
    const std::size_t count = (alignment - beyond) % alignment / sizeof(typename L::Element);
    return count < length ? count : length;
  }
  SOFTMAX_INLINE void store(std::size_t k, typename L::Register value, std::size_t count) const {
    if (count == V::width) return V::stream(this->elements + k, value);
    V::storePartial(this->elements + k, value, count);
  }
};

}  // namespace
