// Jobs that no caller waits for, and which of them is next. The pool's mutex guards all of it.
#pragma once

#include <algorithm>
#include <deque>

#include "job.h"

namespace softmax_native {

/// Short jobs, of one task, in their order, and between any two of them a task of a long one: neither waits
/// for all of the other.
class PostedJobs {
 public:
  void push(Job& job) {
    (job.firstTasks() == 1 ? short_ : waiting_).push_back(&job);
    admit();
  }

  bool hasTask() const {
    return !short_.empty() || std::any_of(in_turn_.begin(), in_turn_.end(), isRunnable);
  }

  /// A job to run one task of; null: there is none. A short one is no longer among them.
  Job* take() {
    Job* job = is_short_next_ ? takeShort() : takeLong();
    if (job == nullptr) job = is_short_next_ ? takeLong() : takeShort();
    if (job != nullptr) is_short_next_ = !is_short_next_;
    return job;
  }

  /// A job that was taken is done.
  void end(Job& job) {
    erase(in_turn_, job);
    admit();
  }

  /// A job that may be among them is no longer.
  void remove(Job& job) {
    for (auto* queue : {&short_, &in_turn_, &waiting_}) erase(*queue, job);
    admit();
  }

 private:
  using Queue = std::deque<Job*>;

  /// Long jobs that are worked on at the same time. More wait: all of them at once would only mean that all
  /// are done late, with none of them in the caches.
  static constexpr std::size_t mostInTurn = 8;

  static bool isRunnable(const Job* job) { return job->hasTask(); }

  static void erase(Queue& queue, const Job& job) {
    const auto found = std::find(queue.begin(), queue.end(), &job);
    if (found != queue.end()) queue.erase(found);
  }

  void admit() {
    for (; in_turn_.size() < mostInTurn && !waiting_.empty(); waiting_.pop_front())
      in_turn_.push_back(waiting_.front());
  }

  Job* takeShort() {
    if (short_.empty()) return nullptr;
    Job* job = short_.front();
    short_.pop_front();
    return job;
  }

  Job* takeLong() {
    const auto found = std::find_if(in_turn_.begin(), in_turn_.end(), isRunnable);
    if (found == in_turn_.end()) return nullptr;
    Job* job = *found;
    in_turn_.erase(found);
    in_turn_.push_back(job);
    return job;
  }

  Queue short_, in_turn_, waiting_;  // of one task; of more, worked on; of more, not yet
  bool is_short_next_ = true;
};

}  // namespace softmax_native
