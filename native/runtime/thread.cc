#include "thread.h"

#include <new>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#endif

namespace softmax_native {
namespace {

/// More than any kernel takes; some systems give threads 128 KiB.
constexpr std::size_t stackSize = std::size_t{1} << 20;

struct Start {
  void (*body)(void*);
  void* argument;
};

/// The last environment to end would unload the code that threads run. Where the linker does not keep it
/// (-z nodelete), this does.
#if defined(_WIN32)
void keepLoaded() {
  HMODULE module;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&keepLoaded), &module);
}
#elif defined(__APPLE__)
void keepLoaded() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&keepLoaded), &info) != 0)
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
#else
void keepLoaded() {}
#endif

void run(void* data) {
  const Start start = *static_cast<Start*>(data);
  delete static_cast<Start*>(data);
  start.body(start.argument);
}

}  // namespace

#if defined(_WIN32)

bool startThread(void (*body)(void*), void* argument) {
  auto* start = new (std::nothrow) Start{body, argument};
  if (start == nullptr) return false;
  const auto main = [](void* data) -> DWORD {
    run(data);
    return 0;
  };
  keepLoaded();
  const HANDLE thread =
      CreateThread(nullptr, stackSize, main, start, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (thread == nullptr) {
    delete start;
    return false;
  }
  CloseHandle(thread);
  return true;
}

#else

bool startThread(void (*body)(void*), void* argument) {
  auto* start = new (std::nothrow) Start{body, argument};
  if (start == nullptr) return false;
  const auto main = [](void* data) -> void* {
    run(data);
    return nullptr;
  };
  keepLoaded();
  pthread_attr_t attributes;
  bool is_started = pthread_attr_init(&attributes) == 0;
  if (is_started) {
    pthread_attr_setstacksize(&attributes, stackSize);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // A thread inherits what its creator blocks: signals are for the threads of the host program.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    is_started = pthread_create(&thread, &attributes, main, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
  }
  if (!is_started) delete start;
  return is_started;
}

#endif

void pauseThread() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void yieldThread() {
#if defined(_WIN32)
  SwitchToThread();
#else
  sched_yield();
#endif
}

std::int64_t nanoseconds() {
#if defined(_WIN32)
  LARGE_INTEGER frequency, count;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&count);
  const std::int64_t seconds = count.QuadPart / frequency.QuadPart,
                     rest = count.QuadPart % frequency.QuadPart;
  return seconds * 1'000'000'000 + rest * 1'000'000'000 / frequency.QuadPart;
#else
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
#endif
}

}  // namespace softmax_native
