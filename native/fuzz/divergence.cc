// The divergence of a student's rows from a teacher's, and its gradient.
#include "alone.h"
#include "exact_row.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

ExactRow student_row, teacher_row;

bool isProper(const ExactRow& row) {
  return row.kind == RowKind::distribution;
}

/// log p_s − log p_t is off by so much: differences and logarithms are each rounded in double.
double errorOfLogs() {
  const double rounding = student_row.rounding + teacher_row.rounding;
  const double length = static_cast<double>(student_row.length);
  return 0x1p-50 * (8 + length) + rounding;
}

/// A probability, and what the rounding of its logit's difference makes of it.
double sizeOf(const ExactRow& row, std::size_t c) {
  const double depth = __builtin_fabs(row.differences[c].high);
  return row.probability(c).high * (1 + (depth < 800 ? depth / 8 : 100));
}

/// Σ p_t (log p_t − log p_s).
void checkDivergence(const Problem& problem, const SoftmaxElements& divergences) {
  DoubleDouble exact = number(0.0);
  double depth = 0.0;
  for (std::size_t c = 0; c < teacher_row.length; ++c) {
    const DoubleDouble p = teacher_row.probability(c);
    // exp of a double is taken for 0 below −700.
    const double difference = teacher_row.differences[c].high;
    if (difference < -700.001) continue;
    if (difference < -699.999 && student_row.differences[c].high == -__builtin_inf()) return;
    if (student_row.differences[c].high == -__builtin_inf())
      return expectExactly(problem, divergences, problem.checked_row, __builtin_inf());
    const DoubleDouble x = student_row.logProbability(c) - teacher_row.logProbability(c);
    // Beyond what the reference can hold.
    if (__builtin_fabs(x.high) > 1e290) return;
    const double size = p.high * __builtin_fabs(student_row.differences[c].high);
    if (size > depth) depth = size;
    exact = exact - p * x;
  }
  const double error = errorOfLogs() + 0x1p-50 * depth;
  const double size = exact.high > 0 ? exact.high : 0.0;
  const double tolerance =
      1e-6 * size + 8 * error * std::sqrt(size) + 8 * error * error + 0x1p-90 * (1 + depth);
  expectNear(problem, divergences, problem.checked_row, exact, tolerance);
}

/// (p_s − p_t) · gradLoss · multiplier + addend.
void checkGradient(const Problem& problem, const SoftmaxDivergence& divergence,
                   const SoftmaxElements& results) {
  const std::size_t row = problem.checked_row;
  const double grad_loss = divergence.gradLosses ? divergence.gradLosses[row] : divergence.gradLoss;
  const double factor = grad_loss * problem.multiplierOf(row), size = __builtin_fabs(factor);
  const bool is_double = results.dtype == softmaxFloat64;
  if (!(size < 1e290)) return;
  for (std::size_t c = 0; c < student_row.length; ++c) {
    const std::size_t at = problem.indexOf(row, c);
    if (!student_row.keeps[c]) {
      expectExactly(problem, results, at, 0.0);
      continue;
    }
    const double addend = divergence.addend ? divergence.addend[at] : 0.0;
    if (!(__builtin_fabs(addend) < 1e290)) continue;
    const DoubleDouble p_s = student_row.probability(c), p_t = teacher_row.probability(c);
    const DoubleDouble exact =
        (p_s - p_t) * twoProduct(grad_loss, problem.multiplierOf(row)) + number(addend);
    const double terms = sizeOf(student_row, c) + sizeOf(teacher_row, c);
    const double relative = is_double ? 0x1p-44 : 1e-6;
    const double gradient = __builtin_fabs((p_s - p_t).high) * size;
    expectNear(problem, results, at, exact,
               relative * (gradient + __builtin_fabs(addend)) + size * (errorOfLogs() * terms + 0x1p-1000) +
                   8 * ulpOf(0.0, formatOf(softmaxFloat32)) * !is_double + 0x1p-1070);
  }
}

void check(const Problem& problem, const SoftmaxDivergence& divergence, const SoftmaxElements& divergences,
           const SoftmaxElements& grads) {
  student_row.set(problem, divergence.student);
  teacher_row.set(problem, divergence.teacher);
  const std::size_t at = problem.checked_row;
  const bool is_left_out = divergence.classes && divergence.classes[at] < 0;
  if (is_left_out || student_row.kind == RowKind::empty) {
    expectExactly(problem, divergences, at, 0.0);
    for (std::size_t c = 0; is_left_out && grads.data && c < student_row.length; ++c)
      expectExactly(problem, grads, problem.indexOf(at, c), 0.0);
    return;
  }
  if (!isProper(student_row) || !isProper(teacher_row))
    return expectExactly(problem, divergences, at, __builtin_nan(""));
  checkDivergence(problem, divergences);
  if (grads.data) checkGradient(problem, divergence, grads);
}

}  // namespace

void fuzzDivergence(const std::uint8_t* data, std::size_t size) {
  static constexpr double grad_losses[] = {1.0, -0.3, 0.5, 2.0, 0.0, 1e-30, 1e10, 0.125};
  arena.reset();
  Input input(data, size);
  const SoftmaxDType dtype = drawDType(input);
  Problem problem = drawProblem(input, {dtype, false});
  problem.function = "divergence";
  const std::uint8_t options = input.byte();
  SoftmaxDivergence divergence{};
  divergence.student = takeValues(input, Values::logits, problem.count, dtype);
  divergence.teacher = takeElements(input, problem.count, drawLike(input, dtype));
  if (options & 1) {
    // Nearly the same distribution.
    for (std::size_t i = 0; i < problem.count; ++i)
      setElement(divergence.teacher, i,
                 elementAt(divergence.student, i) *
                     (1 + (input.cyclic() - 128) * (options & 2 ? 0x1p-50 : 0x1p-20)));
  } else {
    fill(input, Values::logits, divergence.teacher, problem.count);
  }
  const bool has_grad = !(options & 4), in_place = has_grad && options & 8;
  const SoftmaxDType to = in_place ? dtype : drawLike(input, dtype);
  if (has_grad && options & 16)
    divergence.addend =
        static_cast<const double*>(takeValues(input, Values::gradients, problem.count, softmaxFloat64).data);
  divergence.gradLoss = input.oneOf(grad_losses);
  if (options & 32) {
    auto* numbers = static_cast<double*>(takeMemory(input, problem.row_count, 8));
    for (std::size_t i = 0; i < problem.row_count; ++i) numbers[i] = grad_losses[input.cyclic() % 8];
    divergence.gradLosses = numbers;
  }
  const Outputs divergences = takeOutputs(input, problem.row_count, softmaxFloat64);
  Outputs grads{};
  if (has_grad) grads = takeOutputs(input, problem.count, to, in_place ? &divergence.student : nullptr);
  if (options & 64) {
    auto* classes = static_cast<std::int32_t*>(takeMemory(input, problem.row_count, 4));
    for (std::size_t i = 0; i < problem.row_count; ++i) classes[i] = input.cyclic() % 3 ? 0 : -1;
    divergence.classes = classes;
  }
  const auto callFor = [&](std::size_t i, const SoftmaxElements& from) {
    SoftmaxDivergence of = divergence;
    of.student = from;
    of.divergence = static_cast<double*>(divergences.of[i].data);
    if (has_grad) of.grad = grads.of[i];
    return callOf(of, problem.rows);
  };
  runAll(problem, [&](std::size_t i) { return callFor(i, in_place ? grads.of[i] : divergence.student); });
  compare(problem, divergences);
  if (has_grad) compare(problem, grads);
  checkAlone(input, problem, callFor(isas.count - 1, divergence.student));
  check(problem, divergence, resultsOf(divergences), resultsOf(grads));
}

}  // namespace softmax_fuzz
