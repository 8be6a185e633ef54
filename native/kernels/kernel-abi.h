// What an ISA object exports: one table of functions, C linkage, plain data. The seam of
// src/backends/kernels.ts in C. What an operation is, operations.h says.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The types of elements. float16 and bfloat16 are computed in float32. src/backends/native/exchange.ts has
/// the same numbers. int32: of classes alone.
enum SoftmaxDType { softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16, softmaxInt32 };

/// Elements in memory; data is null where there are none.
struct SoftmaxElements {
  void* data;
  SoftmaxDType dtype;
};

/// An array as rows along one axis: element k of row r = o · inner + i is at (o · length + k) · stride + i,
/// for o in [0, outer) and i in [0, inner).
struct SoftmaxRows {
  /// stride: inner, or in some of an array's columns that of the array.
  size_t outer, length, inner, stride;
  /// Of the whole array, which these rows may be part of.
  size_t elements;
  /// Null, or element k of row r is kept where mask[maskOffsets[r] + k · maskStep] is not 0. maskStep is 0 or
  /// 1 where stride is 1.
  const uint8_t* mask;
  const double* maskOffsets;
  size_t maskStep;
  /// scale / temperature: one per row, or null and `multiplier` for all. ±infinity stands for temperature 0.
  const double* multipliers;
  double multiplier;
  /// Memory for intermediate results, aligned to 64 bytes. It may be null, which costs time where axes are
  /// not the last and where long rows are not of the type they are computed in. sample needs
  /// softmaxSampleScratch.
  void* scratch;
  size_t scratchSize;
};

/// The rows of operations.h.
enum class SoftmaxOperation : uint32_t;

/// As many arrays an operation has at most. WebAssembly leaves what sample has more of to JavaScript.
#if defined(__wasm__)
constexpr size_t softmaxMostArrays = 8;
#else
constexpr size_t softmaxMostArrays = 13;
#endif

/// As many numbers a row of Count::perSetting has.
constexpr size_t softmaxSettings = 17;

struct SoftmaxCall {
  SoftmaxOperation operation;
  /// Those of the operation's row, in its order. Data is null where an optional array is missing.
  SoftmaxElements arrays[softmaxMostArrays];
  /// What else there is: the operation's kernel header says.
  double numbers[2];
  SoftmaxRows rows;
};

/// Scratch memory of a call of sample (sample_call.h).
#if defined(__wasm__)
constexpr size_t softmaxSampleScratch = size_t{1} << 20;
#else
constexpr size_t softmaxSampleScratch = size_t{10} << 20;
#endif

/// A copy of a row has less than so many elements more (copied.h).
constexpr size_t softmaxCopyPadding = 144;

/// A row is summed in blocks of so many elements (tree.h).
constexpr size_t softmaxBlockSize = 4096;

/// One long row can be computed in parts, by several threads at once: a step of all parts, then the next. The
/// kernels say which comes next.
enum SoftmaxStep { softmaxBegin, softmaxMeasure, softmaxSum, softmaxFinish, softmaxEnd };

/// Of what is computed in double (distribution.h).
struct SoftmaxDistribution {
  double top, nans;  // as in SoftmaxPart
  double below;      // the sum of exponentials relative to the largest, without those that are 1
  double largest;    // how many these are
};

/// What is known of a row, or of a part of it, between two steps.
struct SoftmaxPart {
  double top, bottom;         // the largest signed logit, and the smallest, or −infinity
  double sum;                 // of exponentials, or of a backward function's terms
  double offset, exponent;    // what the exponentials are measured against (scaled_sums.h)
  double topExponential;      // what is left out of the sum, if it is (beside_top.h)
  double nans;                // NaN if there is one beside an infinity, else 0
  double target;              // the logit of the target
  SoftmaxDistribution of[2];  // of the first array, and of the second
  double terms[2];            // sums that the operation has beside
  double nearZero;            // the log-sum-exp, if it needs more care (near_zero.h); else NaN
  int isKept;                 // exponentials are kept in the output
  int isInMeasure;            // it is known that all blocks may be measured as the row is (row_maximum.h)
};

/// Outputs may be inputs (the same address and dtype), but may not overlap them otherwise.
struct SoftmaxKernels {
  const char* isa;
  /// Floats in a vector.
  size_t lanes;
  void (*compute)(const SoftmaxCall* call);
  /// A call of one row in parts: of the last axis, without a mask, all of float32 or all of float64, of an
  /// operation that has parts (hasParts, runtime/call.h). The step of elements [begin, begin + count), a
  /// part: all parts but the last are as long, 4096 times a power of two. Fills `part` with what is known of
  /// it.
  void (*takeStep)(const SoftmaxCall* call, SoftmaxStep step, size_t begin, size_t count,
                   const SoftmaxPart* row, SoftmaxPart* part);
  /// After a step of all parts, in order: fills `row` with what is known of the row. The next step;
  /// softmaxEnd: there is none. At first the step is softmaxBegin, and there are no parts.
  SoftmaxStep (*join)(const SoftmaxCall* call, SoftmaxStep step, const SoftmaxPart* parts, size_t count,
                      SoftmaxPart* row);
  /// For tests: 2 exp(logit), of floats times c (exp.h), with no row around it.
  void (*exponential)(const float* logits, float* out, size_t count);
  void (*exponentialDouble)(const double* logits, double* out, size_t count);
};
