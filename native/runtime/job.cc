#include "job.h"

#if defined(SOFTMAX_SEEDED_DEFECT)
#include "../test/seeded_defect.h"
#endif

namespace softmax_native {

Job::Claims::Claims(std::uint64_t number) {
  constexpr std::uint64_t mask = (std::uint64_t{1} << countBits) - 1;
  tasks = static_cast<std::size_t>(number >> 2 * countBits);
  front = static_cast<std::size_t>(number & mask);
  back = static_cast<std::size_t>(number >> countBits & mask);
}

void Job::begin(std::size_t tasks) {
  first_tasks_ = tasks;
  open(tasks);
}

void Job::open(std::size_t tasks) {
  left_.store(tasks, std::memory_order_relaxed);
  claims_.store(static_cast<std::uint64_t>(tasks) << 2 * countBits, std::memory_order_release);
}

bool Job::hasTask() const {
  return !Claims(claims_.load(std::memory_order_relaxed)).areAll();
}

bool Job::runOne(End end) {
  // Looked at first: the counts must not grow with every look.
  if (!hasTask()) return false;
  const std::uint64_t one = end == End::front ? 1 : std::uint64_t{1} << countBits;
  const Claims before(claims_.fetch_add(one, std::memory_order_acquire));
  if (before.areAll()) return false;
#if defined(SOFTMAX_SEEDED_DEFECT)
  SOFTMAX_SEEDED_DEFECT();
#endif
  if (!isCancelled()) run(end == End::front ? before.front : before.tasks - 1 - before.back);
  if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return true;
  const std::size_t tasks = isCancelled() ? 0 : nextPhase();
  if (tasks > 0) {
    open(tasks);
  } else {
    is_done_.store(true, std::memory_order_release);
  }
  return true;
}

}  // namespace softmax_native
