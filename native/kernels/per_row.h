// What is read and written once per row: multipliers, targets, losses.
#pragma once

#include "traversal.h"

namespace {

/// One value per row, or one for all.
struct PerRow {
  const double* values;
  double value;
  double operator[](std::size_t row) const { return values ? values[row] : value; }
};

/// A value of each row of a unit; lanes beyond those in use repeat the last.
template <class L, class To>
void takeRows(const PerRow& from, const Unit& unit, To to) {
  if (!from.values) {
    for (std::size_t i = 0; i < L::rows; ++i) to(i, from.value);
    return;
  }
  for (std::size_t i = 0; i < L::rows; ++i) to(i, from[unit.first + (i < unit.lanes ? i : unit.lanes - 1)]);
}

/// The scaling of a unit's rows, of as many units as are taken in turn.
template <class L>
class UnitScaling {
  using Element = typename L::Element;

 public:
  explicit UnitScaling(const SoftmaxRows& rows)
      : multipliers_{rows.multipliers, rows.multiplier}, zeroes_empty_(rows.zeroesEmpty) {
    if (multipliers_.values) return;
    Scaling<Element> each[L::rows];
    for (auto& scaling : each) scaling = scalingOf<Element>(rows.multiplier);
    set(scaling_[0], each);
  }

  const RowScaling<L>& of(const Unit& unit) {
    if (!multipliers_.values) return scaling_[0];
    Scaling<Element> each[L::rows];
    takeRows<L>(multipliers_, unit, [&](std::size_t i, double m) { each[i] = scalingOf<Element>(m); });
    return set(scaling_[unit.stage % unitsInTurn], each);
  }

 private:
  const RowScaling<L>& set(RowScaling<L>& scaling, const Scaling<Element>* each) {
    scaling = RowScaling<L>(each);
    scaling.zeroes_empty = zeroes_empty_;
    return scaling;
  }

  PerRow multipliers_;
  bool zeroes_empty_;
  RowScaling<L> scaling_[unitsInTurn];
};

/// What the mask drops is smaller than every logit, which is multiplied by a number of scale's sign.
template <class Element>
Element droppedLogit(const SoftmaxRows& rows) {
  const double first = rows.multipliers ? rows.multipliers[0] : rows.multiplier;
  return __builtin_signbit(first) ? Numbers<Element>::infinity : -Numbers<Element>::infinity;
}

/// Results of one element per row, computed in double.
template <class L>
void storeRows(const SoftmaxElements& to, const Unit& unit, typename L::Rows::Double values) {
  using R = typename L::Rows;
  constexpr bool is_float = sizeof(typename L::Element) == sizeof(float);
  if (is_float && to.dtype == softmaxFloat32 && (L::rows == 1 || unit.lanes == L::rows)) {
    if constexpr (is_float) R::store(static_cast<float*>(to.data) + unit.first, R::narrow(values));
    return;
  }
  double lanes[L::rows];
  R::store(lanes, values);
  const std::size_t count = L::rows < unit.lanes ? L::rows : unit.lanes;
  if (to.dtype == softmaxFloat64) {
    for (std::size_t i = 0; i < count; ++i) static_cast<double*>(to.data)[unit.first + i] = lanes[i];
    return;
  }
  withCode<Scalar>(to.dtype, [&](auto code) {
    auto* results = static_cast<typename decltype(code)::Element*>(to.data) + unit.first;
    for (std::size_t i = 0; i < count; ++i) code.store(results + i, static_cast<float>(lanes[i]));
  });
}

}  // namespace
