// Every kernel, compiled for one vector type. An ISA's file (isa/) includes its vector header and this one.
#pragma once

#include "backward.h"
#include "loss.h"
#include "table.h"

namespace {

template <class V>
struct Instance {
  using RowFunction = void (*)(const float*, float*, std::size_t, const Scaling&);

  template <RowFunction row>
  static void eachRow(const float* logits, float* out, std::size_t rows, std::size_t length,
                      double multiplier) {
    const Scaling scaling = scalingOf(multiplier);
    for (std::size_t i = 0; i < rows; ++i) row(logits + i * length, out + i * length, length, scaling);
  }

  static void logSumExp(const float* logits, float* out, std::size_t rows, std::size_t length,
                        double multiplier) {
    const Scaling scaling = scalingOf(multiplier);
    for (std::size_t i = 0; i < rows; ++i) out[i] = logSumExpRow<V>(logits + i * length, length, scaling);
  }

  using BackwardFunction = void (*)(const float*, const float*, float*, std::size_t, double);

  template <BackwardFunction row>
  static void eachPair(const float* grad_output, const float* output, float* out, std::size_t rows,
                       std::size_t length, double multiplier) {
    for (std::size_t i = 0; i < rows * length; i += length)
      row(grad_output + i, output + i, out + i, length, multiplier);
  }

  static void softmaxJacobian(const float* output, float* out, std::size_t rows, std::size_t length) {
    for (std::size_t i = 0; i < rows; ++i)
      softmaxJacobianRow<V>(output + i * length, out + i * length * length, length);
  }

  static void crossEntropy(const float* logits, const std::int32_t* targets, float* loss, float* log_sum_exp,
                           float* grad, std::size_t rows, std::size_t length, double multiplier,
                           double grad_loss) {
    const Scaling scaling = scalingOf(multiplier);
    for (std::size_t i = 0; i < rows; ++i) {
      const float* row = logits + i * length;
      float* row_grad = grad ? grad + i * length : nullptr;
      const RowLoss result = targets[i] < 0
                                 ? ignoredRow<V>(row, row_grad, length, scaling)
                                 : crossEntropyRow<V>(row, static_cast<std::size_t>(targets[i]), row_grad,
                                                      length, scaling, grad_loss * multiplier);
      loss[i] = result.loss;
      log_sum_exp[i] = result.log_sum_exp;
    }
  }

  /// Values in chunks of one register, each measured against N = 0, with nothing cut off.
  static void exponentials(const float* logits, float* out, std::size_t count) {
    Reference reference = referenceOf(0.0f, scalingOf(1.0), false);
    reference.cut = -floatInfinity;
    const RowConstants<V> row(scalingOf(1.0), reference);
    for (std::size_t i = 0; i + V::width <= count; i += V::width)
      V::store(out + i, exponential<V, true>(V::load(logits + i), row));
  }

  static constexpr SoftmaxKernels table(const char* isa) {
    return {isa,
            eachRow<softmaxRow<V>>,
            eachRow<logSoftmaxRow<V>>,
            logSumExp,
            eachPair<softmaxBackwardRow<V>>,
            eachPair<logSoftmaxBackwardRow<V>>,
            softmaxJacobian,
            crossEntropy,
            exponentials};
  }
};

}  // namespace
