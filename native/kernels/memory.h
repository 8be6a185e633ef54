// How a unit's rows are read and written where they may be of any type and axis, and masked; and memory for
// what is computed of them meanwhile.
#pragma once

#include "direct.h"
#include "mask.h"

namespace {

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
  typename L::Element element(std::size_t k, std::size_t) const { return values[k]; }
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
