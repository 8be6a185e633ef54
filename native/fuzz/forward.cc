// softmax, logSoftmax and logSumExp.
#include "alone.h"
#include "exact_row.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

ExactRow row;

void checkSoftmax(const Problem& problem, const SoftmaxElements& results, SoftmaxDType computed) {
  const Format& format = formatOf(computed);
  const bool is_double = computed == softmaxFloat64;
  const double equal = row.countOfTops();
  for (std::size_t i = 0; i < row.length; ++i) {
    const std::size_t at = problem.indexOf(problem.checked_row, i);
    if (!row.keeps[i] || row.isEmptied(problem)) {
      expectExactly(problem, results, at, 0.0);
    } else if (row.kind == RowKind::limit) {
      if (!row.isTop(i)) {
        expectExactly(problem, results, at, 0.0);
      } else {
        expectNear(problem, results, at, number(1.0) / number(equal), 4 * ulpOf(1.0 / equal, format));
      }
    } else if (row.kind != RowKind::distribution) {
      expectExactly(problem, results, at, __builtin_nan(""));
    } else {
      const double e = row.exponentials[i].high;
      if (e < row.floor * (1 - 0x1p-10)) {
        expectExactly(problem, results, at, 0.0);
        continue;
      }
      if (e < row.floor * (1 + 0x1p-10) && elementAt(results, at) == 0.0) continue;
      const DoubleDouble p = row.probability(i);
      const double tolerance =
          (is_double ? 12 : 4) * ulpOf(p.high, format) + (is_double ? row.rounding * p.high : 0);
      expectNear(problem, results, at, p, tolerance);
    }
  }
}

void checkLogSoftmax(const Problem& problem, const SoftmaxElements& results, SoftmaxDType computed) {
  const double equal = row.countOfTops();
  for (std::size_t i = 0; i < row.length; ++i) {
    const std::size_t at = problem.indexOf(problem.checked_row, i);
    if (!row.keeps[i] || row.isEmptied(problem)) {
      expectExactly(problem, results, at, -__builtin_inf());
    } else if (row.kind == RowKind::limit) {
      if (!row.isTop(i)) {
        expectExactly(problem, results, at, -__builtin_inf());
      } else {
        const DoubleDouble exact = -logOnePlus(number(equal - 1));
        expectNear(problem, results, at, exact, 4 * ulpOf(exact.high, formatOf(computed)));
      }
    } else if (row.kind != RowKind::distribution) {
      expectExactly(problem, results, at, __builtin_nan(""));
    } else if (__builtin_fabs(row.logits[i]) == __builtin_inf()) {
      expectExactly(problem, results, at, -__builtin_inf());
    } else {
      const DoubleDouble exact = row.logProbability(i);
      expectNear(problem, results, at, exact, logTolerance(row, computed, exact));
    }
  }
}

void checkLogSumExp(const Problem& problem, const SoftmaxElements& results, SoftmaxDType computed) {
  expectLogSumExp(problem, row, results, computed);
}

}  // namespace

void fuzzForward(const std::uint8_t* data, std::size_t size) {
  static constexpr struct {
    SoftmaxOperation operation;
    void (*check)(const Problem&, const SoftmaxElements&, SoftmaxDType);
  } functions[] = {{SoftmaxOperation::softmax, checkSoftmax},
                   {SoftmaxOperation::logSoftmax, checkLogSoftmax},
                   {SoftmaxOperation::logSumExp, checkLogSumExp}};
  arena.reset();
  Input input(data, size);
  const auto& chosen = functions[input.below(3)];
  const bool is_sum = chosen.operation == SoftmaxOperation::logSumExp;
  const SoftmaxDType dtype = drawDType(input);
  Problem problem = drawProblem(input, {dtype, !is_sum});
  problem.function = softmax_native::rowOf(chosen.operation).name;
  const bool in_place = !is_sum && input.chance(64);
  const SoftmaxDType to = in_place ? dtype : drawLike(input, dtype);
  const SoftmaxElements x = takeValues(input, Values::logits, problem.count, dtype);
  const std::size_t results = is_sum ? problem.row_count : problem.count;
  const Outputs outputs = takeOutputs(input, results, to, in_place ? &x : nullptr);
  const auto callFor = [&](const SoftmaxElements& from, const SoftmaxElements& out) {
    return callOf(chosen.operation, problem.rows, {from, out});
  };
  runAll(problem, [&](std::size_t i) { return callFor(in_place ? outputs.of[i] : x, outputs.of[i]); });
  compare(problem, outputs);
  checkAlone(input, problem, callFor(x, resultsOf(outputs)));
  row.set(problem, x);
  chosen.check(problem, resultsOf(outputs), computedIn(dtype));
}

}  // namespace softmax_fuzz
