// What every call beside unreadable pages has: rows, a mask, multipliers, scratch memory; and how it is
// placed.
#pragma once

#include <string>

#include "../runtime/scratch.h"
#include "calls.h"
#include "elements.h"
#include "guard_pages_memory.h"

namespace {

using namespace softmax_native;

/// Types of elements: of x, y and the output.
struct DTypes {
  const char* name;
  SoftmaxDType x, y, out;
};
constexpr DTypes dtypesOfOne[] = {
    {"float32", softmaxFloat32, softmaxFloat32, softmaxFloat32},
    {"float64", softmaxFloat64, softmaxFloat64, softmaxFloat64},
    {"float16", softmaxFloat16, softmaxFloat16, softmaxFloat16},
    {"bfloat16", softmaxBFloat16, softmaxBFloat16, softmaxBFloat16},
};
constexpr DTypes dtypesOfSome[] = {
    {"float32, float16 to bfloat16", softmaxFloat32, softmaxFloat16, softmaxBFloat16},
    {"bfloat16, float32 to float32", softmaxBFloat16, softmaxFloat32, softmaxFloat32},
};

/// Where rows are: the sizes of SoftmaxRows, and what else there is of them.
struct Shape {
  std::size_t outer = 1, length = 0, inner = 1, stride = 1;
  bool is_masked = false, per_row = false, has_scratch = false, is_streamed = false;
  /// In parts of so many elements; 0: as a whole.
  std::size_t part = 0;

  std::size_t rowCount() const { return outer * inner; }
  /// From the first element to the last.
  std::size_t span() const { return length == 0 ? 0 : (outer * length - 1) * stride + inner; }
};

constexpr std::size_t mostElements = 100000;

/// A call's arrays. Who derives from it fills them, and runs the call.
class GuardedRows {
 public:
  /// Whether `kernels` have the same bits and leave all other bytes alone.
  bool isRight(const SoftmaxKernels& kernels, Side side, std::size_t offset, bool aligned) {
    current.side = side;
    current.offset = offset;
    current.isa = kernels.isa;
    placeAll(side, offset, aligned);
    run(kernels);
    return std::all_of(arrays_.begin(), arrays_.end(),
                       [](const GuardedArray* array) { return !array->is_used || array->isRight(); });
  }
  void report() const {
    char line[400];
    describe(line, sizeof line);
    std::printf("  %s\n", line);
    for (const GuardedArray* array : arrays_)
      if (array->is_used && !array->isRight()) array->report();
  }

 protected:
  GuardedRows() = default;
  ~GuardedRows() = default;
  GuardedRows(const GuardedRows&) = delete;
  GuardedRows& operator=(const GuardedRows&) = delete;

  virtual void run(const SoftmaxKernels& kernels) const = 0;

  /// Every array at another byte, all of them at every byte for some offset.
  void placeAll(Side side, std::size_t offset, bool aligned) {
    for (std::size_t i = 0; i < arrays_.size(); ++i)
      if (arrays_[i]->is_used) arrays_[i]->place(side, (offset + 13 * i) % 64, aligned);
    // It is promised to be aligned.
    if (scratch_.is_used) scratch_.place(side, 0, false);
  }
  void expectAll() {
    for (GuardedArray* array : arrays_)
      if (array->is_used) array->expectThis();
  }
  void start(const std::string& name, const DTypes& dtypes, const Shape& shape);
  void fillMask();
  void fillRows();
  SoftmaxRows rows() const;
  static void fillDoubles(GuardedArray& array, std::size_t count, double factor) {
    auto* values = reinterpret_cast<double*>(array.use(count, sizeof(double)));
    for (std::size_t i = 0; i < count; ++i) values[i] = factor * static_cast<double>(randomBits() % 64);
  }
  /// Whether nothing is written between the rows of an output of `length` places.
  bool isKeptBetween(const GuardedArray& output, std::size_t length) const {
    const Shape& s = shape_;
    if (s.stride == s.inner) return true;
    for (std::size_t i = 1; i < s.outer * length; ++i)
      if (!output.isKept((i - 1) * s.stride + s.inner, i * s.stride)) return false;
    return true;
  }

  static constexpr std::size_t most = mostElements * sizeof(double);
  GuardedArray mask_{"mask", mostElements}, mask_offsets_{"maskOffsets", most},
      multipliers_{"multipliers", most}, scratch_{"scratch", softmaxSampleScratch, false};
  std::vector<GuardedArray*> arrays_{&mask_, &mask_offsets_, &multipliers_, &scratch_};
  DTypes dtypes_{};
  Shape shape_;
  std::size_t mask_step_ = 0;
  /// Less than there is elsewhere, so that rows take turns on it.
  std::size_t scratch_size_ = std::size_t{1} << 17;
};

inline SoftmaxRows GuardedRows::rows() const {
  const Shape& s = shape_;
  const auto doubles = [](const GuardedArray& array) {
    return array.is_used ? reinterpret_cast<const double*>(array.data) : nullptr;
  };
  SoftmaxRows rows{s.outer, s.length, s.inner, s.stride, s.span(), nullptr,
                   nullptr, 0,        nullptr, 0.7,      nullptr,  0};
  if (s.is_streamed) rows.elements = std::size_t{1} << 23;
  if (mask_.is_used) rows.mask = reinterpret_cast<const std::uint8_t*>(mask_.data);
  rows.maskOffsets = doubles(mask_offsets_);
  rows.maskStep = mask_step_;
  rows.multipliers = doubles(multipliers_);
  if (!scratch_.is_used) return rows;
  rows.scratch = scratch_.data;
  rows.scratchSize = scratch_size_;
  return rows;
}

/// A byte of the mask for every element, or for every row.
inline void GuardedRows::fillMask() {
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

inline void GuardedRows::start(const std::string& name, const DTypes& dtypes, const Shape& shape) {
  dtypes_ = dtypes;
  shape_ = shape;
  for (GuardedArray* array : arrays_) array->is_used = false;
  current.isa = "the reference";
  current.offset = 0;
  std::snprintf(current.what, sizeof current.what, "%s of %s, %zu x %zu x %zu, %zu apart%s%s%s%s",
                name.c_str(), dtypes.name, shape.outer, shape.length, shape.inner, shape.stride,
                shape.is_masked ? ", masked" : "", shape.has_scratch ? ", scratch memory" : "",
                shape.is_streamed ? ", past the caches" : "", shape.part > 0 ? ", in parts" : "");
}

/// What is of the rows, and not of an operation.
inline void GuardedRows::fillRows() {
  if (shape_.is_masked) fillMask();
  // Of one sign in all rows, that of the scale.
  if (shape_.per_row) fillDoubles(multipliers_, shape_.rowCount(), randomBits() % 2 ? 0.03 : -0.03);
  if (shape_.has_scratch) scratch_.use(scratch_size_, 1);
}

}  // namespace
