// How a unit's rows are read and written where they may be of any type and axis, and masked; and memory for
// what is computed of them meanwhile.
#pragma once

#include "direct.h"
#include "mask.h"

namespace {

/// Elements of an array in memory: where they are, how they are coded, which the mask keeps.
template <class L>
class Memory {
 public:
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;

  Memory() = default;
  Memory(const SoftmaxElements& elements, const SoftmaxRows& rows, Element fill)
      : mask_(rows), fill_(fill), data_(elements.data), dtype_(elements.dtype), stride_(rows.stride) {}

  const Mask<L>& mask() const { return mask_; }
  std::size_t keptCount(std::size_t lane, std::size_t) const { return mask_.keptCount(lane); }

 protected:
  void start(const Unit& unit) {
    start_ = unit.start;
    mask_.start(unit);
  }
  /// run(code, address) of an element k: of the unit's first row, or `lane` rows further.
  template <class Run>
  void at(std::size_t k, std::size_t lane, Run run) const {
    const std::size_t index = start_ + (L::is_across ? k * stride_ : k) + lane;
    withCode<V>(dtype_,
                [&](auto code) { run(code, static_cast<typename decltype(code)::Element*>(data_) + index); });
  }

  /// How many elements there are between the first of two vectors.
  std::size_t distance() const { return L::is_across ? stride_ : V::width; }

  Mask<L> mask_;
  Element fill_ = 0;

 private:
  void* data_ = nullptr;
  SoftmaxDType dtype_ = softmaxFloat32;
  std::size_t stride_ = 0, start_ = 0;
};

/// Reads. What the mask drops, and what is beyond the lanes in use, reads as `fill`.
template <class L>
class Source : public Memory<L> {
  using Base = Memory<L>;

 public:
  using typename Base::Element;
  using typename Base::Register;
  using typename Base::V;
  static constexpr bool is_lean = false;

  using Base::Base;
  Source() = default;
  Source of(const Unit& unit) const {
    Source rows = *this;
    rows.start(unit);
    return rows;
  }

  Register load(std::size_t k, std::size_t count) const {
    Register x;
    this->at(k, 0, [&](auto code, const auto* from) {
      x = count == V::width ? code.load(from) : code.loadPartial(from, count, this->fill_);
    });
    return this->mask_.apply(x, k, count, V::broadcast(this->fill_));
  }
  typename L::Double loadDouble(std::size_t k, std::size_t count) const { return V::widen(load(k, count)); }
  /// body(i, elements) of every vector of [begin, begin + count), whose first element is the i-th of them.
  /// Their type is asked for once.
  template <class Body>
  void eachLoad(std::size_t begin, std::size_t count, const Unit& unit, const Body& body) const {
    const auto fill = V::broadcast(this->fill_);
    this->at(begin, 0, [&](auto code, const auto* from) {
      const auto* address = from;
      eachVector<L>(count, unit, [&](std::size_t i, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
        const auto x = lanes == V::width ? code.load(address) : code.loadPartial(address, lanes, this->fill_);
        address += this->distance();
        body(i, this->mask_.isUsed() ? this->mask_.apply(x, begin + i, lanes, fill) : x);
      });
    });
  }

  /// Of one row of the unit.
  Element element(std::size_t k, std::size_t lane) const {
    Element value = this->fill_;
    if (this->mask_.keeps(k, lane))
      this->at(k, lane, [&](auto code, const auto* from) { value = code.value(from); });
    return value;
  }
};

/// Writes. What the mask drops is written as `fill`.
template <class L>
class Sink : public Memory<L> {
  using Base = Memory<L>;

 public:
  using typename Base::Element;
  using typename Base::Register;
  using typename Base::V;
  static constexpr bool is_streamed = false;

  using Base::Base;
  Sink() = default;
  Sink of(const Unit& unit) const {
    Sink rows = *this;
    rows.start(unit);
    return rows;
  }

  void store(std::size_t k, Register value, std::size_t count) const {
    value = this->mask_.apply(value, k, count, V::broadcast(this->fill_));
    this->at(k, 0, [&](auto code, auto* to) {
      if (count == V::width) return code.store(to, value);
      code.storePartial(to, value, count);
    });
  }
  /// value(i) into every vector of [begin, begin + count), as Source::eachLoad has them.
  template <class Value>
  void eachStore(std::size_t begin, std::size_t count, const Unit& unit, const Value& value) const {
    const auto fill = V::broadcast(this->fill_);
    this->at(begin, 0, [&](auto code, auto* to) {
      auto* address = to;
      eachVector<L>(count, unit, [&](std::size_t i, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
        auto x = value(i);
        if (this->mask_.isUsed()) x = this->mask_.apply(x, begin + i, lanes, fill);
        if (lanes == V::width) {
          code.store(address, x);
        } else {
          code.storePartial(address, x, lanes);
        }
        address += this->distance();
      });
    });
  }
  /// In one row of the unit.
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    if (!this->mask_.keeps(k, lane)) value = this->fill_;
    this->at(k, lane, [&](auto code, auto* to) { code.setValue(to, value); });
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
  static constexpr std::size_t least = own_size / sizeof(Element);

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
  alignas(64) Element own_[least];
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
  Nowhere row(std::size_t) const { return {}; }
};

}  // namespace
