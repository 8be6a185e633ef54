// What is a row's and no element's, in shares of calls that begin anywhere: incoming gradients, targets, the
// type of results. Jobs that are taken back; which instruction sets a CPU and its system have.
#pragma once

#include "../runtime/cpu.h"
#include "threads.h"

namespace {

/// A call in shares, as small as they come, has the bytes in `results` that it has as a whole.
bool isSameInShares(const SoftmaxKernels& kernels, const SoftmaxCall& call, std::vector<char>& results) {
  // What a share leaves out stays as it was.
  const std::vector<char> before(results.size(), '\1');
  results = before;
  softmax_native::runCall(kernels, call);
  const std::vector<char> expected = results;
  results.assign(before.begin(), before.end());
  softmax_native::CallJob job(kernels, call, {0.1, 64, 3});
  softmax_native::Pool::get().run(job, 0);
  return results == expected;
}

void testPlacesInParts(const SoftmaxKernels& kernels) {
  softmax_native::Pool::get().setThreads(3, false);
  bool is_right = true;
  constexpr std::size_t length = 7 * softmaxBlockSize + 5, rows = 60;
  std::vector<float> x(length), y(length);
  for (auto& value : x) value = uniform(-5.0f, 5.0f);
  for (auto& value : y) value = uniform(-5.0f, 5.0f);
  std::vector<char> results(2 * length * sizeof(float));
  const SoftmaxElements logits{x.data(), softmaxFloat32}, others{y.data(), softmaxFloat32};
  float* const values = reinterpret_cast<float*>(results.data());
  auto* const losses = reinterpret_cast<double*>(values + length + 1);
  const SoftmaxElements out{values, softmaxFloat32};
  using softmax_native::callOf;
  const SoftmaxRows row{1, length, 1, 1, length, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};

  // A class at the beginning and at the end of every block.
  for (std::size_t block = 0; block < 8; ++block)
    for (const std::size_t target : {block * softmaxBlockSize, block * softmaxBlockSize + 4}) {
      const auto index = static_cast<std::int32_t>(target);
      const SoftmaxCrossEntropy loss{logits, &index, {}, nullptr, 0.0, losses, losses + 1, out, nullptr, 0.5};
      is_right &= isSameInShares(kernels, callOf(loss, row), results);
    }
  // Results of another type.
  const SoftmaxElements half{values, softmaxBFloat16};
  for (const SoftmaxCall& call : {callOf(SoftmaxOperation::softmax, row, {logits, half}),
                                  callOf(SoftmaxOperation::logSoftmax, row, {logits, half}),
                                  callOf(SoftmaxOperation::softmaxBackward, row, {logits, others, half})})
    is_right &= isSameInShares(kernels, call, results);

  // One incoming gradient per row.
  std::vector<double> gradients(rows);
  for (std::size_t row = 0; row < rows; ++row) gradients[row] = static_cast<double>(row) - 20.0;
  const std::vector<std::int32_t> classes(rows, 7);
  constexpr std::size_t size = length / rows;
  const SoftmaxRows several{rows, size, 1, 1, rows * size, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};
  const SoftmaxCrossEntropy loss{logits, classes.data(), {},  nullptr,          0.0,
                                 losses, losses + rows,  out, gradients.data(), 1.0};
  is_right &= isSameInShares(kernels, callOf(loss, several), results);
  std::vector<double> divergence(rows);
  const SoftmaxDivergence apart{logits, others, divergence.data(), out, nullptr, gradients.data(), 1.0};
  is_right &= isSameInShares(kernels, callOf(apart, several), results);
  char line[120];
  std::snprintf(line, sizeof line, "shares of calls, %s: targets, types and gradients of their own places",
                kernels.isa);
  check(is_right, line);
}

/// A job that is taken back while its tasks run is not reported as finished.
void testWithdrawal() {
  softmax_native::Pool& pool = softmax_native::Pool::get();
  pool.setThreads(2, false);
  HeldJob job;
  bool is_right = pool.post(job);
  while (job.begun < 2) std::this_thread::yield();
  std::thread other([&] { pool.withdraw(job); });
  while (!job.isCancelled()) std::this_thread::yield();
  job.is_let_go[0] = job.is_let_go[1] = true;
  other.join();
  is_right &= job.isDone() && !job.is_finished;
  check(is_right, "posted jobs: one that is taken back has no end");
}

/// AVX and AVX-512 need the CPU's word, every part of it, and the system's.
void testCpuFeatures() {
#if defined(__x86_64__)
  constexpr std::uint32_t basic = 1u << 28 | 1u << 12 | 1u << 29;
  constexpr std::uint32_t avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  const auto has = [](std::uint32_t b, std::uint32_t e, std::uint64_t states, bool wide, bool wider) {
    const softmax_native::CpuFeatures found = softmax_native::featuresOf(b, e, states);
    return found.avx2_fma == wide && found.avx512 == wider && !found.neon;
  };
  bool is_right = has(basic, avx2 | avx512, 0xE7, true, true) && has(basic, avx2, 0xE7, true, false);
  // The system saves no registers, the lower 128 bits, 256 bits, or not all that AVX-512 has.
  for (const std::uint64_t states : {0x0, 0x1, 0x3, 0x5})
    is_right &= has(basic, avx2 | avx512, states, false, false);
  for (const std::uint64_t states : {0x7, 0x27, 0x67, 0xA7, 0xC7})
    is_right &= has(basic, avx2 | avx512, states, true, false);
  for (const int bit : {12, 28, 29}) is_right &= has(basic & ~(1u << bit), avx2 | avx512, 0xE7, false, false);
  is_right &= has(basic, avx512, 0xE7, false, false);
  for (const int bit : {16, 17, 30, 31})
    is_right &= has(basic, avx2 | (avx512 & ~(1u << bit)), 0xE7, true, false);
  check(is_right, "CPU: instruction sets that it has, and whose registers the system saves");
#endif
}

}  // namespace
