// Which elements of a unit's rows count.
#pragma once

#include "layout.h"
#include "scaling.h"

namespace {

/// What the mask drops is smaller than every logit, which is multiplied by a number of scale's sign.
template <class Element>
Element droppedLogit(const SoftmaxRows& rows) {
  const double first = rows.multipliers ? rows.multipliers[0] : rows.multiplier;
  return __builtin_signbit(first) ? Numbers<Element>::infinity : -Numbers<Element>::infinity;
}

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

  /// Whether any element may be dropped.
  bool isUsed() const { return data_ != nullptr; }
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

}  // namespace
