// One long row: in parts, and as a whole; results that are written past the caches.
#include "families.h"
#include "problem.h"

namespace softmax_fuzz {
namespace {

constexpr std::size_t mostParts = 8;

/// As CallJob does, on one thread.
void runInParts(const SoftmaxKernels& kernels, const SoftmaxCall& call, std::size_t part_size) {
  const std::size_t length = call.rows.length, count = (length + part_size - 1) / part_size;
  SoftmaxPart row{}, parts[mostParts] = {};
  SoftmaxStep step = kernels.join(&call, softmaxBegin, nullptr, 0, &row);
  while (step != softmaxEnd) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i * part_size, left = length - begin;
      kernels.takeStep(&call, step, begin, left < part_size ? left : part_size, &row, &parts[i]);
    }
    step = kernels.join(&call, step, parts, count, &row);
  }
}

/// The operations that know parts.
struct SplitOperations {
  std::size_t count = 0;
  SoftmaxOperation of[softmax_native::operationCount]{};
  constexpr SplitOperations() {
    for (std::size_t i = 0; i < softmax_native::operationCount; ++i)
      if (softmax_native::operations[i].layouts == softmax_native::Layouts::splits)
        of[count++] = static_cast<SoftmaxOperation>(i);
  }
};
constexpr SplitOperations split_operations;

/// A call of any of them: of a loss, or one that isSimple.
struct LongRow {
  SoftmaxOperation operation;
  SoftmaxDType dtype;
  bool has_results, in_place;
  SoftmaxElements x, y;
  std::int32_t target;
  /// Of a loss: null, or in place of the class; null, or one a class, or to be added to the gradient.
  SoftmaxElements probabilities;
  const double* weight;
  double smoothing;
  SoftmaxRows rows;

  bool isCrossEntropy() const { return operation == SoftmaxOperation::crossEntropy; }
  bool isLoss() const { return isCrossEntropy() || operation == SoftmaxOperation::divergence; }
  bool isOfRow() const {
    return !isLoss() &&
           softmax_native::outputOf(softmax_native::rowOf(operation)).count == softmax_native::Count::perRow;
  }
  SoftmaxCall call(const SoftmaxElements& out, const SoftmaxElements& loss,
                   const SoftmaxElements& log_sum_exp) const {
    const SoftmaxElements input = in_place ? out : x;
    if (!isLoss()) {
      SoftmaxCall call = callOf(operation, rows, {input, y});
      call.arrays[softmax_native::arrayCount(softmax_native::rowOf(operation)) - 1] = out;
      return call;
    }
    const SoftmaxElements grad = has_results ? out : SoftmaxElements{};
    if (!isCrossEntropy())
      return callOf(SoftmaxDivergence{input, y, static_cast<double*>(loss.data), grad, weight, nullptr, 0.5},
                    rows);
    return callOf(SoftmaxCrossEntropy{input, probabilities.data ? nullptr : &target, probabilities, weight,
                                      smoothing, loss.data, log_sum_exp.data, grad, nullptr, 0.5},
                  rows);
  }
};

LongRow drawRow(Input& input, std::uint8_t options) {
  static constexpr std::size_t lengths[] = {4097, 4100, 4111, 4096 + 33, 8192, 8193, 9000, 12300};
  LongRow row{};
  row.operation = split_operations.of[input.below(split_operations.count)];
  row.dtype = options & 1 ? softmaxFloat64 : softmaxFloat32;
  row.has_results = !row.isLoss() || !(options & 2);
  row.in_place = options & 4 && !row.isOfRow() && row.has_results;
  SoftmaxRows& rows = row.rows;
  rows.outer = rows.inner = rows.stride = 1;
  rows.length = lengths[options >> 3 & 7] + input.below(16);
  // Of a large array results are written past the caches.
  rows.elements = options & 64 ? std::size_t{1} << 22 : rows.length;
  rows.multiplier = 1.0;
  if (input.chance(96)) rows.multiplier = drawMultiplier(input, {row.dtype, false}) * (options & 2 ? -1 : 1);
  row.x = takeValues(input, Values::logits, rows.length, row.dtype);
  row.y = takeValues(input, Values::logProbabilities, rows.length, row.dtype);
  row.target = input.chance(16) ? -1 : static_cast<std::int32_t>((input.word() & 0xFFFF) % rows.length);
  if (!row.isLoss()) return row;
  if (!row.isCrossEntropy()) row.y = takeValues(input, Values::logits, rows.length, row.dtype);
  if (input.chance(64)) row.probabilities = takeValues(input, Values::probabilities, rows.length, row.dtype);
  if (input.chance(128)) row.smoothing = input.chance(128) ? 0.1 : 1.0;
  if ((row.smoothing > 0 || !row.isCrossEntropy()) && input.chance(96))
    row.weight = static_cast<const double*>(
        takeValues(input, Values::probabilities, rows.length, softmaxFloat64).data);
  return row;
}

void compareWith(const Problem& problem, const Outputs& whole, const Outputs& in_parts) {
  compare(problem, whole);
  compare(problem, in_parts);
  const SoftmaxElements& wanted = resultsOf(whole);
  if (!areSame(wanted.data, resultsOf(in_parts).data, whole.count * sizeOf(wanted.dtype)))
    fail(problem, "not the bits of the whole row");
}

}  // namespace

void fuzzParts(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  const std::uint8_t options = input.byte();
  const LongRow row = drawRow(input, options);
  Problem problem{};
  problem.function = "in parts";
  problem.count = row.rows.length;
  problem.row_count = 1;
  problem.rows = row.rows;
  const SoftmaxElements* before = row.in_place ? &row.x : nullptr;
  const std::size_t count = row.isOfRow() || !row.has_results ? 1 : row.rows.length;
  const Outputs whole = takeOutputs(input, count, row.dtype, before);
  const Outputs in_parts = takeOutputs(input, count, row.dtype, before);
  const Outputs losses = takeOutputs(input, 1, softmaxFloat64), sums = takeOutputs(input, 1, row.dtype);
  const Outputs part_losses = takeOutputs(input, 1, softmaxFloat64),
                part_sums = takeOutputs(input, 1, row.dtype);
  runAll(problem, [&](std::size_t i) { return row.call(whole.of[i], losses.of[i], sums.of[i]); });
  const std::size_t part_size = softmaxBlockSize << (options >> 7 & 1);
  for (std::size_t i = 0; i < isas.count; ++i)
    runInParts(*isas.tables[i], row.call(in_parts.of[i], part_losses.of[i], part_sums.of[i]), part_size);
  if (row.has_results) compareWith(problem, whole, in_parts);
  if (!row.isLoss()) return;
  compareWith(problem, losses, part_losses);
  if (row.isCrossEntropy()) compareWith(problem, sums, part_sums);
}

}  // namespace softmax_fuzz
