// The one table of operations: what arrays each has, and what it costs. Dispatch, jobs, the addon and the
// tests read it; the objects of the instruction sets (isa/) compile the kernels that it names.
//
// A new operation `name` is a header in kernels/, which defines calls::name, and two lines here: its row, and
// the #include of its header below.
#pragma once

#include <cstddef>

#include "kernels/problems.h"

namespace softmax_native {
namespace {

enum class Contents {
  elements,  // of a dtype that the caller chooses
  results,   // float64 where the first array is, else float32
  doubles,
  int32
};
enum class Count {
  perElement,
  perRow,
  perClass,
  perPair,     // length · length per row
  perPlace,    // of rows along an axis that is numbers[0] long
  perTop,      // the same of numbers[1]
  perDraw,     // numbers[0] per row
  perSetting,  // softmaxSettings per row
  perNumber,   // numbers[0] per row, as perDraw, but of what is known of a row
  perRowTop,   // numbers[1] per row, as perDraw
  // As many as the settings of all rows refer to (kernels/sample_call.h).
  words,     // of 32 classes a bit
  edits,     // one an edit
  editPairs  // two an edit
};

struct OperationArray {
  const char* name = nullptr;
  Contents contents = Contents::elements;
  Count count = Count::perElement;
  bool isOutput = false;
  bool isOptional = false;
  /// An input that an output of as many elements may be.
  bool isReplaceable = false;
};

constexpr OperationArray input(const char* name) {
  return {name};
}
constexpr OperationArray replaceable(const char* name) {
  return {name, Contents::elements, Count::perElement, false, false, true};
}
constexpr OperationArray output(const char* name, Count count = Count::perElement) {
  return {name, Contents::elements, count, true};
}
constexpr OperationArray resultsPerRow(const char* name, Contents contents = Contents::results) {
  return {name, contents, Count::perRow, true};
}
constexpr OperationArray integers(const char* name, Count count) {
  return {name, Contents::int32, count, true};
}
constexpr OperationArray parameters(const char* name, Count count, Contents contents = Contents::doubles) {
  return {name, contents, count};
}
constexpr OperationArray drawn(const char* name, Contents contents = Contents::results) {
  return {name, contents, Count::perDraw, true};
}
constexpr OperationArray reported(const char* name, Contents contents = Contents::results) {
  return {name, contents, Count::perRowTop, true};
}
constexpr OperationArray numbers(const char* name) {
  return {name, Contents::doubles, Count::perNumber, true};
}
constexpr OperationArray optional(OperationArray array) {
  array.isOptional = true;
  return array;
}

/// How long an element takes, as a multiple of an element of float32 in softmax: of float64 elements, and
/// others.
struct Cost {
  double others, float64;
};
constexpr Cost alike(double cost) {
  return {cost, cost};
}
/// Vectors of float64 have half as many elements, and need longer polynomials.
constexpr Cost ofFloat(double cost) {
  return {cost, 3 * cost};
}

/// What an operation knows of long rows and of layouts.
enum class Layouts {
  splits,  // a long row can be computed in parts (split_row.h)
  wholeRows,
  lastAxis  // neither: only rows of the last axis, without a mask or multipliers
};

struct OperationRow {
  const char* name;
  OperationArray arrays[softmaxMostArrays];
  Cost cost;  // of a result, where there are more than elements
  Layouts layouts;
  /// Null, or which calls that is true of. The others cost more.
  bool (*isUsual)(const SoftmaxCall& call) = nullptr;
  Cost otherCost = cost;
};

#define SOFTMAX_OPERATIONS(ROW)                                                                            \
  ROW(softmax, {replaceable("x"), output("out")}, ofFloat(1), Layouts::splits)                             \
  ROW(logSoftmax, {replaceable("x"), output("out")}, ofFloat(1), Layouts::splits)                          \
  ROW(logSumExp, {input("x"), output("out", Count::perRow)}, ofFloat(1), Layouts::splits)                  \
  ROW(softmaxBackward, {replaceable("gradOutput"), replaceable("output"), output("out")}, ofFloat(1),      \
      Layouts::splits)                                                                                     \
  ROW(logSoftmaxBackward, {replaceable("gradOutput"), replaceable("output"), output("out")}, alike(3),     \
      Layouts::splits)                                                                                     \
  ROW(softmaxJacobian, {input("output"), output("out", Count::perPair)}, alike(1), Layouts::lastAxis)      \
  ROW(crossEntropy,                                                                                        \
      {replaceable("logits"), optional(output("grad")), resultsPerRow("loss", Contents::doubles),          \
       resultsPerRow("logSumExp"), optional(parameters("classes", Count::perRow, Contents::int32)),        \
       optional(input("probabilities")), optional(parameters("weight", Count::perClass)),                  \
       optional(parameters("gradLosses", Count::perRow))},                                                 \
      ofFloat(1), Layouts::splits, softmaxIsIndexLoss, alike(6))                                           \
  ROW(divergence,                                                                                          \
      {replaceable("student"), input("teacher"), resultsPerRow("divergence", Contents::doubles),           \
       optional(output("grad")), optional(parameters("addend", Count::perElement)),                        \
       optional(parameters("gradLosses", Count::perRow))},                                                 \
      alike(13), Layouts::splits)                                                                          \
  ROW(entropy, {input("x"), output("out", Count::perRow)}, ofFloat(4), Layouts::splits)                    \
  ROW(argMax, {input("x"), resultsPerRow("out", Contents::int32)}, alike(0.5), Layouts::wholeRows)         \
  ROW(topK, {input("x"), output("values", Count::perPlace), integers("indices", Count::perPlace)},         \
      alike(1.5), Layouts::wholeRows)                                                                      \
  ROW(tokenLogProbs,                                                                                       \
      {input("logits"), parameters("tokens", Count::perPlace, Contents::int32),                            \
       output("logProbs", Count::perPlace), integers("ranks", Count::perPlace),                            \
       output("logSumExp", Count::perRow), optional(output("topLogProbs", Count::perTop)),                 \
       optional(integers("topTokens", Count::perTop))},                                                    \
      ofFloat(1.5), Layouts::wholeRows)                                                                    \
  ROW(sample,                                                                                              \
      {input("logits"), parameters("settings", Count::perSetting), parameters("uniforms", Count::perDraw), \
       drawn("tokens", Contents::int32), resultsPerRow("kept", Contents::int32),                           \
       optional(drawn("logProbs")), optional(drawn("rawLogProbs")) SOFTMAX_SAMPLE_MORE},                   \
      alike(2), Layouts::wholeRows)                                                                        \
  ROW(blockSums,                                                                                           \
      {input("x"), optional(parameters("targets", Count::perRow, Contents::int32)), numbers("fields")},    \
      ofFloat(1), Layouts::wholeRows)                                                                      \
  SOFTMAX_MORE_OPERATIONS(ROW)

/// What changes sample's logits, and the most likely classes. Results of rows whose classes are in several
/// places, and noise. WebAssembly leaves these to JavaScript: its module would be too large.
#if defined(__wasm__)
#define SOFTMAX_SAMPLE_MORE , optional(parameters("raw", Count::perElement, Contents::results))
#define SOFTMAX_MORE_OPERATIONS(ROW)
#else
#define SOFTMAX_SAMPLE_MORE                                                                              \
  , optional(parameters("bias", Count::perClass, Contents::elements)),                                   \
      optional(parameters("allowed", Count::words, Contents::int32)),                                    \
      optional(parameters("editTokens", Count::edits, Contents::int32)),                                 \
      optional(parameters("edits", Count::editPairs)), optional(reported("topTokens", Contents::int32)), \
      optional(reported("topLogProbs"))
#define SOFTMAX_MORE_OPERATIONS(ROW)                                                                         \
  ROW(gumbelNoise, {replaceable("x"), parameters("draws", Count::perNumber), output("out")}, alike(8),       \
      Layouts::wholeRows)                                                                                    \
  ROW(scaledExponentials, {replaceable("x"), parameters("known", Count::perNumber), output("out")},          \
      ofFloat(1), Layouts::wholeRows)                                                                        \
  ROW(shardLogSoftmax, {replaceable("x"), parameters("known", Count::perNumber), output("out")}, ofFloat(1), \
      Layouts::wholeRows)
#endif

}  // namespace
}  // namespace softmax_native

#ifdef SOFTMAX_ISA_OBJECT
#include "kernels/arg_max.h"
#include "kernels/block_sums.h"
#include "kernels/cross_entropy.h"
#include "kernels/divergence.h"
#include "kernels/entropy.h"
#include "kernels/finish_shard.h"
#include "kernels/log_softmax.h"
#include "kernels/log_softmax_backward.h"
#include "kernels/log_sum_exp.h"
#include "kernels/sample.h"
#include "kernels/softmax.h"
#include "kernels/softmax_backward.h"
#include "kernels/softmax_jacobian.h"
#include "kernels/token_log_probs.h"
#include "kernels/top_k.h"
#if !defined(__wasm__)
#include "kernels/gumbel_noise.h"
#endif
#endif

enum class SoftmaxOperation : uint32_t {
#define SOFTMAX_NUMBER(name, ...) name,
  SOFTMAX_OPERATIONS(SOFTMAX_NUMBER)
#undef SOFTMAX_NUMBER
};

namespace softmax_native {
namespace {

constexpr OperationRow operations[] = {
#define SOFTMAX_ROW(name, ...) {#name, __VA_ARGS__},
    SOFTMAX_OPERATIONS(SOFTMAX_ROW)
#undef SOFTMAX_ROW
};
constexpr std::size_t operationCount = sizeof operations / sizeof operations[0];

constexpr const OperationRow& rowOf(SoftmaxOperation operation) {
  return operations[static_cast<std::size_t>(operation)];
}
constexpr std::size_t arrayCount(const OperationRow& row) {
  std::size_t count = 0;
  while (count < softmaxMostArrays && row.arrays[count].name != nullptr) ++count;
  return count;
}
/// Whether there are results for each pair of a row's elements.
constexpr bool hasPairs(const OperationRow& row) {
  for (const OperationArray& array : row.arrays)
    if (array.count == Count::perPair) return true;
  return false;
}
/// Whether there are draws: what such a call has per row is for its own tests to make.
constexpr bool hasDraws(const OperationRow& row) {
  for (const OperationArray& array : row.arrays)
    if (array.count == Count::perDraw) return true;
  return false;
}
/// Inputs of elements and one output of elements or integers, which comes last: such calls need no code of
/// their own to be tested.
constexpr bool isSimple(const OperationRow& row) {
  for (std::size_t i = 0; i < arrayCount(row); ++i) {
    const OperationArray& array = row.arrays[i];
    const bool is_of_integers = array.isOutput && array.contents == Contents::int32;
    if ((array.contents != Contents::elements && !is_of_integers) || array.isOptional) return false;
    if (array.isOutput != (i + 1 == arrayCount(row))) return false;
  }
  return true;
}

}  // namespace
}  // namespace softmax_native
