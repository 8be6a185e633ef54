#include "alone.h"

namespace softmax_fuzz {
namespace {

using softmax_native::Count;

class RowAlone {
 public:
  RowAlone(Input& input, const Problem& problem)
      : input_(input), problem_(problem), row_(problem.checked_row), length_(problem.rows.length) {}

  SoftmaxRows rows() {
    SoftmaxRows rows = problem_.rows;
    rows.outer = rows.inner = rows.stride = 1;
    rows.elements = length_;
    rows.multiplier = problem_.multiplierOf(row_);
    rows.multipliers = nullptr;
    if (rows.mask) {
      auto* mask = static_cast<std::uint8_t*>(takeMemory(input_, length_, 1));
      for (std::size_t k = 0; k < length_; ++k) mask[k] = problem_.keeps(row_, k);
      rows.mask = mask;
      rows.maskOffsets = &zero;
      rows.maskStep = 1;
    }
    return rows;
  }

  /// What an array has of a row: so many elements, along the rows' axis or one after another.
  struct Part {
    std::size_t count;
    bool is_along;
  };
  Part partOf(Count count, const SoftmaxCall& call) const {
    const auto number = [&](int i) { return static_cast<std::size_t>(call.numbers[i]); };
    switch (count) {
      case Count::perElement:
        return {length_, true};
      case Count::perPlace:
        return {number(0), true};
      case Count::perTop:
        return {number(1), true};
      case Count::perRowTop:
        return {number(1), false};
      case Count::perDraw:
      case Count::perNumber:
        return {number(0), false};
      case Count::perSetting:
        return {softmaxSettings, false};
      default:
        return {1, false};
    }
  }

  void gather(SoftmaxElements& elements, const Part& part) {
    if (!elements.data) return;
    const SoftmaxElements to = takeElements(input_, part.count, elements.dtype);
    for (std::size_t k = 0; k < part.count; ++k) copy(elements, indexOf(part, k), to, k);
    elements = to;
  }
  void receive(SoftmaxElements& results, const Part& part) {
    if (!results.data) return;
    Result& result = results_[count_++];
    const bool is_half = results.dtype == softmaxFloat16 || results.dtype == softmaxBFloat16;
    result = {results, takeElements(input_, part.count, is_half ? softmaxFloat32 : results.dtype), part};
    results = result.alone;
  }

  void compare() const {
    for (std::size_t i = 0; i < count_; ++i) {
      const Result& result = results_[i];
      for (std::size_t k = 0; k < result.part.count; ++k) {
        const std::size_t at = indexOf(result.part, k);
        if (isSame(result, at, k)) continue;
        std::fprintf(stderr, "[%zu]: alone %a, among others %a\n", k, elementAt(result.alone, k),
                     elementAt(result.among, at));
        fail(problem_, "not the bits of the row alone");
      }
    }
  }

 private:
  struct Result {
    SoftmaxElements among, alone;
    Part part;
  };
  static constexpr double zero = 0.0;

  std::size_t indexOf(const Part& part, std::size_t k) const {
    const std::size_t inner = problem_.rows.inner;
    return part.is_along ? (row_ / inner * part.count + k) * inner + row_ % inner : row_ * part.count + k;
  }
  static void copy(const SoftmaxElements& from, std::size_t i, const SoftmaxElements& to, std::size_t k) {
    const std::size_t size = sizeOf(from.dtype);
    const char* source = static_cast<const char*>(from.data) + i * size;
    char* target = static_cast<char*>(to.data) + k * size;
    for (std::size_t b = 0; b < size; ++b) target[b] = source[b];
  }
  static bool isSame(const Result& result, std::size_t at, std::size_t k) {
    const std::size_t size = sizeOf(result.among.dtype);
    const char* among = static_cast<const char*>(result.among.data) + at * size;
    if (result.among.dtype == result.alone.dtype)
      return areSame(among, static_cast<const char*>(result.alone.data) + k * size, size);
    const std::uint16_t rounded = halfOf(elementAt(result.alone, k), result.among.dtype);
    return areSame(among, &rounded, sizeof rounded);
  }

  Input& input_;
  const Problem& problem_;
  std::size_t row_, length_, count_ = 0;
  Result results_[softmaxMostArrays];
};

}  // namespace

void checkAlone(Input& input, const Problem& problem, const SoftmaxCall& call) {
  RowAlone row(input, problem);
  SoftmaxCall alone = call;
  alone.rows = row.rows();
  const softmax_native::OperationRow& operation = softmax_native::rowOf(call.operation);
  for (std::size_t i = 0; i < softmax_native::arrayCount(operation); ++i) {
    const softmax_native::OperationArray& array = operation.arrays[i];
    const RowAlone::Part part = row.partOf(array.count, call);
    if (array.isOutput) {
      row.receive(alone.arrays[i], part);
    } else if (array.count != Count::perClass && array.count < Count::words) {
      row.gather(alone.arrays[i], part);
    }
  }
  softmax_native::runCall(*isas.tables[problem.checked_row % isas.count], alone);
  row.compare();
}

}  // namespace softmax_fuzz
