// A problem's rows, its arrays, and how it is run: by the kernels of every instruction set, whose results
// must have the same bits.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "../runtime/call.h"
#include "../runtime/dispatch.h"
#include "../test/calls.h"
#include "arena.h"
#include "input.h"

namespace softmax_fuzz {

using softmax_native::callOf;
using softmax_native::KernelList;

constexpr std::size_t mostElements = 320, mostIsas = 4;
/// Of a row.
constexpr std::size_t mostLength = 8300;

/// Few elements; rows of several blocks; rows that are taken together, of the last axis and without a mask.
enum class Shapes { small, long_rows, many_rows };
inline Shapes shapes = Shapes::small;

inline Arena arena;
inline const KernelList isas = softmax_native::supportedKernels();
alignas(64) inline char scratch[std::size_t{1} << 18];

/// One array a set of kernels.
struct Outputs {
  SoftmaxElements of[mostIsas];
  std::size_t count;
};

struct Problem {
  SoftmaxRows rows;
  std::size_t row_count, count;
  /// The first kernels compute the rows, or columns, in two calls.
  bool is_split;
  /// Of rows, not of their elements: where the array that is checked against the reference begins.
  std::size_t checked_row;
  const char* function = "";

  std::size_t indexOf(std::size_t row, std::size_t k) const {
    return (row / rows.inner * rows.length + k) * rows.inner + row % rows.inner;
  }
  double multiplierOf(std::size_t row) const {
    return rows.multipliers ? rows.multipliers[row] : rows.multiplier;
  }
  bool keeps(std::size_t row, std::size_t k) const {
    return !rows.mask || rows.mask[static_cast<std::size_t>(rows.maskOffsets[row]) + k * rows.maskStep] != 0;
  }
};

[[noreturn]] inline void fail(const Problem& problem, const char* what) {
  const SoftmaxRows& rows = problem.rows;
  std::fprintf(stderr, "%s: %s\n  %zu x %zu x %zu, multiplier %a%s, %s, checked row %zu%s%s\n",
               problem.function, what, rows.outer, rows.length, rows.inner,
               problem.multiplierOf(problem.checked_row), rows.multipliers ? " by row" : "",
               rows.mask ? "masked" : "no mask", problem.checked_row, problem.is_split ? ", split" : "",
               rows.scratch ? ", scratch memory" : "");
  std::abort();
}

/// `size`: of an element, which an array's memory is a multiple of from a cache line's beginning.
inline void* takeMemory(Input& input, std::size_t count, std::size_t size) {
  return arena.take(count * size, input.byte() * size % 64);
}
inline SoftmaxElements takeElements(Input& input, std::size_t count, SoftmaxDType dtype) {
  return {takeMemory(input, count, sizeOf(dtype)), dtype};
}
inline SoftmaxElements takeValues(Input& input, Values kind, std::size_t count, SoftmaxDType dtype) {
  const SoftmaxElements elements = takeElements(input, count, dtype);
  fill(input, kind, elements, count);
  return elements;
}

/// A dtype, and one of those that are computed alike.
inline SoftmaxDType drawDType(Input& input) {
  return static_cast<SoftmaxDType>(input.below(4));
}
inline SoftmaxDType drawLike(Input& input, SoftmaxDType dtype) {
  static constexpr SoftmaxDType floats[] = {softmaxFloat32, softmaxFloat16, softmaxBFloat16};
  return dtype == softmaxFloat64 || !input.chance(64) ? dtype : input.oneOf(floats);
}

/// Outputs, of what they held before: the array that is computed in place, or something that differs from one
/// to another.
inline Outputs takeOutputs(Input& input, std::size_t count, SoftmaxDType dtype,
                           const SoftmaxElements* in_place = nullptr) {
  Outputs outputs{{}, count};
  const std::size_t size = sizeOf(dtype);
  for (std::size_t i = 0; i < isas.count; ++i) {
    outputs.of[i] = takeElements(input, count, dtype);
    if (in_place) {
      std::memcpy(outputs.of[i].data, in_place->data, count * size);
    } else {
      std::memset(outputs.of[i].data, 0x3A + static_cast<int>(i), count * size);
    }
  }
  return outputs;
}

/// What the API lets through. `has_limit`: temperature 0, which an infinite multiplier stands for, has a
/// limit.
struct MultiplierUse {
  SoftmaxDType dtype;
  bool has_limit;
};

inline double drawMultiplier(Input& input, MultiplierUse use) {
  static constexpr double multipliers[] = {
      1 / 0.7, 0.125, 2.0,  3.0,   1e-4, 1e-30,  1e-37,  1e-42, 1e-300,          0.0,
      3e5,     1e30,  3e38, 1e300, 1e-1, 0.9999, 1.0001, 700.0, __builtin_inf(), 1.0};
  double multiplier = input.oneOf(multipliers);
  if (input.chance(16)) multiplier = __builtin_fabs(bitCast<double>(input.word()));
  const double beyond = use.dtype == softmaxFloat64 ? __builtin_inf() : formatOf(softmaxFloat32).largest;
  const bool is_valid = use.has_limit ? multiplier == multiplier : multiplier < beyond;
  return is_valid ? multiplier : 1.5;
}

void drawMask(Input& input, Problem& problem);
Problem drawProblem(Input& input, MultiplierUse use, std::size_t longest = mostLength, bool has_axes = true);

/// In two halves: of the columns of each outer index, or of the outer axis.
inline void runSplit(const Problem& problem, const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  using namespace softmax_native;
  const SoftmaxRows& rows = call.rows;
  if (rows.stride > 1 && (rows.outer == 1 || problem.checked_row % 2)) {
    const std::size_t half = rows.inner / 2 + 1;
    for (std::size_t o = 0; o < rows.outer; ++o) {
      runCall(kernels, columnsOf(call, o, 0, half));
      if (half < rows.inner) runCall(kernels, columnsOf(call, o, half, rows.inner));
    }
  } else {
    const std::size_t half = rows.outer / 2;
    runCall(kernels, rowsOf(call, 0, half));
    runCall(kernels, rowsOf(call, half, rows.outer));
  }
}

/// callFor(i) by every set of kernels.
template <class Call>
void runAll(const Problem& problem, const Call& callFor) {
  for (std::size_t i = 0; i < isas.count; ++i) {
    const SoftmaxCall call = callFor(i);
    if (i == 0 && problem.is_split) {
      runSplit(problem, *isas.tables[i], call);
    } else {
      softmax_native::runCall(*isas.tables[i], call);
    }
  }
}

inline bool areSame(const void* a, const void* b, std::size_t size) {
  const char *p = static_cast<const char*>(a), *q = static_cast<const char*>(b);
  std::uint64_t different = 0;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t x, y;
    __builtin_memcpy(&x, p + i, 8);
    __builtin_memcpy(&y, q + i, 8);
    different |= x ^ y;
  }
  for (; i < size; ++i) different |= static_cast<std::uint64_t>(p[i] ^ q[i]);
  return different == 0;
}

/// The last kernels' results, which are the scalar ones.
inline const SoftmaxElements& resultsOf(const Outputs& outputs) {
  return outputs.of[isas.count - 1];
}

inline void compare(const Problem& problem, const Outputs& outputs) {
  const SoftmaxElements& wanted = resultsOf(outputs);
  for (std::size_t i = 0; i + 1 < isas.count; ++i) {
    if (areSame(outputs.of[i].data, wanted.data, outputs.count * sizeOf(wanted.dtype))) continue;
    for (std::size_t k = 0; k < outputs.count; ++k) {
      const double a = elementAt(outputs.of[i], k), b = elementAt(wanted, k);
      if (!areSame(static_cast<char*>(outputs.of[i].data) + k * sizeOf(wanted.dtype),
                   static_cast<char*>(wanted.data) + k * sizeOf(wanted.dtype), sizeOf(wanted.dtype))) {
        std::fprintf(stderr, "[%zu]: %s %a, %s %a\n", k, isas.tables[i]->isa, a,
                     isas.tables[isas.count - 1]->isa, b);
        break;
      }
    }
    fail(problem, "not the same bits");
  }
  if (!arena.isWhole()) fail(problem, "wrote beyond an array");
}

}  // namespace softmax_fuzz
