#include "job.h"

namespace softmax_native {

#if defined(SOFTMAX_SEED_RACE)
namespace {
/// Threads write it at the same time: a detector that does not see that sees nothing.
std::size_t seeded_race = 0;
}  // namespace
#endif

void Job::begin(std::size_t tasks) {
  first_tasks_ = tasks;
  open(0, tasks);
}

void Job::open(std::uint64_t phase, std::size_t tasks) {
  left_.store(tasks, std::memory_order_relaxed);
  cursor_.store(phase << (2 * taskBits) | static_cast<std::uint64_t>(tasks) << taskBits,
                std::memory_order_release);
}

bool Job::hasTask() const {
  const std::uint64_t cursor = cursor_.load(std::memory_order_relaxed);
  return nextOf(cursor) < tasksOf(cursor);
}

bool Job::runOne() {
  // Looked at first: the number of the next task must not grow with every look.
  if (!hasTask()) return false;
  const std::uint64_t cursor = cursor_.fetch_add(1, std::memory_order_acquire);
  if (nextOf(cursor) >= tasksOf(cursor)) return false;
#if defined(SOFTMAX_SEED_RACE)
  ++seeded_race;
#endif
  if (!isCancelled()) run(nextOf(cursor));
  if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return true;
  const std::size_t tasks = isCancelled() ? 0 : nextPhase();
  if (tasks > 0) {
    open((cursor >> (2 * taskBits)) + 1, tasks);
  } else {
    is_done_.store(true, std::memory_order_release);
  }
  return true;
}

}  // namespace softmax_native
