#include "pool.h"

#include <algorithm>

#include "cpu_count.h"
#include "floating_point.h"
#include "thread.h"

namespace softmax_native {
namespace {

/// How long a thread looks for more before it sleeps: about what waking it costs. Only between jobs whose
/// callers wait, which come one after another.
constexpr std::int64_t spinTime = 50'000;
/// How long a thread computes posted jobs without giving way to others.
constexpr std::int64_t yieldTime = 500'000;
/// When to try again to start a thread, after the system refused one.
constexpr std::int64_t timeToRetry = 1'000'000'000;
/// Calls closer together than this come in a row.
constexpr std::int64_t rowTime = 200'000;
/// What a job must take to be worth cutting up: when threads are looking for work, and when they must be
/// woken.
constexpr double leastCost = 6'000, leastToWake = 60'000;
constexpr double costOfWaking = 20'000;
/// How long calls are computed alone before help is tried again.
constexpr std::int64_t longestAlone = 100'000'000;
/// What takes so long is done sooner with help, even if that is late.
constexpr double longCost = 1'000'000;

/// A caller's wait for the last tasks of others: soon over, unless they have no CPU. They may get this one.
class Wait {
 public:
  void once() {
    if (++count_ < 500) {
      pauseThread();
    } else {
      yieldThread();
    }
  }

 private:
  int count_ = 0;
};

struct Start {
  Pool* pool;
  std::size_t index;
};

}  // namespace

Pool& Pool::get() {
  static std::atomic<Pool*> only{nullptr};
  Pool* pool = only.load(std::memory_order_acquire);
  if (pool != nullptr) return *pool;
  auto* made = new Pool;
  if (only.compare_exchange_strong(pool, made, std::memory_order_acq_rel)) return *made;
  delete made;  // another thread was first
  return *pool;
}

Pool::Pool() : threads_(std::min(usableCpus(), mostThreads)), is_running_(mostThreads, false) {}

void Pool::setThreads(std::size_t count, bool is_default) {
  const Lock lock(mutex_);
  if (is_default && is_set_) return;
  is_set_ = true;
  threads_.store(std::clamp(count, std::size_t{1}, mostThreads), std::memory_order_relaxed);
  ++version_;
  wake_.notifyAll();  // those that are too many end
}

/// Starts what is missing of the first `count` threads; how many of them there are then.
std::size_t Pool::startThreads(std::size_t count) {
  std::size_t running = 0;
  for (std::size_t index = 0; index < count; ++index) {
    if (!is_running_[index] && nanoseconds() >= next_start_) {
      auto* start = new Start{this, index};
      is_running_[index] = startThread(main, start);
      if (!is_running_[index]) {
        delete start;
        next_start_ = nanoseconds() + timeToRetry;
      }
    }
    running += is_running_[index];
  }
  return running;
}

void Pool::main(void* argument) {
  const Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  const DefaultFloatingPoint floating_point;
  start.pool->work(start.index);
}

void Pool::work(std::size_t index) {
  Lock lock(mutex_);
  bool has_helped = false;
  std::int64_t last_yield = 0;
  while (index < threads()) {
    if (Job* urgent = takeUrgent()) {
      // This one may have been woken for a posted job.
      ++helping_;
      if (sleeping_ > 0 && posted_.hasTask()) wake_.notifyOne();
      lock.unlock();
      help(*urgent);
      urgent->users_.fetch_sub(1, std::memory_order_release);  // its caller may end it now
      lock.lock();
      --helping_;
      has_helped = true;
    } else if (Job* posted = takePosted()) {
      // Whoever works wakes the next, as long as there is more.
      if (sleeping_ > 0 && (!urgent_.empty() || posted_.hasTask())) wake_.notifyOne();
      lock.unlock();
      posted->runOne(index % 2 == 0 ? Job::End::front : Job::End::back);
      // Where all CPUs are taken by these threads, an event loop that wakes would wait for milliseconds. But
      // every time that a thread gives way, other processes may take theirs.
      if (const std::int64_t now = nanoseconds(); now - last_yield > yieldTime) {
        yieldThread();
        last_yield = nanoseconds();
      }
      lock.lock();
      leave(*posted);
      has_helped = false;
    } else {
      rest(lock, has_helped);
      has_helped = false;
    }
  }
  is_running_[index] = false;
  // What it has just made ready, a job's next phase or the next job, is nobody's yet: the others may sleep.
  if (!urgent_.empty() || posted_.hasTask()) wake_.notifyOne();
}

/// Until there may be something to do.
void Pool::rest(Lock& lock, bool spins) {
  const std::uint32_t version = version_.load(std::memory_order_relaxed);
  if (spins) {
    spinning_.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    const std::int64_t end = nanoseconds() + spinTime;
    bool is_new = false;
    do {
      for (int i = 0; i < 16 && !is_new; ++i) {
        pauseThread();
        is_new = version_.load(std::memory_order_relaxed) != version;
      }
    } while (!is_new && nanoseconds() < end);
    lock.lock();
    spinning_.fetch_sub(1, std::memory_order_relaxed);
    if (version_.load(std::memory_order_relaxed) != version) return;
  }
  ++sleeping_;
  wake_.wait(lock);
  --sleeping_;
}

/// For all threads but one: with its caller that makes as many as there should be, and posted jobs never wait
/// for calls that other environments make one after another.
Job* Pool::takeUrgent() {
  if (helping_ + 1 >= threads()) return nullptr;
  for (Job* job : urgent_) {
    if (!job->hasTask()) continue;
    job->users_.fetch_add(1, std::memory_order_relaxed);
    return job;
  }
  return nullptr;
}

/// Tasks of a job whose caller waits.
void Pool::help(Job& job) {
  std::int64_t idle_since = 0;
  while (!job.isDone()) {
    if (job.runOne(Job::End::back)) {
      idle_since = 0;
      continue;
    }
    // The end of a phase: others are at its last tasks.
    pauseThread();
    const std::int64_t now = nanoseconds();
    if (idle_since == 0) idle_since = now;
    if (static_cast<double>(now - idle_since) > job.patience_) return;
  }
}

bool Pool::hasHelp(double cost) {
  if (cost < leastCost || threads() < 2) return false;
  const std::int64_t now = nanoseconds(), before = last_call_.exchange(now, std::memory_order_relaxed);
  if (cost < longCost && now < alone_until_.load(std::memory_order_relaxed)) return false;
  // Threads that are woken for one of many calls in a row are there for the next.
  return spinning_.load(std::memory_order_relaxed) > 0 || cost >= leastToWake || now - before < rowTime;
}

void Pool::run(Job& job, double cost) {
  job.patience_ = 20'000 + 3 * cost / static_cast<double>(job.firstTasks());
  {
    const Lock lock(mutex_);
    const std::size_t helpers = std::min(threads() - 1, job.firstTasks() - 1);
    startThreads(helpers);
    urgent_.push_back(&job);
    ++version_;
    // To wake one costs microseconds: no more than there is time for.
    std::size_t missing = helpers - std::min(helpers, spinning_.load(std::memory_order_relaxed));
    missing = std::min({missing, sleeping_, 1 + static_cast<std::size_t>(cost / costOfWaking)});
    for (; missing > 0; --missing) wake_.notifyOne();
  }
  std::int64_t waited = 0;
  while (!job.isDone()) {
    if (job.runOne(Job::End::front)) continue;
    // Others are at the last tasks of a phase.
    const std::int64_t begin = nanoseconds();
    for (Wait wait; !job.isDone() && !job.hasTask();) wait.once();
    waited += nanoseconds() - begin;
  }
  {
    const Lock lock(mutex_);
    urgent_.erase(std::find(urgent_.begin(), urgent_.end(), &job));
  }
  for (Wait wait; job.users_.load(std::memory_order_acquire) > 0;) wait.once();
  judgeHelp(waited, cost);
}

/// After a call that waited longer for others than their help can have saved, the system gives the CPU of one
/// of them to others still. If it goes on doing so, short calls are done sooner alone, for longer and longer.
void Pool::judgeHelp(std::int64_t waited, double cost) {
  std::int64_t alone = time_alone_.load(std::memory_order_relaxed);
  if (static_cast<double>(waited) <= 20'000 + cost / 2) {
    if (alone > 0) time_alone_.store(alone - (alone + 7) / 8, std::memory_order_relaxed);
    return;
  }
  alone = std::clamp(2 * alone, 2 * waited, std::max(2 * waited, longestAlone));
  time_alone_.store(alone, std::memory_order_relaxed);
  alone_until_.store(nanoseconds() + alone, std::memory_order_relaxed);
}

bool Pool::post(Job& job) {
  const Lock lock(mutex_);
  if (startThreads(threads()) == 0) return false;
  posted_.push(job);
  ++version_;
  if (sleeping_ > 0) wake_.notifyOne();
  return true;
}

Job* Pool::takePosted() {
  Job* job = posted_.take();
  if (job != nullptr) job->users_.fetch_add(1, std::memory_order_relaxed);
  return job;
}

/// After a task of a posted job.
void Pool::leave(Job& job) {
  if (job.users_.fetch_sub(1, std::memory_order_relaxed) > 1) return;
  if (job.is_withdrawn_) {
    left_.notifyAll();
  } else if (job.isDone()) {
    posted_.end(job);
    job.finished();
  } else if (job.firstTasks() == 1) {
    posted_.push(job);  // a phase later
  }
}

void Pool::withdraw(Job& job) {
  Lock lock(mutex_);
  posted_.remove(job);
  job.is_withdrawn_ = true;
  job.cancel();
  while (job.users_.load(std::memory_order_relaxed) > 0) left_.wait(lock);
}

}  // namespace softmax_native
