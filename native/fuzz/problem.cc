#include "problem.h"

namespace softmax_fuzz {
namespace {

std::size_t least(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

}  // namespace

/// As the API makes them: the mask's own axes are [outer, length, inner], each of that size or 1.
void drawMask(Input& input, Problem& problem) {
  SoftmaxRows& rows = problem.rows;
  const std::uint8_t axes = input.byte(), density = input.byte();
  const std::size_t o = axes & 1 ? 1 : rows.outer, k = axes & 2 ? 1 : rows.length,
                    i = axes & 4 ? 1 : rows.inner;
  const std::size_t size = o * k * i;
  auto* mask = static_cast<std::uint8_t*>(takeMemory(input, size, 1));
  input.seed(density);
  for (std::size_t at = 0; at < size; ++at) {
    const bool is_kept = density & 1 ? (input.random() & 255) < density : input.cyclic() < density;
    mask[at] = is_kept ? static_cast<std::uint8_t>(1 << at % 8) : 0;
  }
  auto* offsets = static_cast<double*>(takeMemory(input, problem.row_count, 8));
  for (std::size_t row = 0; row < problem.row_count; ++row)
    offsets[row] =
        static_cast<double>((o == 1 ? 0 : row / rows.inner * k * i) + (i == 1 ? 0 : row % rows.inner));
  rows.mask = mask;
  rows.maskOffsets = offsets;
  rows.maskStep = k == 1 ? 0 : i;
}

Problem drawProblem(Input& input, MultiplierUse use, std::size_t longest, bool has_axes) {
  const std::uint8_t options = input.byte();
  const bool are_many = shapes == Shapes::many_rows, has_inner = has_axes && options & 8;
  std::size_t length, inner = 1, outer = 1;
  if (are_many) {
    // Transposed, in batches, in a pipeline (native/kernels/choose.h).
    static constexpr std::size_t shortest[] = {4, 33, 257, 129}, fewest[] = {128, 8, 8, 8};
    const std::size_t kind = options & 3;
    length = least(shortest[kind] + input.below(128), longest);
    outer = fewest[kind] + input.below(40);
  } else if (shapes == Shapes::long_rows) {
    // Columns of 1030 do not fit on a stage without scratch memory.
    static constexpr std::size_t lengths[] = {1030, 2050, 4090, 4096, 4100, 5000, 8185, 8270};
    length = least(lengths[options & 7] + input.below(16), longest);
    inner = has_inner ? 2 + input.below(2) : 1;
    outer = options & 16 ? 1 : 2;
  } else {
    // Mostly few elements: what matters beyond them is rare, and takes longer.
    static constexpr std::size_t sizes[] = {6, 10, 16, 16, 24, 40, 64, 64};
    const bool is_large = (options & 7) == 7 && input.chance(64);
    const std::size_t most = is_large ? mostElements : sizes[options & 7];
    length = input.byte();
    if (is_large) length = 256 * length + input.byte();
    length = least(length % (most + 1), longest);
    const std::size_t rest = length == 0 ? 8 : most / length;
    if (has_inner) inner = 1 + input.below(least(rest, 200));
    if (!(options & 16)) outer = 1 + input.below(rest / inner);
  }
  Problem problem{};
  problem.is_split = options & 32;
  problem.row_count = outer * inner;
  problem.count = problem.row_count * length;
  problem.checked_row = input.below(problem.row_count);
  SoftmaxRows& rows = problem.rows;
  rows.outer = outer;
  rows.length = length;
  rows.inner = rows.stride = inner;
  rows.elements = problem.count;
  rows.multiplier = 1.0;
  if (options & 64) {
    const std::uint8_t kind = input.byte();
    const double sign = kind & 1 ? -1.0 : 1.0;
    rows.multiplier = sign * drawMultiplier(input, use);
    if (kind & 2) {
      auto* multipliers = static_cast<double*>(takeMemory(input, problem.row_count, 8));
      for (std::size_t row = 0; row < problem.row_count; ++row)
        multipliers[row] = row == 0 ? rows.multiplier : sign * drawMultiplier(input, use);
      rows.multipliers = multipliers;
    }
  }
  if (has_axes && !are_many && options & 128) drawMask(input, problem);
  // What is on the stage at once depends on it.
  if (input.chance(64)) {
    rows.scratch = scratch;
    rows.scratchSize = sizeof scratch;
  }
  return problem;
}

}  // namespace softmax_fuzz
