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

/// A byte of the mask for every element, or for every row.
void GuardedCall::fillMask() {
  const Shape& s = shape_;
  const bool is_of_rows = randomBits() % 8 == 0;
  const std::size_t bytes = is_of_rows ? s.rowCount() : s.span();
  char* mask = mask_.use(bytes, 1);
  for (std::size_t i = 0; i < bytes; ++i) mask[i] = randomBits() % 4 != 0;
  auto* offsets = reinterpret_cast<double*>(mask_offsets_.use(s.rowCount(), sizeof(double)));
  for (std::size_t row = 0; row < s.rowCount(); ++row) {
    const std::size_t first = row / s.inner * s.length * s.stride + row % s.inner;
    offsets[row] = static_cast<double>(is_of_rows ? row : first);
  }
  mask_step_ = is_of_rows ? 0 : s.stride;
}

void GuardedCall::fill() {
  const Shape& s = shape_;
  const std::size_t span = s.span(), row_count = s.rowCount();
  constexpr float scales[] = {1.0f, 20.0f, 60.0f, 1e4f};
  for (GuardedArray* array : arrays_) array->is_used = false;
  fillRandom(x_.use(span, bytesOf(dtypes_.x)), dtypes_.x, span, scales[randomBits() % 4]);
  if (form_.has_y) fillRandom(y_.use(span, bytesOf(dtypes_.y)), dtypes_.y, span, 1.0f);
  const auto fillDoubles = [](GuardedArray& array, std::size_t count, double factor) {
    auto* values = reinterpret_cast<double*>(array.use(count, sizeof(double)));
    for (std::size_t i = 0; i < count; ++i) values[i] = factor * static_cast<double>(randomBits() % 64);
  };
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
  if (s.is_masked) fillMask();
  // Of one sign in all rows, that of the scale.
  if (s.per_row) fillDoubles(multipliers_, row_count, randomBits() % 2 ? 0.03 : -0.03);
  if (s.per_row && is_loss) fillDoubles(grad_losses_, row_count, 0.1);
  if (s.has_scratch) scratch_.use(scratch_size, 1);
}

/// Inputs, and what is between the rows of an output.
bool GuardedCall::isKept() const {
  const Shape& s = shape_;
  const bool is_over_x = form_.output == Output::overX, is_over_y = form_.output == Output::overY;
  for (const GuardedArray* array : arrays_) {
    const bool is_output = array == &out_ || array == &loss_ || array == &log_sum_exp_ ||
                           array == &scratch_ || (is_over_x && array == &x_) || (is_over_y && array == &y_);
    if (array->is_used && !is_output && !array->isKept(0, array->count())) return false;
  }
  const GuardedArray& output = is_over_x ? x_ : is_over_y ? y_ : out_;
  if (s.stride == s.inner || !output.is_used || form_.count() == Count::perRow) return true;
  for (std::size_t i = 1; i < s.outer * s.length; ++i)
    if (!output.isKept((i - 1) * s.stride + s.inner, i * s.stride)) return false;
  return true;
}

bool GuardedCall::prepare(const Form& form, const DTypes& dtypes, const Shape& shape,
                          const SoftmaxKernels& reference) {
  form_ = form;
  dtypes_ = dtypes;
  shape_ = shape;
  current.isa = "the reference";
  current.offset = 0;
  std::snprintf(current.what, sizeof current.what, "%s of %s, %zu x %zu x %zu, %zu apart%s%s%s%s",
                form.name.c_str(), dtypes.name, shape.outer, shape.length, shape.inner, shape.stride,
                shape.is_masked ? ", masked" : "", shape.has_scratch ? ", scratch memory" : "",
                shape.is_streamed ? ", past the caches" : "", shape.part > 0 ? ", in parts" : "");
  fill();
  placeAll(Side::before, 0, true);
  shape_.part = 0;
  run(reference);
  shape_.part = shape.part;
  for (GuardedArray* array : arrays_)
    if (array->is_used) array->expectThis();
  return isKept();
}

}  // namespace
