// Reading and writing 16-bit elements, bit by bit: a gradient through log-softmax is its input where the
// probabilities are 0.
#include "families.h"
#include "problem.h"

namespace softmax_fuzz {

void fuzzHalves(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  Problem problem = drawProblem(input, {softmaxFloat32, false});
  problem.function = "halves";
  // One element per row where a NaN or an infinity would fill it.
  const bool is_single = input.chance(128);
  if (is_single) {
    problem.rows.outer = problem.count;
    problem.rows.length = problem.rows.inner = problem.rows.stride = 1;
    problem.row_count = problem.count;
    problem.is_split = false;
  }
  problem.rows.mask = nullptr;
  problem.rows.multipliers = nullptr;
  problem.rows.multiplier = 1.0;
  static constexpr SoftmaxDType types[] = {softmaxFloat32, softmaxFloat16, softmaxBFloat16};
  const SoftmaxDType from = input.oneOf(types), to = input.oneOf(types);
  const SoftmaxElements values = takeValues(input, Values::gradients, problem.count, from);
  if (!is_single)
    for (std::size_t i = 0; i < problem.count; ++i) {
      const double value = elementAt(values, i);
      if (value - value != 0.0) setElement(values, i, 0.75);
    }
  const SoftmaxElements nothing = takeElements(input, problem.count, input.oneOf(types));
  for (std::size_t i = 0; i < problem.count; ++i) setElement(nothing, i, -60000.0);
  const Outputs outputs = takeOutputs(input, problem.count, to);
  runAll(problem, [&](std::size_t i) {
    return callOf(SoftmaxOperation::logSoftmaxBackward, problem.rows, {values, nothing, outputs.of[i]});
  });
  compare(problem, outputs);
  const SoftmaxElements& results = resultsOf(outputs);
  for (std::size_t i = 0; i < problem.count; ++i) {
    // 0 · infinity is in the sum.
    double value = elementAt(values, i);
    if (value - value != 0.0) value = __builtin_nan("");
    // g − 0 · Σ g: −0 only where that is +0.
    value = value - 0.0 * value;
    char wanted[8];
    const SoftmaxElements one{wanted, to};
    setElement(one, 0, value);
    const bool is_same =
        value == value ? areSame(wanted, static_cast<char*>(results.data) + i * sizeOf(to), sizeOf(to)) ||
                             (value == 0.0 && elementAt(results, i) == 0.0)
                       : isCanonicalNan(results, i);
    if (!is_same) {
      std::fprintf(stderr, "[%zu] is %a, not %a (%a)\n", i, elementAt(results, i), elementAt(one, 0), value);
      fail(problem, "not the nearest number");
    }
  }
}

}  // namespace softmax_fuzz
