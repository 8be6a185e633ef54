// How a unit's rows are read and written: the mask, the types of elements in memory, incomplete vectors.
#pragma once

#include "layout.h"

namespace {

/// The mask over a unit's rows.
template <class L>
class Mask {
  using V = typename L::V;

 public:
  Mask() = default;
  explicit Mask(const SoftmaxRows& rows)
      : data_(rows.mask), offsets_(rows.maskOffsets), step_(rows.maskStep), length_(rows.length) {}

  void start(const Unit& unit) {
    if (!data_) return;
    is_consecutive_ = unit.lanes == V::width;
    for (std::size_t i = 0; i < L::rows; ++i) {
      const std::size_t row = unit.first + (i < unit.lanes ? i : unit.lanes - 1);
      rows_[i] = data_ + static_cast<std::size_t>(offsets_[row]);
      is_consecutive_ &= rows_[i] == rows_[0] + i;
    }
  }

  bool keeps(std::size_t k, std::size_t lane) const { return !data_ || rows_[lane][k * step_]; }

  std::size_t keptCount(std::size_t lane) const {
    if (!data_) return length_;
    std::size_t count = 0;
    for (std::size_t k = 0; k < length_; ++k) count += keeps(k, lane);
    return count;
  }

  /// x where the element is kept, else `fill`. W is V or V's double lanes.
  template <class W = V>
  typename W::Register apply(typename W::Register x, std::size_t k, std::size_t count,
                             typename W::Register fill) const {
    if (!data_) return x;
    std::uint8_t lanes[V::width] = {};
    if constexpr (L::rows == 1) {
      if (step_ == 1 && count == V::width) return W::keep(x, rows_[0] + k, fill);
      for (std::size_t i = 0; i < count; ++i) lanes[i] = rows_[0][(k + i) * step_];
    } else {
      if (is_consecutive_) return W::keep(x, rows_[0] + k * step_, fill);
      for (std::size_t i = 0; i < count; ++i) lanes[i] = rows_[i][k * step_];
    }
    return W::keep(x, lanes, fill);
  }

 private:
  const std::uint8_t* data_ = nullptr;
  const double* offsets_ = nullptr;
  std::size_t step_ = 0, length_ = 0;
  const std::uint8_t* rows_[L::rows] = {};
  bool is_consecutive_ = false;
};

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
};

/// run(code) with the code of a dtype.
template <class V, class Run>
void withCode(SoftmaxDType dtype, Run run) {
  if constexpr (sizeof(typename V::Element) == sizeof(float)) {
    if (dtype == softmaxFloat16) return run(HalfCode<V, false>{});
    if (dtype == softmaxBFloat16) return run(HalfCode<V, true>{});
  }
  run(PlainCode<V>{});
}

/// A unit's elements along rows, without a mask: source and sink, and where they are as they are computed,
/// memory for intermediate results.
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

  SOFTMAX_INLINE Register load(std::size_t k, std::size_t count) const {
    return count == V::width ? Code::load(elements + k) : Code::loadPartial(elements + k, count, fill);
  }
  SOFTMAX_INLINE typename L::Double loadDouble(std::size_t k, std::size_t count) const {
    return count == V::width ? Code::loadWide(elements + k) : V::widen(load(k, count));
  }
  Element element(std::size_t k, std::size_t) const {
    if constexpr (Code::is_plain) return elements[k];
    Element lanes[V::width];
    V::store(lanes, Code::loadPartial(elements + k, 1));
    return lanes[0];
  }
  std::size_t keptCount(std::size_t, std::size_t length) const { return length; }

  SOFTMAX_INLINE void store(std::size_t k, Register value, std::size_t count) const {
    if (count == V::width) return Code::store(elements + k, value);
    Code::storePartial(elements + k, value, count);
  }
  /// Rounded to the type of the elements, every NaN canonical.
  SOFTMAX_INLINE void storeDouble(std::size_t k, typename L::Double value, std::size_t count) const {
    store(k, V::canonicalNan(V::narrow(value)), count);
  }
  void storeElement(std::size_t k, std::size_t, Element value) const {
    if constexpr (Code::is_plain) {
      elements[k] = value;
    } else {
      Code::storePartial(elements + k, V::broadcast(value), 1);
    }
  }

  /// Longer rows are computed twice, which costs less than a sweep through memory.
  bool holds(std::size_t length) const { return length <= longestKept / sizeof(Element); }
  SOFTMAX_INLINE void keep(std::size_t k, Register value, std::size_t count) const { store(k, value, count); }
  SOFTMAX_INLINE Register kept(std::size_t k, std::size_t count) const { return load(k, count); }

 private:
  static constexpr std::size_t longestKept = std::size_t{1} << 23;
};

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

/// Elements of an array in memory: where they are, how they are coded, which the mask keeps.
template <class L>
class Memory {
 protected:
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;
  static constexpr bool has_halves = sizeof(Element) == sizeof(float);

 public:
  Memory() = default;
  Memory(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill)
      : mask_(rows), fill_(fill), data_(elements.data), dtype_(elements.dtype), inner_(rows.inner) {}

  const Mask<L>& mask() const { return mask_; }
  std::size_t keptCount(std::size_t lane, std::size_t) const { return mask_.keptCount(lane); }
  bool isHalf() const { return has_halves && (dtype_ == softmaxFloat16 || dtype_ == softmaxBFloat16); }

 protected:
  void start(const Unit& unit) {
    element_ = static_cast<Element*>(data_) + unit.start;
    half_ = static_cast<std::uint16_t*>(data_) + unit.start;
    mask_.start(unit);
  }
  std::size_t at(std::size_t k) const {
    if constexpr (L::is_across) return k * inner_;
    return k;
  }
  Register decode(const std::uint16_t* from) const {
    return dtype_ == softmaxFloat16 ? V::loadFloat16(from) : V::loadBFloat16(from);
  }
  void encode(std::uint16_t* to, Register value) const {
    if (dtype_ == softmaxFloat16) return V::storeFloat16(to, value);
    V::storeBFloat16(to, value);
  }

  Mask<L> mask_;
  Element fill_ = 0;
  Element* element_ = nullptr;
  std::uint16_t* half_ = nullptr;

 private:
  void* data_ = nullptr;
  SoftmaxDType dtype_ = softmaxFloat32;
  std::size_t inner_ = 0;
};

/// Reads. What the mask drops, and what is beyond the lanes in use, reads as `fill`.
template <class L>
class Source : public Memory<L> {
  using Base = Memory<L>;
  using typename Base::Element;
  using typename Base::Register;
  using typename Base::V;

 public:
  static constexpr bool is_lean = false;

  Source() = default;
  Source(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill)
      : Base(elements, rows, fill) {
    if constexpr (Base::has_halves)
      if (this->isHalf()) this->encode(half_fill_, V::broadcast(fill));
  }
  Source of(const Unit& unit) const {
    Source rows = *this;
    rows.start(unit);
    return rows;
  }

  Register load(std::size_t k, std::size_t count) const {
    const std::size_t at = this->at(k);
    Register x;
    if (this->isHalf()) {
      x = loadHalves(this->half_ + at, count);
    } else {
      const Element* from = this->element_ + at;
      x = count == V::width ? V::load(from) : V::loadPartial(from, count, this->fill_);
    }
    return this->mask_.apply(x, k, count, V::broadcast(this->fill_));
  }

  typename L::Double loadDouble(std::size_t k, std::size_t count) const { return V::widen(load(k, count)); }

  /// Of one row of the unit.
  Element element(std::size_t k, std::size_t lane) const {
    if (!this->mask_.keeps(k, lane)) return this->fill_;
    const std::size_t at = this->at(k) + lane;
    if constexpr (Base::has_halves)
      if (this->isHalf()) {
        Element lanes[V::width];
        V::store(lanes, loadHalves(this->half_ + at, 1));
        return lanes[0];
      }
    return this->element_[at];
  }

 private:
  Register loadHalves(const std::uint16_t* from, std::size_t count) const {
    if constexpr (Base::has_halves) {
      if (count == V::width) return this->decode(from);
      std::uint16_t lanes[V::width];
      for (std::size_t i = 0; i < V::width; ++i) lanes[i] = i < count ? from[i] : half_fill_[i];
      return this->decode(lanes);
    }
    return V::broadcast(Element(0));
  }

  std::uint16_t half_fill_[V::width] = {};
};

/// Writes. What the mask drops is written as `fill`.
template <class L>
class Sink : public Memory<L> {
  using Base = Memory<L>;
  using typename Base::Register;
  using typename Base::V;

 public:
  using Base::Base;
  using typename Base::Element;
  static constexpr bool is_streamed = false;

  Sink() = default;
  Sink of(const Unit& unit) const {
    Sink rows = *this;
    rows.start(unit);
    return rows;
  }

  void store(std::size_t k, Register value, std::size_t count) const {
    const std::size_t at = this->at(k);
    value = this->mask_.apply(value, k, count, V::broadcast(this->fill_));
    if (this->isHalf()) return storeHalves(this->half_ + at, value, count);
    if (count == V::width) return V::store(this->element_ + at, value);
    V::storePartial(this->element_ + at, value, count);
  }
  void storeDouble(std::size_t k, typename L::Double value, std::size_t count) const {
    store(k, V::canonicalNan(V::narrow(value)), count);
  }
  /// In one row of the unit.
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    if (!this->mask_.keeps(k, lane)) value = this->fill_;
    const std::size_t at = this->at(k) + lane;
    if (this->isHalf()) return storeHalves(this->half_ + at, V::broadcast(value), 1);
    this->element_[at] = value;
  }

 private:
  void storeHalves(std::uint16_t* to, Register value, std::size_t count) const {
    if constexpr (Base::has_halves) {
      if (count == V::width) return this->encode(to, value);
      std::uint16_t lanes[V::width];
      this->encode(lanes, value);
      for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
    }
  }
};

/// Memory for the intermediate results of a row whose own is of another type.
template <class L>
struct Stage {
  using V = typename L::V;
  static constexpr bool is_lean = true;

  typename L::Element* values;
  std::size_t size;

  bool holds(std::size_t length) const { return length + V::width <= size; }
  SOFTMAX_INLINE void keep(std::size_t k, typename L::Register value, std::size_t) const {
    V::store(values + k, value);
  }
  SOFTMAX_INLINE typename L::Register kept(std::size_t k, std::size_t) const { return V::load(values + k); }
  SOFTMAX_INLINE typename L::Register load(std::size_t k, std::size_t) const { return V::load(values + k); }
};

/// The stage's memory: the call's scratch memory, or some of the stack.
template <class Element>
class StageMemory {
  static constexpr std::size_t own_size = 65536;

 public:
  StageMemory(const StageMemory&) = delete;
  StageMemory& operator=(const StageMemory&) = delete;
  explicit StageMemory(const SoftmaxRows& rows)
      : elements_(static_cast<Element*>(rows.scratch)), size_(capacityFor(rows)) {
    if (rows.scratchSize < own_size) elements_ = own_;
  }
  Element* elements() const { return elements_; }
  std::size_t size() const { return size_; }
  static std::size_t capacityFor(const SoftmaxRows& rows) {
    return (rows.scratchSize < own_size ? own_size : rows.scratchSize) / sizeof(Element);
  }

 private:
  alignas(64) Element own_[own_size / sizeof(Element)];
  Element* elements_;
  std::size_t size_;
};

/// Reads a source, and leaves what it reads on a stage.
template <class L, class Logits>
struct Staging {
  const Logits& logits;
  const Stage<L>& stage;

  typename L::Register load(std::size_t k, std::size_t count) const {
    const auto x = logits.load(k, count);
    stage.keep(k, x, count);
    return x;
  }
};

template <class L, class Kept>
constexpr bool isStage = false;
template <class L>
constexpr bool isStage<L, Stage<L>> = true;

/// Exponentials are not kept.
struct Nowhere {
  bool holds(std::size_t) const { return false; }
};

}  // namespace
