// Tests of the kernels without JavaScript around them.
//
//   kernels_test              everything, with 10^8 samples of exp per ISA
//   kernels_test SAMPLES      with so many, fewer lengths, and without the exhaustive runs, which do not
//   depend on the
//                             ISA: for emulators
//
// - The rounding step and the polynomial of exp round the same by fma and by double arithmetic, at every
// argument:
//   what the scalar kernels and JavaScript rely on.
// - exp keeps the order of neighbouring floats: all of them, on the best ISA.
// - exp, in float and in double, is within 1 ULP of the exact value, on every ISA this CPU has; the worst
// argument is
//   printed.
// - Every ISA gives the bits of the scalar kernels in every function, over all dtypes, short lengths and some
// around a
//   block, axes and masks, reading and writing nothing beyond the array (which ends at an unreadable page).
// - Every ISA converts 16-bit elements as the scalar kernels do.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "../kernels/exp.h"
#include "../runtime/dispatch.h"

namespace {

int failures = 0;

void check(bool ok, const char* what) {
  if (!ok) ++failures;
  std::printf("%s %s\n", ok ? "ok    " : "FAILED", what);
}

float floatOf(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t bitsOf(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float byDouble(float a, float b, float c) {
  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
}

/// value log2e + shift, for every value that a kept logit can have and both parities of the shift.
void testRoundingStep() {
  long differences = 0;
  for (std::uint32_t bits = bitsOf(0x1p-20f); bits <= bitsOf(1200.0f); ++bits)
    for (const float value : {floatOf(bits), -floatOf(bits)})
      for (const float shift : {Limits<float>::shift - 1.0f, Limits<float>::shift})
        differences +=
            std::fma(value, Limits<float>::log2e, shift) != byDouble(value, Limits<float>::log2e, shift);
  check(differences == 0, "rounding step: fma = double arithmetic for 2^-20 <= |x| <= 1200");
}

/// exp(r) by fma and by double arithmetic; below 2^-30 it is 1 in either.
void testPolynomial() {
  long differences = 0;
  for (std::uint32_t bits = bitsOf(0x1p-30f); bits <= bitsOf(0.35f); ++bits)
    for (const float r : {floatOf(bits), -floatOf(bits)}) {
      float by_fma = expCoefficients[0], by_double = expCoefficients[0];
      for (int i = 1; i < 5; ++i) {
        by_fma = std::fma(by_fma, r, expCoefficients[i]);
        by_double = byDouble(by_double, r, expCoefficients[i]);
      }
      differences += std::fma(r * r, by_fma, r) + 1.0f != byDouble(r * r, by_double, r) + 1.0f;
    }
  check(differences == 0, "polynomial: fma = double arithmetic for 2^-30 <= |r| <= 0.35");
}

/// Over neighbouring floats, all of them from -87 to 87: order is kept.
void testMonotonicity(const SoftmaxKernels& kernels) {
  constexpr std::size_t chunk = 1 << 16;
  std::vector<float> x(chunk), e(chunk);
  long inversions = 0;
  float largest = 0;
  const auto see = [&] {
    kernels.exponential(x.data(), e.data(), chunk);
    for (const float value : e) {
      inversions += value < largest;
      largest = value;
    }
  };
  const std::uint32_t end = (bitsOf(87.0f) / chunk) * chunk;
  for (std::uint32_t bits = end; bits > 0; bits -= chunk) {
    for (std::uint32_t i = 0; i < chunk; ++i) x[i] = -floatOf(bits - i);
    see();
  }
  for (std::uint32_t bits = 0; bits < end; bits += chunk) {
    for (std::uint32_t i = 0; i < chunk; ++i) x[i] = floatOf(bits + i);
    see();
  }
  check(inversions == 0, "exp keeps the order of all floats from -87 to 87");
}

std::uint64_t randomState = 20261122;

std::uint64_t randomBits() {  // splitmix64
  std::uint64_t z = (randomState += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float uniform(float low, float high) {
  return low + (high - low) * (static_cast<float>(randomBits() >> 40) * 0x1p-24f);
}

/// Half the samples are uniform over the arguments, half over their bit patterns (small arguments as often as
/// large).
float expArgument() {
  const float value = uniform(-87.0f, 87.0f);
  if (randomBits() & 1) return value;
  const float by_pattern = floatOf(static_cast<std::uint32_t>(randomBits()) & 0xC2FFFFFFu);
  return by_pattern >= -87.0f && by_pattern <= 87.0f ? by_pattern : value;
}

void testExp(const SoftmaxKernels& kernels, long samples) {
  constexpr std::size_t chunk = 4096;
  std::vector<float> x(chunk), e(chunk);
  double worst = 0;
  float worst_at = 0;
  for (long done = 0; done < samples; done += static_cast<long>(chunk)) {
    for (float& value : x) value = expArgument();
    kernels.exponential(x.data(), e.data(), chunk);
    for (std::size_t i = 0; i < chunk; ++i) {
      const double exact = 2.0 * std::exp(static_cast<double>(x[i]));
      const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
      const double error = std::fabs(static_cast<double>(e[i]) - exact) / ulp;
      if (!(error <= worst)) worst = error, worst_at = x[i];
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "exp, %s: worst error %.4f ULP (at %a) over %.1e samples", kernels.isa,
                worst, static_cast<double>(worst_at), static_cast<double>(samples));
  check(worst <= 1.0, line);
}

/// exp in double, against long double where that is longer.
void testExpDouble(const SoftmaxKernels& kernels, long samples) {
  constexpr std::size_t chunk = 4096;
  std::vector<double> x(chunk), e(chunk);
  long double worst = 0;
  double worst_at = 0;
  for (long done = 0; done < samples; done += static_cast<long>(chunk)) {
    const double range = (randomBits() & 1) ? 1.0 : 700.0;
    for (double& value : x) value = range * (static_cast<double>(randomBits() >> 11) * 0x1p-52 - 1.0);
    kernels.exponentialDouble(x.data(), e.data(), chunk);
    for (std::size_t i = 0; i < chunk; ++i) {
      const long double exact = 2.0L * std::exp(static_cast<long double>(x[i]));
      const long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 52);
      const long double error = std::fabs(static_cast<long double>(e[i]) - exact) / ulp;
      if (!(error <= worst)) worst = error, worst_at = x[i];
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "exp in double, %s: worst error %.4f ULP (at %a) over %.1e samples",
                kernels.isa, static_cast<double>(worst), worst_at, static_cast<double>(samples));
  check(worst <= 1.0L, line);
}

/// Memory that ends where an unreadable page begins.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t size) : size_(size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page + 2 * page;
    base_ = static_cast<char*>(
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + mapped_ - page, page, PROT_NONE) != 0) std::abort();
    data_ = base_ + mapped_ - page - size;
  }
  ~GuardedMemory() { munmap(base_, mapped_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  void* data() { return data_; }
  bool same(const GuardedMemory& other) const {
    return size_ == other.size_ && std::memcmp(data_, other.data_, size_) == 0;
  }

 private:
  std::size_t size_, mapped_;
  char *base_, *data_;
};

constexpr std::size_t bytesOf(SoftmaxDType dtype) {
  return dtype == softmaxFloat64 ? 8 : dtype == softmaxFloat32 ? 4 : 2;
}

/// A random finite value of a dtype, or −infinity.
void fillRandom(GuardedMemory& memory, SoftmaxDType dtype, std::size_t count, float scale) {
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_special = randomBits() % 50 == 0;
    const float value = is_special ? -__builtin_inff() : uniform(-scale, scale);
    if (dtype == softmaxFloat64) static_cast<double*>(memory.data())[i] = static_cast<double>(value);
    if (dtype == softmaxFloat32) static_cast<float*>(memory.data())[i] = value;
    // Truncated bfloat16; as float16 the same bits are other numbers.
    if (bytesOf(dtype) == 2)
      static_cast<std::uint16_t*>(memory.data())[i] =
          static_cast<std::uint16_t>(bitsOf(value) >> 16) & 0xFBFFu;
  }
}

/// Every function, on one array, by two tables.
bool sameBits(const SoftmaxKernels& kernels, const SoftmaxKernels& reference, SoftmaxDType dtype,
              const SoftmaxRows& rows, float scale) {
  const std::size_t row_count = rows.outer * rows.inner, count = row_count * rows.length;
  const std::size_t result_size = dtype == softmaxFloat64 ? 8 : 4;
  GuardedMemory x(count * bytesOf(dtype)), y(count * bytesOf(dtype));
  fillRandom(x, dtype, count, scale);
  fillRandom(y, dtype, count, 1.0f);
  std::vector<std::int32_t> classes(row_count);
  for (auto& target : classes)
    target = randomBits() % 5 == 0 ? -1 : static_cast<std::int32_t>(randomBits() % rows.length);
  bool same = true;
  const SoftmaxElements logits{x.data(), dtype}, others{y.data(), dtype};
  /// run(table, output, one value a row, another)
  const auto compare = [&](auto run) {
    GuardedMemory a(count * bytesOf(dtype)), b(count * bytesOf(dtype));
    GuardedMemory loss_a(row_count * sizeof(double)), loss_b(row_count * sizeof(double));
    GuardedMemory lse_a(row_count * result_size), lse_b(row_count * result_size);
    run(reference, SoftmaxElements{a.data(), dtype}, loss_a.data(), lse_a.data());
    run(kernels, SoftmaxElements{b.data(), dtype}, loss_b.data(), lse_b.data());
    same &= a.same(b) && loss_a.same(loss_b) && lse_a.same(lse_b);
  };
  compare(
      [&](const SoftmaxKernels& k, SoftmaxElements out, void*, void*) { k.softmax(&logits, &out, &rows); });
  compare([&](const SoftmaxKernels& k, SoftmaxElements out, void*, void*) {
    k.logSoftmax(&logits, &out, &rows);
  });
  compare([&](const SoftmaxKernels& k, SoftmaxElements, void* results, void*) {
    const SoftmaxElements out{results, result_size == 8 ? softmaxFloat64 : softmaxFloat32};
    k.logSumExp(&logits, &out, &rows);
  });
  compare([&](const SoftmaxKernels& k, SoftmaxElements out, void*, void*) {
    k.softmaxBackward(&others, &logits, &out, &rows);
  });
  compare([&](const SoftmaxKernels& k, SoftmaxElements out, void*, void*) {
    k.logSoftmaxBackward(&others, &logits, &out, &rows);
  });
  for (const double smoothing : {0.0, 0.1})
    compare([&](const SoftmaxKernels& k, SoftmaxElements grad, void* loss, void* lse) {
      const SoftmaxCrossEntropy problem{logits, classes.data(), {},      nullptr, smoothing, loss,
                                        lse,    grad,           nullptr, 0.5};
      k.crossEntropy(&problem, &rows);
    });
  compare([&](const SoftmaxKernels& k, SoftmaxElements grad, void* loss, void* lse) {
    const SoftmaxCrossEntropy problem{logits, nullptr, others, nullptr, 0.0, loss, lse, grad, nullptr, 0.5};
    k.crossEntropy(&problem, &rows);
  });
  compare([&](const SoftmaxKernels& k, SoftmaxElements grad, void* divergence, void*) {
    const SoftmaxDivergence problem{logits,  others, static_cast<double*>(divergence), grad, nullptr,
                                    nullptr, 0.5};
    k.divergence(&problem, &rows);
  });
  // In place.
  compare([&](const SoftmaxKernels& k, SoftmaxElements out, void*, void*) {
    std::memcpy(out.data, x.data(), count * bytesOf(dtype));
    k.softmax(&out, &out, &rows);
  });
  return same;
}

void testSameBits(const SoftmaxKernels& kernels, const SoftmaxKernels& reference, bool is_quick) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length <= 300; length += is_quick && length > 40 ? 13 : 1)
    lengths.push_back(length);
  for (std::size_t length : {1000, 4095, 4096, 4097, 8193, 20000}) lengths.push_back(length);
  constexpr SoftmaxDType dtypes[] = {softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16};
  constexpr double multipliers[] = {1.0, 1 / 0.7, -0.125};
  constexpr float scales[] = {1.0f, 60.0f, 1e4f, 1e30f};
  long different = 0, compared = 0;
  for (const std::size_t length : lengths)
    for (const SoftmaxDType dtype : dtypes)
      for (const std::size_t inner : {std::size_t{1}, 1 + randomBits() % (length > 300 ? 3 : 40)}) {
        const std::size_t outer = 1 + randomBits() % 2, count = outer * length * inner;
        const double multiplier = multipliers[randomBits() % 3];
        const float scale = scales[randomBits() % 4];
        GuardedMemory mask(count);
        for (std::size_t i = 0; i < count; ++i)
          static_cast<std::uint8_t*>(mask.data())[i] = randomBits() % 4 != 0;
        std::vector<double> offsets(outer * inner);
        for (std::size_t i = 0; i < offsets.size(); ++i)
          offsets[i] = static_cast<double>(i / inner * length * inner + i % inner);
        for (const bool masked : {false, true}) {
          const SoftmaxRows rows{
              outer,          length, inner,   masked ? static_cast<std::uint8_t*>(mask.data()) : nullptr,
              offsets.data(), inner,  nullptr, multiplier};
          ++compared;
          if (sameBits(kernels, reference, dtype, rows, scale)) continue;
          if (++different < 5)
            std::printf("  dtype %d, %zu x %zu x %zu, %s, scale %g, multiplier %g\n", static_cast<int>(dtype),
                        outer, length, inner, masked ? "masked" : "no mask", static_cast<double>(scale),
                        multiplier);
        }
      }
  char line[120];
  std::snprintf(line, sizeof line, "same bits, %s and %s: %ld arrays, up to the edge of readable memory",
                kernels.isa, reference.isa, compared);
  check(different == 0, line);
}

/// 16-bit elements: reading all of them, writing floats at and around every midpoint. A gradient through
/// log-softmax is its input where the probabilities are 0.
void testHalves(const SoftmaxKernels& kernels, const SoftmaxKernels& reference) {
  constexpr std::size_t count = 65536;
  std::vector<std::uint16_t> halves(count), written(count), expected(count);
  std::vector<float> floats(count), read(count), read_expected(count), nothing(count, -1e9f);
  const SoftmaxElements output{nothing.data(), softmaxFloat32};
  const SoftmaxRows rows{1, count, 1, nullptr, nullptr, 0, nullptr, 1.0};
  bool same = true;
  for (const SoftmaxDType dtype : {softmaxFloat16, softmaxBFloat16}) {
    for (std::size_t i = 0; i < count; ++i) halves[i] = static_cast<std::uint16_t>(i);
    const SoftmaxElements from{halves.data(), dtype};
    const SoftmaxElements to{read.data(), softmaxFloat32}, to_expected{read_expected.data(), softmaxFloat32};
    // A NaN or infinity would fill the row: one element a row.
    const SoftmaxRows single{count, 1, 1, nullptr, nullptr, 0, nullptr, 1.0};
    kernels.logSoftmaxBackward(&from, &output, &to, &single);
    reference.logSoftmaxBackward(&from, &output, &to_expected, &single);
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
      kernels.logSoftmaxBackward(&values, &output, &to_half, &rows);
      reference.logSoftmaxBackward(&values, &output, &to_half_expected, &rows);
      same &= written == expected;
    }
  }
  char line[120];
  std::snprintf(line, sizeof line, "16-bit elements, %s and %s: all of them read, all midpoints written",
                kernels.isa, reference.isa);
  check(same, line);
}

}  // namespace

int main(int argc, char** argv) {
  const long samples = argc > 1 ? std::atol(argv[1]) : 100000000;
  const softmax_native::KernelList list = softmax_native::supportedKernels();
  const SoftmaxKernels& scalar = *list.tables[list.count - 1];
  if (argc == 1) {
    testRoundingStep();
    testPolynomial();
    testMonotonicity(*list.tables[0]);
  }
  for (std::size_t i = 0; i < list.count; ++i) testSameBits(*list.tables[i], scalar, argc > 1);
  for (std::size_t i = 0; i < list.count; ++i) testHalves(*list.tables[i], scalar);
  for (std::size_t i = 0; i < list.count; ++i) testExp(*list.tables[i], samples);
  for (std::size_t i = 0; i < list.count; ++i) testExpDouble(*list.tables[i], samples / 4);
  return failures == 0 ? 0 : 1;
}
