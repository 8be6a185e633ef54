// How the calls of guard_pages_calls.h are filled and run.
#pragma once

#include "guard_pages_calls.h"

namespace {

void GuardedCall::run(const SoftmaxKernels& kernels) const {
  const SoftmaxCall c = call();
  void *x = c.arrays[0].data, *out = c.arrays[1].data;
  if (shape_.part > 0) return runInParts(kernels);
  if (form_.is_exponential && dtypes_.x == softmaxFloat64)
    return kernels.exponentialDouble(static_cast<double*>(x), static_cast<double*>(out), c.rows.length);
  if (form_.is_exponential)
    return kernels.exponential(static_cast<float*>(x), static_cast<float*>(out), c.rows.length);
  kernels.compute(&c);
}

void GuardedCall::runInParts(const SoftmaxKernels& kernels) const {
  const SoftmaxCall c = call();
  const std::size_t size = shape_.part, length = shape_.length, count = (length + size - 1) / size;
  SoftmaxPart row{}, parts[4]{};
  SoftmaxStep step = kernels.join(&c, softmaxBegin, nullptr, 0, &row);
  while (step != softmaxEnd) {
    for (std::size_t i = 0; i < count; ++i)
      kernels.takeStep(&c, step, i * size, std::min(size, length - i * size), &row, &parts[i]);
    step = kernels.join(&c, step, parts, count, &row);
  }
}

void GuardedCall::fill() {
  const Shape& s = shape_;
  const std::size_t span = s.span(), row_count = s.rowCount();
  constexpr float scales[] = {1.0f, 20.0f, 60.0f, 1e4f};
  fillRandom(x_.use(span, bytesOf(dtypes_.x)), dtypes_.x, span, scales[randomBits() % 4]);
  if (form_.has_y) fillRandom(y_.use(span, bytesOf(dtypes_.y)), dtypes_.y, span, 1.0f);
  const bool is_divergence = form_.operation == SoftmaxOperation::divergence;
  const bool is_loss = form_.operation == SoftmaxOperation::crossEntropy || is_divergence;
  const std::size_t result_size = dtypes_.x == softmaxFloat64 ? 8 : 4;
  if (form_.output == Output::own || form_.output == Output::wide) {
    const Count count = form_.count();
    const std::size_t size = form_.output == Output::wide ? 8 : bytesOf(output().dtype);
    out_.use(countOf(count, span, row_count, s.length), size);
  }
  if (is_loss) loss_.use(row_count, sizeof(double));
  if (is_loss && !is_divergence) log_sum_exp_.use(row_count, result_size);
  if (form_.target == Target::classes) {
    auto* classes = reinterpret_cast<std::int32_t*>(classes_.use(row_count, sizeof(std::int32_t)));
    for (std::size_t i = 0; i < row_count; ++i)
      classes[i] =
          s.length == 0 || randomBits() % 5 == 0 ? -1 : static_cast<std::int32_t>(randomBits() % s.length);
  }
  if (form_.has_weight) fillDoubles(weight_, s.length, 0.05);
  if (form_.has_addend) fillDoubles(addend_, span, -0.01);
  fillRows();
  if (s.per_row && is_loss) fillDoubles(grad_losses_, row_count, 0.1);
}

/// Inputs, and what is between the rows of an output.
bool GuardedCall::isKept() const {
  const bool is_over_x = form_.output == Output::overX, is_over_y = form_.output == Output::overY;
  for (const GuardedArray* array : arrays_) {
    const bool is_output = array == &out_ || array == &loss_ || array == &log_sum_exp_ ||
                           array == &scratch_ || (is_over_x && array == &x_) || (is_over_y && array == &y_);
    if (array->is_used && !is_output && !array->isKept(0, array->count())) return false;
  }
  const GuardedArray& output = is_over_x ? x_ : is_over_y ? y_ : out_;
  return !output.is_used || form_.count() == Count::perRow || isKeptBetween(output, shape_.length);
}

bool GuardedCall::prepare(const Form& form, const DTypes& dtypes, const Shape& shape,
                          const SoftmaxKernels& reference) {
  form_ = form;
  start(form.name, dtypes, shape);
  fill();
  placeAll(Side::before, 0, true);
  shape_.part = 0;
  run(reference);
  shape_.part = shape.part;
  expectAll();
  return isKept();
}

}  // namespace
