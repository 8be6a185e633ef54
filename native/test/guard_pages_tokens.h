// Calls of the operations that are not simple and whose arrays the table tells all about: topK,
// tokenLogProbs, sample, those of shards; with every k, every optional array and rows that fill what they
// keep candidates in.
#pragma once

#include "guard_pages_rows.h"

namespace {

/// What a row's logits are.
enum class Logits { random, few, equal, alone, ascending, descending, nanFirst, nanLast };
constexpr Logits allLogits[] = {Logits::random,    Logits::few,        Logits::equal,    Logits::alone,
                                Logits::ascending, Logits::descending, Logits::nanFirst, Logits::nanLast};

struct TokenForm {
  SoftmaxOperation operation;
  /// Of the call.
  double numbers[2];
  /// Whether its optional arrays are there.
  bool has_optional;
  /// Of a sample call: which of the settings below; else 0.
  std::size_t settings;
  Logits logits;

  const OperationRow& row() const { return rowOf(operation); }
  std::string name() const {
    return std::string(row().name) + " " + std::to_string(static_cast<int>(numbers[0])) + ", " +
           std::to_string(static_cast<int>(numbers[1])) + (has_optional ? ", all arrays" : "") +
           ", settings " + std::to_string(settings) + ", logits " + std::to_string(static_cast<int>(logits));
  }
};

/// multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies, wantsKept, typicalP, topNSigma; edits
/// and words of their own; isTopOfRaw (kernels/sample_call.h). topK: below 0, so many less than all.
constexpr double sampleSettings[][softmaxSettings] = {
    {1, 0, 1, 0, 1, 0, 0, 1},           {1 / 0.7, 5, 0.9, 0, 1, 0, 0, 1},
    {1, -1, 1, 0, 1, 0, 1, 1},          {1.3, 0, 0.5, 0.05, 3, 1, 0, 1},
    {1, 0, 1, 0.001, 1, 0, 0, 0},       {__builtin_inf(), 3, 1, 0, 1, 0, 0, 1},
    {0.8, -2, 0.99, 0.1, 2, 1, 0, 1},   {1, 0, 1, 0, 1, 0, 1, 1, 0.7, 0, 0, 0, 0, 0, 0, 1},
    {0.7, 0, 1, 0, 1, 0, 0, 1, 0, 1.5}, {1.2, 9, 0.9, 0, 2, 1, 0, 1, 0.8, 2, 0, 0, 0, 0, 0, 1, 1}};

class GuardedTokens final : public GuardedRows {
 public:
  GuardedTokens() {
    for (GuardedArray& array : own_) arrays_.push_back(&array);
    for (GuardedArray* array : arrays_) guarded_arrays.push_back(array);
  }

  /// As GuardedCall's.
  bool prepare(const TokenForm& form, const DTypes& dtypes, const Shape& shape,
               const SoftmaxKernels& reference) {
    form_ = form;
    scratch_size_ = hasDraws(form.row()) ? softmaxSampleScratch : std::size_t{1} << 17;
    start(form.name(), dtypes, shape);
    for (std::size_t i = 0; i < arrayCount(form.row()); ++i) fill(i);
    fillRows();
    placeAll(Side::before, 0, true);
    run(reference);
    expectAll();
    return isKept();
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{1} << 18;

  static constexpr std::size_t editsPerRow = 2;

  const OperationArray& array(std::size_t i) const { return form_.row().arrays[i]; }
  std::size_t wordsPerRow() const { return (shape_.length + 31) / 32; }
  /// Places of an axis; 0 for arrays along none.
  std::size_t placesOf(std::size_t i) const {
    const bool is_of_top = array(i).count == Count::perTop;
    return array(i).count == Count::perPlace || is_of_top ? static_cast<std::size_t>(form_.numbers[is_of_top])
                                                          : 0;
  }
  std::size_t countOf(std::size_t i) const {
    const Shape& s = shape_;
    const std::size_t draws = static_cast<std::size_t>(form_.numbers[0]), places = placesOf(i);
    if (array(i).count == Count::perElement) return s.span();
    if (array(i).count == Count::perRow) return s.rowCount();
    if (array(i).count == Count::perDraw || array(i).count == Count::perNumber) return s.rowCount() * draws;
    if (array(i).count == Count::perSetting) return s.rowCount() * softmaxSettings;
    if (array(i).count == Count::perRowTop) return s.rowCount() * static_cast<std::size_t>(form_.numbers[1]);
    if (array(i).count == Count::perClass) return s.length;
    if (array(i).count == Count::words) return s.rowCount() * wordsPerRow();
    if (array(i).count == Count::edits) return s.rowCount() * editsPerRow;
    if (array(i).count == Count::editPairs) return s.rowCount() * editsPerRow * 2;
    return places == 0 ? 0 : (s.outer * places - 1) * s.stride + s.inner;
  }
  SoftmaxDType dtypeOf(std::size_t i) const {
    const bool is_double = dtypes_.x == softmaxFloat64;
    if (array(i).contents == Contents::int32) return softmaxInt32;
    if (array(i).contents == Contents::doubles) return softmaxFloat64;
    if (array(i).contents == Contents::results) return is_double ? softmaxFloat64 : softmaxFloat32;
    return array(i).isOutput ? dtypes_.out : dtypes_.x;
  }

  void fill(std::size_t i) {
    if (array(i).isOptional && !form_.has_optional) return;
    const std::size_t count = countOf(i);
    const SoftmaxDType dtype = dtypeOf(i);
    own_[i].name = array(i).name;
    char* data = own_[i].use(count, bytesOf(dtype));
    if (array(i).isOutput) return;
    if (array(i).count == Count::perElement) return fillLogits(data, dtype, count);
    if (array(i).count == Count::perClass) return fillRandom(data, dtype, count, 1.0f);
    if (array(i).count == Count::words) {
      for (std::size_t k = 0; k < 4 * count; ++k) data[k] = static_cast<char>(randomBits() | randomBits());
      return;
    }
    if (dtype == softmaxInt32) {
      const std::size_t length = std::max<std::size_t>(shape_.length, 1);
      auto* classes = reinterpret_cast<std::int32_t*>(data);
      for (std::size_t k = 0; k < count; ++k) classes[k] = static_cast<std::int32_t>(randomBits() % length);
      return;
    }
    auto* values = reinterpret_cast<double*>(data);
    for (std::size_t k = 0; k < count; ++k) values[k] = static_cast<double>(randomBits() >> 11) * 0x1p-53;
    if (array(i).count != Count::perSetting) return;
    for (std::size_t row = 0; row < shape_.rowCount(); ++row) {
      double* const own = values + row * softmaxSettings;
      std::copy(std::begin(sampleSettings[form_.settings]), std::end(sampleSettings[form_.settings]), own);
      if (own[1] < 0) own[1] = std::max(0.0, static_cast<double>(shape_.length) + 1 + own[1]);
      if (!form_.has_optional) continue;
      // One is a penalty, one a bias.
      own[10] = static_cast<double>(row * editsPerRow);
      own[11] = own[12] = own[10] + 1;
      own[13] = own[10] + editsPerRow;
      own[14] = static_cast<double>(row * wordsPerRow());
    }
  }

  void fillLogits(char* data, SoftmaxDType dtype, std::size_t count) {
    const Shape& s = shape_;
    const std::size_t lone = s.length == 0 ? 0 : randomBits() % s.length;
    if (form_.logits == Logits::random) return fillRandom(data, dtype, count, 20.0f);
    for (std::size_t at = 0; at < count; ++at) {
      const std::size_t k = at / s.stride % s.length;
      put(data, dtype, at, logit(k, lone));
    }
  }
  float logit(std::size_t k, std::size_t lone) const {
    const float step = 0.25f * static_cast<float>(k);
    switch (form_.logits) {
      case Logits::equal:
        return 1.5f;
      case Logits::alone:
        return k == lone ? -3.0f : -__builtin_inff();
      case Logits::ascending:
        return step;
      case Logits::descending:
        return -step;
      case Logits::nanFirst:
        return k == 0 ? __builtin_nanf("") : step;
      case Logits::nanLast:
        return k + 1 == shape_.length ? __builtin_nanf("") : step;
      default:
        return static_cast<float>(randomBits() % 4);
    }
  }
  static void put(char* data, SoftmaxDType dtype, std::size_t at, float value) {
    const auto wide = static_cast<double>(value);
    const auto half = static_cast<std::uint16_t>(bitsOf(value) >> 16 & 0xFBFFu);
    const std::size_t size = bytesOf(dtype);
    const void* from = size == 8   ? static_cast<const void*>(&wide)
                       : size == 4 ? static_cast<const void*>(&value)
                                   : static_cast<const void*>(&half);
    std::memcpy(data + at * size, from, size);
  }

  /// Inputs, and what is between the rows of outputs.
  bool isKept() const {
    for (std::size_t i = 0; i < arrayCount(form_.row()); ++i) {
      if (!own_[i].is_used) continue;
      if (!array(i).isOutput && !own_[i].isKept(0, own_[i].count())) return false;
      if (array(i).isOutput && placesOf(i) > 0 && !isKeptBetween(own_[i], placesOf(i))) return false;
    }
    return true;
  }

  void run(const SoftmaxKernels& kernels) const override {
    SoftmaxCall call{};
    call.operation = form_.operation;
    call.rows = rows();
    call.numbers[0] = form_.numbers[0];
    call.numbers[1] = form_.numbers[1];
    for (std::size_t i = 0; i < arrayCount(form_.row()); ++i)
      call.arrays[i] = {own_[i].is_used ? own_[i].data : nullptr, dtypeOf(i)};
    kernels.compute(&call);
  }

  GuardedArray own_[softmaxMostArrays] = {
      {"", most_bytes}, {"", most_bytes}, {"", most_bytes}, {"", most_bytes}, {"", most_bytes},
      {"", most_bytes}, {"", most_bytes}, {"", most_bytes}, {"", most_bytes}, {"", most_bytes},
      {"", most_bytes}, {"", most_bytes}, {"", most_bytes}};
  TokenForm form_{};
};

}  // namespace
