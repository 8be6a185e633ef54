// What an ISA object exports: one table of functions, C linkage, plain data.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// `multiplier` = scale / temperature; ±infinity for temperature 0. Rows lie one after another, `length`
/// floats each. `out` may be an input (the same address), but may not overlap it otherwise.
struct SoftmaxKernels {
  const char* isa;
  void (*softmax)(const float* logits, float* out, size_t rows, size_t length, double multiplier);
  void (*logSoftmax)(const float* logits, float* out, size_t rows, size_t length, double multiplier);
  /// out: one float a row.
  void (*logSumExp)(const float* logits, float* out, size_t rows, size_t length, double multiplier);
  void (*softmaxBackward)(const float* gradOutput, const float* output, float* out, size_t rows,
                          size_t length, double multiplier);
  void (*logSoftmaxBackward)(const float* gradOutput, const float* output, float* out, size_t rows,
                             size_t length, double multiplier);
  /// out: length × length floats a row, not overlapping the input.
  void (*softmaxJacobian)(const float* output, float* out, size_t rows, size_t length);
  /// targets: a class in [0, length), or a negative number for a row to ignore. loss, logSumExp: one float a
  /// row. grad: null or like the logits. gradLoss: gradient of the result with respect to each row's loss.
  void (*crossEntropy)(const float* logits, const int32_t* targets, float* loss, float* logSumExp,
                       float* grad, size_t rows, size_t length, double multiplier, double gradLoss);
  /// For tests: 2 exp(logit) with no row around it.
  void (*exponential)(const float* logits, float* out, size_t count);
};
