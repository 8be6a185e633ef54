#include "cpu_count.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#endif

namespace softmax_native {
namespace {

#if defined(_WIN32)

std::size_t affineCpus() {
  DWORD_PTR own = 0, all = 0;
  std::size_t count = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all) != 0)
    for (; own != 0; own &= own - 1) ++count;
  // 0: of a process in several groups of processors.
  return count > 0 ? count : GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
}
double quota(const char*) {
  return 0;
}

#elif defined(__linux__)

std::size_t affineCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  // More CPUs than the set has room for.
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<std::size_t>(count) : 1;
}

/// The text of a small file; false if there is none.
template <std::size_t size>
bool read(char (&text)[size], const char* root, const char* directory, const char* group, const char* name) {
  char path[4096];
  const int length = std::snprintf(path, sizeof path, "%s%s%s/%s", root, directory, group, name);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof path) return false;
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) return false;
  const std::size_t count = std::fread(text, 1, size - 1, file);
  std::fclose(file);
  text[count] = '\0';
  return true;
}

/// CPUs' worth of time that a control group may use; 0: no limit.
double quotaOfGroup(const char* root, const char* group, bool is_second_version) {
  char text[64];
  double quota = 0, period = 0;
  if (is_second_version) {
    if (!read(text, root, "/sys/fs/cgroup", group, "cpu.max")) return 0;
    if (std::sscanf(text, "%lf %lf", &quota, &period) != 2) return 0;  // "max": none
  } else {
    if (!read(text, root, "/sys/fs/cgroup/cpu", group, "cpu.cfs_quota_us")) return 0;
    if (std::sscanf(text, "%lf", &quota) != 1) return 0;
    if (!read(text, root, "/sys/fs/cgroup/cpu", group, "cpu.cfs_period_us")) return 0;
    if (std::sscanf(text, "%lf", &period) != 1) return 0;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

/// The least quota of a group and those above it.
double quotaOfPath(const char* root, char* group, bool is_second_version) {
  double least = 0;
  for (;;) {
    const double quota = quotaOfGroup(root, group, is_second_version);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
    char* slash = std::strrchr(group, '/');
    if (slash == nullptr) return least;
    *slash = '\0';
  }
}

/// Whether "cpu" is one of some names, which commas part.
bool hasCpu(char* controllers) {
  char* rest = nullptr;
  for (char* name = strtok_r(controllers, ",", &rest); name != nullptr; name = strtok_r(nullptr, ",", &rest))
    if (std::strcmp(name, "cpu") == 0) return true;
  return false;
}

/// Of the groups that this process is in: lines like "0::/a/b", or in the first version "4:cpu,cpuacct:/a/b".
/// In a container the path may be that of the host, and the files those of the root.
double quota(const char* root) {
  char text[4096];
  double least = 0;
  const auto take = [&](char* group, bool is_second_version) {
    const double found = quotaOfPath(root, group, is_second_version);
    if (found > 0 && (least == 0 || found < least)) least = found;
  };
  if (!read(text, root, "/proc/self", "", "cgroup")) return 0;
  char *rest = nullptr, none[] = "";
  for (char* line = strtok_r(text, "\n", &rest); line != nullptr; line = strtok_r(nullptr, "\n", &rest)) {
    char* controllers = std::strchr(line, ':');
    char* group = controllers == nullptr ? nullptr : std::strchr(controllers + 1, ':');
    if (group == nullptr) continue;
    *group++ = '\0';
    ++controllers;
    const bool is_second_version = *controllers == '\0';
    if (is_second_version || hasCpu(controllers))
      take(std::strcmp(group, "/") == 0 ? none : group, is_second_version);
  }
  return least;
}

#else

std::size_t affineCpus() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<std::size_t>(count) : 1;
}
double quota(const char*) {
  return 0;
}

#endif

}  // namespace

std::size_t usableCpus(const char* root) {
  const std::size_t cpus = affineCpus();
  const double limit = quota(root);
  if (limit <= 0 || limit >= static_cast<double>(cpus)) return cpus < 1 ? 1 : cpus;
  // Down: a process beyond its quota is stopped as a whole, with its event loop.
  return limit < 1 ? 1 : static_cast<std::size_t>(limit);
}

}  // namespace softmax_native
