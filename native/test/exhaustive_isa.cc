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
  constexpr float log2e = Limits<float>::log2e, shift = Limits<float>::shift;
  const double high = static_cast<double>(ln2High), low = static_cast<double>(ln2Low);
  Count rounding, rounding_js, of_high, inexact, of_low, of_js;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = x[i];
    const double wide = static_cast<double>(value);
    const float odd = fused(value, log2e, shift - 1.0f), even = fused(value, log2e, shift);
    const float n = even - shift;
    const double n_js = byShift(wide, log2e, 0.0, roundingShift64);
    rounding(odd != byDouble(value, log2e, shift - 1.0f), even != byDouble(value, log2e, shift));
    rounding_js(n_js != static_cast<double>(n), n_js != static_cast<double>(odd - (shift - 1.0f)));
    const float first = fused(n, -ln2High, value), second = fused(n, -ln2Low, first);
    const double exact = wide - static_cast<double>(n) * high;
    of_high(first != byDouble(n, -ln2High, value));
    inexact(static_cast<double>(first) != exact);
    of_low(second != byDouble(n, -ln2Low, first));
    of_js(second != static_cast<float>(exact - static_cast<double>(n) * low));
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
  const float* c = expCoefficients;
  Count series[4], series_js[3], square, result;
  for (std::size_t i = 0; i < count; ++i) {
    const float x = r[i];
    const float a = fused(c[0], x, c[1]), b = fused(a, x, c[2]), d = fused(b, x, c[3]), s = fused(d, x, c[4]);
    const float p = fused(x * x, s, x);
    const float a_double = byDouble(c[0], x, c[1]), b_double = byDouble(a_double, x, c[2]);
    const float d_double = byDouble(b_double, x, c[3]), s_double = byDouble(d_double, x, c[4]);
    series[0](a != a_double);
    series[1](b != byDouble(a, x, c[2]));
    series[2](d != byDouble(b, x, c[3]));
    series[3](s != byDouble(d, x, c[4]));
    square(p != byDouble(x * x, s, x));
    result(p + 1.0f != byDouble(x * x, s_double, x) + 1.0f);
    const double a_js = byShift(static_cast<double>(c[0]), x, static_cast<double>(c[1]), 0x1.8p22);
    const double b_js = byShift(a_js, x, static_cast<double>(c[2]), 0x1.8p24);
    const double d_js = byShift(b_js, x, static_cast<double>(c[3]), 0x1.8p26);
    series_js[0](static_cast<double>(a) != a_js);
    series_js[1](static_cast<double>(b) != b_js);
    series_js[2](static_cast<double>(d) != d_js);
  }
  steps->inputs += count;
  for (int i = 0; i < 4; ++i) steps->series[i] += series[i].value;
  for (int i = 0; i < 3; ++i) steps->seriesJs[i] += series_js[i].value;
  steps->square += square.value;
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
