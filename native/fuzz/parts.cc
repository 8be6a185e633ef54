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

}  // namespace

void fuzzParts(const std::uint8_t* data, std::size_t size) {
  static constexpr SoftmaxFunction functions[] = {
      callSoftmax,         callLogSoftmax,         callLogSumExp,
      callSoftmaxBackward, callLogSoftmaxBackward, callCrossEntropy};
  static constexpr std::size_t lengths[] = {4097, 4100, 4111, 4096 + 33, 8192, 8193, 9000, 12300};
  arena.reset();
  Input input(data, size);
  const SoftmaxFunction function = input.oneOf(functions);
  const std::uint8_t options = input.byte();
  const SoftmaxDType dtype = options & 1 ? softmaxFloat64 : softmaxFloat32;
  const bool has_grad = !(options & 2), in_place = options & 4 && function != callLogSumExp && has_grad;
  const std::size_t length = lengths[options >> 3 & 7] + input.below(16);
  const std::size_t part_size = softmaxBlockSize << (options >> 7 & 1);
  Problem problem{};
  problem.function = "in parts";
  problem.count = length;
  problem.row_count = 1;
  problem.rows.outer = problem.rows.inner = problem.rows.stride = 1;
  problem.rows.length = length;
  // Of a large array results are written past the caches.
  problem.rows.elements = options & 64 ? std::size_t{1} << 22 : length;
  problem.rows.multiplier =
      input.chance(96) ? drawMultiplier(input, {dtype, false}) * (options & 8 ? -1 : 1) : 1.0;
  const bool is_loss = function == callCrossEntropy;
  const SoftmaxElements x = takeValues(input, Values::logits, length, dtype);
  const SoftmaxElements y = takeValues(input, Values::logProbabilities, length, dtype);
  const std::int32_t target =
      input.chance(16) ? -1 : static_cast<std::int32_t>((input.word() & 0xFFFF) % length);
  const std::size_t count = function == callLogSumExp || (is_loss && !has_grad) ? 1 : length;
  const Outputs whole = takeOutputs(input, count, dtype, in_place ? &x : nullptr);
  const Outputs in_parts = takeOutputs(input, whole.count, dtype, in_place ? &x : nullptr);
  const Outputs losses = takeOutputs(input, 2, dtype), part_losses = takeOutputs(input, 2, dtype);
  const auto callOf = [&](const SoftmaxElements& out, const SoftmaxElements& loss) {
    SoftmaxCall call{};
    call.function = function;
    call.rows = problem.rows;
    if (is_loss) {
      void* log_sum_exp = static_cast<char*>(loss.data) + sizeOf(dtype);
      const SoftmaxElements grad = has_grad ? out : SoftmaxElements{};
      call.crossEntropy = {in_place ? out : x, &target,     {},   nullptr, 0.0,
                           loss.data,          log_sum_exp, grad, nullptr, 0.5};
    } else {
      call.x = in_place ? out : x;
      call.y = y;
      call.out = out;
    }
    return call;
  };
  runAll(problem, [&](std::size_t i) { return callOf(whole.of[i], losses.of[i]); });
  for (std::size_t i = 0; i < isas.count; ++i)
    runInParts(*isas.tables[i], callOf(in_parts.of[i], part_losses.of[i]), part_size);
  if (!is_loss || has_grad) {
    compare(problem, whole);
    compare(problem, in_parts);
    if (!areSame(resultsOf(whole).data, resultsOf(in_parts).data, whole.count * sizeOf(dtype)))
      fail(problem, "not the bits of the whole row");
  }
  if (!is_loss) return;
  compare(problem, losses);
  compare(problem, part_losses);
  if (!areSame(resultsOf(losses).data, resultsOf(part_losses).data, 2 * sizeOf(dtype)))
    fail(problem, "not the loss of the whole row");
}

}  // namespace softmax_fuzz
