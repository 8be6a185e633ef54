// The threads of this library, shared by all environments of a process. Not libuv's: those are for files, DNS
// and cryptography, which would wait.
#pragma once

#include <vector>

#include "job.h"
#include "lock.h"
#include "posted_jobs.h"

namespace softmax_native {

class Pool {
 public:
  static constexpr std::size_t mostThreads = 1024;

  /// Never destroyed: threads may run until the process ends.
  static Pool& get();

  std::size_t threads() const { return threads_.load(std::memory_order_relaxed); }
  /// A default has no effect once anything was set.
  void setThreads(std::size_t count, bool is_default);

  /// Whether a job of a synchronous call gets help soon enough to be worth cutting it up. `cost`: nanoseconds
  /// that it takes alone.
  bool hasHelp(double cost);
  /// Runs a job, together with other threads. Returns when it is done.
  void run(Job& job, double cost);

  /// Has the threads run a job. False: there is no thread.
  bool post(Job& job);
  /// Takes back a job that may be posted: when this returns, no thread has it, and none will.
  void withdraw(Job& job);

 private:
  Pool();
  static void main(void* argument);
  void work(std::size_t index);
  static void help(Job& job);
  void judgeHelp(std::int64_t waited, double cost);
  std::size_t startThreads(std::size_t count);
  Job* takeUrgent();
  Job* takePosted();
  void leave(Job& job);
  void rest(Lock& lock, bool spins);

  std::atomic<std::size_t> threads_;
  bool is_set_ = false;
  std::vector<bool> is_running_;
  std::int64_t next_start_ = 0;
  Mutex mutex_;
  Condition wake_, left_;
  std::size_t sleeping_ = 0;
  std::size_t helping_ = 0;   // threads that have a job whose caller waits
  std::vector<Job*> urgent_;  // whose callers wait
  PostedJobs posted_;
  std::atomic<std::uint32_t> version_{0};  // counts what there is to look for
  std::atomic<std::size_t> spinning_{0};
  std::atomic<std::int64_t> last_call_{0};    // when hasHelp was asked
  std::atomic<std::int64_t> alone_until_{0};  // calls that do not take long get no help until then
  std::atomic<std::int64_t> time_alone_{0};   // how long that was
};

}  // namespace softmax_native
