// gumbelNoise(x): scale · x − log(−log u), where u is in (0, 1), by Philox4x32-10 (Salmon et al., 2011): what
// softmax of the logits with noise is taken of. As in src/backends/js/sampling/gumbel.ts.
//
//   types   float32, float64, float16, bfloat16; x and out may differ, but for float64
//   range   any logits
//   error   of one rounding, beside those of u's logarithms in double
#pragma once

#include "direct.h"
#include "log.h"

namespace {

/// Which numbers a row draws, in the order that src/operations/tokens/gumbel-softmax.ts writes them.
struct DrawKey {
  double seedLow, seedHigh, stepLow, stepHigh, row;
};

/// The numbers of draws [begin, begin + count), of 53 bits; those of 0 as if they were 2^-54, which has a
/// logarithm.
SOFTMAX_CALLED void drawUniforms(const DrawKey& key, std::size_t begin, std::size_t count, double* to) {
  const auto word = [](double value) { return static_cast<std::uint32_t>(value); };
  const std::uint32_t seed_low = word(key.seedLow), seed_high = word(key.seedHigh);
  const std::uint32_t step_low = word(key.stepLow), step_high = word(key.stepHigh), row = word(key.row);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t a = static_cast<std::uint32_t>(begin + i), b = step_low, c = step_high, d = row;
    std::uint32_t k0 = seed_low, k1 = seed_high;
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t of_a = std::uint64_t{0xD2511F53} * a, of_c = std::uint64_t{0xCD9E8D57} * c;
      a = static_cast<std::uint32_t>(of_c >> 32) ^ b ^ k0;
      b = static_cast<std::uint32_t>(of_c);
      c = static_cast<std::uint32_t>(of_a >> 32) ^ d ^ k1;
      d = static_cast<std::uint32_t>(of_a);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    // Signed integers become doubles in vectors.
    const auto high = static_cast<std::int32_t>(a >> 5);
    const auto low = static_cast<std::int32_t>((a & 31) << 21 | b >> 11);
    const double u = static_cast<double>(high) * 0x1p-27 + static_cast<double>(low) * 0x1p-53;
    to[i] = u > 0x1p-54 ? u : 0x1p-54;
  }
}

/// So many at once, in the first cache.
constexpr std::size_t noiseAtOnce = 512;

/// −log(−log u) in the place of u.
template <class V>
SOFTMAX_CALLED void makeGumbel(double* numbers, std::size_t count) {
  const auto zero = V::broadcast(0.0);
  const auto minusLog = [&](typename V::Double value) SOFTMAX_INLINE_LAMBDA {
    return V::subtract(zero, logArguments<V>(value, zero).log());
  };
  for (std::size_t i = 0; i < count; i += V::width)
    V::store(numbers + i, minusLog(minusLog(V::load(numbers + i))));
}

/// run(code) of a dtype, with doubles.
template <class V, class Run>
void withAnyCode(SoftmaxDType dtype, const Run& run) {
  if (dtype == softmaxFloat64) return run(PlainCode<Wide<V>>{});
  withCode<V>(dtype, run);
}

template <class V>
void addNoise(const SoftmaxCall& call, const SoftmaxRows& rows, std::size_t row, std::size_t begin,
              std::size_t count, const double* noise) {
  const double scale = call.numbers[1];
  const std::size_t start = (row / rows.inner * rows.length + begin) * rows.stride + row % rows.inner;
  withAnyCode<V>(call.arrays[0].dtype, [&](auto from_code) {
    const auto* from = static_cast<const typename decltype(from_code)::Element*>(call.arrays[0].data) + start;
    withAnyCode<V>(call.arrays[2].dtype, [&](auto to_code) {
      using To = typename decltype(to_code)::Element;
      auto* to = static_cast<To*>(call.arrays[2].data) + start;
      for (std::size_t k = 0; k < count; ++k) {
        const double x = static_cast<double>(from_code.value(from + k * rows.stride)),
                     noisy = x * scale + noise[k];
        if constexpr (std::is_same_v<To, double>)
          to[k * rows.stride] = noisy;
        else
          to_code.setValue(to + k * rows.stride, static_cast<float>(noisy));
      }
    });
  });
}

namespace calls {

/// call(x, draws, out); numbers: how many a DrawKey has, and the scale.
template <class V>
void gumbelNoise(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const auto* keys = static_cast<const DrawKey*>(call.arrays[1].data);
  double numbers[noiseAtOnce];
  for (std::size_t row = 0; row < rows.outer * rows.inner; ++row)
    for (std::size_t begin = 0; begin < rows.length; begin += noiseAtOnce) {
      const std::size_t left = rows.length - begin, count = left < noiseAtOnce ? left : noiseAtOnce;
      // A last vector is whole.
      const std::size_t whole = (count + V::width - 1) / V::width * V::width;
      drawUniforms(keys[row], begin, whole, numbers);
      makeGumbel<V>(numbers, whole);
      addNoise<V>(call, rows, row, begin, count, numbers);
    }
}

}  // namespace calls

}  // namespace
