// softmaxBackward, logSoftmaxBackward and softmaxJacobian.
#include "alone.h"
#include "exact_row.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

double magnitudeOf(double value) {
  return __builtin_fabs(value);
}

double larger(double a, double b) {
  return a > b ? a : b;
}

/// An overflow on the way is another one in another order: not checked.
bool isHuge(double value) {
  return magnitudeOf(value) > 1e290 && magnitudeOf(value) != __builtin_inf();
}

/// A result is expected to have a relative error of 1e-6 (float64: 8 ULP) beside what is left where terms
/// cancel, of which each has been rounded to double.
struct Terms {
  double terms = 0.0;  // Σ |term|
  double most = 0.0;   // the largest number on the way; infinite where there is a NaN
  void see(double value) {
    const double magnitude = magnitudeOf(value);
    terms += magnitude;
    if (!(magnitude <= most)) most = magnitude == magnitude ? magnitude : __builtin_inf();
  }
};

void expectGradient(const Problem& problem, const SoftmaxElements& results, std::size_t at,
                    DoubleDouble exact, SoftmaxDType computed, double absolute) {
  if (exact.high - exact.high != 0.0) return;  // beyond what the reference can hold
  const double relative = computed == softmaxFloat64 ? 0x1p-49 : 1e-6;
  const double denormal = computed == softmaxFloat64 ? 0x1p-1074 : 0x1p-149;
  expectNear(problem, results, at, exact, relative * magnitudeOf(exact.high) + absolute + denormal);
}

/// Whether the output of the checked row is that of an empty one, whose gradient is 0 then.
bool isEmptied(const Problem& problem, const SoftmaxElements& outputs, double nothing) {
  if (!problem.rows.zeroesEmpty) return false;
  for (std::size_t i = 0; i < problem.rows.length; ++i)
    if (problem.keeps(problem.checked_row, i) &&
        elementAt(outputs, problem.indexOf(problem.checked_row, i)) != nothing)
      return false;
  return true;
}
void expectZeros(const Problem& problem, const SoftmaxElements& results) {
  for (std::size_t i = 0; i < problem.rows.length; ++i)
    expectExactly(problem, results, problem.indexOf(problem.checked_row, i), 0.0);
}

/// dx_i = p_i (g_i − Σ g p) · multiplier.
void checkSoftmaxBackward(const Problem& problem, const SoftmaxElements& grads,
                          const SoftmaxElements& outputs, const SoftmaxElements& results,
                          SoftmaxDType computed) {
  const std::size_t row = problem.checked_row, length = problem.rows.length;
  const double multiplier = problem.multiplierOf(row);
  DoubleDouble sum = number(0.0);
  double plain_sum = 0.0;
  Terms terms;
  for (std::size_t i = 0; i < length; ++i) {
    if (!problem.keeps(row, i)) continue;
    const std::size_t at = problem.indexOf(row, i);
    const double g = elementAt(grads, at), p = elementAt(outputs, at);
    plain_sum += g * p;
    sum = sum + twoProduct(g, p);
    if (isHuge(g) || isHuge(p)) return;
    terms.see(g * p);
  }
  // An overflow on the way is another one in another order.
  const bool is_finite = terms.terms < 1e290;
  if (!is_finite && terms.most != __builtin_inf()) return;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t at = problem.indexOf(row, i);
    if (!problem.keeps(row, i)) {
      expectExactly(problem, results, at, 0.0);
      continue;
    }
    const double g = elementAt(grads, at), p = elementAt(outputs, at);
    const double product = (g - plain_sum) * p, plain = product * multiplier;
    if (!is_finite || plain - plain != 0.0) {
      // Infinite only by the multiplication of numbers near the end of the range: not checked.
      if (plain != plain) expectExactly(problem, results, at, __builtin_nan(""));
      continue;
    }
    if (magnitudeOf(g) > 1e290 || magnitudeOf(product) > 1e290 || magnitudeOf(plain) > 1e290) continue;
    const DoubleDouble exact = (number(g) - sum) * p * multiplier;
    const double cancelled = 0x1p-52 * static_cast<double>(length + 8) * (magnitudeOf(g) + terms.terms);
    const double absolute = (cancelled * magnitudeOf(p) + 0x1p-1070) * magnitudeOf(multiplier);
    expectGradient(problem, results, at, exact, computed, absolute);
  }
}

/// dx_i = (g_i − exp(y_i) Σ g) · multiplier.
void checkLogSoftmaxBackward(const Problem& problem, const SoftmaxElements& grads,
                             const SoftmaxElements& outputs, const SoftmaxElements& results,
                             SoftmaxDType computed) {
  const std::size_t row = problem.checked_row, length = problem.rows.length;
  const double multiplier = problem.multiplierOf(row);
  DoubleDouble sum = number(0.0);
  double plain_sum = 0.0;
  Terms terms;
  for (std::size_t i = 0; i < length; ++i) {
    if (!problem.keeps(row, i)) continue;
    const double g = elementAt(grads, problem.indexOf(row, i));
    plain_sum += g;
    sum = sum + number(g);
    if (isHuge(g)) return;
    terms.see(g);
  }
  const bool is_finite = terms.terms < 1e290;
  if (!is_finite && terms.most != __builtin_inf()) return;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t at = problem.indexOf(row, i);
    if (!problem.keeps(row, i)) {
      expectExactly(problem, results, at, 0.0);
      continue;
    }
    const double g = elementAt(grads, at), y = elementAt(outputs, at);
    const bool is_small = y < -700.0 || y > 700.0;
    const DoubleDouble p = y != y ? number(y) : is_small ? number(0.0) : exp(number(y));
    const double product = p.high * plain_sum, plain = (g - product) * multiplier;
    if (!is_finite || plain - plain != 0.0) {
      if (plain != plain) expectExactly(problem, results, at, __builtin_nan(""));
      continue;
    }
    if (magnitudeOf(product) > 1e290 || magnitudeOf(plain) > 1e290) continue;
    const DoubleDouble exact = (number(g) - p * sum) * multiplier;
    const double cancelled =
        0x1p-51 * (magnitudeOf(g) + p.high * terms.terms * static_cast<double>(length + 8));
    const double absolute = (cancelled + 0x1p-1070) * magnitudeOf(multiplier);
    expectGradient(problem, results, at, exact, computed, absolute);
  }
}

/// J_ij = p_i (δ_ij − p_j).
void checkJacobian(const Problem& problem, const SoftmaxElements& outputs, const SoftmaxElements& results,
                   SoftmaxDType computed) {
  const std::size_t length = problem.rows.length, start = problem.checked_row * length;
  const Format& format = formatOf(computed);
  for (std::size_t i = 0; i < length; ++i)
    for (std::size_t j = 0; j < length; ++j) {
      const std::size_t at = (start + i) * length + j;
      const double p = elementAt(outputs, start + i), q = elementAt(outputs, start + j);
      const double plain = i == j ? p * (1.0 - p) : -(p * q);
      if (plain != plain) {
        expectExactly(problem, results, at, __builtin_nan(""));
        continue;
      }
      if (larger(magnitudeOf(p), magnitudeOf(q)) > 1e290 || !(magnitudeOf(plain) < 1e290)) continue;
      const DoubleDouble factor = i == j ? number(1.0) - number(p) : number(-q);
      const DoubleDouble exact = factor * p;
      // 1 − p and the product are each rounded once.
      expectNear(problem, results, at, exact, 2 * ulpOf(exact.high, format));
    }
}

}  // namespace

void fuzzBackward(const std::uint8_t* data, std::size_t size) {
  static constexpr SoftmaxOperation operations[] = {
      SoftmaxOperation::softmaxBackward, SoftmaxOperation::logSoftmaxBackward,
      SoftmaxOperation::softmaxBackward, SoftmaxOperation::logSoftmaxBackward,
      SoftmaxOperation::softmaxJacobian};
  arena.reset();
  Input input(data, size);
  const SoftmaxOperation operation = input.oneOf(operations);
  const bool is_jacobian = operation == SoftmaxOperation::softmaxJacobian;
  const bool is_softmax = operation == SoftmaxOperation::softmaxBackward;
  const SoftmaxDType dtype = drawDType(input);
  Problem problem = drawProblem(input, {dtype, false}, is_jacobian ? 32 : mostLength, !is_jacobian);
  problem.function = softmax_native::rowOf(operation).name;
  const Values kind = is_jacobian || is_softmax ? Values::probabilities : Values::logProbabilities;
  if (is_jacobian) {
    const std::size_t length = problem.rows.length;
    while (problem.rows.outer * length * length > 1024) problem.rows.outer = (problem.rows.outer + 1) / 2;
    problem.row_count = problem.rows.outer;
    problem.count = problem.row_count * length;
    problem.checked_row %= problem.row_count;
  }
  const std::uint8_t place = is_jacobian ? 0 : input.byte();
  const SoftmaxDType of_outputs = drawLike(input, dtype);
  const bool over_grads = place >= 192, over_outputs = place >= 128 && !over_grads;
  const SoftmaxDType to = over_grads ? dtype : over_outputs ? of_outputs : drawLike(input, dtype);
  const SoftmaxElements y = takeValues(input, kind, problem.count, of_outputs);
  const SoftmaxElements g = is_jacobian ? y : takeValues(input, Values::gradients, problem.count, dtype);
  const std::size_t results = is_jacobian ? problem.count * problem.rows.length : problem.count;
  const Outputs outputs = takeOutputs(input, results, to, over_grads ? &g : over_outputs ? &y : nullptr);
  const auto callFor = [&](const SoftmaxElements& from, const SoftmaxElements& of,
                           const SoftmaxElements& out) {
    if (is_jacobian) return callOf(operation, problem.rows, {from, out});
    return callOf(operation, problem.rows, {from, of, out});
  };
  runAll(problem, [&](std::size_t i) {
    const SoftmaxElements& out = outputs.of[i];
    return callFor(over_grads ? out : g, over_outputs ? out : y, out);
  });
  compare(problem, outputs);
  if (!is_jacobian) checkAlone(input, problem, callFor(g, y, resultsOf(outputs)));
  const SoftmaxDType computed = computedIn(is_jacobian ? of_outputs : dtype);
  if (is_jacobian) return checkJacobian(problem, y, resultsOf(outputs), computed);
  if (isEmptied(problem, y, is_softmax ? 0.0 : -__builtin_inf()))
    return expectZeros(problem, resultsOf(outputs));
  if (is_softmax) return checkSoftmaxBackward(problem, g, y, resultsOf(outputs), computed);
  checkLogSoftmaxBackward(problem, g, y, resultsOf(outputs), computed);
}

}  // namespace softmax_fuzz
