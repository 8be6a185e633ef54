// Tests of the kernels without JavaScript around them.
//
//   kernels_test              everything, with 10^8 samples of exp per ISA
//   kernels_test SAMPLES      with so many, and without the exhaustive runs, which do not depend on the ISA
//
// - The rounding step and the polynomial of exp round the same by fma and by double arithmetic, at every
// argument:
//   what the scalar kernels and JavaScript rely on.
// - exp keeps the order of neighbouring floats: all of them, on the best ISA.
// - exp is within 1 ULP of the exact value, on every ISA this CPU has; the worst argument is printed.
// - Every ISA gives the bits of the scalar kernels, over all short lengths and some around a block, reading
// and
//   writing nothing beyond the row (the rows end at an unreadable page).
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
  for (std::uint32_t bits = bitsOf(0x1p-10f); bits <= bitsOf(2.2e6f); ++bits)
    for (const float value : {floatOf(bits), -floatOf(bits)})
      for (const float shift : {roundingShift + 127.0f, roundingShift + 128.0f})
        differences += std::fma(value, log2e, shift) != byDouble(value, log2e, shift);
  check(differences == 0, "rounding step: fma = double arithmetic for 2^-10 <= |x| <= 2.2e6");
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

/// Floats that end where an unreadable page begins.
class GuardedFloats {
 public:
  explicit GuardedFloats(std::size_t count) : count_(count) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (count * sizeof(float) + page - 1) / page * page + 2 * page;
    base_ =
        static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + size_ - page, page, PROT_NONE) != 0) std::abort();
    data_ = reinterpret_cast<float*>(base_ + size_ - page) - count;
  }
  ~GuardedFloats() { munmap(base_, size_); }
  GuardedFloats(const GuardedFloats&) = delete;
  GuardedFloats& operator=(const GuardedFloats&) = delete;

  float* data() { return data_; }
  bool same(GuardedFloats& other) {
    return count_ == other.count_ && std::memcmp(data_, other.data_, count_ * sizeof(float)) == 0;
  }

 private:
  std::size_t count_, size_;
  char* base_;
  float* data_;
};

bool sameBits(const SoftmaxKernels& kernels, const SoftmaxKernels& reference, std::size_t length, float scale,
              double multiplier) {
  GuardedFloats x(length), a(length), b(length), grad_a(length), grad_b(length);
  for (std::size_t i = 0; i < length; ++i) x.data()[i] = uniform(-scale, scale);
  if (length > 2 && (randomBits() & 1)) x.data()[randomBits() % length] = -floatInfinity;
  bool same = true;
  reference.softmax(x.data(), a.data(), 1, length, multiplier);
  kernels.softmax(x.data(), b.data(), 1, length, multiplier);
  same &= a.same(b);
  reference.softmaxBackward(x.data(), a.data(), grad_a.data(), 1, length, multiplier);
  kernels.softmaxBackward(x.data(), b.data(), grad_b.data(), 1, length, multiplier);
  same &= grad_a.same(grad_b);
  reference.logSoftmax(x.data(), a.data(), 1, length, multiplier);
  kernels.logSoftmax(x.data(), b.data(), 1, length, multiplier);
  same &= a.same(b);
  reference.logSoftmaxBackward(x.data(), a.data(), grad_a.data(), 1, length, multiplier);
  kernels.logSoftmaxBackward(x.data(), b.data(), grad_b.data(), 1, length, multiplier);
  same &= grad_a.same(grad_b);
  const std::int32_t target = static_cast<std::int32_t>(randomBits() % length);
  float loss_a, loss_b, lse_a, lse_b;
  reference.crossEntropy(x.data(), &target, &loss_a, &lse_a, grad_a.data(), 1, length, multiplier, 1.0);
  kernels.crossEntropy(x.data(), &target, &loss_b, &lse_b, grad_b.data(), 1, length, multiplier, 1.0);
  same &= grad_a.same(grad_b) && bitsOf(loss_a) == bitsOf(loss_b) && bitsOf(lse_a) == bitsOf(lse_b);
  std::memcpy(b.data(), x.data(), length * sizeof(float));
  kernels.softmax(b.data(), b.data(), 1, length, multiplier);
  reference.softmax(x.data(), a.data(), 1, length, multiplier);
  return same && a.same(b);
}

void testSameBits(const SoftmaxKernels& kernels, const SoftmaxKernels& reference) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length <= 600; ++length) lengths.push_back(length);
  for (std::size_t length : {1000, 4095, 4096, 4097, 8193, 20000}) lengths.push_back(length);
  long different = 0, compared = 0;
  for (const std::size_t length : lengths)
    for (const float scale : {1.0f, 60.0f, 1e4f, 1e30f})
      for (const double multiplier : {1.0, 1 / 0.7, -0.125}) {
        ++compared;
        if (sameBits(kernels, reference, length, scale, multiplier)) continue;
        if (++different < 5)
          std::printf("  length %zu, scale %g, multiplier %g\n", length, static_cast<double>(scale),
                      multiplier);
      }
  char line[120];
  std::snprintf(line, sizeof line, "same bits, %s and %s: %ld rows, up to the edge of readable memory",
                kernels.isa, reference.isa, compared);
  check(different == 0, line);
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
  for (std::size_t i = 0; i < list.count; ++i) testSameBits(*list.tables[i], scalar);
  for (std::size_t i = 0; i < list.count; ++i) testExp(*list.tables[i], samples);
  return failures == 0 ? 0 : 1;
}
