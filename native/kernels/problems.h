// What the losses take, by name: a view of a call's arrays, in the order that operations.h has.
#pragma once

#include "kernel-abi.h"

struct SoftmaxCrossEntropy {
  SoftmaxElements logits;
  /// A class in [0, length) per row, or a negative number for a row to ignore; null: `probabilities`.
  const int32_t* classes;
  SoftmaxElements probabilities;
  /// Null, or one per class.
  const double* weight;
  double labelSmoothing;
  /// One per row. loss: double, as it may be beyond the range of float logits; logSumExp: double for float64
  /// logits, else float.
  void *loss, *logSumExp;
  /// Of the logits' shape, may be the logits; data null: not wanted. float64 for other logits: not rounded.
  SoftmaxElements grad;
  /// ∂result/∂loss: one per row, or null and `gradLoss` for all.
  const double* gradLosses;
  double gradLoss;
};

static inline SoftmaxCrossEntropy softmaxCrossEntropyOf(const SoftmaxCall& call) {
  const SoftmaxElements* a = call.arrays;
  return {a[0],
          static_cast<const int32_t*>(a[4].data),
          a[5],
          static_cast<const double*>(a[6].data),
          call.numbers[1],
          a[2].data,
          a[3].data,
          a[1],
          static_cast<const double*>(a[7].data),
          call.numbers[0]};
}

/// Cross-entropy whose target leaves its place in the sum (target_loss.h), with gradients of the logits'
/// type.
static inline bool softmaxIsIndexLoss(const SoftmaxCall& call) {
  const SoftmaxElements &logits = call.arrays[0], &grad = call.arrays[1], &classes = call.arrays[4];
  const bool is_wide = grad.data && grad.dtype == softmaxFloat64 && logits.dtype != softmaxFloat64;
  return classes.data && call.numbers[1] == 0.0 && !is_wide;
}

struct SoftmaxDivergence {
  SoftmaxElements student, teacher;
  /// One per row.
  double* divergence;
  /// As for cross-entropy; may be the student's logits.
  SoftmaxElements grad;
  /// Null, or added to the gradient: of the logits' shape.
  const double* addend;
  const double* gradLosses;
  double gradLoss;
};

static inline SoftmaxDivergence softmaxDivergenceOf(const SoftmaxCall& call) {
  const SoftmaxElements* a = call.arrays;
  return {a[0],
          a[1],
          static_cast<double*>(a[2].data),
          a[3],
          static_cast<const double*>(a[4].data),
          static_cast<const double*>(a[5].data),
          call.numbers[0]};
}
