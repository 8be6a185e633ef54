// Work that several threads do together.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace softmax_native {

/// Tasks that threads claim one by one, in phases: those of the next can be claimed when all of this are
/// done.
class Job {
 public:
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// From which end of a phase's tasks a thread claims. Threads that keep to an end meet the same memory in
  /// each phase, and in each call that is made over and over: it is in their own caches.
  enum class End { front, back };

  /// Claims a task and runs it. False: there is none to claim now.
  bool runOne(End end);
  bool hasTask() const;
  bool isDone() const { return is_done_.load(std::memory_order_acquire); }
  /// Tasks of the first phase.
  std::size_t firstTasks() const { return first_tasks_; }
  /// Tasks that are claimed from now on do nothing.
  void cancel() { is_cancelled_.store(true, std::memory_order_relaxed); }
  bool isCancelled() const { return is_cancelled_.load(std::memory_order_relaxed); }

  static constexpr std::size_t mostTasks = std::size_t{1} << 20;

 protected:
  Job() = default;
  ~Job() = default;
  /// Before any thread has it: how many tasks the first phase has, at least 1 and at most mostTasks.
  void begin(std::size_t tasks);
  virtual void run(std::size_t task) = 0;
  /// Of a posted job (pool.h): it is done or cancelled, and no thread has it any more. On the thread that was
  /// the last. Must not call the pool.
  virtual void finished() {}
  /// When all tasks of a phase are done, on the thread that did the last: how many the next phase has. 0: the
  /// job is done.
  virtual std::size_t nextPhase() = 0;

 private:
  // One number, so that a claim belongs to the phase whose tasks are counted: how many tasks there are, and
  // how many were claimed from the front and from the back.
  struct Claims {
    std::size_t tasks, front, back;
    explicit Claims(std::uint64_t number);
    bool areAll() const { return front + back >= tasks; }
  };
  static constexpr int countBits = 21;
  void open(std::size_t tasks);

  std::atomic<std::uint64_t> claims_{0};
  std::atomic<std::size_t> left_{0};
  std::atomic<bool> is_done_{false}, is_cancelled_{false};
  std::size_t first_tasks_ = 0;

  friend class Pool;
  std::atomic<std::size_t> users_{0};  // threads that have it
  bool is_withdrawn_ = false;          // guarded by the pool's mutex
  double patience_ = 0;                // nanoseconds: more than one of its tasks takes
};

}  // namespace softmax_native
