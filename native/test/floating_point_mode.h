// The runtime in modes that another addon may have set on the calling thread: the bits of the default mode,
// on the pool's threads too, and the caller's mode as it was.
#pragma once

#if defined(__x86_64__) || defined(__aarch64__)

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <atomic>
#include <chrono>
#include <thread>

#include "../runtime/call.h"
#include "../runtime/call_job.h"
#include "../runtime/pool.h"
#include "../runtime/scratch.h"
#include "calls.h"
#include "elements.h"

namespace {

#if defined(__x86_64__)
using Mode = unsigned;
constexpr Mode usualMode = 0x1F80;
inline Mode currentMode() {
  return _mm_getcsr() & ~0x3Fu;  // without the exceptions that were
}
inline void setMode(Mode mode) {
  _mm_setcsr(mode);
}
constexpr struct {
  const char* name;
  Mode mode;
} modes[] = {{"denormals are 0", usualMode | 0x8040},
             {"rounding down", usualMode | 0x2000},
             {"rounding up", usualMode | 0x4000},
             {"rounding towards 0, denormals are 0", 0xFFC0},
             {"exceptions are trapped", 0}};
#elif defined(__aarch64__)
using Mode = std::uint64_t;
constexpr Mode usualMode = 0;
inline Mode currentMode() {
  Mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
inline void setMode(Mode mode) {
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
constexpr struct {
  const char* name;
  Mode mode;
} modes[] = {{"denormals are 0", 1u << 24 | 1u << 19},
             {"rounding down", 2u << 22},
             {"rounding up", 1u << 22},
             {"rounding towards 0, denormals are 0", 3u << 22 | 1u << 24},
             {"default NaN", 1u << 25}};
#endif

/// A call whose elements, results and what is between them are denormal numbers here and there.
class ModeCall {
 public:
  /// `huge`: logits that are denormal and multiplied by so much that they count.
  ModeCall(SoftmaxOperation operation, SoftmaxDType dtype, std::size_t length, bool huge) : dtype_(dtype) {
    using namespace softmax_native;
    const bool is_double = dtype == softmaxFloat64;
    const double range = is_double ? 745.0 : 104.0, tiny = is_double ? 1e-308 : 1e-38;
    x_.resize(length * 8), y_.resize(length * 8), loss_.resize(8), log_sum_exp_.resize(8), top_.resize(64);
    const OperationRow& row = rowOf(operation);
    out_.resize((hasPairs(row) ? length : 1) * length * 8);
    for (std::size_t i = 0; i < length; ++i) {
      const double part = static_cast<double>(i * 7 % 53) / 52;
      put(x_, i, huge ? tiny * part : i % 5 == 3 ? tiny : range * part);
      put(y_, i, i % 2 ? tiny * part : 0.01 * part);
    }
    const SoftmaxElements x{x_.data(), dtype}, y{y_.data(), dtype}, out{out_.data(), dtype};
    const SoftmaxRows rows{1,       length, 1, 1, length, nullptr, nullptr, 0, nullptr, huge ? 1 / tiny : 1.0,
                           nullptr, 0};
    if (operation == SoftmaxOperation::crossEntropy) {
      call_ = callOf(
          SoftmaxCrossEntropy{
              x, &class_, {}, nullptr, 0.0, loss_.data(), log_sum_exp_.data(), out, nullptr, 0.7},
          rows);
    } else if (operation == SoftmaxOperation::divergence) {
      auto* divergence = reinterpret_cast<double*>(loss_.data());
      call_ = callOf(SoftmaxDivergence{x, y, divergence, out, nullptr, nullptr, 0.7}, rows);
    } else if (operation == SoftmaxOperation::topK) {
      call_ = callOf(operation, rows, {x, out, {top_.data(), softmaxInt32}});
      call_.numbers[0] = 5;
      call_.numbers[1] = 1;
    } else if (operation == SoftmaxOperation::tokenLogProbs) {
      call_ = callOf(operation, rows,
                     {x,
                      {&class_, softmaxInt32},
                      out,
                      {loss_.data(), softmaxInt32},
                      {log_sum_exp_.data(), dtype},
                      {out_.data() + 8, dtype},
                      {top_.data(), softmaxInt32}});
      call_.numbers[0] = 1;
      call_.numbers[1] = 5;
    } else if (operation == SoftmaxOperation::sample) {
      settings_[0] = rows.multiplier;
      call_ = callOf(operation, rows,
                     {x,
                      doublesOf(settings_),
                      doublesOf(uniforms_),
                      {top_.data(), softmaxInt32},
                      {loss_.data(), softmaxInt32},
                      {out_.data(), softmaxFloat32},
                      {out_.data() + 16, softmaxFloat32}});
      call_.numbers[0] = std::size(uniforms_);
    } else if (operation == SoftmaxOperation::scaledExponentials ||
               operation == SoftmaxOperation::shardLogSoftmax) {
      const double top = huge ? tiny : range;
      known_[0] = is_double ? top : static_cast<double>(static_cast<float>(top));
      if (operation == SoftmaxOperation::shardLogSoftmax) known_[2] = 2.0;
      call_ = callOf(operation, rows, {x, doublesOf(known_), out});
    } else if (operation == SoftmaxOperation::gumbelNoise) {
      call_ = callOf(operation, rows, {x, doublesOf(known_), out});
      call_.numbers[0] = std::size(known_);
      call_.numbers[1] = huge ? 1 / tiny : 1.0;
    } else {
      call_ = callOf(operation, rows, {x, y});
      // g++ does not see that every operation has arrays.
      const std::size_t count = arrayCount(row);
      SoftmaxElements& results = call_.arrays[count == 0 ? 0 : count - 1];
      results = out;
      if (outputOf(row).count == Count::perRow && !is_double) results.dtype = softmaxFloat32;
      results.dtype = outputDType(row, results.dtype);
    }
  }
  ModeCall(const ModeCall&) = delete;
  ModeCall& operator=(const ModeCall&) = delete;

  const SoftmaxCall& call() const { return call_; }
  std::vector<char> results() const {
    std::vector<char> all(out_);
    all.insert(all.end(), loss_.begin(), loss_.end());
    all.insert(all.end(), log_sum_exp_.begin(), log_sum_exp_.end());
    all.insert(all.end(), top_.begin(), top_.end());
    return all;
  }

 private:
  void put(std::vector<char>& array, std::size_t i, double value) {
    char* to = array.data() + i * bytesOf(dtype_);
    const auto single = static_cast<float>(value);
    // As float16 the bits of bfloat16 are other numbers.
    const auto half = static_cast<std::uint16_t>(bitsOf(single) >> 16 & 0xFBFFu);
    if (dtype_ == softmaxFloat64) std::memcpy(to, &value, 8);
    if (dtype_ == softmaxFloat32) std::memcpy(to, &single, 4);
    if (bytesOf(dtype_) == 2) std::memcpy(to, &half, 2);
  }

  SoftmaxDType dtype_;
  std::vector<char> x_, y_, out_, loss_, log_sum_exp_, top_;
  std::int32_t class_ = 10;
  /// Of sample: topP 0.9, minP 10^-9, of at least one class, `kept` wanted (kernels/sample_call.h).
  double settings_[softmaxSettings] = {1, 0, 0.9, 1e-9, 1, 0, 0, 1};
  double uniforms_[4] = {0.0, 0.3, 0.9, 0.999999};
  /// Of a sharded row (kernels/finish_shard.h): the largest logit, and then a factor, or sums of
  /// exponentials. Of noise, what numbers are drawn.
  double known_[5] = {0, 0.7, 0, 0, 0};
  SoftmaxCall call_{};
};

/// Notes threads whose mode is not the default.
class ModeJob final : public softmax_native::Job {
 public:
  ModeJob() { begin(6); }
  std::atomic<int> wrong{0};
  std::atomic<bool> is_finished{false};

 private:
  void run(std::size_t) override { wrong += currentMode() != usualMode; }
  std::size_t nextPhase() override { return 0; }
  void finished() override { is_finished = true; }
};

/// The pool's threads end, and begin again when they are needed next.
void renewThreads(std::size_t count) {
  softmax_native::Pool& pool = softmax_native::Pool::get();
  pool.setThreads(1, false);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  pool.setThreads(count, false);
}

/// run() in every mode: the same results, the mode as it was. How many runs had others.
template <class Run>
long countDifferent(const ModeCall& problem, const Run& run) {
  long different = 0;
  run();
  const std::vector<char> expected = problem.results();
  for (const auto& [name, mode] : modes) {
    setMode(mode);
    run();
    const Mode after = currentMode();
    setMode(usualMode);
    if (after == mode && problem.results() == expected) continue;
    if (++different == 1)
      std::printf("  %s, %s: %s\n", name, softmax_native::rowOf(problem.call().operation).name,
                  after == mode ? "other bits" : "another mode afterwards");
  }
  return different;
}

void testPoolModes() {
  long wrong = 0;
  for (const auto& mode : modes) {
    renewThreads(3);
    ModeJob job;
    setMode(mode.mode);
    const bool is_posted = softmax_native::Pool::get().post(job);
    setMode(usualMode);
    while (is_posted && !job.is_finished) std::this_thread::yield();
    wrong += !is_posted || job.wrong > 0;
  }
  check(wrong == 0, "floating-point mode: threads begun in any mode have the default");
}

/// Kernels do not depend on the mode that another addon has set, and leave it as it was.
void testFloatingPointModes(const SoftmaxKernels& kernels) {
  constexpr SoftmaxDType dtypes[] = {softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16};
  long different = 0, cases = 0, indifferent = 0;
  renewThreads(3);
  for (std::size_t number = 0; number < softmax_native::operationCount; ++number) {
    for (const SoftmaxDType dtype : dtypes)
      for (const bool huge : {false, true}) {
        const SoftmaxOperation operation = softmax_native::operationAt(number);
        ModeCall alone(operation, dtype, 60, huge);
        different += countDifferent(alone, [&] { softmax_native::runCall(kernels, alone.call()); });
        ++cases;
        if (hasPairs(softmax_native::rowOf(operation))) continue;
        ModeCall threaded(operation, dtype, 20000, huge);
        different += countDifferent(threaded, [&] {
          softmax_native::CallJob job(kernels, threaded.call(), {0.1, 8, 2, 1});
          softmax_native::Pool::get().run(job, 0);
        });
        ++cases;
      }
  }
  char line[160];
  std::snprintf(line, sizeof line,
                "floating-point mode, %s: %ld calls of every operation in %zu modes, one thread and three",
                kernels.isa, cases, std::size(modes));
  check(different == 0, line);
  // With nothing to set the mode, it shows.
  for (std::size_t number = 0; number < softmax_native::operationCount; ++number) {
    // What is the largest does not depend on how sums are rounded.
    const auto operation = softmax_native::operationAt(number);
    if (softmax_native::outputOf(softmax_native::rowOf(operation)).contents ==
        softmax_native::Contents::int32)
      continue;
    ModeCall bare(operation, softmaxFloat32, 60, false);
    SoftmaxCall call = bare.call();
    call.rows.scratch = softmax_native::scratchMemory(softmaxSampleScratch);
    call.rows.scratchSize = softmaxSampleScratch;
    kernels.compute(&call);
    const std::vector<char> expected = bare.results();
    // Of one result per row, rounding down may be what rounding to nearest is, or rounding up.
    bool is_shown = false;
    for (const std::size_t rounding : {1, 2}) {
      setMode(modes[rounding].mode);
      kernels.compute(&call);
      setMode(usualMode);
      is_shown |= bare.results() != expected;
    }
    indifferent += !is_shown;
  }
  check(indifferent == 0, "floating-point mode: what would change the bits of every operation");
}

}  // namespace

#else  // the runtime leaves the mode alone

struct SoftmaxKernels;
namespace {
inline void testFloatingPointModes(const SoftmaxKernels&) {}
inline void testPoolModes() {}
}  // namespace

#endif
