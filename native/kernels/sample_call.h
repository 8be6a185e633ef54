// What a call of sample has: its arrays, the settings of a row, and memory for intermediate results.
#pragma once

#include "kernel-abi.h"

namespace {

/// One row's, in the order that src/backends/plain-tokens.ts writes them.
struct SampleSettings {
  double multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies, wantsKept;
  double typicalP;             // 0: off
  double topNSigma;            // 0: off
  double firstEdit, lastEdit;  // of the call's edits those of [first, last): penalties
  double firstBias, lastBias;  // and a bias of single classes
  double firstAllowed;         // of the words of `allowed` the row's first
  double isTopOfRaw;           // whether the most likely classes are those of the logits as given
  double isShared;             // whether other threads may change the logits: these are read once
};
static_assert(sizeof(SampleSettings) == softmaxSettings * sizeof(double));

/// What a call has for intermediate results, in SoftmaxRows::scratch.
template <class Element>
struct SampleMemory {
#if defined(__wasm__)
  static constexpr std::size_t longestRow = 39 * softmaxBlockSize, room = 16384;
#else
  static constexpr std::size_t longestRow = (sizeof(Element) == sizeof(float) ? 64 : 48) * softmaxBlockSize,
                               room = longestRow;
#endif
  /// So many candidates are worth looking at: rows that have more are searched where they are. Only what
  /// needs all of a row collects as many as there is room for.
  static constexpr std::size_t capacity = 16384;
  static constexpr std::size_t slack = 256;
  /// What is appended to them may end a group of vectors later.
  alignas(64) std::uint32_t indices[room + slack];
  Element logits[room + slack];
  Element exponentials[room + slack];
  std::uint32_t positions[room];
  /// Cumulative weights, or distances; before, the weights of the row's blocks.
  double sums[room];
  /// Exponentials of a row; before, the maxima of its blocks.
  alignas(64) Element row[longestRow + slack];
#if !defined(__wasm__)
  /// The row as filters see it, where that is no array of the call's.
  Element adjusted[longestRow + slack];
#endif
};
static_assert(sizeof(SampleMemory<float>) <= softmaxSampleScratch);
#if !defined(__wasm__)
static_assert(sizeof(SampleMemory<double>) <= softmaxSampleScratch);
#endif

/// The arrays of a call, by name. Element: double of float64 logits, else float.
template <class Element>
struct SampleCall {
  SoftmaxElements logits;
  const SampleSettings* settings;
  const double* uniforms;
  std::int32_t *tokens, *kept;
  Element *log_probs, *raw_log_probs;
  std::size_t draws;
#if defined(__wasm__)
  /// What was given; null: the logits.
  const Element* raw;
#endif
  /// Added to all rows; data is null where there is none.
  SoftmaxElements bias;
  /// 32 classes a word, the lowest bit first, or null.
  const std::uint32_t* allowed;
  /// Changes of single logits, in this order: a logit is divided by the first number if it is above 0, else
  /// multiplied, and the second is added.
  const std::int32_t* edit_tokens;
  const double (*edits)[2];
  /// Null, or `top` most likely classes a row.
  std::int32_t* top_tokens;
  Element* top_log_probs;
  std::size_t top;
};

template <class Element>
SampleCall<Element> sampleCallOf(const SoftmaxCall& call) {
  const SoftmaxElements* a = call.arrays;
  SampleCall<Element> result{};
  result.logits = a[0];
  result.settings = static_cast<const SampleSettings*>(a[1].data);
  result.uniforms = static_cast<const double*>(a[2].data);
  result.tokens = static_cast<std::int32_t*>(a[3].data);
  result.kept = static_cast<std::int32_t*>(a[4].data);
  result.log_probs = static_cast<Element*>(a[5].data);
  result.raw_log_probs = static_cast<Element*>(a[6].data);
  result.draws = static_cast<std::size_t>(call.numbers[0]);
#if defined(__wasm__)
  result.raw = static_cast<const Element*>(a[7].data);
#else
  result.bias = a[7];
  result.allowed = static_cast<const std::uint32_t*>(a[8].data);
  result.edit_tokens = static_cast<const std::int32_t*>(a[9].data);
  result.edits = static_cast<const double(*)[2]>(a[10].data);
  result.top_tokens = static_cast<std::int32_t*>(a[11].data);
  result.top_log_probs = static_cast<Element*>(a[12].data);
  if (result.top_tokens) result.top = static_cast<std::size_t>(call.numbers[1]);
#endif
  return result;
}

}  // namespace
