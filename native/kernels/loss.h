// Cross-entropy with class indices: loss, log-sum-exp and gradient together.
//
//   loss = w_y (log Σ exp(z) − z_y)        ∂loss/∂logit_c = w_y multiplier (p_c − [c = y])
//
// The target is left out of the sum of exponentials. With s = Σ_{c ≠ y} exp(z_c) / exp(z_y), loss = log(1 +
// s) and p_y − 1 = −s / (1 + s): neither cancels as p_y → 1, where the textbook forms lose every digit.
#pragma once

#include "forward.h"

namespace {

/// The targets of the rows of a unit, and their losses.
template <class L>
struct UnitLoss {
  std::int32_t classes[L::rows];  // negative: ignored
  double weights[L::rows];        // of those classes
  double multipliers[L::rows];
  double grad_losses[L::rows];  // ∂result/∂loss
  double loss[L::rows], log_sum_exp[L::rows];
};

/// log Σ exp(z) − z_y.
template <class L>
typename L::Rows::Double targetLosses(typename L::Rows::Register target_logits,
                                      typename L::Rows::Double others,
                                      typename L::Rows::Double target_exponentials,
                                      typename L::Rows::Double normalizers, const RowSums<L>& rows,
                                      const RowScaling<L>& scaling) {
  using R = typename L::Rows;
  const auto outweighed = logOnePlusRatio<R>(R::divide(others, target_exponentials));
  const auto logits = R::widen(R::multiply(scaling.sign, target_logits));
  const ScaledDifferences<R> differences(R::widen(normalizerOffsets(rows)), scaling.factor);
  const auto difference = R::subtract(normalizers, differences.of(logits));
  const auto lowest = R::broadcast(-static_cast<double>(Numbers<typename L::Element>::largest));
  const auto loss = R::selectAtLeast(logits, lowest, difference, R::broadcast(infinity));
  return R::selectAtLeast(target_exponentials, others, outweighed, loss);
}

/// Ignored rows: no loss, no gradient, but a log-sum-exp. Rows that the mask empties: no loss. The gradient
/// may be in the logits' memory. write(unit, loss) takes the losses.
template <class Arrays, bool has_grad, class Write>
class IndexLossSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;
  using R = typename L::Rows;
  using Double = typename R::Double;
  using Element = typename L::Element;

 public:
  /// The loss is set by the caller, but for its results.
  UnitLoss<L>& begin(const Arrays& arrays, const Write& write) {
    arrays_ = arrays;
    write_ = &write;
    return loss_;
  }

  void measure() {
    findTargets();
    rows_.measure(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling);
    if (rows_.is_kept) findNearZero();
  }
  void sum() {
    rows_.sum(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling, &classes_);
    if (!rows_.is_kept) findNearZero();
  }

  // What together() asks of the rows that are measured, summed and finished (pipeline.h).
  static constexpr bool takes_scaled_together = true;
  bool isPlain() const { return rows_.is_plain; }
  bool isOrdinary() const {
    return !has_grad || (R::allAtLeast(classes_, R::broadcast(0.0)) &&
                         areFinite<R>(R::widen(R::narrow(gradientFactors(terms())))));
  }

  template <bool plain>
  static void together(IndexLossSteps& measured, IndexLossSteps& summed, IndexLossSteps& finished) {
    measured.findTargets();
    const auto with = [&](const auto& results_of) SOFTMAX_INLINE_LAMBDA {
      measureAndSum<L, plain, true>(measured.rows_, measured.arrays_, summed.rows_, summed.arrays_,
                                    summed.kept(), &summed.classes_, results_of, finished.arrays_.out);
    };
    const Terms terms = finished.findLosses();
    if constexpr (has_grad) {
      const Factors<R> factors(finished.gradientFactors(terms));
      with(factors.resultsOf(finished.arrays_.kept));
      finished.writeTargetGradients(terms);
      measured.findNearZero();
    } else {
      with(NoResults{});
      summed.findNearZero();
    }
  }

  void take(const PartTask& task) {
    prepare(task);
    if (task.step != softmaxFinish)
      return SumsInParts<L>::step(rows_, arrays_, kept(), task, skippedOf(task));
    SumsInParts<L>::load(rows_, *task.row, *arrays_.scaling);
    near_zero_.set(task.row->nearZero);
    is_part_ = true;
    has_loss_ = first_ == 0;
    finish();
  }
  SoftmaxStep join(const PartTask& task) {
    if (task.step == softmaxFinish) return softmaxEnd;
    if (task.step == softmaxBegin && isKept(0))
      task.part->target = arrays_.logits.element(static_cast<std::size_t>(loss_.classes[0]), 0);
    const SoftmaxStep next = SumsInParts<L>::join(rows_, arrays_, kept(), task);
    if (task.step == (task.part->isKept ? softmaxMeasure : softmaxSum)) {
      findNearZero();
      task.part->nearZero = near_zero_.value();
    }
    if (next != softmaxFinish) return next;
    prepare(task);
    SumsInParts<L>::load(rows_, *task.part, *arrays_.scaling);
    if constexpr (has_grad) {
      findBesideTop(*task.part);
      return next;
    }
    finish();
    return softmaxEnd;
  }
  void finish() {
    const Terms terms = findLosses();
    if constexpr (has_grad) writeGradients(terms);
  }

 private:
  void findTargets() {
    target_logits_ = L::ofRows([&](std::size_t i) {
      return isKept(i) ? arrays_.logits.element(static_cast<std::size_t>(loss_.classes[i]), i) : Element(0);
    });
    classes_ = L::ofRowsDouble([&](std::size_t i) { return isKept(i) ? loss_.classes[i] : -1; });
  }
  bool isKept(std::size_t row) const { return loss_.classes[row] >= 0 && row < arrays_.unit.lanes; }
  /// Sums of exponentials in the measure of their row.
  struct Terms {
    Double others, target, total;
  };
  Terms terms() const {
    const auto others = rows_.total;
    const RowConstants<L> row(*arrays_.scaling, rows_.references);
    const auto target = singleExponentials<L>(target_logits_, row);
    return {others, target, R::selectAtLeast(classes_, R::broadcast(0.0), R::add(others, target), others)};
  }
  /// Writes them, too.
  Terms findLosses() {
    const RowScaling<L>& scaling = *arrays_.scaling;
    const Terms terms = this->terms();
    const auto normalizers = logNormalizers<L>(rows_, terms.total, scaling);
    auto log_sum_exps = logSumExpsOf(rows_, terms.total, normalizers, scaling);
    if (!is_part_) log_sum_exps = besideTopsOf(terms.total, log_sum_exps);
    log_sum_exps = near_zero_.putInto(log_sum_exps);
    R::store(loss_.log_sum_exp, log_sum_exps);
    const auto losses =
        targetLosses<L>(target_logits_, terms.others, terms.target, normalizers, rows_, scaling);
    R::store(loss_.loss, countedLosses(losses, terms.total));
    if (!R::allAtLeast(log_sum_exps, R::broadcast(-largestDouble))) clearEmptied();
    if (has_loss_) (*write_)(arrays_.unit, loss_);
    return terms;
  }
  Double besideTopsOf(Double totals, Double log_sum_exps) const {
    return besideTops<L>(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling, rows_,
                         totals, log_sum_exps);
  }
  void findNearZero() {
    near_zero_.find(arrays_.logits, arrays_.length, arrays_.unit, *arrays_.scaling, rows_.top);
  }
  /// Of a whole row, which its parts do not know.
  void findBesideTop(SoftmaxPart& row) {
    const auto total = terms().total;
    const auto known =
        logSumExpsOf(rows_, total, logNormalizers<L>(rows_, total, *arrays_.scaling), *arrays_.scaling);
    const auto value = besideTopsOf(total, known);
    if (row.nearZero != row.nearZero && value != known) row.nearZero = value;
  }
  /// What measure() finds of a whole row.
  void prepare(const PartTask& task) {
    first_ = task.begin;
    classes_ = isKept(0) ? loss_.classes[0] : -1;
    target_logits_ = static_cast<Element>((task.is_join ? task.part : task.row)->target);
  }
  double skippedOf(const PartTask& task) const {
    const double at = classes_ - static_cast<double>(task.begin);
    return classes_ >= 0 && at >= 0 && at < static_cast<double>(arrays_.length) ? at : -1.0;
  }
  auto kept() const {
    if constexpr (has_grad)
      return arrays_.kept;
    else
      return Nowhere{};
  }

  /// Weighted. A class of weight 0 has no loss, even an infinite one. Neither has an ignored row.
  Double countedLosses(Double losses, Double totals) const {
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    const auto weights = R::load(loss_.weights);
    const auto proper = R::selectAtLeast(totals, R::broadcast(smallestNormal), losses, R::broadcast(nan));
    const auto weighted = R::canonicalNan(R::multiply(proper, weights));
    const auto weightless = R::clearWhereEqual(one, weights, zero);
    const auto counts = R::selectAtLeast(proper, R::broadcast(infinity), weightless, one);
    const auto counted = R::selectAtLeast(counts, one, weighted, zero);
    return R::selectAtLeast(classes_, zero, counted, zero);
  }
  void clearEmptied() {
    for (std::size_t i = 0; i < L::rows && i < arrays_.unit.lanes; ++i)
      if (loss_.log_sum_exp[i] == -infinity && arrays_.logits.keptCount(i, arrays_.length) == 0)
        loss_.loss[i] = 0.0;
  }

  Double gradFactors() const {
    const auto weighted = R::multiply(R::load(loss_.grad_losses), R::load(loss_.weights));
    return R::multiply(weighted, R::load(loss_.multipliers));
  }
  /// 1, or NaN for a row without a distribution.
  static Double proper(Double totals) {
    return R::selectAtLeast(totals, R::broadcast(smallestNormal), R::broadcast(1.0), R::broadcast(nan));
  }
  /// What the exponentials are multiplied by.
  Double gradientFactors(const Terms& terms) const {
    return R::multiply(R::divide(gradFactors(), terms.total), proper(terms.total));
  }
  void writeTargetGradients(const Terms& terms) const {
    const auto shares = R::multiply(gradFactors(), R::divide(terms.others, terms.total));
    double target_gradients[L::rows];
    R::store(target_gradients,
             R::canonicalNan(R::multiply(R::subtract(R::broadcast(0.0), shares), proper(terms.total))));
    for (std::size_t i = 0; i < L::rows; ++i) {
      const std::size_t target = static_cast<std::size_t>(loss_.classes[i]) - first_;
      if (isKept(i) && target < arrays_.length)
        arrays_.out.storeElement(target, i, static_cast<Element>(target_gradients[i]));
    }
  }
  void writeGradients(const Terms& terms) const {
    const auto& [logits, kept, out, length, unit, scaling] = arrays_;
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    RowFactors<L> factors(R::selectAtLeast(classes_, zero, gradientFactors(terms), one));
    factors.zero = R::selectAtLeast(classes_, zero, zero, one);
    factors.has_zero = !R::allAtLeast(classes_, zero);
    scaleExponentials<L>(logits, kept, out, length, unit, *scaling, rows_, factors);
    writeTargetGradients(terms);
  }

  Arrays arrays_;
  UnitLoss<L> loss_;
  const Write* write_;
  RowSums<L> rows_;
  NearZero<L> near_zero_;
  typename R::Register target_logits_;
  Double classes_;         // −1: ignored
  std::size_t first_ = 0;  // class that is the first element: of a part
  bool is_part_ = false;
  bool has_loss_ = true;  // one part of a row writes it
};

}  // namespace
