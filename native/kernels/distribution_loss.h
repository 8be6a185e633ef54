// Cross-entropy with a distribution as target: loss = Σ q_c (log Σ exp(z) − z_c), where
// q_c = w_c (t_c (1 − ε) + ε / K), or with a class index y, q_c = w_c ([c = y] (1 − ε) + ε / K).
// ε is the label smoothing, w the class weights, K the number of classes that the mask keeps. The others
// take no part: q is 0 there. But a class index that the mask drops has an infinite loss.
//
// All is computed a chunk at a time, by small loops over memory that the first cache holds (distribution.h).
#pragma once

#include "distribution.h"
#include "loss.h"

namespace {

/// The part of q that does not depend on the class index. L: Doubles of a layout.
template <class L>
struct Spread {
  using V = typename L::V;

  const double* weight;  // null, or one per class
  double certain;        // 1 − ε
  bool has_probabilities;
  typename L::Double uniform;  // ε / K

  /// Of the vector from element k on, whose probabilities are `t`, if there are any.
  SOFTMAX_INLINE typename L::Double of(std::size_t k, std::size_t lanes, typename L::Double t) const {
    auto value = uniform;
    if (has_probabilities) value = V::add(V::multiply(t, V::broadcast(certain)), uniform);
    if (weight) value = V::multiply(value, weights(k, lanes));
    return lanesInUse<L>(value, lanes);
  }

 private:
  SOFTMAX_INLINE typename L::Double weights(std::size_t k, std::size_t lanes) const {
    if constexpr (L::is_across) return V::broadcast(weight[k]);
    return lanes == V::width ? V::load(weight + k) : V::loadPartial(weight + k, lanes, 0.0);
  }
};

/// So that ε / K is not 0.
constexpr double leastSmoothing = 0x1p-900;

/// Adds q · (−d). `apart`: 1, or 0 for a q that is the same of all elements and not 0.
template <class L, std::size_t apart>
SOFTMAX_CALLED void addDepths(GroupSums<L>& sums, std::size_t count, const Unit& unit, const double* q,
                              const double* d) {
  using V = typename L::V;
  const auto zero = V::broadcast(0.0), shared = V::load(q);
  sums.add(count, unit, [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
    const auto depth = V::subtract(zero, V::load(d + k * L::rows));
    if constexpr (apart == 0) return lanesInUse<L>(V::multiply(shared, depth), lanes);
    return product<V>(V::load(q + k * L::rows), depth);
  });
}

/// ∂result/∂logit from exp(d) and q: (p Σ q − q) · gradLoss · multiplier.
template <class L>
struct DistributionGradient {
  using V = typename L::V;
  using Double = typename L::Double;

  Double total, scale, top_scale, factor, ignored;

  SOFTMAX_INLINE Double at(Double e, Double q) const {
    const auto zero = V::broadcast(0.0);
    const auto of_top = V::subtract(V::subtract(total, q), top_scale);
    const auto of_other = V::subtract(V::multiply(e, scale), q);
    const auto value = V::multiply(V::selectAtLeast(e, V::broadcast(1.0), of_top, of_other), factor);
    return V::keepUnlessBelow(value, ignored, zero);
  }
  /// Into the rows of `grad`, rounded to their type, every NaN canonical. G: their layout; `apart`: 1, or 0
  /// for a q that is the same of all elements.
  template <class G, std::size_t apart, class Grad>
  SOFTMAX_CALLED void write(const Grad& grad, std::size_t begin, std::size_t count, const Unit& unit,
                            const double* e, const double* q) const {
    const auto row = *this;
    const auto shared = V::load(q);
    grad.eachStore(begin, count, unit, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
      auto of_element = shared;
      if constexpr (apart > 0) of_element = V::load(q + i * L::rows);
      return G::V::canonicalNan(G::V::narrow(row.at(V::load(e + i * L::rows), of_element)));
    });
  }
};

/// What a call's units have in common: `weight` (null, or one per class) and memory.
template <class L>
struct DistributionTarget {
  using D = typename L::Doubles;

  const double* weight;
  double label_smoothing;
  bool has_probabilities;
  WideMemory<D> memory;
  typename D::Rows::Double spread_sums;  // Σ of what is in memory.array(2), if `is_ready`:
  bool is_ready = false;                 // without mask and probabilities that is the same of all rows

  DistributionTarget(const double* weight_, double smoothing, bool probabilities, std::size_t length,
                     double* wide_memory, bool in_parts)
      : weight(weight_),
        label_smoothing(smoothing),
        has_probabilities(probabilities),
        memory(wide_memory, length, 3, in_parts) {}
};

/// Of a row that is computed in parts (split_row.h), a part or all of it.
struct PartOfRow {
  const SoftmaxPart* row;
  std::size_t first, length;  // the class that is the first element, and all classes
};

/// A unit's rows against their targets: probabilities, or the class indices of `rows`.
template <class L, class Logits>
class DistributionLoss {
  using D = typename L::Doubles;
  using V = typename D::V;
  using R = typename D::Rows;
  using Double = typename D::Double;

 public:
  /// Computes the sums of whole rows (part: null); of a part they are computed, or set, later.
  DistributionLoss(const Logits& logits, const Logits& probabilities, const Mask<L>& mask,
                   DistributionTarget<L>& target, std::size_t length, const Unit& unit,
                   const RowScaling<L>& scaling, UnitLoss<L>& rows, const PartOfRow* part)
      : logits_(logits),
        probabilities_(probabilities),
        mask_(mask),
        target_(target),
        length_(length),
        unit_(unit),
        scaling_(scaling),
        rows_(rows),
        part_(part),
        shifted_(logits, unit, scaling, tops(), target.memory.is_whole, target.memory.array(0),
                 target.memory.array(1)),
        spread_{target.weight ? target.weight + first() : nullptr, 1.0 - target.label_smoothing,
                target.has_probabilities, V::broadcast(0.0)},
        is_uniform_(!target.weight && !target.has_probabilities && !mask.isUsed() &&
                    target.label_smoothing >= leastSmoothing) {
    const auto zero = R::broadcast(0.0);
    kept_ = L::ofRowsDouble(
        [&](std::size_t i) { return static_cast<double>(part ? part->length : mask.keptCount(i)); });
    classes_ = L::ofRowsDouble([&](std::size_t i) { return static_cast<double>(rows.classes[i]); });
    const auto indexed = R::multiply(R::load(rows.weights), R::broadcast(spread_.certain));
    indexed_ = R::selectAtLeast(classes_, zero, indexed, zero);
    spread_.uniform = D::spread(R::divide(R::broadcast(target.label_smoothing), kept_));
    if (hasIndices()) of_target_ = shifted_.of(targetLogits());
    if (!part) sum();
  }

  /// Of a part: to what is known of it.
  void sumInto(SoftmaxPart& known) {
    GroupSums<D> spread, depths;
    addAll(spread, depths);
    shifted_.putInto(known.of[0]);
    known.terms[0] = spread.total();
    known.terms[1] = depths.total();
  }
  /// Of all parts.
  void setSums(const SoftmaxPart& row) {
    normalizers_ = Normalizers<R>(row.of[0]);
    totals_ = R::add(R::broadcast(row.terms[0]), indexed_);
    depths_ = R::broadcast(row.terms[1]);
  }

  /// Loss and log-sum-exp of each row, before the gradient is written over the logits.
  void setLosses() {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    const auto of_target = product<R>(indexed_, D::values(V::subtract(V::broadcast(0.0), of_target_)));
    const auto depth = R::selectAtLeast(classes_, zero, R::add(depths_, of_target), depths_);
    auto losses = R::add(R::multiply(totals_, normalizers_.log), depth);
    auto log_sum_exps = R::add(R::multiply(shifted_.top, scaling_.factor), normalizers_.log);
    losses = whereProper<R>(shifted_.top, losses, R::broadcast(nan));
    log_sum_exps = whereProper<R>(shifted_.top, log_sum_exps, R::add(shifted_.top, shifted_.nans));
    losses = R::selectAtLeast(kept_, one, losses, zero);
    log_sum_exps = R::selectAtLeast(kept_, one, log_sum_exps, R::broadcast(-infinity));
    if (isAnyIgnored()) {
      losses = R::selectAtLeast(classes_, zero, losses, zero);
      const auto of_ignored = logSumExpRows<L>(logits_, length_, unit_, scaling_);
      log_sum_exps = R::selectAtLeast(classes_, zero, log_sum_exps, of_ignored);
    }
    R::store(rows_.loss, R::canonicalNan(losses));
    R::store(rows_.log_sum_exp, R::canonicalNan(log_sum_exps));
  }

  /// `grad` may be in the logits' memory. G: the layout of its elements.
  template <class G, class Grad>
  void writeGradients(const Grad& grad) {
    const DistributionGradient<D> row = rowGradient();
    double of_targets[L::rows] = {};
    if (hasIndices()) {
      const auto e = exponential<V>(of_target_);
      R::store(of_targets, D::values(V::canonicalNan(row.at(e, targetSpread()))));
    }
    eachChunk<L>(length_, [&](std::size_t begin, std::size_t count) {
      shifted_.takeAgain(begin, count);
      if (!target_.memory.is_whole && (!is_uniform_ || begin == 0)) setSpread(begin, count);
      const double *e = shifted_.e(begin), *q = spreadAt(begin);
      if (is_uniform_) return row.template write<G, 0>(grad, begin, count, unit_, e, q);
      row.template write<G, 1>(grad, begin, count, unit_, e, q);
    });
    for (std::size_t i = 0; i < L::rows && i < unit_.lanes; ++i)
      if (hasIndices() && hasIndex(i) && classOf(i) - first() < length_)
        grad.storeElement(classOf(i) - first(), i, static_cast<typename G::Element>(of_targets[i]));
  }

 private:
  std::size_t first() const { return part_ ? part_->first : 0; }
  RowTops<R> tops() const {
    if (part_) return RowTops<R>(part_->row->of[0]);
    return topsOf<L>(logits_, length_, unit_, scaling_);
  }
  typename L::Register targetLogits() const {
    if (part_) return L::V::broadcast(static_cast<typename L::Element>(part_->row->target));
    return L::each([&](std::size_t i) {
      return i < unit_.lanes ? logits_.element(classOf(i), i) : typename L::Element(0);
    });
  }

  void addAll(GroupSums<D>& spread, GroupSums<D>& depths) {
    eachChunk<L>(length_, [&](std::size_t begin, std::size_t count) {
      shifted_.take(begin, count);
      if (!target_.is_ready) addSpread(spread, begin, count);
      if (is_uniform_) {
        addDepths<D, 0>(depths, count, unit_, spreadAt(begin), shifted_.d(begin));
      } else {
        addDepths<D, 1>(depths, count, unit_, spreadAt(begin), shifted_.d(begin));
      }
    });
  }
  void sum() {
    GroupSums<D> spread, depths;
    addAll(spread, depths);
    normalizers_ = shifted_.normalizers();
    depths_ = depths.total();
    if (!target_.is_ready) target_.spread_sums = spread.total();
    target_.is_ready =
        is_uniform_ || (target_.memory.is_whole && !target_.has_probabilities && !mask_.isUsed());
    totals_ = R::add(target_.spread_sums, indexed_);
  }

  double* spreadAt(std::size_t begin) const {
    return target_.memory.array(2) + (target_.memory.is_whole && !is_uniform_ ? begin * L::rows : 0);
  }
  /// Of a chunk; if all elements have the same, of one vector.
  SOFTMAX_CALLED void setSpread(std::size_t begin, std::size_t count) const {
    double* q = spreadAt(begin);
    const auto spread = spread_;
    const auto zero = V::broadcast(0.0);
    if (is_uniform_) {
      V::store(q, spread.uniform);
    } else if (target_.has_probabilities) {
      probabilities_.eachLoad(begin, count, unit_, [&](std::size_t i, auto x) SOFTMAX_INLINE_LAMBDA {
        const auto value = spread.of(begin + i, lanesOf<L>(count - i, unit_), L::V::widen(x));
        V::store(q + i * L::rows, value);
      });
    } else {
      eachVector<D>(count, unit_, [&](std::size_t i, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
        V::store(q + i * L::rows, spread.of(begin + i, lanes, zero));
      });
    }
    if (!mask_.isUsed()) return;
    eachVector<D>(count, unit_, [&](std::size_t i, std::size_t lanes) {
      double* place = q + i * L::rows;
      V::store(place, mask_.template apply<V>(V::load(place), begin + i, lanes, zero));
    });
  }
  void addSpread(GroupSums<D>& sums, std::size_t begin, std::size_t count) const {
    setSpread(begin, count);
    if (!is_uniform_) return addInMemory<D>(sums, count, unit_, spreadAt(begin));
    const auto uniform = spread_.uniform;
    sums.add(count, unit_, [&](std::size_t, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
      return lanesInUse<D>(uniform, lanes);
    });
  }

  DistributionGradient<D> rowGradient() const {
    const auto none = R::broadcast(nan);
    const auto scale = R::divide(totals_, normalizers_.sum);
    const auto top_scale = R::multiply(totals_, R::divide(normalizers_.others, normalizers_.sum));
    const auto factor = R::multiply(R::load(rows_.grad_losses), R::load(rows_.multipliers));
    return {D::spread(totals_), D::spread(whereProper<R>(shifted_.top, scale, none)),
            D::spread(whereProper<R>(shifted_.top, top_scale, none)), D::spread(factor),
            D::spread(isAnyIgnored() ? classes_ : R::broadcast(0.0))};
  }

  /// q at the class index of each row.
  Double targetSpread() const {
    double uniforms[L::rows], indexed[L::rows];
    R::store(uniforms, D::values(spread_.uniform));
    R::store(indexed, indexed_);
    return L::eachDouble([&](std::size_t i) {
      const std::size_t c = classOf(i);
      const double q = target_.weight ? uniforms[i] * target_.weight[c] : uniforms[i];
      return (mask_.keeps(c, i) ? q : 0.0) + indexed[i];
    });
  }

  bool hasIndices() const { return !target_.has_probabilities && length_ > 0; }
  bool hasIndex(std::size_t row) const { return rows_.classes[row] >= 0; }
  /// Lanes that no row has may be.
  bool isAnyIgnored() const {
    return !target_.has_probabilities && !R::allAtLeast(classes_, R::broadcast(0.0));
  }
  std::size_t classOf(std::size_t row) const {
    return hasIndex(row) ? static_cast<std::size_t>(rows_.classes[row]) : 0;
  }

  const Logits& logits_;
  const Logits& probabilities_;
  const Mask<L>& mask_;
  DistributionTarget<L>& target_;
  std::size_t length_;
  Unit unit_;
  const RowScaling<L>& scaling_;
  UnitLoss<L>& rows_;
  const PartOfRow* part_;
  WideLogits<L, Logits> shifted_;
  Spread<D> spread_;
  bool is_uniform_;             // what is spread is the same of all elements, and not 0
  typename R::Double kept_;     // classes that the mask keeps
  typename R::Double classes_;  // negative: none, or ignored
  typename R::Double indexed_;  // q at the class index, without what is spread
  typename R::Double totals_;   // Σ q
  typename R::Double depths_;   // Σ q · (−d), without the class index's own
  Normalizers<R> normalizers_;
  Double of_target_ = V::broadcast(0.0);  // d at the class index
};

}  // namespace
