// A sweep of exhaustive.cc: one thread's work, row by row.
#pragma once

#include <string>
#include <vector>

#include "../runtime/cpu.h"
#include "exhaustive.h"
#include "exhaustive_errors.h"

extern "C" {
extern const ExhaustiveKernels exhaustive_avx512, exhaustive_avx2, exhaustive_neon, exhaustive_scalar;
}

namespace {

constexpr std::size_t rowSize = 65536;

struct SweepOptions {
  std::string sweep;
  double multiplier = 1.0;
  std::uint32_t every = 1;
};

std::vector<const ExhaustiveKernels*> supported() {
  [[maybe_unused]] const softmax_native::CpuFeatures cpu = softmax_native::detectCpu();
  std::vector<const ExhaustiveKernels*> list;
#if defined(__x86_64__)
  if (cpu.avx512) list.push_back(&exhaustive_avx512);
  if (cpu.avx2_fma) list.push_back(&exhaustive_avx2);
#elif defined(__aarch64__)
  list.push_back(&exhaustive_neon);
#endif
  return list;
}

const char* nameOf(const ExhaustiveKernels& kernels) {
  return kernels.isa + std::strlen("exhaustive_");
}

/// Where the threshold, the reference, the arithmetic or the format changes: 0, denormals, ln 2 / 32,
/// 1, 87.3, 700, 1024, the largest and infinity. checks/exhaustive/rows.ts has the same list.
bool isWhole(std::uint32_t row) {
  for (const std::uint32_t whole : {0x0000u, 0x0001u, 0x007Fu, 0x0080u, 0x3CB1u, 0x3F7Fu, 0x3F80u, 0x42AEu,
                                    0x442Eu, 0x442Fu, 0x447Fu, 0x4480u, 0x7F7Fu, 0x7F80u})
    if ((row & 0x7FFF) == whole) return true;
  return false;
}

/// The patterns of a row.
void patternsOf(std::uint32_t row, std::uint32_t every, std::vector<std::uint32_t>& patterns) {
  patterns.clear();
  if (isWhole(row)) every = 1;
  const std::uint32_t first = row << 16 | (row * 37 & (every - 1));
  for (std::uint32_t i = 0; i < rowSize; i += every) patterns.push_back(first + i);
}

/// Four chains, for speed. checks/exhaustive/rows.ts has the same.
std::uint32_t hashOf(const std::uint32_t* words, std::size_t count) {
  std::uint32_t h[4] = {1, 2, 3, 4};
  for (std::size_t i = 0; i < count; i += 4)
    for (std::size_t j = 0; j < 4; ++j) {
      h[j] = (h[j] ^ words[i + j]) * 0x9E3779B1u;
      h[j] ^= h[j] >> 15;
    }
  return ((h[0] * 31 + h[1]) * 31 + h[2]) * 31 + h[3];
}

struct Worst {
  double error = -1.0;
  std::uint32_t pattern = 0;
  void see(double of, std::uint32_t at) {
    if (of > error || (of == error && at < pattern)) error = of, pattern = at;
  }
};

/// What threads find; merged in any order it is the same.
struct Findings {
  std::uint64_t inputs = 0;
  Worst worst;
  struct Difference {
    std::uint64_t count = 0;
    std::uint32_t first = 0xFFFFFFFF;
  } differences[3];
  ExhaustiveSteps arguments{}, series{}, products{};

  void add(const Findings& other) {
    inputs += other.inputs;
    worst.see(other.worst.error, other.worst.pattern);
    for (int i = 0; i < 3; ++i) {
      differences[i].count += other.differences[i].count;
      if (other.differences[i].first < differences[i].first)
        differences[i].first = other.differences[i].first;
    }
    addSteps(arguments, other.arguments);
    addSteps(series, other.series);
    addSteps(products, other.products);
  }

 private:
  static void addSteps(ExhaustiveSteps& to, const ExhaustiveSteps& from) {
    auto* sums = reinterpret_cast<std::uint64_t*>(&to);
    const auto* more = reinterpret_cast<const std::uint64_t*>(&from);
    for (std::size_t i = 0; i < sizeof to / sizeof *sums; ++i) sums[i] += more[i];
  }
};

/// One thread's work, row by row.
class Sweep {
 public:
  explicit Sweep(const SweepOptions& options) : options_(options), isas_(supported()) {}

  /// Fills results of the scalar kernels and their hash.
  std::uint32_t run(std::uint32_t row) {
    patternsOf(row, options_.every, patterns_);
    count_ = patterns_.size();
    if (options_.sweep == "exp") return runExp(row, false);
    if (options_.sweep == "exp-beside-0") return runExp(row, true);
    if (options_.sweep == "exp-double")
      return runDouble(&ExhaustiveKernels::exponentialDouble, expDoubleError, 0, 0xFFFFFFFF);
    if (options_.sweep == "log") return runDouble(&ExhaustiveKernels::log, logError, 0x00800000, 0x7F7FFFFF);
    if (options_.sweep == "log-one-plus")
      return runDouble(&ExhaustiveKernels::logOnePlus, logOnePlusError, 0, 0x3F800000);
    runSteps();
    return 0;
  }

  Findings findings;
  const void* results() const {
    return floats_.empty() ? static_cast<const void*>(expected_.data()) : floats_.data();
  }
  std::size_t resultSize() const { return count_ * (floats_.empty() ? sizeof(double) : sizeof(float)); }

 private:
  std::uint32_t runExp(std::uint32_t row, bool is_beside_zero) {
    floats_.resize(count_);
    found_.resize(count_);
    x_.resize(count_);
    const float sign = std::signbit(options_.multiplier) ? -1.0f : 1.0f;
    float top = -__builtin_inff();
    for (std::size_t i = 0; i < count_; ++i) {
      x_[i] = floatOf(patterns_[i]);
      if (x_[i] * sign > top) top = x_[i] * sign;
    }
    if (is_beside_zero) top = 0.0f;
    const auto reference =
        exhaustive_scalar.exponential(x_.data(), floats_.data(), count_, top, options_.multiplier);
    // Only these rows have NaN; there its bits are those of the operation that made it.
    const bool has_nan = (row & 0x7FFF) >= 0x7F80;
    if (has_nan) makeCanonical(floats_);
    for (std::size_t k = 0; k < isas_.size(); ++k) {
      isas_[k]->exponential(x_.data(), found_.data(), count_, top, options_.multiplier);
      if (has_nan) makeCanonical(found_);
      compare(k, floats_.data(), found_.data(), sizeof(float));
    }
    const ExpErrors errors(options_.multiplier, reference);
    Worst worst;
    for (std::size_t i = 0; i < count_; ++i) worst.see(errors.of(x_[i], floats_[i]), patterns_[i]);
    for (std::size_t i = 1; i < count_ && !has_nan; ++i)
      if (x_[i] * sign > x_[i - 1] * sign ? floats_[i] < floats_[i - 1] : floats_[i] > floats_[i - 1])
        worst.see(wrong, patterns_[i]);  // a larger logit has a smaller exponential
    if (worst.error > 0.0 && worst.error < wrong)
      worst.error = errors.precisely(floatOf(worst.pattern), floats_[indexOf(worst.pattern)]);
    findings.worst.see(worst.error, worst.pattern);
    findings.inputs += count_;
    return hashOf(reinterpret_cast<const std::uint32_t*>(floats_.data()), count_);
  }

  using DoubleFunction = void (*)(const double*, double*, std::size_t);
  /// Patterns outside [first, last] are left out: 1 stands for them.
  std::uint32_t runDouble(DoubleFunction ExhaustiveKernels::*function, double (*errorOf)(double, double),
                          std::uint32_t first, std::uint32_t last) {
    doubles_.resize(count_);
    expected_.resize(count_);
    doubles_found_.resize(count_);
    for (std::size_t i = 0; i < count_; ++i)
      doubles_[i] = isWithin(i, first, last) ? static_cast<double>(floatOf(patterns_[i])) : 1.0;
    (exhaustive_scalar.*function)(doubles_.data(), expected_.data(), count_);
    makeCanonical(expected_);
    for (std::size_t k = 0; k < isas_.size(); ++k) {
      (isas_[k]->*function)(doubles_.data(), doubles_found_.data(), count_);
      makeCanonical(doubles_found_);
      compare(k, expected_.data(), doubles_found_.data(), sizeof(double));
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (!isWithin(i, first, last)) continue;
      ++findings.inputs;
      findings.worst.see(errorOf(doubles_[i], expected_[i]), patterns_[i]);
    }
    return hashOf(reinterpret_cast<const std::uint32_t*>(expected_.data()), 2 * count_);
  }

  void runSteps() {
    const ExhaustiveKernels* best = isas_.empty() ? nullptr : isas_[0];
    if (!best || !best->argumentSteps) return;
    // Vectors' worth of what is in the range; 0 stands for the others, and is an argument too.
    const auto take = [&](float largest) {
      x_.resize(count_);
      std::uint64_t taken = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        const float x = floatOf(patterns_[i]);
        const bool is_in = x >= -largest && x <= largest;
        taken += is_in;
        x_[i] = is_in ? x : 0.0f;
      }
      return taken;
    };
    const auto run = [&](ExhaustiveSteps& steps, std::uint64_t taken, auto function) {
      if (taken == 0) return;
      const std::uint64_t before = steps.inputs;
      function();
      steps.inputs = before + taken;
    };
    // A block of a long row may lie 4096 below 0, and its elements 87.3 below that
    // (native/kernels/reference.h).
    run(findings.arguments, take(4200.0f),
        [&] { best->argumentSteps(x_.data(), count_, &findings.arguments); });
    run(findings.series, take(0.0225f), [&] { best->seriesSteps(x_.data(), count_, &findings.series); });
    for (const double multiplier : {1 / 0.7, -3.3})
      run(findings.products, take(1e30f),
          [&] { best->productSteps(x_.data(), count_, multiplier, &findings.products); });
  }

  bool isWithin(std::size_t i, std::uint32_t first, std::uint32_t last) const {
    return patterns_[i] >= first && patterns_[i] <= last;
  }
  std::size_t indexOf(std::uint32_t pattern) const {
    return (pattern - patterns_[0]) / (patterns_[1] - patterns_[0]);
  }
  template <class Element>
  static void makeCanonical(std::vector<Element>& values) {
    for (Element& value : values)
      if (value != value) value = Numbers<Element>::nan;
  }
  void compare(std::size_t isa, const void* expected, const void* found, std::size_t size) {
    if (std::memcmp(expected, found, count_ * size) == 0) return;
    Findings::Difference& difference = findings.differences[isa];
    for (std::size_t i = 0; i < count_; ++i) {
      const auto at = [=](const void* data) { return static_cast<const char*>(data) + i * size; };
      if (std::memcmp(at(expected), at(found), size) == 0) continue;
      ++difference.count;
      if (patterns_[i] < difference.first) difference.first = patterns_[i];
    }
  }

  const SweepOptions& options_;
  std::vector<const ExhaustiveKernels*> isas_;
  std::vector<std::uint32_t> patterns_;
  std::size_t count_ = 0;
  std::vector<float> x_, floats_, found_;
  std::vector<double> doubles_, expected_, doubles_found_;
};

}  // namespace
