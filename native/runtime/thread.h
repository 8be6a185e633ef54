// Threads of the operating system. Not std::thread: it ends the process where no thread can be started, as in
// a container that has used up its processes.
#pragma once

#include <cstdint>

namespace softmax_native {

/// Runs body(argument) on a new thread, which takes no signals and is never joined. False: there is none.
bool startThread(void (*body)(void*), void* argument);

/// Tells the CPU that this is a loop that waits.
void pauseThread();

/// Lets another thread have this CPU, if any waits for it.
void yieldThread();

/// Nanoseconds of a clock that only goes forward.
std::int64_t nanoseconds();

}  // namespace softmax_native
