// Calls from their parts, and what tests ask of an operation's row (operations.h).
#pragma once

#include <cstdint>
#include <initializer_list>

#include "../operations.h"

namespace softmax_native {

inline SoftmaxCall callOf(SoftmaxOperation operation, const SoftmaxRows& rows,
                          std::initializer_list<SoftmaxElements> arrays) {
  SoftmaxCall call{};
  call.operation = operation;
  call.rows = rows;
  std::size_t i = 0;
  for (const SoftmaxElements& elements : arrays) call.arrays[i++] = elements;
  return call;
}

inline SoftmaxElements doublesOf(const double* data) {
  return {const_cast<double*>(data), softmaxFloat64};
}

inline SoftmaxCall callOf(const SoftmaxCrossEntropy& p, const SoftmaxRows& rows) {
  const SoftmaxDType computed = p.logits.dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  SoftmaxCall call = callOf(SoftmaxOperation::crossEntropy, rows,
                            {p.logits,
                             p.grad,
                             {p.loss, softmaxFloat64},
                             {p.logSumExp, computed},
                             {const_cast<std::int32_t*>(p.classes), softmaxInt32},
                             p.probabilities,
                             doublesOf(p.weight),
                             doublesOf(p.gradLosses)});
  call.numbers[0] = p.gradLoss;
  call.numbers[1] = p.labelSmoothing;
  return call;
}

inline SoftmaxCall callOf(const SoftmaxDivergence& p, const SoftmaxRows& rows) {
  SoftmaxCall call = callOf(
      SoftmaxOperation::divergence, rows,
      {p.student, p.teacher, doublesOf(p.divergence), p.grad, doublesOf(p.addend), doublesOf(p.gradLosses)});
  call.numbers[0] = p.gradLoss;
  return call;
}

/// The output of an operation that isSimple: it comes after the inputs.
inline const OperationArray& outputOf(const OperationRow& row) {
  // g++ does not see that every operation has arrays.
  const std::size_t count = arrayCount(row);
  return row.arrays[count == 0 ? 0 : count - 1];
}

/// The type of that output, where elements are of `dtype`.
inline SoftmaxDType outputDType(const OperationRow& row, SoftmaxDType dtype) {
  return outputOf(row).contents == Contents::int32 ? softmaxInt32 : dtype;
}

/// How many elements of an array there are, of rows with so many elements.
inline std::size_t countOf(Count count, std::size_t elements, std::size_t row_count, std::size_t length,
                           std::size_t places = 0) {
  return count == Count::perRow     ? row_count
         : count == Count::perClass ? length
         : count == Count::perPair  ? elements * length
         : count == Count::perPlace ? row_count * places
                                    : elements;
}

/// The number of an operation, by its row's place.
inline SoftmaxOperation operationAt(std::size_t index) {
  return static_cast<SoftmaxOperation>(index);
}

}  // namespace softmax_native
