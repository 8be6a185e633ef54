// The runtime: calls that several threads compute have the bits of those that one does; jobs end as they
// should.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "../runtime/call_job.h"
#include "../runtime/cpu_count.h"
#include "../runtime/pool.h"
#include "../runtime/thread.h"
#include "same_bits.h"

namespace {

/// The kernels that splitTable() runs on several threads.
const SoftmaxKernels* split_kernels = nullptr;

void computeSplit(const SoftmaxCall* call) {
  if (softmax_native::elementCount(call->rows) == 0) return;
  const softmax_native::Cut cut{randomBits() % 2 ? 0.1 : 1e5, 1 + randomBits() % 40, 1 + randomBits() % 3,
                                std::size_t{1} << randomBits() % 2};
  softmax_native::CallJob job(*split_kernels, *call, cut);
  softmax_native::Pool::get().run(job, 0);
}

/// Some kernels, on several threads.
SoftmaxKernels splitTable(const SoftmaxKernels& kernels) {
  split_kernels = &kernels;
  SoftmaxKernels split = kernels;
  split.compute = computeSplit;
  return split;
}

/// Rows of several blocks as parts, and other shapes by their rows and columns.
void testThreads(const SoftmaxKernels& kernels, int turns) {
  softmax_native::Pool::get().setThreads(3, false);
  const SoftmaxKernels split = splitTable(kernels);
  constexpr SoftmaxDType dtypes[] = {softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16};
  constexpr double multipliers[] = {1.0, 1 / 0.7, -0.125, 1e-37};
  constexpr float scales[] = {1.0f, 60.0f, 1e4f, 1e30f};
  long different = 0;
  for (int turn = 0; turn < turns; ++turn) {
    const bool is_long = turn % 2 == 0;
    const SoftmaxDType dtype = dtypes[randomBits() % (is_long ? 2 : 4)];
    const std::size_t inner = is_long || turn % 4 == 1 ? 1 : 1 + randomBits() % 600;
    const std::size_t outer = 1 + randomBits() % (is_long ? 3 : 20);
    const std::size_t length =
        is_long ? 8000 + randomBits() % 30000 : 1 + randomBits() % (inner > 1 ? 30 : 700);
    const std::size_t count = outer * length * inner;
    const bool is_masked = !is_long && randomBits() % 2;
    std::vector<std::uint8_t> mask(count);
    for (auto& kept : mask) kept = randomBits() % 4 != 0;
    std::vector<double> offsets(outer * inner), each(outer * inner);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      offsets[i] = static_cast<double>(i / inner * length * inner + i % inner);
      each[i] = 0.5 + static_cast<double>(i % 7);
    }
    const double multiplier = multipliers[randomBits() % 4];
    const float scale = scales[randomBits() % 4];
    const SoftmaxRows rows{outer,          length,  inner,
                           inner,          count,   is_masked ? mask.data() : nullptr,
                           offsets.data(), inner,   randomBits() % 3 == 0 ? each.data() : nullptr,
                           multiplier,     nullptr, 0};
    if (sameBits({&split}, kernels, dtype, rows, scale)[0]) continue;
    if (++different < 5)
      std::printf("  dtype %d, %zu x %zu x %zu, scale %g, multiplier %g\n", static_cast<int>(dtype), outer,
                  length, inner, static_cast<double>(scale), multiplier);
  }
  char line[120];
  std::snprintf(line, sizeof line, "same bits, %s: %d arrays by one thread and by three", kernels.isa, turns);
  check(different == 0, line);
}

/// A job that counts.
class CountingJob final : public softmax_native::Job {
 public:
  CountingJob(std::size_t tasks, std::size_t phases) : phases_(phases) { begin(tasks); }
  std::atomic<std::size_t> done{0}, wrong{0};
  std::atomic<bool> is_finished{false};

 private:
  void run(std::size_t) override {
    if (done.fetch_add(1) / firstTasks() != phase_) wrong.fetch_add(1);
  }
  std::size_t nextPhase() override { return ++phase_ < phases_ ? firstTasks() : 0; }
  void finished() override { is_finished = true; }

  std::size_t phases_, phase_ = 0;
};

void testJobs() {
  softmax_native::Pool& pool = softmax_native::Pool::get();
  bool is_right = true;
  for (int turn = 0; turn < 2000; ++turn) {
    pool.setThreads(1 + randomBits() % 4, false);
    CountingJob waited_for(1 + randomBits() % 20, 1 + randomBits() % 4);
    pool.run(waited_for, 0);
    is_right &= waited_for.isDone() && waited_for.wrong == 0;
  }
  check(is_right, "jobs that callers wait for: every task once, phase by phase, 1 to 4 threads");

  is_right = true;
  for (int turn = 0; turn < 200; ++turn) {
    pool.setThreads(1 + randomBits() % 4, false);
    std::vector<std::unique_ptr<CountingJob>> jobs;
    for (int i = 0; i < 30; ++i)
      jobs.push_back(std::make_unique<CountingJob>(1 + randomBits() % 9, 1 + i % 3));
    for (auto& job : jobs) is_right &= pool.post(*job);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (i % 5 == 0) pool.withdraw(*jobs[i]);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      while (i % 5 != 0 && !jobs[i]->is_finished) std::this_thread::yield();
    for (auto& job : jobs) is_right &= job->wrong == 0;
  }
  check(is_right, "posted jobs: all end, those that are taken back are left alone");
}

/// A job whose first tasks wait until they are let go.
class HeldJob final : public softmax_native::Job {
 public:
  HeldJob() { begin(2); }
  std::atomic<int> begun{0};
  std::atomic<bool> is_let_go[2] = {{false}, {false}}, is_finished{false};

 private:
  void run(std::size_t task) override {
    ++begun;
    while (!is_let_go[task]) std::this_thread::yield();
  }
  std::size_t nextPhase() override { return ++phase_ < 2 ? 2 : 0; }
  void finished() override { is_finished = true; }

  std::size_t phase_ = 0;
};

/// The thread that opens a job's next phase may be one too many by then, and the other asleep.
void testFewerThreads() {
  softmax_native::Pool& pool = softmax_native::Pool::get();
  bool is_right = true;
  for (int turn = 0; turn < 16; ++turn) {
    const auto wait = [](const auto& isOver) {
      for (int i = 0; i < 2000 && !isOver(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return isOver();
    };
    HeldJob job;
    pool.setThreads(2, false);
    is_right &= pool.post(job) && wait([&] { return job.begun == 2; });
    pool.setThreads(1, false);
    job.is_let_go[turn % 2] = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // its thread sleeps, or ends
    job.is_let_go[1 - turn % 2] = true;
    is_right &= wait([&] { return job.is_finished.load(); });
    pool.withdraw(job);
  }
  check(is_right, "posted jobs: they end where threads do meanwhile");
}

/// A job of long tasks: they last until a posted job is finished, or for a second.
class LongJob final : public softmax_native::Job {
 public:
  explicit LongJob(const CountingJob& posted) : posted_(posted) { begin(8); }
  std::atomic<bool> has_begun{false};

 private:
  void run(std::size_t) override {
    has_begun = true;
    const auto end = softmax_native::nanoseconds() + 1'000'000'000;
    while (!posted_.is_finished && softmax_native::nanoseconds() < end) std::this_thread::yield();
  }
  std::size_t nextPhase() override { return 0; }

  const CountingJob& posted_;
};

/// Callers that wait do not get all threads: a posted job does not wait for their jobs.
void testFairness() {
  softmax_native::Pool& pool = softmax_native::Pool::get();
  pool.setThreads(2, false);
  bool is_right = true;
  for (int turn = 0; turn < 20; ++turn) {
    CountingJob posted(1 + turn % 2, 1);
    LongJob first(posted), second(posted);
    std::thread callers[] = {std::thread([&] { pool.run(first, 1e9); }),
                             std::thread([&] { pool.run(second, 1e9); })};
    while (!first.has_begun || !second.has_begun) std::this_thread::yield();
    is_right &= pool.post(posted);
    for (int i = 0; i < 500 && !posted.is_finished; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    is_right &= posted.is_finished;
    for (auto& caller : callers) caller.join();
    while (!posted.is_finished) std::this_thread::yield();
    if (!is_right) break;
  }
  check(is_right, "posted jobs do not wait for jobs whose callers wait");
}

/// A file of a made-up system.
void writeFile(const std::string& root, const std::string& path, const char* text) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    mkdir((root + path.substr(0, slash)).c_str(), 0700);
  std::FILE* file = std::fopen((root + path).c_str(), "w");
  if (file == nullptr) std::abort();
  std::fputs(text, file);
  std::fclose(file);
}

/// Quotas of control groups of both versions.
void testCpuCount() {
  char directory[] = "/tmp/softmax-native-XXXXXX";
  if (mkdtemp(directory) == nullptr) std::abort();
  const std::string root = directory;
  const std::size_t cpus = softmax_native::usableCpus((root + "/none").c_str());
  const auto count = [&] { return softmax_native::usableCpus(root.c_str()); };
  bool is_right = cpus >= 1 && count() == cpus;
  writeFile(root, "/proc/self/cgroup", "0::/a/b\n");
  is_right &= count() == cpus;
  writeFile(root, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  is_right &= count() == cpus;
  writeFile(root, "/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  is_right &= count() == 1;
  writeFile(root, "/sys/fs/cgroup/a/b/cpu.max", "20000 100000\n");
  is_right &= count() == 1;
  writeFile(root, "/sys/fs/cgroup/a/cpu.max", "9900000 100000\n");
  writeFile(root, "/sys/fs/cgroup/a/b/cpu.max", "9900000 100000\n");
  is_right &= count() == (cpus < 99 ? cpus : 99);
  writeFile(root, "/proc/self/cgroup", "5:memory:/a\n3:cpu,cpuacct:/docker/x\n");
  writeFile(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  writeFile(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  is_right &= count() == 1;
  check(is_right, "CPUs: affinity, and the quotas of control groups");
  if (std::system(("rm -r " + root).c_str()) != 0) std::abort();
}

}  // namespace
