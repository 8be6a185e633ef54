#include "call_job.h"

#include "floating_point.h"

namespace softmax_native {
namespace {

std::size_t ceilOf(std::size_t a, std::size_t b) {
  return a / b + (a % b != 0);
}

std::size_t larger(std::size_t a, std::size_t b) {
  return a > b ? a : b;
}

/// How many of `count` things, each of that cost, make a task.
std::size_t sizeOfTask(const Cut& cut, std::size_t count, double cost) {
  const double wanted = cut.grain / cost;
  const std::size_t grain =
      wanted < static_cast<double>(count) ? static_cast<std::size_t>(wanted) + 1 : count;
  return larger(grain, ceilOf(count, cut.tasks));
}

}  // namespace

CallJob::CallJob(const SoftmaxKernels& kernels, const SoftmaxCall& call, const Cut& cut)
    : kernels_(kernels), call_(call), row_call_(call) {
  const DefaultFloatingPoint floating_point;  // the first step of a row in parts reads a logit
  const SoftmaxRows& rows = call.rows;
  const double cost = elementCost(kernels, call), row_cost = cost * static_cast<double>(rows.length);
  const std::size_t part_size = sizeOfPart(cut, rows.length, cost);
  const bool is_long = rows.length > part_size && rows.outer < 4 * cut.threads;
  const std::size_t tasks = rows.stride > 1             ? planColumns(cut, row_cost)
                            : is_long && hasParts(call) ? planParts(part_size)
                                                        : planRows(cut, row_cost);
  begin(tasks);
}

std::size_t CallJob::planRows(const Cut& cut, double row_cost) {
  unit_ = Unit::rows;
  size_ = sizeOfTask(cut, call_.rows.outer, row_cost);
  return ceilOf(call_.rows.outer, size_);
}

/// Whole indices of the outer axis where there are enough of them, else columns: as many as fill cache lines
/// side by side, or a multiple.
std::size_t CallJob::planColumns(const Cut& cut, double row_cost) {
  const SoftmaxRows& rows = call_.rows;
  const double outer_cost = row_cost * static_cast<double>(rows.inner);
  if (rows.outer >= 4 * cut.threads || rows.inner < 256) return planRows(cut, outer_cost);
  constexpr std::size_t least = 128;
  unit_ = Unit::columns;
  const std::size_t wanted =
      sizeOfTask({cut.grain, larger(cut.tasks / rows.outer, 1), 1}, rows.inner, row_cost);
  size_ = ceilOf(wanted, least) * least;
  per_outer_ = ceilOf(rows.inner, size_);
  return per_outer_ * rows.outer;
}

/// How many elements of a row make a part: a power of two of blocks. A part has a task in each of some steps,
/// which take about half the time each.
std::size_t CallJob::sizeOfPart(const Cut& cut, std::size_t length, double cost) {
  const std::size_t most = cut.tasks < mostParts ? cut.tasks : mostParts;
  std::size_t size = cut.blocks * softmaxBlockSize;
  while (2 * static_cast<double>(size) * cost <= cut.grain || ceilOf(length, size) > most) size *= 2;
  return size;
}

std::size_t CallJob::planParts(std::size_t size) {
  unit_ = Unit::parts;
  size_ = size;
  part_count_ = ceilOf(call_.rows.length, size_);
  row_call_ = rowsOf(call_, 0, 1);
  beginRow();
  return part_count_;
}

void CallJob::beginRow() {
  const SoftmaxCall call = withScratch(row_call_);
  step_ = kernels_.join(&call, softmaxBegin, nullptr, 0, &known_);
}

void CallJob::run(std::size_t task) {
  const std::size_t begin = task * size_, outer = call_.rows.outer;
  if (unit_ == Unit::parts) return runPart(task);
  if (unit_ == Unit::rows)
    return runCall(kernels_, rowsOf(call_, begin, outer - begin < size_ ? outer : begin + size_));
  const std::size_t column = task % per_outer_ * size_, inner = call_.rows.inner;
  runCall(kernels_,
          columnsOf(call_, task / per_outer_, column, inner - column < size_ ? inner : column + size_));
}

void CallJob::runPart(std::size_t task) {
  const DefaultFloatingPoint floating_point;
  const std::size_t begin = task * size_, left = call_.rows.length - begin;
  const SoftmaxCall call = withScratch(row_call_);
  kernels_.takeStep(&call, step_, begin, left < size_ ? left : size_, &known_, &parts_[task]);
}

std::size_t CallJob::nextPhase() {
  if (unit_ != Unit::parts) return 0;
  const DefaultFloatingPoint floating_point;
  const SoftmaxCall call = withScratch(row_call_);
  step_ = kernels_.join(&call, step_, parts_, part_count_, &known_);
  if (step_ == softmaxEnd && ++row_ < call_.rows.outer) {
    row_call_ = rowsOf(call_, row_, row_ + 1);
    beginRow();
  }
  return step_ == softmaxEnd ? 0 : part_count_;
}

}  // namespace softmax_native
