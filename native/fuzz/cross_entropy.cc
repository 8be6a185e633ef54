// crossEntropy: class indices or probabilities, smoothed, weighted, masked; the loss, the log-sum-exp and the
// gradient.
#include "alone.h"
#include "exact_row.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

ExactRow row;

struct Loss {
  SoftmaxCrossEntropy problem;  // but for the results
  SoftmaxDType computed;
  bool has_grad, is_wide;

  bool isIndex(const Problem& of) const { return softmaxIsIndexLoss(callOf(problem, of.rows)); }
};

/// q_c = w_c (t_c (1 − ε) + ε / K), with t_c = [c = y] for a class index y.
struct Targets {
  std::int32_t target;  // of a class index; −1: ignored
  double q[mostLength], sum;
  double index_share;  // of an index that the mask drops
  bool is_usual;       // finite, none below 0

  void set(const Problem& problem, const SoftmaxCrossEntropy& loss) {
    const std::size_t checked = problem.checked_row;
    target = loss.classes ? loss.classes[checked] : -1;
    sum = index_share = 0.0;
    is_usual = true;
    const double spread = loss.labelSmoothing / static_cast<double>(row.kept_count);
    for (std::size_t c = 0; c < row.length; ++c) {
      const double t = loss.classes ? (static_cast<std::int32_t>(c) == target ? 1.0 : 0.0)
                                    : elementAt(loss.probabilities, problem.indexOf(checked, c));
      const double w = loss.weight ? loss.weight[c] : 1.0;
      const double value = w * (t * (1.0 - loss.labelSmoothing) + (row.keeps[c] ? spread : 0.0));
      q[c] = row.keeps[c] ? value : 0.0;
      if (!row.keeps[c] && static_cast<std::int32_t>(c) == target) index_share = value;
      sum += q[c];
      is_usual &= q[c] >= 0.0 && q[c] < 1e100;
    }
  }
};

double larger(double a, double b) {
  return a > b ? a : b;
}

/// Loss of a row that is a distribution.
void checkLoss(const Problem& problem, const Loss& loss, const Targets& targets,
               const SoftmaxElements& losses) {
  const std::size_t at = problem.checked_row;
  const bool is_double = loss.computed == softmaxFloat64, is_index = loss.isIndex(problem);
  if (targets.index_share != 0.0) return expectExactly(problem, losses, at, __builtin_inf());
  DoubleDouble exact = number(0.0);
  double terms = 0.0;
  for (std::size_t c = 0; c < row.length; ++c) {
    if (targets.q[c] == 0.0) continue;
    const DoubleDouble log_p = row.logProbability(c);
    if (log_p.high == -__builtin_inf()) return expectExactly(problem, losses, at, __builtin_inf());
    terms += targets.q[c] * (__builtin_fabs(row.differences[c].high) + row.log_sum.high);
    if (!(terms < 1e300)) return;  // beyond what the reference can hold
    exact = exact - log_p * targets.q[c];
  }
  const double flushed = static_cast<double>(row.length) * row.floor * 1.01;
  double tolerance;
  if (is_index) {
    const double own = is_double ? logTolerance(row, loss.computed,
                                                row.logProbability(static_cast<std::size_t>(targets.target)))
                                 : 0.0;
    tolerance = (own + flushed) * targets.sum + (is_double ? 0x1p-51 : 1e-6) * exact.high;
  } else {
    // Where one class outweighs the others, their difference from it has been rounded.
    const double depth = row.others.high > 0.0 ? __builtin_fabs(std::log(row.others.high)) : 0.0;
    const double shares = 0x1p-48 * static_cast<double>(row.length) + 0x1p-51 * depth + row.rounding;
    tolerance =
        (is_double ? 0x1p-48 : 1e-6) * terms + targets.sum * (larger(shares * row.log_sum.high, 0x1p-1000) +
                                                              shares * (row.log_sum.high > 1e-3 ? 1 : 0));
  }
  // Of denormal terms each is rounded by half a step.
  const double denormal =
      ulpOf(0.0, formatOf(losses.dtype)) + 4 * static_cast<double>(row.length) * 0x1p-1074;
  expectNear(problem, losses, at, exact, tolerance + denormal);
}

/// (p_c Σ q − q_c) · gradLoss · multiplier, of a row that is a distribution. With a class index p_y − 1 is
/// −Σ_{c ≠ y} p_c.
void checkGradient(const Problem& problem, const Loss& loss, const Targets& targets,
                   const SoftmaxElements& results) {
  const std::size_t checked = problem.checked_row;
  const bool is_double = loss.computed == softmaxFloat64, is_index = loss.isIndex(problem);
  const double grad_loss = loss.problem.gradLosses ? loss.problem.gradLosses[checked] : loss.problem.gradLoss;
  const double factor = grad_loss * problem.multiplierOf(checked), size = __builtin_fabs(factor);
  // Factors beyond the type: a product with one is infinite, or has lost its digits.
  if (targets.index_share != 0.0 || !(size * targets.sum < (is_double ? 1e290 : 0x1p125)) ||
      (is_double && size != 0.0 && size < 1e-290))
    return;
  const double denormal = 8 * ulpOf(0.0, formatOf(is_double ? softmaxFloat64 : softmaxFloat32));
  for (std::size_t c = 0; c < row.length; ++c) {
    const std::size_t at = problem.indexOf(checked, c);
    if (!row.keeps[c]) {
      expectExactly(problem, results, at, 0.0);
      continue;
    }
    const bool is_target = is_index && static_cast<std::int32_t>(c) == targets.target;
    const DoubleDouble rest = c == row.top ? row.others : row.sum - row.exponentials[c];
    const DoubleDouble p = row.probability(c);
    // 1 − p is that of the others. What is tiny comes last.
    const DoubleDouble scale = twoProduct(grad_loss, problem.multiplierOf(checked));
    const DoubleDouble share = c == row.top
                                   ? number(targets.sum) - number(targets.q[c]) - rest / row.sum * targets.sum
                                   : p * targets.sum - number(targets.q[c]);
    const DoubleDouble exact =
        is_index ? (is_target ? -(rest / row.sum) : p) * (scale * targets.sum) : share * scale;
    // exp of a double is taken for 0 below −700.
    const double flush = is_index ? row.floor * 1.01 : 1e-303;
    const double flushed = flush * (is_target ? static_cast<double>(row.length) : 1.0) * targets.sum;
    const double depth = __builtin_fabs(row.differences[c].high);
    const double terms = p.high * targets.sum * (1 + (depth < 800 ? depth / 16 : 50)) + targets.q[c];
    const double cancelled = is_index
                                 ? (is_double ? row.rounding * p.high * targets.sum : 0.0)
                                 : terms * (0x1p-50 * (16 + static_cast<double>(row.length)) + row.rounding);
    const double relative = is_double ? 0x1p-48 : is_index || !loss.is_wide ? 1e-6 : 0x1p-44;
    expectNear(problem, results, at, exact,
               relative * __builtin_fabs(exact.high) + size * (cancelled + flushed + 0x1p-1070) + denormal);
  }
}

void check(const Problem& problem, const Loss& loss, const SoftmaxElements& losses,
           const SoftmaxElements& sums, const SoftmaxElements& grads) {
  const std::size_t at = problem.checked_row;
  const bool is_ignored = loss.problem.classes && loss.problem.classes[at] < 0;
  row.set(problem, loss.problem.logits);
  expectLogSumExp(problem, row, sums, loss.computed);
  const bool is_empty = row.isEmptied(problem);
  if (is_ignored || is_empty) {
    expectExactly(problem, losses, at, 0.0);
    if (loss.has_grad)
      for (std::size_t c = 0; c < row.length; ++c) expectExactly(problem, grads, problem.indexOf(at, c), 0.0);
    return;
  }
  if (row.kind != RowKind::distribution) {
    expectExactly(problem, losses, at, __builtin_nan(""));
    if (loss.has_grad)
      for (std::size_t c = 0; c < row.length; ++c)
        expectExactly(problem, grads, problem.indexOf(at, c), row.keeps[c] ? __builtin_nan("") : 0.0);
    return;
  }
  static Targets targets;
  targets.set(problem, loss.problem);
  if (!targets.is_usual) return;
  checkLoss(problem, loss, targets, losses);
  if (loss.has_grad) checkGradient(problem, loss, targets, grads);
}

std::int32_t* takeClasses(Input& input, const Problem& problem) {
  auto* classes = static_cast<std::int32_t*>(takeMemory(input, problem.row_count, 4));
  const std::size_t length = problem.rows.length;
  for (std::size_t i = 0; i < problem.row_count; ++i) {
    const std::uint8_t byte = input.cyclic();
    classes[i] = byte >= 232 || length == 0 ? -1 - byte % 100 : static_cast<std::int32_t>(byte * 7 % length);
  }
  return classes;
}

const double* takeNumbers(Input& input, std::size_t count, const double* from) {
  auto* numbers = static_cast<double*>(takeMemory(input, count, 8));
  for (std::size_t i = 0; i < count; ++i) numbers[i] = from[input.cyclic() % 8];
  return numbers;
}

Loss drawLoss(Input& input, const Problem& problem, SoftmaxDType dtype) {
  static constexpr double weights[] = {1.0, 0.0, 0.5, 1.75, 1e-3, 3.0, 1e-30, 1.0};
  static constexpr double grad_losses[] = {1.0, -0.3, 0.5, 2.0, 0.0, 1e-30, 1e10, 0.125};
  static constexpr double smoothings[] = {0.1, 0.5, 1.0, 1e-9};
  const std::uint8_t options = input.byte();
  Loss loss{};
  loss.computed = computedIn(dtype);
  SoftmaxCrossEntropy& problem_of = loss.problem;
  input.seed(options);
  if (options & 1 && problem.rows.length > 0) {
    const SoftmaxDType of_targets = drawLike(input, dtype);
    problem_of.probabilities = takeValues(input, Values::probabilities, problem.count, of_targets);
  } else {
    problem_of.classes = takeClasses(input, problem);
  }
  if (options & 2) problem_of.weight = takeNumbers(input, problem.rows.length, weights);
  if (options & 4) problem_of.labelSmoothing = input.oneOf(smoothings);
  loss.has_grad = !(options & 8);
  loss.is_wide = loss.has_grad && options & 16 && dtype != softmaxFloat64;
  problem_of.gradLoss = options & 32 ? input.oneOf(grad_losses) : 1.0;
  if (options & 64) problem_of.gradLosses = takeNumbers(input, problem.row_count, grad_losses);
  return loss;
}

}  // namespace

void fuzzCrossEntropy(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  const SoftmaxDType dtype = drawDType(input);
  Problem problem = drawProblem(input, {dtype, false});
  problem.function = "crossEntropy";
  Loss loss = drawLoss(input, problem, dtype);
  const bool in_place = loss.has_grad && !loss.is_wide && input.chance(64);
  const SoftmaxDType to = loss.is_wide ? softmaxFloat64 : in_place ? dtype : drawLike(input, dtype);
  const SoftmaxElements logits = takeValues(input, Values::logits, problem.count, dtype);
  loss.problem.logits = logits;
  const Outputs losses = takeOutputs(input, problem.row_count, loss.computed);
  const Outputs sums = takeOutputs(input, problem.row_count, loss.computed);
  Outputs grads{};
  if (loss.has_grad) grads = takeOutputs(input, problem.count, to, in_place ? &logits : nullptr);
  loss.problem.grad.dtype = to;
  const auto callFor = [&](std::size_t i, const SoftmaxElements& from) {
    SoftmaxCrossEntropy of = loss.problem;
    of.logits = from;
    of.loss = losses.of[i].data;
    of.logSumExp = sums.of[i].data;
    if (loss.has_grad) of.grad = grads.of[i];
    return callOf(of, problem.rows);
  };
  runAll(problem, [&](std::size_t i) { return callFor(i, in_place ? grads.of[i] : logits); });
  // For softmaxIsIndexLoss, which asks whether there is a gradient.
  if (loss.has_grad) loss.problem.grad = resultsOf(grads);
  compare(problem, losses);
  compare(problem, sums);
  if (loss.has_grad) compare(problem, grads);
  checkAlone(input, problem, callFor(isas.count - 1, logits));
  check(problem, loss, resultsOf(losses), resultsOf(sums), resultsOf(grads));
}

}  // namespace softmax_fuzz
