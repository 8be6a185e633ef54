// exhaustive.h for one ISA: compiled once each, with its flags, as native/isa/ is.
#if defined(EXHAUSTIVE_avx512)
#include "../vec/avx512.h"
#define EXHAUSTIVE_TABLE exhaustive_avx512
#define EXHAUSTIVE_VECTOR Avx512
#elif defined(EXHAUSTIVE_avx2)
#include "../vec/avx2.h"
#define EXHAUSTIVE_TABLE exhaustive_avx2
#define EXHAUSTIVE_VECTOR Avx2
#elif defined(EXHAUSTIVE_neon)
#include "../vec/neon.h"
#define EXHAUSTIVE_TABLE exhaustive_neon
#define EXHAUSTIVE_VECTOR Neon
#else
#include "../vec/scalar.h"
#define EXHAUSTIVE_TABLE exhaustive_scalar
#define EXHAUSTIVE_VECTOR Scalar
#endif

#include "../kernels/exp.h"
#include "exhaustive.h"

namespace {

using V = EXHAUSTIVE_VECTOR;
using L = Along<V>;

template <bool plain>
void exponentials(const float* logits, float* out, std::size_t count, const RowConstants<L>& row) {
  for (std::size_t i = 0; i < count; i += V::width)
    V::store(out + i, exponential<L, plain>(V::load(logits + i), row));
}

ExhaustiveReference floatExponentials(const float* logits, float* out, std::size_t count, float top,
                                      double multiplier) {
  const Scaling<float> one = scalingOf<float>(multiplier);
  const RowScaling<L> scaling(&one);
  const References<L> references = referencesOf<L>(top, scaling);
  const RowConstants<L> row(scaling, references);
  if (isPlain(scaling, references))
    exponentials<true>(logits, out, count, row);
  else
    exponentials<false>(logits, out, count, row);
  return {references.exponent, static_cast<double>(references.offset)};
}

/// function(x) of a vector of doubles.
template <class Function>
void eachDouble(const double* x, double* out, std::size_t count, Function function) {
  for (std::size_t i = 0; i < count; i += V::width) V::store(out + i, function(V::load(x + i)));
}

void doubleExponentials(const double* x, double* out, std::size_t count) {
  eachDouble(x, out, count, [](V::Double value) { return exponential<V>(value); });
}

void logs(const double* x, double* out, std::size_t count) {
  eachDouble(x, out, count, [](V::Double value) { return logArguments<V>(value, V::broadcast(0.0)).log(); });
}

void logsOnePlus(const double* x, double* out, std::size_t count) {
  eachDouble(x, out, count, [](V::Double value) { return logOnePlusRatio<V>(value); });
}

#if defined(__FMA__) || defined(__aarch64__)
#define EXHAUSTIVE_STEPS 1

float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
float byDouble(float a, float b, float c) {
  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
}
/// a b + c rounded to a multiple of 2^-52 shift, for shift = 1.5 · 2^k. The optimiser keeps the order.
double byShift(double a, float b, double c, double shift) {
  return a * static_cast<double>(b) + (c + shift) - shift;
}

/// Counted in 32 bits, for the vectors' sake.
struct Count {
  std::uint32_t value = 0;
  void operator()(bool differs, bool also = false) { value += unsigned{differs} | unsigned{also}; }
};

void argumentSteps(const float* x, std::size_t count, ExhaustiveSteps* steps) {
  constexpr float scale = 16.0f * Limits<float>::log2e, shift = Limits<float>::shift;
  constexpr float high = ln2High / 16.0f, low = ln2Low / 16.0f;
  Count rounding, rounding_js, of_high, inexact, of_low, of_js;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = x[i];
    const double wide = static_cast<double>(value);
    const float z = fused(value, scale, shift), n = z - shift;
    rounding(z != byDouble(value, scale, shift));
    rounding_js(byShift(wide, scale, 0.0, roundingShift64) != static_cast<double>(n));
    const float first = fused(n, -high, value), second = fused(n, -low, first);
    const double exact = wide - static_cast<double>(n) * static_cast<double>(high);
    of_high(first != byDouble(n, -high, value));
    inexact(static_cast<double>(first) != exact);
    of_low(second != byDouble(n, -low, first));
    of_js(second != static_cast<float>(exact - static_cast<double>(n) * static_cast<double>(low)));
  }
  steps->inputs += count;
  steps->rounding += rounding.value;
  steps->roundingJs += rounding_js.value;
  steps->high += of_high.value;
  steps->highInexact += inexact.value;
  steps->low += of_low.value;
  steps->lowJs += of_js.value;
}

void seriesSteps(const float* r, std::size_t count, ExhaustiveSteps* steps) {
  Count of_series, of_square, result;
  for (std::size_t i = 0; i < count; ++i) {
    const float x = r[i], square = x * x;
    const float series = fused(expCube, x, expSquare), by_double = byDouble(expCube, x, expSquare);
    const float q = fused(square, series, x), q_by_double = byDouble(square, by_double, x);
    of_series(series != by_double);
    of_square(q != byDouble(square, series, x));
    bool differs = false;
    for (std::uint32_t j = 0; j < 16; ++j) {
      const std::uint32_t bits = expTable[j] + (j << 19) + (127u << 23);
      float power;
      __builtin_memcpy(&power, &bits, sizeof power);
      differs |= fused(power, q, power) != byDouble(power, q_by_double, power);
    }
    result(differs);
  }
  steps->inputs += count;
  steps->series += of_series.value;
  steps->square += of_square.value;
  steps->result += result.value;
}

void productSteps(const float* logits, std::size_t count, double multiplier, ExhaustiveSteps* steps) {
  const Scaling<float> scaling = scalingOf<float>(multiplier);
  Count of_error, of_rest;
  for (std::size_t i = 0; i < count; ++i) {
    const float logit = logits[i] * scaling.sign, value = logit * scaling.high;
    const float error = fused(logit, scaling.high, -value);
    of_error(error != byDouble(logit, scaling.high, -value));
    of_rest(fused(logit, scaling.low, error) != byDouble(logit, scaling.low, error));
  }
  steps->inputs += count;
  steps->error += of_error.value;
  steps->rest += of_rest.value;
}
#endif

}  // namespace

extern "C" {
extern const ExhaustiveKernels EXHAUSTIVE_TABLE;
#define EXHAUSTIVE_STRING(name) #name
#define EXHAUSTIVE_NAME(name) EXHAUSTIVE_STRING(name)
const ExhaustiveKernels EXHAUSTIVE_TABLE = {EXHAUSTIVE_NAME(EXHAUSTIVE_TABLE),
                                            floatExponentials,
                                            doubleExponentials,
                                            logs,
                                            logsOnePlus,
#if defined(EXHAUSTIVE_STEPS)
                                            argumentSteps,
                                            seriesSteps,
                                            productSteps};
#else
                                            nullptr,
                                            nullptr,
                                            nullptr};
#endif
}
