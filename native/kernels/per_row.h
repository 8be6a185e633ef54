// What is read and written once per row: multipliers, targets, losses.
#pragma once

#include "pipeline.h"
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
  explicit UnitScaling(const SoftmaxRows& rows) : multipliers_{rows.multipliers, rows.multiplier} {
    if (multipliers_.values) return;
    Scaling<Element> each[L::rows];
    for (auto& scaling : each) scaling = scalingOf<Element>(rows.multiplier);
    scaling_[0] = RowScaling<L>(each);
  }

  const RowScaling<L>& of(const Unit& unit) {
    if (!multipliers_.values) return scaling_[0];
    RowScaling<L>& scaling = scaling_[unit.stage % most];
    if constexpr (L::rows > 1 && sizeof(Element) == sizeof(float))
      if (unit.lanes == L::rows) {
        const auto multipliers = L::Rows::load(multipliers_.values + unit.first);
        if (RowScaling<L>::areUsual(multipliers)) return scaling = RowScaling<L>(multipliers);
      }
    Scaling<Element> each[L::rows];
    takeRows<L>(multipliers_, unit, [&](std::size_t i, double m) { each[i] = scalingOf<Element>(m); });
    return scaling = RowScaling<L>(each);
  }

 private:
  static constexpr std::size_t most =
      unitsInTurn > pipelineUnits<pipelineLag> ? unitsInTurn : pipelineUnits<pipelineLag>;
  PerRow multipliers_;
  RowScaling<L> scaling_[most];
};

/// Results of one element per row, computed in double.
template <class L>
void storeRows(const SoftmaxElements& to, const Unit& unit, typename L::Rows::Double values) {
  using R = typename L::Rows;
  constexpr bool is_float = sizeof(typename L::Element) == sizeof(float);
  const bool is_whole = L::rows == 1 || unit.lanes == L::rows;
  if (is_float && to.dtype == softmaxFloat32 && is_whole) {
    if constexpr (is_float) R::store(static_cast<float*>(to.data) + unit.first, R::narrow(values));
    return;
  }
  if (to.dtype == softmaxFloat64 && is_whole)
    return R::store(static_cast<double*>(to.data) + unit.first, values);
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
