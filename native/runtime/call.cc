#include "call.h"

#include "floating_point.h"
#include "scratch.h"

namespace softmax_native {
namespace {

std::size_t sizeOf(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? 8 : dtype == softmaxFloat32 ? 4 : 2;
}

template <class Element>
void advance(Element*& data, std::size_t count) {
  if (data != nullptr) data += count;
}
void advance(void*& data, SoftmaxDType dtype, std::size_t count) {
  if (data != nullptr) data = static_cast<char*>(data) + count * sizeOf(dtype);
}
void advance(SoftmaxElements& elements, std::size_t count) {
  advance(elements.data, elements.dtype, count);
}

/// Moves every array to the element and row that come first; the rows' sizes are the caller's to set.
void moveTo(SoftmaxCall& call, std::size_t element, std::size_t row) {
  SoftmaxRows& rows = call.rows;
  advance(rows.maskOffsets, row);
  advance(rows.multipliers, row);
  if (call.function == callCrossEntropy) {
    SoftmaxCrossEntropy& loss = call.crossEntropy;
    const SoftmaxDType dtype = loss.logits.dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
    advance(loss.logits, element);
    advance(loss.probabilities, element);
    advance(loss.grad, element);
    advance(loss.classes, row);
    advance(loss.loss, dtype, row);
    advance(loss.logSumExp, dtype, row);
    advance(loss.gradLosses, row);
  } else if (call.function == callDivergence) {
    SoftmaxDivergence& loss = call.divergence;
    advance(loss.student, element);
    advance(loss.teacher, element);
    advance(loss.grad, element);
    advance(loss.addend, element);
    advance(loss.divergence, row);
    advance(loss.gradLosses, row);
  } else {
    advance(call.x, element);
    advance(call.y, element);
    const bool is_jacobian = call.function == callSoftmaxJacobian;
    advance(call.out, call.function == callLogSumExp ? row : is_jacobian ? element * rows.length : element);
  }
}

const SoftmaxElements& firstInput(const SoftmaxCall& call) {
  if (call.function == callCrossEntropy) return call.crossEntropy.logits;
  return call.function == callDivergence ? call.divergence.student : call.x;
}

/// Where rows are computed where they are, and small ones on the stack, no other memory is needed.
bool needsScratch(const SoftmaxCall& call) {
  const SoftmaxRows& rows = call.rows;
  const bool is_staged = rows.stride > 1 || rows.mask != nullptr || firstInput(call).dtype >= softmaxFloat16;
  return is_staged && elementCount(rows) > 8192;
}

}  // namespace

void runOn(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  const SoftmaxRows* rows = &call.rows;
  switch (call.function) {
    case callSoftmax:
      return kernels.softmax(&call.x, &call.out, rows);
    case callLogSoftmax:
      return kernels.logSoftmax(&call.x, &call.out, rows);
    case callLogSumExp:
      return kernels.logSumExp(&call.x, &call.out, rows);
    case callSoftmaxBackward:
      return kernels.softmaxBackward(&call.x, &call.y, &call.out, rows);
    case callLogSoftmaxBackward:
      return kernels.logSoftmaxBackward(&call.x, &call.y, &call.out, rows);
    case callSoftmaxJacobian:
      return kernels.softmaxJacobian(&call.x, &call.out, rows);
    case callCrossEntropy:
      return kernels.crossEntropy(&call.crossEntropy, rows);
    case callDivergence:
      return kernels.divergence(&call.divergence, rows);
  }
}

void runCall(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  const DefaultFloatingPoint floating_point;
  if (!needsScratch(call)) return runOn(kernels, call);
  SoftmaxCall with_scratch = call;
  with_scratch.rows.scratch = scratchMemory();
  with_scratch.rows.scratchSize = with_scratch.rows.scratch == nullptr ? 0 : scratchSize;
  runOn(kernels, with_scratch);
}

SoftmaxCall rowsOf(const SoftmaxCall& call, std::size_t begin, std::size_t end) {
  SoftmaxCall part = call;
  moveTo(part, begin * call.rows.length * call.rows.stride, begin * call.rows.inner);
  part.rows.outer = end - begin;
  return part;
}

SoftmaxCall columnsOf(const SoftmaxCall& call, std::size_t outer, std::size_t begin, std::size_t end) {
  const SoftmaxRows& rows = call.rows;
  SoftmaxCall part = call;
  moveTo(part, outer * rows.length * rows.stride + begin, outer * rows.inner + begin);
  part.rows.outer = 1;
  part.rows.inner = end - begin;
  return part;
}

bool hasParts(const SoftmaxCall& call) {
  if (call.rows.stride > 1 || call.rows.mask != nullptr) return false;
  const SoftmaxDType dtype = firstInput(call).dtype;
  if (dtype > softmaxFloat64) return false;
  switch (call.function) {
    case callSoftmaxJacobian:
    case callDivergence:
      return false;
    case callCrossEntropy:
      return softmaxIsIndexLoss(call.crossEntropy) &&
             (call.crossEntropy.grad.data == nullptr || call.crossEntropy.grad.dtype == dtype);
    case callLogSumExp:
      return true;
    case callSoftmax:
    case callLogSoftmax:
      return call.out.dtype == dtype;
    default:
      return call.out.dtype == dtype && call.y.dtype == dtype;
  }
}

double elementCost(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  // Of softmax, one float in a vector of 16: bench/kernels.
  const double softmax_cost = 0.25 * 16 / static_cast<double>(kernels.lanes);
  const SoftmaxDType dtype = firstInput(call).dtype;
  const double wide = dtype == softmaxFloat64 ? 3 : 1;
  switch (call.function) {
    case callLogSoftmaxBackward:
      return 3 * softmax_cost;
    case callSoftmaxJacobian:
      return static_cast<double>(call.rows.length) * softmax_cost;
    case callCrossEntropy:
      return (softmaxIsIndexLoss(call.crossEntropy) ? wide : 24) * softmax_cost;
    case callDivergence:
      return 48 * softmax_cost;
    default:
      return wide * softmax_cost;
  }
}

}  // namespace softmax_native
