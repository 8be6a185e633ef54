// Which frame (traversal.h) serves a call, by its layout and the types of its elements.
#pragma once

#include "batch.h"
#include "copied.h"
#include "pipeline.h"
#include "transposed_frame.h"
#include "traversal.h"

namespace {

/// Rows up to this length are transposed. kernels_bench on Zen 5: at 256 elements it still gains 12 %; with
/// two inputs, each of which is transposed, it loses 30 % at 32.
constexpr std::size_t longestTransposed(std::size_t inputs) {
  return inputs == 1 ? longestTransposedRow : 24;
}

template <class Frame, class L, class Run>
void inFrame(const SoftmaxRows& rows, std::size_t inputs, const Run& run) {
  Frame frame(rows, inputs);
  run(L{}, frame);
}

/// With elements of any type, where they are.
template <class W, class Run>
void decoded(const SoftmaxRows& rows, const Run& run) {
  if (rows.outer == 0 || rows.inner == 0) return;
  if (rows.stride == 1) return inFrame<DecodedFrame<Along<W>>, Along<W>>(rows, 0, run);
  inFrame<DecodedFrame<Across<W>>, Across<W>>(rows, 0, run);
}

/// With elements of any type: in copies of `inputs` arrays, if there is memory for them, else where they are.
template <class W, class Run>
void copied(const SoftmaxRows& rows, std::size_t inputs, const Run& run) {
  if (CopiedFrame<Along<W>>::isFor(rows, inputs))
    return inFrame<CopiedFrame<Along<W>>, Along<W>>(rows, inputs, run);
#if defined(SOFTMAX_SMALL)
  // Other rows are of other axes.
  inFrame<DecodedFrame<Across<W>>, Across<W>>(rows, 0, run);
#else
  decoded<W>(rows, run);
#endif
}

/// run(layout, frame): over the type of the elements, along or across; directly where all elements are of
/// the type they are computed in and there is no mask. `inputs` arrays are read; `streams`: their results
/// may be written past the caches; `pipelines`: their steps can be taken together.
template <class W, bool streams, bool pipelines = false, class Run>
void chooseFrame(const SoftmaxRows& rows, std::size_t inputs, bool direct, SoftmaxDType dtype,
                 const Run& run) {
  if (rows.outer == 0 || rows.inner == 0) return;
  // Without fma arithmetic takes all the time there is.
  constexpr bool is_usual = sizeof(typename W::Element) == sizeof(float) && W::width > 1 && !expInDouble<W>;
  if constexpr (pipelines && is_usual) {
#if !defined(SOFTMAX_SMALL)
    if (direct && dtype == softmaxFloat32 && BatchFrame<Batch<W>>::isFor(rows))
      return inFrame<BatchFrame<Batch<W>>, Batch<W>>(rows, 0, run);
    if constexpr (TransposedFrame<Across<W>>::pays)
      if (direct && dtype == softmaxFloat32 && TransposedFrame<Across<W>>::isFor(rows))
        return inFrame<TransposedFrame<Across<W>>, Across<W>>(rows, 0, run);
#endif
    if (direct && dtype == softmaxFloat32 && PipelinedFrame<Along<W>>::isFor(rows))
      return inFrame<PipelinedFrame<Along<W>>, Along<W>>(rows, 0, run);
#if !defined(SOFTMAX_SMALL)
    if (!direct && PipelinedCopies<Along<W>>::isFor(rows))
      return inFrame<PipelinedCopies<Along<W>>, Along<W>>(rows, 0, run);
#endif
  }
  const bool on_stage = rows.stride > 1 || isTransposed<W>(rows, longestTransposed(inputs));
  if (on_stage && unitsOnStage<W>(rows, inputs) > 0)
    return inFrame<StagedFrame<Across<W>>, Across<W>>(rows, inputs, run);
  if (rows.stride > 1 || !direct) return copied<W>(rows, inputs, run);
  if constexpr (W::has_stream && streams)
    if (dtype <= softmaxFloat64 && StreamedFrame<Along<W>>::isFor(rows))
      return inFrame<StreamedFrame<Along<W>>, Along<W>>(rows, 0, run);
  withCode<W>(dtype,
              [&](auto code) { inFrame<DirectFrame<Along<W>, decltype(code)>, Along<W>>(rows, 0, run); });
}

/// For what computes more than it reads, in double in memory of its own (distribution.h) and the like: of any
/// types and masked or not.
/// `is_beside`: an array of doubles beside floats is read or written where it is, which transposed rows are
/// not.
template <class W, class Run>
void chooseWideFrame(const SoftmaxRows& rows, std::size_t inputs, bool is_beside, const Run& run) {
  if (rows.outer == 0 || rows.inner == 0) return;
  const bool is_transposed = !is_beside && isTransposed<W>(rows, longestTransposed(1));
  if ((rows.stride > 1 || is_transposed) && unitsOnStage<W>(rows, inputs) > 0)
    return inFrame<StagedFrame<Across<W>>, Across<W>>(rows, inputs, run);
  decoded<W>(rows, run);
}

/// For what reads one array and writes one number per row. Code of their own have only rows that are read as
/// they are (`is_plain`: of the type they are computed in): for others it would be as long again, and gain
/// less.
template <class W, class Run>
void chooseReadFrame(const SoftmaxRows& rows, bool is_plain, const Run& run) {
  const bool is_direct = is_plain && !rows.mask && rows.stride == 1;
  if (is_direct && rows.outer > 0 && !isTransposed<W>(rows, longestTransposed(1)))
    return inFrame<DirectFrame<Along<W>, PlainCode<W>>, Along<W>>(rows, 0, run);
  if (rows.stride == 1 && !isTransposed<W>(rows, longestTransposed(1))) return copied<W>(rows, 1, run);
  chooseWideFrame<W>(rows, 1, false, run);
}

/// For what looks for a row's elements where they are, not on the stage.
template <class W, class Run>
void chooseRowFrame(const SoftmaxRows& rows, bool is_plain, const Run& run) {
  if (rows.outer == 0 || rows.inner == 0) return;
  if (is_plain && !rows.mask && rows.stride == 1)
    return inFrame<DirectFrame<Along<W>, PlainCode<W>>, Along<W>>(rows, 0, run);
  copied<W>(rows, 1, run);
}

#if defined(SOFTMAX_SMALL)
/// The same for what columns are left to JavaScript of.
template <class W, class Run>
void chooseLastAxisFrame(const SoftmaxRows& rows, bool is_plain, const Run& run) {
  if (rows.outer == 0 || rows.stride > 1) return;
  if (is_plain && !rows.mask) return inFrame<DirectFrame<Along<W>, PlainCode<W>>, Along<W>>(rows, 0, run);
  inFrame<CopiedFrame<Along<W>>, Along<W>>(rows, 1, run);
}
#endif

template <class L, class Run>
void inParts(PartTask& task, const Run& run) {
  PartFrame<L> frame(task);
  run(L{}, frame);
}

/// The same for what is computed in double.
template <class L, class Run>
void inDecodedParts([[maybe_unused]] const SoftmaxRows& rows, [[maybe_unused]] PartTask& task,
                    [[maybe_unused]] const Run& run) {
#if !defined(SOFTMAX_SMALL)
  DecodedPartFrame<L> frame(rows, task);
  run(L{}, frame);
#endif
}

/// `task`: null, or what is done of a row in parts.
template <class V, bool streams, bool pipelines = false, class Run, class... More>
void choose(const SoftmaxRows& rows, std::size_t inputs, [[maybe_unused]] PartTask* task, const Run& run,
            const SoftmaxElements& first, const More&... more) {
#if !defined(SOFTMAX_SMALL)
  if (task && isDouble(first.dtype)) return inParts<Along<Wide<V>>>(*task, run);
  if (task) return inParts<Along<V>>(*task, run);
#endif
  const bool is_direct = !rows.mask && (... && (more.dtype == first.dtype));
  if (isDouble(first.dtype))
    return chooseFrame<Wide<V>, streams, pipelines>(rows, inputs, is_direct, first.dtype, run);
  chooseFrame<V, streams, pipelines>(rows, inputs, is_direct, first.dtype, run);
}

/// Where a unit's rows are read, written and kept, and how they are scaled.
template <class L, class LogitsOf, class KeptOf, class OutOf>
struct RowArrays {
  using Layout = L;
  using Logits = LogitsOf;
  using Kept = KeptOf;
  using Out = OutOf;
  Logits logits;
  Kept kept;
  Out out;
  std::size_t length;
  Unit unit;
  const RowScaling<L>* scaling;
};

template <class L, class Frame, class Input, class Output>
auto arraysOf(const Frame& frame, const Input& logits, const Output& results, const SoftmaxRows& rows,
              const Unit& unit, const RowScaling<L>& scaling) {
  using Logits = decltype(logits.of(unit));
  using Kept = decltype(frame.kept(results, unit));
  using Out = decltype(results.of(unit));
  return RowArrays<L, Logits, Kept, Out>{
      logits.of(unit), frame.kept(results, unit), results.of(unit), rows.length, unit, &scaling};
}

/// Whether vectors of the elements can be aligned. Memory that another addon made may begin at any byte.
inline bool isAligned(const SoftmaxElements& elements) {
  const std::size_t size = elements.dtype == softmaxFloat64 ? sizeof(double) : sizeof(float);
  return reinterpret_cast<std::uintptr_t>(elements.data) % size == 0;
}

}  // namespace
