// What an ISA object exports: one table of functions, C linkage, plain data. The seam of src/backends/kernels.ts in C.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The types of elements. float16 and bfloat16 are computed in float32. src/backends/native/kernels.ts has the same
/// numbers.
enum SoftmaxDType { softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16 };

/// Elements in memory; data is null where there are none.
struct SoftmaxElements {
  void* data;
  SoftmaxDType dtype;
};

/// An array as rows along one axis: element k of row r = o · inner + i is at (o · length + k) · stride + i,
/// for o in [0, outer) and i in [0, inner).
struct SoftmaxRows {
  /// stride: inner, or in some of an array's columns that of the array.
  size_t outer, length, inner, stride;
  /// Of the whole array, which these rows may be part of.
  size_t elements;
  /// Null, or element k of row r is kept where mask[maskOffsets[r] + k · maskStep] is not 0. maskStep is 0 or
  /// 1 where stride is 1.
  const uint8_t* mask;
  const double* maskOffsets;
  size_t maskStep;
  /// scale / temperature: one a row, or null and `multiplier` for all. ±infinity stands for temperature 0.
  const double* multipliers;
  double multiplier;
  /// Memory for intermediate results, aligned to 64 bytes. It may be null, which costs time where axes are
  /// not the last and where long rows are not of the type they are computed in.
  void* scratch;
  size_t scratchSize;
};

struct SoftmaxCrossEntropy {
  SoftmaxElements logits;
  /// A class in [0, length) a row, or a negative number for a row to ignore; null: `probabilities`.
  const int32_t* classes;
  SoftmaxElements probabilities;
  /// Null, or one a class.
  const double* weight;
  double labelSmoothing;
  /// One a row: double for float64 logits, else float.
  void *loss, *logSumExp;
  /// Of the logits' shape, may be the logits; data null: not wanted. float64 for other logits: not rounded.
  SoftmaxElements grad;
  /// ∂result/∂loss: one a row, or null and `gradLoss` for all.
  const double* gradLosses;
  double gradLoss;
};

struct SoftmaxDivergence {
  SoftmaxElements student, teacher;
  /// One a row.
  double* divergence;
  /// As for cross-entropy; may be the student's logits.
  SoftmaxElements grad;
  /// Null, or added to the gradient: of the logits' shape.
  const double* addend;
  const double* gradLosses;
  double gradLoss;
};

enum SoftmaxFunction {
  callSoftmax,
  callLogSoftmax,
  callLogSumExp,
  callSoftmaxBackward,
  callLogSoftmaxBackward,
  callSoftmaxJacobian,
  callCrossEntropy,
  callDivergence
};

/// A call of any function.
struct SoftmaxCall {
  SoftmaxFunction function;
  union {
    struct {
      /// The forward functions and the Jacobian take x and out, the backward functions x, y and out.
      SoftmaxElements x, y, out;
    };
    SoftmaxCrossEntropy crossEntropy;
    SoftmaxDivergence divergence;
  };
  SoftmaxRows rows;
};

/// A row is summed in blocks of so many elements (tree.h).
constexpr size_t softmaxBlockSize = 4096;

/// Gradients that are not rounded to the type of the logits.
static inline bool softmaxIsWideLoss(const SoftmaxCrossEntropy& loss) {
  return loss.grad.data && loss.grad.dtype == softmaxFloat64 && loss.logits.dtype != softmaxFloat64;
}
/// Cross-entropy whose target leaves its place in the sum (loss.h).
static inline bool softmaxIsIndexLoss(const SoftmaxCrossEntropy& loss) {
  return loss.classes && loss.labelSmoothing == 0.0 && !softmaxIsWideLoss(loss);
}

/// One long row can be computed in parts, by several threads at once: a step of all parts, then the next. The
/// kernels say which comes next.
enum SoftmaxStep { softmaxBegin, softmaxMeasure, softmaxSum, softmaxSumAgain, softmaxFinish, softmaxEnd };

/// What is known of a row, or of a part of it, between two steps.
struct SoftmaxPart {
  double top;            // the largest signed logit
  double sum, exponent;  // of exponentials sum · 2^exponent, or of a backward function's terms
  double nans;           // NaN if there is one beside an infinity, else 0
  double target;         // the logit of the target
  double nearZero;       // the log-sum-exp, if it needs more care (near_zero.h); else NaN
  int isKept;            // exponentials are kept in the output
};

/// Outputs may be inputs (the same address and dtype), but may not overlap them otherwise.
struct SoftmaxKernels {
  const char* isa;
  /// Floats in a vector.
  size_t lanes;
  void (*softmax)(const SoftmaxElements* x, const SoftmaxElements* out, const SoftmaxRows* rows);
  void (*logSoftmax)(const SoftmaxElements* x, const SoftmaxElements* out, const SoftmaxRows* rows);
  /// out: one element a row.
  void (*logSumExp)(const SoftmaxElements* x, const SoftmaxElements* out, const SoftmaxRows* rows);
  void (*softmaxBackward)(const SoftmaxElements* gradOutput, const SoftmaxElements* output,
                          const SoftmaxElements* out, const SoftmaxRows* rows);
  void (*logSoftmaxBackward)(const SoftmaxElements* gradOutput, const SoftmaxElements* output,
                             const SoftmaxElements* out, const SoftmaxRows* rows);
  /// Rows of the last axis, no mask. out: length × length elements a row, not overlapping the input.
  void (*softmaxJacobian)(const SoftmaxElements* output, const SoftmaxElements* out, const SoftmaxRows* rows);
  void (*crossEntropy)(const SoftmaxCrossEntropy* problem, const SoftmaxRows* rows);
  void (*divergence)(const SoftmaxDivergence* problem, const SoftmaxRows* rows);
  /// A call of one row in parts: of the last axis, without a mask, all of float32 or all of float64; not of
  /// softmaxJacobian, divergence, or a cross-entropy but that of class indices without smoothing. The step of
  /// elements [begin, begin + count), a part: all parts but the last are as long, 4096 times a power of two.
  /// Fills `part` with what is known of it.
  void (*takeStep)(const SoftmaxCall* call, SoftmaxStep step, size_t begin, size_t count,
                   const SoftmaxPart* row, SoftmaxPart* part);
  /// After a step of all parts, in order: fills `row` with what is known of the row. The next step;
  /// softmaxEnd: there is none. At first the step is softmaxBegin, and there are no parts.
  SoftmaxStep (*join)(const SoftmaxCall* call, SoftmaxStep step, const SoftmaxPart* parts, size_t count,
                      SoftmaxPart* row);
  /// For tests: 2 exp(logit) with no row around it.
  void (*exponential)(const float* logits, float* out, size_t count);
  void (*exponentialDouble)(const double* logits, double* out, size_t count);
};
