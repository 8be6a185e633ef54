#include "exact_row.h"

namespace softmax_fuzz {
namespace {

constexpr double infinity = __builtin_inf();

double larger(double a, double b) {
  return a > b ? a : b;
}

/// (a − b) · factor. The difference of two doubles, and the product, may be too large for one.
DoubleDouble scaledDifference(double a, double b, double factor) {
  if (factor == 0.0) return number(0.0);
  const DoubleDouble quarter = twoSum(a * 0.25, -b * 0.25);
  // The product of numbers whose exponents add up to more than a double's, or to less.
  const double product = quarter.high * factor;
  if (!(__builtin_fabs(product) < 1e290)) return number(product * 4.0);
  if (__builtin_fabs(product) < 1e-250 || __builtin_fabs(factor) > 1e290 ||
      __builtin_fabs(quarter.high) > 1e290)
    return number(product * 4.0);
  const DoubleDouble exact = quarter * factor;
  return {exact.high * 4.0, exact.low * 4.0};
}

}  // namespace

void ExactRow::set(const Problem& problem, const SoftmaxElements& elements) {
  const std::size_t row = problem.checked_row;
  const bool is_double = elements.dtype == softmaxFloat64;
  length = problem.rows.length;
  multiplier = problem.multiplierOf(row);
  const bool is_negative = __builtin_signbit(multiplier);
  floor = is_double ? 0x1p-1022 : 0x1p-126;
  kept_count = 0;
  bool has_nan = false;
  double top_logit = -infinity;
  top = 0;
  for (std::size_t i = 0; i < length; ++i) {
    keeps[i] = problem.keeps(row, i);
    logits[i] = elementAt(elements, problem.indexOf(row, i));
    differences[i] = number(-infinity);
    exponentials[i] = number(0.0);
    if (!keeps[i]) continue;
    ++kept_count;
    has_nan |= logits[i] != logits[i];
    const double signed_logit = is_negative ? -logits[i] : logits[i];
    if (signed_logit > top_logit) {
      top_logit = signed_logit;
      top = i;
    }
  }
  const double magnitude = __builtin_fabs(multiplier);
  const bool is_limit = is_double ? magnitude == infinity : magnitude >= 0x1.fffffep127;
  kind = kept_count == 0          ? RowKind::empty
         : has_nan                ? RowKind::hasNan
         : top_logit == infinity  ? RowKind::infinite
         : top_logit == -infinity ? RowKind::lowest
         : is_limit               ? RowKind::limit
                                  : RowKind::distribution;
  if (kind != RowKind::distribution) return;
  others = number(0.0);
  largest = 0.0;
  // What is further down adds less than 2^−20 of the smallest normal double.
  constexpr double depth = -722.3;
  for (std::size_t i = 0; i < length; ++i) {
    if (!keeps[i] || __builtin_fabs(logits[i]) == infinity) continue;
    differences[i] = scaledDifference(logits[i], logits[top], multiplier);
    largest = larger(largest, __builtin_fabs(logits[i] * multiplier));
    if (i == top) {
      exponentials[i] = number(1.0);
    } else if (differences[i].high >= depth) {
      exponentials[i] = logits[i] == logits[top] ? number(1.0) : exp(differences[i]);
      others = others + exponentials[i];
    }
  }
  sum = others + number(1.0);
  log_sum = logOnePlus(others);
  const double product = __builtin_fabs(logits[top] * multiplier);
  const double rounded_size = product <= 4096.0 ? product + 720.0 : 720.0;
  rounding = multiplier == 1.0 ? 0.0 : is_double ? 0x1p-52 * rounded_size : 0x1p-40 * rounded_size;
}

DoubleDouble ExactRow::logSumExp() const {
  const double product = logits[top] * multiplier;
  if (__builtin_fabs(product) == infinity) return number(product);
  const bool is_exact = __builtin_fabs(product) < 1e290 && __builtin_fabs(product) > 1e-250 &&
                        __builtin_fabs(logits[top]) < 1e290 && __builtin_fabs(multiplier) < 1e290;
  return (is_exact ? twoProduct(logits[top], multiplier) : number(product)) + log_sum;
}

bool isNear(const SoftmaxElements& results, std::size_t index, DoubleDouble exact, double tolerance) {
  const double result = elementAt(results, index), magnitude = __builtin_fabs(exact.high);
  const Format& format = formatOf(results.dtype);
  if (results.dtype > softmaxFloat64)
    tolerance += 0.5 * ulpOf(larger(magnitude, __builtin_fabs(result)), format);
  if (result - result != 0.0) {
    const bool is_beyond = magnitude + tolerance >= format.largest;
    return result == result && is_beyond && ((result > 0) == (exact.high > 0) || tolerance >= format.largest);
  }
  if (magnitude == infinity) return tolerance == infinity;
  return __builtin_fabs((result - exact.high) - exact.low) <= tolerance;
}

double logTolerance(const ExactRow& row, SoftmaxDType computed, DoubleDouble exact) {
  const Format& format = formatOf(computed);
  const bool is_double = computed == softmaxFloat64;
  const double own = (is_double ? 12.0 : 4.0) * ulpOf(exact.high, format);
  const double of_logits = (is_double ? 3.0 : 1.0) * ulpOf(row.largest, format);
  return larger(own, of_logits) + row.rounding;
}

void failAt(const Problem& problem, const SoftmaxElements& results, std::size_t index, DoubleDouble exact,
            double tolerance) {
  const double result = elementAt(results, index);
  std::fprintf(stderr, "[%zu] is %.17g (%a), exactly %.17g (%a), tolerance %g, error %g ULP, dtype %d\n",
               index, result, result, exact.high, exact.high, tolerance,
               __builtin_fabs(result - exact.high) / ulpOf(exact.high, formatOf(results.dtype)),
               static_cast<int>(results.dtype));
  fail(problem, "not the exact result");
}

void expectExactly(const Problem& problem, const SoftmaxElements& results, std::size_t index, double wanted) {
  const double result = elementAt(results, index);
  const bool is_same = wanted == wanted ? bitCast<std::uint64_t>(result) == bitCast<std::uint64_t>(wanted)
                                        : isCanonicalNan(results, index);
  if (!is_same) failAt(problem, results, index, number(wanted), 0.0);
}

void expectLogSumExp(const Problem& problem, const ExactRow& row, const SoftmaxElements& results,
                     SoftmaxDType computed) {
  const std::size_t at = problem.checked_row;
  switch (row.kind) {
    case RowKind::hasNan:
      return expectExactly(problem, results, at, __builtin_nan(""));
    case RowKind::infinite:
      return expectExactly(problem, results, at, __builtin_inf());
    case RowKind::lowest:
    case RowKind::empty:
      return expectExactly(problem, results, at, -__builtin_inf());
    case RowKind::limit:
      fail(problem, "there is neither a log-sum-exp nor a loss at temperature 0");
    case RowKind::distribution: {
      const DoubleDouble exact = row.logSumExp();
      expectNear(problem, results, at, exact, logTolerance(row, computed, exact));
    }
  }
}

}  // namespace softmax_fuzz
