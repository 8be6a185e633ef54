// Cross-entropy with class indices: loss, log-sum-exp and gradient together.
//
//   ∂loss/∂logit_c = w_y multiplier (p_c − [c = y])
#pragma once

#include "loss_queue.h"

namespace {

/// Ignored rows: no loss, no gradient, but a log-sum-exp. Rows that the mask empties: no loss. The gradient
/// may be in the logits' memory. Queue: a LossQueue.
template <class Arrays, bool has_grad, class Queue>
class IndexLossSteps {
  using L = typename Arrays::Layout;
  using V = typename L::V;
  using R = typename L::Rows;
  using Double = typename R::Double;
  using Element = typename L::Element;

 public:
  /// The loss is set by the caller, but for its results.
  UnitLoss<L>& begin(const Arrays& arrays, Queue& queue) {
    arrays_ = arrays;
    queue_ = &queue;
    return loss_;
  }

  void measure() {
    findTargets();
    rows_.measure(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling);
    if (rows_.is_kept) findNearZero();
  }
  void sum() {
    rows_.sum(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling, &sums_.target_class);
    if (!rows_.is_kept) findNearZero();
    setSums();
  }

  // What together() asks of the rows that are measured, summed and finished (pipeline.h).
  static constexpr bool takes_scaled_together = true;
  bool isPlain() const { return rows_.is_plain; }
  bool isOrdinary() const {
    return !has_grad || (R::allAtLeast(sums_.target_class, R::broadcast(0.0)) &&
                         areFinite<R>(R::widen(R::narrow(factors_))));
  }

  template <bool plain>
  static void together(IndexLossSteps& measured, IndexLossSteps& summed, IndexLossSteps& finished) {
    measured.findTargets();
    const auto with = [&](const auto& results_of) SOFTMAX_INLINE_LAMBDA {
      measureAndSum<L, plain, true>(measured.rows_, measured.arrays_, summed.rows_, summed.arrays_,
                                    summed.kept(), &summed.sums_.target_class, results_of,
                                    finished.arrays_.out);
    };
    if (!finished.waits()) finished.findLosses();
    if constexpr (has_grad) {
      const Factors<R> factors(finished.factors_);
      with(factors.resultsOf(finished.arrays_.kept));
      finished.writeTargetGradients();
      measured.findNearZero();
    } else {
      with(NoResults{});
      summed.findNearZero();
    }
    summed.setSums();
  }

  void take(const PartTask& task) {
    prepare(task);
    if (task.step != softmaxFinish)
      return SumsInParts<L>::step(rows_, arrays_, kept(), task, skippedOf(task));
    SumsInParts<L>::load(rows_, *task.row, *arrays_.scaling);
    setSums();
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
    setSums();
    if constexpr (has_grad) {
      findBesideTop(*task.part);
      return next;
    }
    finish();
    return softmaxEnd;
  }
  void finish() {
    findLosses();
    if constexpr (has_grad) writeGradients();
  }

 private:
  void findTargets() {
    sums_.logit = L::ofRows([&](std::size_t i) {
      return isKept(i) ? arrays_.logits.element(static_cast<std::size_t>(loss_.classes[i]), i) : Element(0);
    });
    sums_.target_class = L::ofRowsDouble([&](std::size_t i) { return isKept(i) ? loss_.classes[i] : -1; });
  }
  bool isKept(std::size_t row) const { return loss_.classes[row] >= 0 && row < arrays_.unit.lanes; }
  /// Once the others are summed.
  void setSums() {
    const RowConstants<L> row(*arrays_.scaling, rows_.references);
    sums_.others = rows_.total;
    sums_.target = singleExponentials<L>(sums_.logit, row);
    sums_.total = R::selectAtLeast(sums_.target_class, R::broadcast(0.0), R::add(sums_.others, sums_.target),
                                   sums_.others);
    if constexpr (has_grad)
      factors_ = R::multiply(R::divide(gradFactors(), sums_.total), proper(sums_.total));
  }
  /// Whether the losses are left to the queue.
  bool waits() const {
    if constexpr (Queue::is_used)
      return queue_->takes(arrays_.unit, rows_, *arrays_.scaling, sums_, near_zero_.value(), loss_);
    return false;
  }
  /// Writes them, too.
  void findLosses() {
    const auto found = targetLosses<L>(rows_, *arrays_.scaling, sums_);
    auto log_sum_exps = found.log_sum_exps;
    if (!is_part_) log_sum_exps = besideTopsOf(log_sum_exps);
    log_sum_exps = near_zero_.putInto(log_sum_exps);
    R::store(loss_.log_sum_exp, log_sum_exps);
    R::store(loss_.loss, countedLosses<R>(found.losses, sums_, R::load(loss_.weights)));
    if (!R::allAtLeast(log_sum_exps, R::broadcast(-largestDouble))) clearEmptied();
    if (has_loss_) queue_->write(arrays_.unit, loss_);
  }
  Double besideTopsOf(Double log_sum_exps) const {
    return besideTops<L>(arrays_.logits, kept(), arrays_.length, arrays_.unit, *arrays_.scaling, rows_,
                         sums_.total, log_sum_exps);
  }
  void findNearZero() {
    near_zero_.find(arrays_.logits, arrays_.length, arrays_.unit, *arrays_.scaling, rows_.top);
  }
  /// Of a whole row, which its parts do not know.
  void findBesideTop(SoftmaxPart& row) {
    const RowScaling<L>& scaling = *arrays_.scaling;
    const auto normalizers = logNormalizers<L>(rows_, sums_.total, scaling);
    const auto known = logSumExpsOf(rows_, sums_.total, normalizers, scaling);
    const auto value = besideTopsOf(known);
    if (row.nearZero != row.nearZero && value != known) row.nearZero = value;
  }
  /// What measure() finds of a whole row.
  void prepare(const PartTask& task) {
    first_ = task.begin;
    sums_.target_class = isKept(0) ? loss_.classes[0] : -1;
    sums_.logit = static_cast<Element>((task.is_join ? task.part : task.row)->target);
  }
  double skippedOf(const PartTask& task) const {
    const double at = sums_.target_class - static_cast<double>(task.begin);
    return sums_.target_class >= 0 && at >= 0 && at < static_cast<double>(arrays_.length) ? at : -1.0;
  }
  auto kept() const {
    if constexpr (has_grad)
      return arrays_.kept;
    else
      return Nowhere{};
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
  void writeTargetGradients() const {
    const auto shares = R::multiply(gradFactors(), R::divide(sums_.others, sums_.total));
    double target_gradients[L::rows];
    R::store(target_gradients,
             R::canonicalNan(R::multiply(R::subtract(R::broadcast(0.0), shares), proper(sums_.total))));
    for (std::size_t i = 0; i < L::rows; ++i) {
      const std::size_t target = static_cast<std::size_t>(loss_.classes[i]) - first_;
      if (isKept(i) && target < arrays_.length)
        arrays_.out.storeElement(target, i, static_cast<Element>(target_gradients[i]));
    }
  }
  void writeGradients() const {
    const auto& [logits, kept, out, length, unit, scaling] = arrays_;
    const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
    RowFactors<L> factors(R::selectAtLeast(sums_.target_class, zero, factors_, one));
    factors.zero = R::selectAtLeast(sums_.target_class, zero, zero, one);
    factors.has_zero = !R::allAtLeast(sums_.target_class, zero);
    scaleExponentials<L>(logits, kept, out, length, unit, *scaling, rows_, factors);
    writeTargetGradients();
  }

  Arrays arrays_;
  UnitLoss<L> loss_;
  Queue* queue_;
  RowSums<L> rows_;
  NearZero<L> near_zero_;
  TargetSums<R> sums_;
  Double factors_;         // of the exponentials, in the gradient
  std::size_t first_ = 0;  // class that is the first element: of a part
  bool is_part_ = false;
  bool has_loss_ = true;  // one part of a row writes it
};

}  // namespace
