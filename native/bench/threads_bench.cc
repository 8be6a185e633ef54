// What threads gain: calls by one thread and by all, beside copying as many bytes.
//
//   threads_bench [THREADS]    THREADS: default, the CPUs that this process may use
//
// Medians over interleaved turns. Copying is cut up as the calls are and done by the same threads: how much
// faster that gets is what the memory allows.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../runtime/compute.h"
#include "../runtime/dispatch.h"
#include "../runtime/job.h"
#include "../runtime/pool.h"
#include "../runtime/thread.h"
#include "../test/calls.h"

namespace {

using namespace softmax_native;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// memcpy in pieces.
class CopyJob : public Job {
 public:
  CopyJob(char* to, const char* from, std::size_t size) : to_(to), from_(from), size_(size) {
    begin((size + piece - 1) / piece);
  }

 private:
  static constexpr std::size_t piece = std::size_t{1} << 16;
  void run(std::size_t task) override {
    const std::size_t start = task * piece;
    std::memcpy(to_ + start, from_ + start, std::min(piece, size_ - start));
  }
  std::size_t nextPhase() override { return 0; }

  char* to_;
  const char* from_;
  std::size_t size_;
};

struct Case {
  SoftmaxOperation operation;
  std::size_t outer, length, inner;
  double smoothing = 0.0;  // of labels
};

constexpr Case cases[] = {
    {SoftmaxOperation::softmax, 64, 1000, 1},        {SoftmaxOperation::softmax, 1536, 128, 1},
    {SoftmaxOperation::softmax, 1024, 1024, 1},      {SoftmaxOperation::softmax, 4096, 10, 1},
    {SoftmaxOperation::softmax, 4096, 1000, 1},      {SoftmaxOperation::softmax, 1, 128256, 1},
    {SoftmaxOperation::softmax, 1, 1000000, 1},      {SoftmaxOperation::softmax, 32, 128256, 1},
    {SoftmaxOperation::softmax, 1, 1024, 1024},      {SoftmaxOperation::logSoftmax, 1, 1000000, 1},
    {SoftmaxOperation::logSumExp, 1, 1000000, 1},    {SoftmaxOperation::softmaxBackward, 1, 1000000, 1},
    {SoftmaxOperation::crossEntropy, 64, 1000, 1},   {SoftmaxOperation::crossEntropy, 1, 1000000, 1},
    {SoftmaxOperation::crossEntropy, 32, 128256, 1}, {SoftmaxOperation::crossEntropy, 1, 128256, 1, 0.1},
    {SoftmaxOperation::divergence, 1, 128256, 1},    {SoftmaxOperation::entropy, 1, 128256, 1}};

/// Nanoseconds of one run, by one thread and by all.
std::pair<double, double> timesOf(const std::function<void(bool)>& run) {
  std::vector<double> alone, together;
  run(false);
  const std::int64_t begin = nanoseconds();
  run(false);
  const std::int64_t once = std::max<std::int64_t>(nanoseconds() - begin, 1);
  const int repeat = static_cast<int>(std::clamp<std::int64_t>(5'000'000 / once, 1, 500));
  for (int turn = 0; turn < 41; ++turn)
    for (const bool is_shared : {false, true}) {
      for (int i = 0; i < 3; ++i) run(is_shared);
      const std::int64_t start = nanoseconds();
      for (int i = 0; i < repeat; ++i) run(is_shared);
      const double time = static_cast<double>(nanoseconds() - start) / repeat;
      (is_shared ? together : alone).push_back(time);
    }
  return {median(alone), median(together)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : Pool::get().threads();
  Pool::get().setThreads(threads, false);
  const SoftmaxKernels& kernels = *supportedKernels().tables[0];
  std::printf("%s, float32, 1 thread and %zu\n\n", kernels.isa, threads);
  std::printf("%-16s %-14s %10s %10s %7s   %s\n", "", "", "1, us", "all, us", "ratio",
              "copying as many bytes: ratio");
  for (const Case& c : cases) {
    const std::size_t count = c.outer * c.length * c.inner, rows = c.outer * c.inner;
    std::vector<float> x(count), y(count), out(count), sums(rows);
    std::vector<double> losses(rows);
    for (float& value : x) value = static_cast<float>(std::rand() % 1000) * 0.01f;
    for (float& value : y) value = 1.0f / static_cast<float>(c.length);
    std::vector<std::int32_t> classes(rows, 3);
    const SoftmaxRows problem{c.outer, c.length, c.inner, c.inner, count,   nullptr,
                              nullptr, 0,        nullptr, 1.0,     nullptr, 0};
    const SoftmaxElements from{x.data(), softmaxFloat32}, to{out.data(), softmaxFloat32};
    const OperationRow& row = rowOf(c.operation);
    SoftmaxCall call = callOf(c.operation, problem, {from, {y.data(), softmaxFloat32}});
    if (c.operation == SoftmaxOperation::crossEntropy) {
      call = callOf(
          SoftmaxCrossEntropy{
              from, classes.data(), {}, nullptr, c.smoothing, losses.data(), sums.data(), to, nullptr, 1.0},
          problem);
    } else if (c.operation == SoftmaxOperation::divergence) {
      call = callOf(
          SoftmaxDivergence{from, {y.data(), softmaxFloat32}, losses.data(), to, nullptr, nullptr, 1.0},
          problem);
    } else {
      call.arrays[arrayCount(row) - 1] = to;
    }
    const auto [alone, together] =
        timesOf([&](bool is_shared) { (is_shared ? compute : runCall)(kernels, call); });
    const std::size_t size = count * sizeof(float);
    auto* const target = reinterpret_cast<char*>(out.data());
    const auto* const source = reinterpret_cast<const char*>(x.data());
    const auto copy = timesOf([&](bool is_shared) {
      if (!is_shared) {
        std::memcpy(target, source, size);
        return;
      }
      CopyJob job(target, source, size);
      Pool::get().run(job, static_cast<double>(size));
    });
    char shape[64];
    std::snprintf(shape, sizeof shape, "%zux%zu%s%s", c.outer * (c.inner > 1 ? c.length : 1),
                  c.inner > 1 ? c.inner : c.length, c.inner > 1 ? " axis 0" : "",
                  c.smoothing > 0 ? " smooth" : "");
    std::printf("%-16s %-14s %10.1f %10.1f %7.2f   %.2f\n", row.name, shape, alone / 1000, together / 1000,
                alone / together, copy.first / copy.second);
  }
  return 0;
}
