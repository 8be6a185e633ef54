// The exact results of one row, to some 97 bits, and how far a computed number may be from one.
#pragma once

#include "problem.h"

namespace softmax_fuzz {

/// A row that is no distribution, and why. `limit`: at temperature 0.
enum class RowKind { distribution, limit, hasNan, infinite, lowest, empty };

/// A row of logits.
class ExactRow {
 public:
  /// Of the problem's checked row; `dtype`: of the logits.
  void set(const Problem& problem, const SoftmaxElements& logits);

  RowKind kind;
  std::size_t length, kept_count;
  bool keeps[mostLength];
  double logits[mostLength];
  double multiplier;
  std::size_t top;  // the first of the largest signed logits
  /// (z_i − max z) · multiplier and its exponential; −infinity and 0 for what has no part in the row.
  DoubleDouble differences[mostLength], exponentials[mostLength];
  DoubleDouble others, sum, log_sum;  // `others`: without the top itself
  double largest;                     // |z_i · multiplier|, of the finite ones
  /// How far off an exponential of float64 logits may be because their products are rounded: no promise
  /// covers them. Of others the product has 40 bits.
  double rounding;
  /// Below the floor results may be 0, of logits of this type; what is clearly below must be.
  double floor;

  DoubleDouble probability(std::size_t i) const { return exponentials[i] / sum; }
  DoubleDouble logProbability(std::size_t i) const {
    const DoubleDouble difference = differences[i];
    return difference.high - difference.high == 0.0 ? difference - log_sum : difference;
  }
  DoubleDouble logSumExp() const;
  /// Nothing is left of it by the mask, or nothing but −infinity where that is the same.
  bool isEmptied(const Problem& problem) const {
    return kind == RowKind::empty || (kind == RowKind::lowest && problem.rows.zeroesEmpty);
  }
  bool isTop(std::size_t i) const { return keeps[i] && logits[i] == logits[top]; }
  double countOfTops() const {
    double count = 0;
    for (std::size_t i = 0; i < length; ++i) count += isTop(i);
    return count;
  }
};

/// Whether a result is the number, but for `tolerance` and its rounding to 16 bits. Beyond the largest number
/// it is infinite.
bool isNear(const SoftmaxElements& results, std::size_t index, DoubleDouble exact, double tolerance);

/// The tolerance of log-softmax, of log-sum-exp and of losses of float64. What is measured of float64
/// (docs/numerics.md) is no promise: it gets half as much again.
double logTolerance(const ExactRow& row, SoftmaxDType computed, DoubleDouble exact);

/// What logits of a type are computed in.
inline SoftmaxDType computedIn(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
}

/// A number has been told from the exact one.
[[noreturn]] void failAt(const Problem& problem, const SoftmaxElements& results, std::size_t index,
                         DoubleDouble exact, double tolerance);
inline void expectNear(const Problem& problem, const SoftmaxElements& results, std::size_t index,
                       DoubleDouble exact, double tolerance) {
  if (!isNear(results, index, exact, tolerance)) failAt(problem, results, index, exact, tolerance);
}
/// Exactly: +0, an infinity, the canonical NaN.
void expectExactly(const Problem& problem, const SoftmaxElements& results, std::size_t index, double wanted);
/// The log-sum-exp of the checked row, one element per row.
void expectLogSumExp(const Problem& problem, const ExactRow& row, const SoftmaxElements& results,
                     SoftmaxDType computed);

}  // namespace softmax_fuzz
