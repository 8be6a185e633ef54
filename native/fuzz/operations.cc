// Every simple operation of the table (operations.h), whatever it computes: all instruction sets have the
// same bits, nothing is written beyond an array, and a row has the bits of the row alone. What is right the
// other families know.
#include "alone.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

using softmax_native::arrayCount;
using softmax_native::Count;
using softmax_native::Layouts;
using softmax_native::OperationRow;

SoftmaxOperation drawOperation(Input& input) {
  std::size_t index = input.below(softmax_native::operationCount);
  while (!isSimple(softmax_native::operations[index])) index = (index + 1) % softmax_native::operationCount;
  return softmax_native::operationAt(index);
}

Problem drawRows(Input& input, const OperationRow& row, SoftmaxDType dtype) {
  const bool has_pairs = hasPairs(row);
  Problem problem =
      drawProblem(input, {dtype, false}, has_pairs ? 32 : mostLength, row.layouts != Layouts::lastAxis);
  problem.function = row.name;
  if (!has_pairs) return problem;
  const std::size_t length = problem.rows.length;
  while (problem.rows.outer * length * length > 1024) problem.rows.outer = (problem.rows.outer + 1) / 2;
  problem.row_count = problem.rows.outer;
  problem.count = problem.row_count * length;
  problem.checked_row %= problem.row_count;
  return problem;
}

}  // namespace

void fuzzOperations(const std::uint8_t* data, std::size_t size) {
  static constexpr Values kinds[] = {Values::logits, Values::probabilities, Values::logProbabilities,
                                     Values::gradients};
  arena.reset();
  Input input(data, size);
  const SoftmaxOperation operation = drawOperation(input);
  const OperationRow& row = softmax_native::rowOf(operation);
  const std::size_t inputs = arrayCount(row) - 1;
  const SoftmaxDType dtype = drawDType(input);
  const Problem problem = drawRows(input, row, dtype);
  SoftmaxElements from[softmaxMostArrays];
  for (std::size_t i = 0; i < inputs; ++i)
    from[i] = takeValues(input, input.oneOf(kinds), problem.count, i == 0 ? dtype : drawLike(input, dtype));
  // Of the inputs that the output may be, or of its own.
  const std::size_t over = input.below(inputs + 1);
  const bool in_place = over < inputs && row.arrays[over].isReplaceable;
  const SoftmaxDType to =
      softmax_native::outputDType(row, in_place ? from[over].dtype : drawLike(input, dtype));
  const std::size_t results = softmax_native::countOf(softmax_native::outputOf(row).count, problem.count,
                                                      problem.row_count, problem.rows.length);
  const Outputs outputs = takeOutputs(input, results, to, in_place ? &from[over] : nullptr);
  const auto callFor = [&](const SoftmaxElements& out, bool is_over) {
    SoftmaxCall call = callOf(operation, problem.rows, {});
    for (std::size_t i = 0; i < inputs; ++i) call.arrays[i] = is_over && i == over ? out : from[i];
    call.arrays[inputs] = out;
    return call;
  };
  runAll(problem, [&](std::size_t i) { return callFor(outputs.of[i], in_place); });
  compare(problem, outputs);
  if (!hasPairs(row)) checkAlone(input, problem, callFor(resultsOf(outputs), false));
}

}  // namespace softmax_fuzz
