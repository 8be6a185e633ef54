// How many CPUs this process may use.
#pragma once

#include <cstddef>

namespace softmax_native {

/// At least 1: the CPUs of its affinity, and no more than the quota of its control groups allows. `root`:
/// where the file systems of /proc and /sys are, for tests.
std::size_t usableCpus(const char* root = "");

}  // namespace softmax_native
