#include "call.h"

#include "../operations.h"
#include "floating_point.h"
#include "scratch.h"

namespace softmax_native {
namespace {

std::size_t sizeOf(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? 8 : dtype == softmaxFloat32 || dtype == softmaxInt32 ? 4 : 2;
}

template <class Element>
void advance(const Element*& data, std::size_t count) {
  if (data != nullptr) data += count;
}
void advance(SoftmaxElements& elements, std::size_t count) {
  if (elements.data != nullptr)
    elements.data = static_cast<char*>(elements.data) + count * sizeOf(elements.dtype);
}

/// Moves every array to the index of the outer axis and the column that come first; the rows' sizes are the
/// caller's to set.
void moveTo(SoftmaxCall& call, std::size_t outer, std::size_t column) {
  SoftmaxRows& rows = call.rows;
  const std::size_t element = outer * rows.length * rows.stride + column, row = outer * rows.inner + column;
  advance(rows.maskOffsets, row);
  advance(rows.multipliers, row);
  const OperationRow& operation = rowOf(call.operation);
  for (std::size_t i = 0; i < arrayCount(operation); ++i) switch (operation.arrays[i].count) {
      case Count::perElement:
        advance(call.arrays[i], element);
        break;
      case Count::perRow:
        advance(call.arrays[i], row);
        break;
      case Count::perClass:
      case Count::words:
      case Count::edits:
      case Count::editPairs:
        break;
      case Count::perPair:
        advance(call.arrays[i], element * rows.length);
        break;
      case Count::perPlace:
        advance(call.arrays[i], outer * static_cast<std::size_t>(call.numbers[0]) * rows.stride + column);
        break;
      case Count::perTop:
        advance(call.arrays[i], outer * static_cast<std::size_t>(call.numbers[1]) * rows.stride + column);
        break;
      case Count::perDraw:
      case Count::perNumber:
        advance(call.arrays[i], row * drawCount(call));
        break;
      case Count::perSetting:
        advance(call.arrays[i], row * softmaxSettings);
        break;
      case Count::perRowTop:
        advance(call.arrays[i], row * static_cast<std::size_t>(call.numbers[1]));
        break;
    }
}

bool isUsual(const SoftmaxCall& call) {
  const OperationRow& operation = rowOf(call.operation);
  return operation.isUsual == nullptr || operation.isUsual(call);
}

/// Whether an array's elements are of the type that the first array has, or gradients of a loss in double.
bool isOfFirstType(const SoftmaxCall& call, std::size_t index) {
  const SoftmaxElements& array = call.arrays[index];
  const bool is_wide =
      call.operation == SoftmaxOperation::crossEntropy && index == 1 && array.dtype == softmaxFloat64;
  return array.data == nullptr || array.dtype == call.arrays[0].dtype || is_wide;
}

/// Whether an operation always does: what is computed in double (kernels/distribution.h), and candidates
/// (kernels/places.h).
bool alwaysNeedsScratch(SoftmaxOperation operation) {
  switch (operation) {
    case SoftmaxOperation::divergence:
    case SoftmaxOperation::entropy:
    case SoftmaxOperation::topK:
    case SoftmaxOperation::tokenLogProbs:
      return true;
    default:
      return hasDraws(rowOf(operation));
  }
}

/// Where rows are computed where they are, and small ones on the stack, no other memory is needed.
bool needsScratch(const SoftmaxCall& call) {
  if (!isUsual(call) || alwaysNeedsScratch(call.operation)) return true;
  const SoftmaxRows& rows = call.rows;
  const bool is_staged = rows.stride > 1 || rows.mask != nullptr || call.arrays[0].dtype >= softmaxFloat16;
  return is_staged && elementCount(rows) > 8192;
}

/// Half of it may have copies of rows (kernels/copied.h). Longer rows are read where they are, which takes
/// several times as long.
std::size_t scratchFor(const SoftmaxCall& call) {
  if (call.operation == SoftmaxOperation::sample) return softmaxSampleScratch;
  const std::size_t size = call.arrays[0].dtype == softmaxFloat64 ? sizeof(double) : sizeof(float);
  const std::size_t copies = 2 * size * (call.rows.length + softmaxCopyPadding);
  const bool is_copied = call.rows.stride == 1 && copies > scratchSize && copies <= softmaxSampleScratch;
  return is_copied && (call.rows.mask || call.arrays[0].dtype >= softmaxFloat16) ? copies : scratchSize;
}

}  // namespace

SoftmaxCall withScratch(const SoftmaxCall& call) {
  SoftmaxCall with_scratch = call;
  if (!needsScratch(call)) return with_scratch;
  const std::size_t size = scratchFor(call);
  with_scratch.rows.scratch = scratchMemory(size);
  with_scratch.rows.scratchSize = with_scratch.rows.scratch == nullptr ? 0 : size;
  return with_scratch;
}

void runCall(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  const DefaultFloatingPoint floating_point;
  if (!needsScratch(call)) return kernels.compute(&call);
  const SoftmaxCall with_scratch = withScratch(call);
  kernels.compute(&with_scratch);
}

SoftmaxCall rowsOf(const SoftmaxCall& call, std::size_t begin, std::size_t end) {
  SoftmaxCall part = call;
  moveTo(part, begin, 0);
  part.rows.outer = end - begin;
  return part;
}

SoftmaxCall columnsOf(const SoftmaxCall& call, std::size_t outer, std::size_t begin, std::size_t end) {
  SoftmaxCall part = call;
  moveTo(part, outer, begin);
  part.rows.outer = 1;
  part.rows.inner = end - begin;
  return part;
}

bool hasParts(const SoftmaxCall& call) {
  const OperationRow& operation = rowOf(call.operation);
  if (operation.layouts != Layouts::splits || call.rows.stride > 1 || call.rows.mask != nullptr) return false;
  if (call.arrays[0].dtype > softmaxFloat64) return false;
  for (std::size_t i = 1; i < arrayCount(operation); ++i) {
    const OperationArray& array = operation.arrays[i];
    const bool is_of_any = array.count == Count::perElement && array.contents == Contents::elements;
    if (is_of_any && !isOfFirstType(call, i)) return false;
  }
  return true;
}

double elementCost(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  // Of softmax, one float in a vector of 16: bench/kernels.
  const double softmax_cost = 0.25 * 16 / static_cast<double>(kernels.lanes);
  const OperationRow& operation = rowOf(call.operation);
  const Cost& cost = isUsual(call) ? operation.cost : operation.otherCost;
  const double results = hasPairs(operation) ? static_cast<double>(call.rows.length) : 1;
  return results * (call.arrays[0].dtype == softmaxFloat64 ? cost.float64 : cost.others) * softmax_cost;
}

}  // namespace softmax_native
