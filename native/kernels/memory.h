// How a unit's rows are read and written: the mask, the types of elements in memory, incomplete vectors.
#pragma once

#include "layout.h"

namespace {

/// The mask over a unit's rows.
template <class L>
class Mask {
  using V = typename L::V;

 public:
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
  const std::uint8_t* data_;
  const double* offsets_;
  std::size_t step_, length_;
  const std::uint8_t* rows_[L::rows] = {};
  bool is_consecutive_ = false;
};

/// Elements of an array in memory: where they are, and how they are coded. `direct`: as they are computed,
/// unmasked.
template <class L, bool direct>
class Memory {
 protected:
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;
  static constexpr bool has_halves = !direct && sizeof(Element) == sizeof(float);

 public:
  Memory(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill)
      : mask_(rows), fill_(fill), data_(elements.data), dtype_(elements.dtype), inner_(rows.inner) {}

  void start(const Unit& unit) {
    element_ = static_cast<Element*>(data_) + unit.start;
    half_ = static_cast<std::uint16_t*>(data_) + unit.start;
    if constexpr (!direct) mask_.start(unit);
  }
  const Mask<L>& mask() const { return mask_; }
  static constexpr bool is_direct = direct;
  bool isHalf() const { return has_halves && (dtype_ == softmaxFloat16 || dtype_ == softmaxBFloat16); }

 protected:
  std::size_t at(std::size_t k) const {
    if constexpr (L::is_across) return k * inner_;
    return k;
  }
  static Register loadElements(const Element* from, std::size_t count, Element fill) {
    return count == V::width ? V::load(from) : V::loadPartial(from, count, fill);
  }
  static void storeElements(Element* to, Register value, std::size_t count) {
    if (count == V::width) return V::store(to, value);
    V::storePartial(to, value, count);
  }
  Register decode(const std::uint16_t* from) const {
    return dtype_ == softmaxFloat16 ? V::loadFloat16(from) : V::loadBFloat16(from);
  }
  void encode(std::uint16_t* to, Register value) const {
    if (dtype_ == softmaxFloat16) return V::storeFloat16(to, value);
    V::storeBFloat16(to, value);
  }

  Mask<L> mask_;
  Element fill_;
  Element* element_ = nullptr;
  std::uint16_t* half_ = nullptr;

 private:
  void* data_;
  SoftmaxDType dtype_;
  std::size_t inner_;
};

/// Reads. What the mask drops, and what is beyond the lanes in use, reads as `fill`.
template <class L, bool direct>
class Source : public Memory<L, direct> {
  using Base = Memory<L, direct>;
  using typename Base::Element;
  using typename Base::Register;
  using typename Base::V;

 public:
  Source(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill)
      : Base(elements, rows, fill) {
    if constexpr (Base::has_halves)
      if (this->isHalf()) this->encode(half_fill_, V::broadcast(fill));
  }

  Register load(std::size_t k, std::size_t count) const {
    const std::size_t at = this->at(k);
    if constexpr (direct) return Base::loadElements(this->element_ + at, count, this->fill_);
    Register x;
    if (this->isHalf()) {
      x = loadHalves(this->half_ + at, count);
    } else {
      x = Base::loadElements(this->element_ + at, count, this->fill_);
    }
    return this->mask_.apply(x, k, count, V::broadcast(this->fill_));
  }

  /// Of one row of the unit.
  Element element(std::size_t k, std::size_t lane) const {
    if (!direct && !this->mask_.keeps(k, lane)) return this->fill_;
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
template <class L, bool direct>
class Sink : public Memory<L, direct> {
  using Base = Memory<L, direct>;
  using typename Base::Register;
  using typename Base::V;

 public:
  using Base::Base;
  using typename Base::Element;

  void store(std::size_t k, Register value, std::size_t count) const {
    const std::size_t at = this->at(k);
    if constexpr (direct) return Base::storeElements(this->element_ + at, value, count);
    value = this->mask_.apply(value, k, count, V::broadcast(this->fill_));
    if (this->isHalf()) return storeHalves(this->half_ + at, value, count);
    Base::storeElements(this->element_ + at, value, count);
  }

  /// Rounded to the type of the elements, every NaN canonical.
  void storeDouble(std::size_t k, typename L::Double value, std::size_t count) const {
    store(k, V::canonicalNan(V::narrow(value)), count);
  }

  /// In one row of the unit.
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    if (!direct && !this->mask_.keeps(k, lane)) value = this->fill_;
    const std::size_t at = this->at(k) + lane;
    if (this->isHalf()) return storeHalves(this->half_ + at, V::broadcast(value), 1);
    this->element_[at] = value;
  }

  /// Memory for a row's intermediate results; not for 16-bit elements.
  bool holds(std::size_t) const { return !this->isHalf(); }
  void keep(std::size_t k, Register value, std::size_t count) const {
    Base::storeElements(this->element_ + this->at(k), value, count);
  }
  Register kept(std::size_t k, std::size_t count) const {
    return Base::loadElements(this->element_ + this->at(k), count, Element(0));
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

/// Memory for the intermediate results of a row whose own is of another type: on the stack.
template <class L>
class Stage {
  using V = typename L::V;
  using Element = typename L::Element;
  static constexpr std::size_t capacity = 4096;

 public:
  static constexpr std::size_t size = capacity + V::width;

  explicit Stage(Element* memory) : values_(memory) {}
  static bool holds(std::size_t length) { return length <= capacity; }

  void keep(std::size_t k, typename L::Register value, std::size_t) const { V::store(values_ + k, value); }
  typename L::Register kept(std::size_t k, std::size_t) const { return V::load(values_ + k); }
  typename L::Register load(std::size_t k, std::size_t) const { return V::load(values_ + k); }

 private:
  Element* values_;
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

}  // namespace
