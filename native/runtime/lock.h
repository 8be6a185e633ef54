// A mutex, a lock of it and a condition. Not those of <mutex>: they throw, and what throws brings the C++
// library's unwinder and demangler into a prebuilt binary, an eighth of it.
#pragma once

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <pthread.h>
#endif

namespace softmax_native {

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

#if defined(_WIN32)
  void lock() {
    AcquireSRWLockExclusive(&mutex_);
  }
  void unlock() {
    ReleaseSRWLockExclusive(&mutex_);
  }

 private:
  SRWLOCK mutex_ = SRWLOCK_INIT;
#else
  void lock() {
    pthread_mutex_lock(&mutex_);
  }
  void unlock() {
    pthread_mutex_unlock(&mutex_);
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
#endif
  friend class Condition;
};

/// Holds a mutex from its beginning to its end, but for the time between unlock() and lock().
class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(mutex) { lock(); }
  ~Lock() {
    if (is_held_) unlock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() {
    mutex_.lock();
    is_held_ = true;
  }
  void unlock() {
    is_held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool is_held_ = false;
  friend class Condition;
};

class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

#if defined(_WIN32)
  void wait(Lock& lock) {
    SleepConditionVariableSRW(&condition_, &lock.mutex_.mutex_, INFINITE, 0);
  }
  void notifyOne() {
    WakeConditionVariable(&condition_);
  }
  void notifyAll() {
    WakeAllConditionVariable(&condition_);
  }

 private:
  CONDITION_VARIABLE condition_ = CONDITION_VARIABLE_INIT;
#else
  void wait(Lock& lock) {
    pthread_cond_wait(&condition_, &lock.mutex_.mutex_);
  }
  void notifyOne() {
    pthread_cond_signal(&condition_);
  }
  void notifyAll() {
    pthread_cond_broadcast(&condition_);
  }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
#endif
};

}  // namespace softmax_native
