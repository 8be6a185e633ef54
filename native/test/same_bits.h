// Every ISA against the scalar kernels: the same bits from every function, nothing touched beyond the arrays.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <vector>

#include "calls.h"
#include "elements.h"

namespace {

/// Memory that ends where an unreadable page begins, zeros at first. Mapped anew each time it would take
/// longer than what the kernels do in it: pages that one has left are another's.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t size) : size_(size) {
    while (pageSize() << power_ < size) ++power_;
    if (spare[power_].empty()) spare[power_].push_back(map(pageSize() << power_));
    data_ = spare[power_].back() - size;
    spare[power_].pop_back();
    std::memset(data_, 0, size);
  }
  ~GuardedMemory() { spare[power_].push_back(data_ + size_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  void* data() { return data_; }
  bool same(const GuardedMemory& other) const {
    return size_ == other.size_ && std::memcmp(data_, other.data_, size_) == 0;
  }

 private:
  static std::size_t pageSize() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }
  /// The end of so much memory.
  static char* map(std::size_t size) {
    const std::size_t page = pageSize();
    void* base = mmap(nullptr, size + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) std::abort();
    char* end = static_cast<char*>(base) + page + size;
    if (mprotect(end, page, PROT_NONE) != 0) std::abort();
    return end;
  }

  /// The ends of what is not in use, of 1, 2, 4, 8... pages.
  static inline std::vector<char*> spare[48];
  std::size_t size_, power_ = 0;
  char* data_;
};

using KernelSets = std::vector<const SoftmaxKernels*>;

/// Every operation, on one array, by the reference and by other sets of kernels: whether those give its bits.
std::vector<bool> sameBits(const KernelSets& sets, const SoftmaxKernels& reference, SoftmaxDType dtype,
                           const SoftmaxRows& rows, float scale) {
  using namespace softmax_native;
  const std::size_t row_count = rows.outer * rows.inner, count = row_count * rows.length;
  const std::size_t result_size = dtype == softmaxFloat64 ? 8 : 4;
  GuardedMemory x(count * bytesOf(dtype)), y(count * bytesOf(dtype));
  fillRandom(x.data(), dtype, count, scale);
  fillRandom(y.data(), dtype, count, 1.0f);
  std::vector<std::int32_t> classes(row_count);
  for (auto& target : classes)
    target = randomBits() % 5 == 0 ? -1 : static_cast<std::int32_t>(randomBits() % rows.length);
  std::vector<bool> same(sets.size(), true);
  const SoftmaxElements logits{x.data(), dtype}, others{y.data(), dtype};
  // callOf(out): an operation that writes nothing else. Before, `out` has the contents of an input, or
  // nothing.
  const auto compareOut = [&](std::size_t size, SoftmaxDType of_out, const void* contents, auto callOf) {
    const auto compute = [&](const SoftmaxKernels& k, GuardedMemory& memory) {
      if (contents) std::memcpy(memory.data(), contents, size * bytesOf(of_out));
      const SoftmaxCall call = callOf(SoftmaxElements{memory.data(), of_out});
      k.compute(&call);
    };
    GuardedMemory expected(size * bytesOf(of_out));
    compute(reference, expected);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      GuardedMemory out(size * bytesOf(of_out));
      compute(*sets[i], out);
      same[i] = same[i] && out.same(expected);
    }
  };
  for (std::size_t i = 0; i < operationCount; ++i) {
    const OperationRow& row = operations[i];
    if (!isSimple(row)) continue;
    const bool is_of_last_axis = rows.inner == 1 && rows.mask == nullptr && rows.multipliers == nullptr;
    if (row.layouts == Layouts::lastAxis && !is_of_last_axis) continue;
    const std::size_t inputs = arrayCount(row) - 1;
    const std::size_t size = countOf(outputOf(row).count, count, row_count, rows.length);
    if (size > count && size > 10000) continue;
    // `over`: the input that the output is; none if it is beyond them.
    for (std::size_t over = 0; over <= inputs; ++over) {
      if (over < inputs && !row.arrays[over].isReplaceable) continue;
      SoftmaxCall call = callOf(operationAt(i), rows, {inputs == 1 ? logits : others, logits});
      const bool is_of_rows = outputOf(row).count == Count::perRow;
      const SoftmaxDType of_out =
          outputDType(row, is_of_rows && dtype != softmaxFloat64 ? softmaxFloat32 : dtype);
      compareOut(size, of_out, over < inputs ? call.arrays[over].data : nullptr, [&](SoftmaxElements out) {
        if (over < inputs) call.arrays[over] = out;
        call.arrays[inputs] = out;
        return call;
      });
    }
  }
  // What has several results, of places along the axis. Tokens are as many as there are places.
  const std::size_t length = rows.length, most = length < 100 ? length : 100;
  const std::size_t places = most == 0 ? 0 : 1 + randomBits() % (randomBits() % 8 == 0 ? length : most);
  GuardedMemory tokens(row_count * places * 4);
  for (std::size_t i = 0; i < row_count * places; ++i)
    static_cast<std::int32_t*>(tokens.data())[i] = static_cast<std::int32_t>(randomBits() % length);
  const auto comparePlaces = [&](SoftmaxOperation operation, double first, double second) {
    const OperationRow& row = rowOf(operation);
    struct Results {
      std::vector<std::unique_ptr<GuardedMemory>> memory;
    };
    const auto compute = [&](const SoftmaxKernels& k) {
      Results results;
      SoftmaxCall call = callOf(operation, rows, {logits});
      call.numbers[0] = first;
      call.numbers[1] = second;
      for (std::size_t i = 1; i < arrayCount(row); ++i) {
        const OperationArray& array = row.arrays[i];
        const bool is_integer = array.contents == Contents::int32;
        const std::size_t per_row = array.count == Count::perRow     ? 1
                                    : array.count == Count::perPlace ? static_cast<std::size_t>(first)
                                                                     : static_cast<std::size_t>(second);
        const SoftmaxDType of_array = is_integer ? softmaxInt32 : dtype;
        if (array.isOutput) {
          results.memory.push_back(std::make_unique<GuardedMemory>(row_count * per_row * bytesOf(of_array)));
          call.arrays[i] = {results.memory.back()->data(), of_array};
        } else {
          call.arrays[i] = {tokens.data(), of_array};
        }
      }
      k.compute(&call);
      return results;
    };
    const Results expected = compute(reference);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const Results results = compute(*sets[i]);
      for (std::size_t j = 0; j < expected.memory.size(); ++j)
        same[i] = same[i] && results.memory[j]->same(*expected.memory[j]);
    }
  };
  const auto wanted = static_cast<double>(places);
  for (const double values : {0.0, 1.0, 2.0}) comparePlaces(SoftmaxOperation::topK, wanted, values);
  if (places <= most) comparePlaces(SoftmaxOperation::tokenLogProbs, wanted, static_cast<double>(places / 2));
  /// problemOf(grad, loss, log-sum-exp or nothing)
  const auto compare = [&](auto problemOf) {
    struct Results {
      GuardedMemory grad, loss, log_sum_exp;
    };
    const auto compute = [&](const SoftmaxKernels& k, Results& results) {
      const SoftmaxElements grad{results.grad.data(), dtype};
      const SoftmaxCall call = callOf(problemOf(grad, results.loss.data(), results.log_sum_exp.data()), rows);
      k.compute(&call);
    };
    const std::size_t sizes[] = {count * bytesOf(dtype), row_count * sizeof(double), row_count * result_size};
    Results expected{GuardedMemory(sizes[0]), GuardedMemory(sizes[1]), GuardedMemory(sizes[2])};
    compute(reference, expected);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      Results results{GuardedMemory(sizes[0]), GuardedMemory(sizes[1]), GuardedMemory(sizes[2])};
      compute(*sets[i], results);
      same[i] = same[i] && results.grad.same(expected.grad) && results.loss.same(expected.loss) &&
                results.log_sum_exp.same(expected.log_sum_exp);
    }
  };
  for (const double smoothing : {0.0, 0.1})
    compare([&](SoftmaxElements grad, void* loss, void* lse) {
      return SoftmaxCrossEntropy{logits, classes.data(), {},      nullptr, smoothing, loss,
                                 lse,    grad,           nullptr, 0.5};
    });
  compare([&](SoftmaxElements grad, void* loss, void* lse) {
    return SoftmaxCrossEntropy{logits, nullptr, others, nullptr, 0.0, loss, lse, grad, nullptr, 0.5};
  });
  compare([&](SoftmaxElements grad, void* divergence, void*) {
    return SoftmaxDivergence{logits, others, static_cast<double*>(divergence), grad, nullptr, nullptr, 0.5};
  });
  // In place.
  compare([&](SoftmaxElements out, void* loss, void* lse) {
    std::memcpy(out.data, x.data(), count * bytesOf(dtype));
    return SoftmaxCrossEntropy{out, classes.data(), {}, nullptr, 0.0, loss, lse, out, nullptr, 0.5};
  });
  compare([&](SoftmaxElements, void* loss, void* lse) {
    return SoftmaxCrossEntropy{logits, classes.data(), {}, nullptr, 0.0, loss, lse, {}, nullptr, 0.5};
  });
  return same;
}

/// How many arrays: the fewest are for an emulator that has a minute.
enum class Extent { few, some, all };

void testSameBits(const KernelSets& sets, const SoftmaxKernels& reference, Extent extent) {
  const std::size_t step = extent == Extent::all ? 1 : extent == Extent::some ? 13 : 31;
  const std::size_t widest = extent == Extent::few ? 50 : 150;
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length <= 300; length += length > 40 ? step : 1) lengths.push_back(length);
  for (std::size_t length : {1000, 4096, 4097, 8193}) lengths.push_back(length);
  if (extent != Extent::few) lengths.insert(lengths.end(), {4095, 20000});
  constexpr SoftmaxDType dtypes[] = {softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16};
  constexpr double multipliers[] = {1.0, 1 / 0.7, -0.125, 1e-37};
  constexpr float scales[] = {1.0f, 60.0f, 1e4f, 1e30f};
  constexpr std::size_t scratch_size = std::size_t{1} << 20;
  GuardedMemory scratch(scratch_size);
  std::vector<long> different(sets.size());
  long compared = 0;
  for (const std::size_t length : lengths)
    for (const SoftmaxDType dtype : dtypes)
      for (const std::size_t inner : {std::size_t{1}, 1 + randomBits() % (length > 300 ? 3 : widest)}) {
        // Many short rows are transposed, and more of them in a pipeline.
        const std::size_t many = length < 128 && randomBits() % 4 == 0 ? 200 : 40;
        const std::size_t most = inner == 1 && length <= 300 ? many : 2;
        const std::size_t outer = 1 + randomBits() % most, count = outer * length * inner;
        const double multiplier = multipliers[randomBits() % 4];
        const float scale = scales[randomBits() % 4];
        GuardedMemory mask(count);
        for (std::size_t i = 0; i < count; ++i)
          static_cast<std::uint8_t*>(mask.data())[i] = randomBits() % 4 != 0;
        std::vector<double> offsets(outer * inner);
        for (std::size_t i = 0; i < offsets.size(); ++i)
          offsets[i] = static_cast<double>(i / inner * length * inner + i % inner);
        for (const bool masked : {false, true}) {
          const bool has_scratch = randomBits() % 2 == 0;
          const SoftmaxRows rows{outer,
                                 length,
                                 inner,
                                 inner,
                                 count,
                                 masked ? static_cast<std::uint8_t*>(mask.data()) : nullptr,
                                 offsets.data(),
                                 inner,
                                 nullptr,
                                 multiplier,
                                 has_scratch ? scratch.data() : nullptr,
                                 has_scratch ? scratch_size : 0};
          ++compared;
          const std::vector<bool> same = sameBits(sets, reference, dtype, rows, scale);
          for (std::size_t i = 0; i < sets.size(); ++i)
            if (!same[i] && ++different[i] < 5)
              std::printf("  %s, dtype %d, %zu x %zu x %zu, %s, scale %g, multiplier %g\n", sets[i]->isa,
                          static_cast<int>(dtype), outer, length, inner, masked ? "masked" : "no mask",
                          static_cast<double>(scale), multiplier);
        }
      }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    char line[120];
    std::snprintf(line, sizeof line, "same bits, %s and %s: %ld arrays, up to the edge of readable memory",
                  sets[i]->isa, reference.isa, compared);
    check(different[i] == 0, line);
  }
}

/// Results that are written past the caches, in memory that begins at no multiple of an element's size:
/// another addon may have made it.
void testMisaligned(const SoftmaxKernels& kernels) {
  using namespace softmax_native;
  constexpr std::size_t length = 2100000;
  bool same = true;
  for (const SoftmaxDType dtype : {softmaxFloat32, softmaxFloat64}) {
    const std::size_t size = length * bytesOf(dtype);
    const SoftmaxRows rows{1, length, 1, 1, length, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};
    GuardedMemory x(size), expected(size);
    fillRandom(x.data(), dtype, length, 60.0f);
    std::vector<char> memory(size + 64);
    const SoftmaxElements logits{x.data(), dtype}, aligned{expected.data(), dtype};
    for (const std::size_t offset : {1, 2, 4}) {
      const SoftmaxElements out{memory.data() + offset, dtype};
      for (const SoftmaxOperation operation :
           {SoftmaxOperation::logSoftmax, SoftmaxOperation::softmaxBackward}) {
        const std::size_t inputs = arrayCount(rowOf(operation)) - 1;
        for (const SoftmaxElements& to : {aligned, out}) {
          SoftmaxCall call = callOf(operation, rows, {logits, logits});
          call.arrays[inputs] = to;
          kernels.compute(&call);
        }
        same &= std::memcmp(expected.data(), out.data, size) == 0;
      }
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "same bits, %s: large results at any byte", kernels.isa);
  check(same, line);
}

/// 16-bit elements: reading all of them, writing floats at and around every midpoint. A gradient through
/// log-softmax is its input where the probabilities are 0.
void testHalves(const SoftmaxKernels& kernels, const SoftmaxKernels& reference) {
  const auto backward = [](const SoftmaxKernels& k, const SoftmaxElements& from,
                           const SoftmaxElements& output, const SoftmaxElements& to,
                           const SoftmaxRows& rows) {
    const SoftmaxCall call =
        softmax_native::callOf(SoftmaxOperation::logSoftmaxBackward, rows, {from, output, to});
    k.compute(&call);
  };
  constexpr std::size_t count = 65536;
  std::vector<std::uint16_t> halves(count), written(count), expected(count);
  std::vector<float> floats(count), read(count), read_expected(count), nothing(count, -1e9f);
  const SoftmaxElements output{nothing.data(), softmaxFloat32};
  const SoftmaxRows rows{1, count, 1, 1, count, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};
  bool same = true;
  for (const SoftmaxDType dtype : {softmaxFloat16, softmaxBFloat16}) {
    for (std::size_t i = 0; i < count; ++i) halves[i] = static_cast<std::uint16_t>(i);
    const SoftmaxElements from{halves.data(), dtype};
    const SoftmaxElements to{read.data(), softmaxFloat32}, to_expected{read_expected.data(), softmaxFloat32};
    // A NaN or infinity would fill the row: one element per row.
    const SoftmaxRows single{count, 1, 1, 1, count, nullptr, nullptr, 0, nullptr, 1.0, nullptr, 0};
    backward(kernels, from, output, to, single);
    backward(reference, from, output, to_expected, single);
    same &= std::memcmp(read.data(), read_expected.data(), count * sizeof(float)) == 0;
    for (const std::int32_t step : {-1, 0, 1}) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t next = static_cast<std::uint16_t>(i + 1);
        const float a = read_expected[i], b = read_expected[next];
        const float middle = a - a == 0.0f && b - b == 0.0f ? 0.5f * a + 0.5f * b : a;
        floats[i] = floatOf(bitsOf(middle) + static_cast<std::uint32_t>(step));
        if (!(floats[i] - floats[i] == 0.0f)) floats[i] = 1e30f;
      }
      const SoftmaxElements values{floats.data(), softmaxFloat32};
      const SoftmaxElements to_half{written.data(), dtype}, to_half_expected{expected.data(), dtype};
      backward(kernels, values, output, to_half, rows);
      backward(reference, values, output, to_half_expected, rows);
      same &= written == expected;
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "16-bit elements, %s and %s: all of them read, all midpoints written",
                kernels.isa, reference.isa);
  check(same, line);
}

}  // namespace
