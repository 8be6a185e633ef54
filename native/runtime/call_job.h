// A call as a job: its rows, its columns, or the parts of its rows are the tasks.
#pragma once

#include "call.h"
#include "job.h"

namespace softmax_native {

/// How a call is cut up. However that is, the results have the same bits.
struct Cut {
  double grain;            // nanoseconds that a task takes at least, about
  std::size_t tasks;       // as many tasks there may be in a phase
  std::size_t threads;     // long rows are computed in parts if there are not enough of them for so many
  std::size_t blocks = 4;  // the shortest part of a row, in blocks of 4096 elements; a power of two
};

class CallJob : public Job {
 public:
  /// `call` has something to compute.
  CallJob(const SoftmaxKernels& kernels, const SoftmaxCall& call, const Cut& cut);

 protected:
  void run(std::size_t task) override;
  std::size_t nextPhase() override;

 private:
  std::size_t planRows(const Cut& cut, double row_cost);
  std::size_t planColumns(const Cut& cut, double row_cost);
  static std::size_t sizeOfPart(const Cut& cut, std::size_t length, double cost);
  std::size_t planParts(std::size_t size);
  void beginRow();
  void runPart(std::size_t task);

  static constexpr std::size_t mostParts = 128;

  const SoftmaxKernels& kernels_;
  const SoftmaxCall call_;
  enum class Unit { rows, columns, parts } unit_;
  std::size_t size_ = 0;       // rows, columns or elements of a task
  std::size_t per_outer_ = 0;  // tasks of columns of each index of the outer axis
  // Rows in parts: one after another.
  std::size_t row_ = 0;
  SoftmaxCall row_call_;
  SoftmaxStep step_ = softmaxBegin;
  SoftmaxPart known_{}, parts_[mostParts];
  std::size_t part_count_ = 0;
};

}  // namespace softmax_native
