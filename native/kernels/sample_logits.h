// A row of sample as its filters see it: its logits where they are, or in memory of the thread's, where they
// are of 16 bits or another layout, or where penalties, a bias, a mask or another thread may change them.
#pragma once

#include "direct.h"
#include "sample_call.h"

namespace {

#if defined(SOFTMAX_SMALL)

/// Float32 rows of the last axis, used as they are.
template <class V>
class SampleLogits {
  using Element = typename V::Element;

 public:
  SampleLogits(const SampleCall<Element>& call, const SoftmaxRows& rows, std::size_t row,
               SampleMemory<Element>&)
      : logits_(static_cast<const Element*>(call.logits.data) + row * rows.length),
        raw_(call.raw ? call.raw + row * rows.length : logits_) {}

  static bool isFor(const SampleCall<Element>&, const SoftmaxRows& rows) {
    return rows.stride == 1 && !rows.mask;
  }
  bool fits() const { return true; }
  const Element* raw() { return raw_; }
  const Element* adjusted() { return logits_; }
  Element rawOf(std::size_t token) const { return raw_[token]; }

 private:
  const Element *logits_, *raw_;
};

#else

template <class V>
class SampleLogits {
  using Element = typename V::Element;
  static constexpr Element lowest = -Numbers<Element>::infinity;
  static constexpr bool is_double = sizeof(Element) == sizeof(double);

 public:
  SampleLogits(const SampleCall<Element>& call, const SoftmaxRows& rows, std::size_t row,
               SampleMemory<Element>& memory)
      : call_(call), settings_(call.settings[row]), rows_(rows), memory_(memory) {
    const std::size_t outer = row / rows.inner;
    start_ = outer * rows.length * rows.stride + row % rows.inner;
    if (rows.mask) mask_ = rows.mask + static_cast<std::size_t>(rows.maskOffsets[row]);
    if ((is_double || call.logits.dtype == softmaxFloat32) && rows.stride == 1)
      logits_ = static_cast<const Element*>(call.logits.data) + start_;
  }

  static bool isFor(const SampleCall<Element>&, const SoftmaxRows&) { return true; }
  /// Whether there is memory for what is not where it is.
  bool fits() const { return (logits_ && !isChanged()) || rows_.length <= SampleMemory<Element>::longestRow; }

  /// The logits as they were given, until adjusted() is called.
  const Element* raw() {
    if (logits_ && !isShared()) return logits_;
    eachBlock([&](std::size_t begin, std::size_t count) { decode(begin, count); });
    is_decoded_ = true;
    return memory_.adjusted;
  }
  /// Each step is rounded to the type of the elements. Only a bias of all classes has to wait for penalties:
  /// what is dropped stays −infinity, whatever is added to it.
  const Element* adjusted() {
    if (logits_ && !isChanged()) return logits_;
    const bool is_late = isEdited() && call_.bias.data;
    eachBlock([&](std::size_t begin, std::size_t count) {
      if (!is_decoded_) decode(begin, count);
      if (!is_late) change(begin, count);
    });
    edit(settings_.firstEdit, settings_.lastEdit);
    edit(settings_.firstBias, settings_.lastBias);
    if (is_late) eachBlock([&](std::size_t begin, std::size_t count) { change(begin, count); });
    return memory_.adjusted;
  }
  Element rawOf(std::size_t token) const {
    Element value;
    withCode<V>(call_.logits.dtype, [&](auto code) { value = code.value(at(code, token)); });
    return value;
  }

 private:
  bool isShared() const { return settings_.isShared != 0; }
  bool isEdited() const {
    return settings_.firstEdit < settings_.lastEdit || settings_.firstBias < settings_.lastBias;
  }
  bool isChanged() const { return mask_ || call_.allowed || call_.bias.data || isEdited() || isShared(); }
  template <class Body>
  void eachBlock(const Body& body) const {
    for (std::size_t begin = 0; begin < rows_.length; begin += softmaxBlockSize)
      body(begin,
           rows_.length - begin < softmaxBlockSize ? rows_.length - begin : std::size_t{softmaxBlockSize});
  }
  template <class Code>
  auto at(Code, std::size_t k) const {
    return static_cast<const typename Code::Element*>(call_.logits.data) + start_ + k * rows_.stride;
  }

  void decode(std::size_t begin, std::size_t count) {
    Element* const to = memory_.adjusted + begin;
    withCode<V>(call_.logits.dtype, [&](auto code) {
      const auto* from = at(code, begin);
      if (rows_.stride > 1) {
        for (std::size_t k = 0; k < count; ++k) to[k] = code.value(from + k * rows_.stride);
        return;
      }
      std::size_t k = 0;
      for (; count - k >= V::width; k += V::width) V::store(to + k, code.load(from + k));
      if (k < count) V::store(to + k, code.loadPartial(from + k, count - k));
    });
  }

  void change(std::size_t begin, std::size_t count) {
    Element* const to = memory_.adjusted + begin;
    if (call_.bias.data) addBias(to, begin, count);
    if (call_.allowed) keepAllowed(to, begin, count);
    if (!mask_) return;
    if (rows_.maskStep == 1) return drop(to, count, mask_ + begin);
    for (std::size_t k = 0; k < count; ++k)
      if (!mask_[(begin + k) * rows_.maskStep]) to[k] = lowest;
  }
  void addBias(Element* to, std::size_t begin, std::size_t count) const {
    if (call_.bias.dtype == softmaxFloat64) {
      const double* const addends = static_cast<const double*>(call_.bias.data) + begin;
      for (std::size_t k = 0; k < count; ++k)
        to[k] = static_cast<Element>(static_cast<double>(to[k]) + addends[k]);
      return;
    }
    using Floats = typename FloatLanes<V>::Type;
    withCode<Floats>(call_.bias.dtype, [&](auto code) {
      const auto* from = static_cast<const typename decltype(code)::Element*>(call_.bias.data) + begin;
      const auto add = [&](std::size_t k, auto addends) {
        if constexpr (is_double)
          V::store(to + k, V::add(V::load(to + k), Floats::widen(addends)));
        else
          V::store(to + k, V::add(V::load(to + k), addends));
      };
      std::size_t k = 0;
      for (; count - k >= V::width; k += V::width) add(k, code.load(from + k));
      if (k < count) add(k, code.loadPartial(from + k, count - k));
    });
  }
  /// What is beyond the last class of a word is beyond what is read.
  void keepAllowed(Element* to, std::size_t begin, std::size_t count) const {
    const auto* words = call_.allowed + static_cast<std::size_t>(settings_.firstAllowed) + begin / 32;
    const auto none = V::broadcast(lowest);
    for (std::size_t k = 0; k < count; k += 32) {
      const std::uint32_t word = words[k / 32];
      for (std::size_t lane = 0; lane < 32; lane += V::width)
        V::store(to + k + lane, V::keepBits(V::load(to + k + lane), word >> lane, none));
    }
  }
  static void drop(Element* to, std::size_t count, const std::uint8_t* kept) {
    const auto none = V::broadcast(lowest);
    std::size_t k = 0;
    for (; count - k >= V::width; k += V::width) V::store(to + k, V::keep(V::load(to + k), kept + k, none));
    for (; k < count; ++k)
      if (!kept[k]) to[k] = lowest;
  }
  void edit(double first, double last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const auto& [repetition, addend] = call_.edits[i];
      const auto token = static_cast<std::size_t>(call_.edit_tokens[i]);
      Element& logit = memory_.adjusted[token];
      const double value = logit;
      logit = static_cast<Element>(logit > Element(0) ? value / repetition : value * repetition);
      logit = static_cast<Element>(static_cast<double>(logit) + addend);
      // Adding infinity to −infinity makes NaN.
      if (!keeps(token)) logit = lowest;
    }
  }
  bool keeps(std::size_t token) const {
    const auto* words = call_.allowed + static_cast<std::size_t>(settings_.firstAllowed);
    if (call_.allowed && !(words[token / 32] >> token % 32 & 1)) return false;
    return !mask_ || mask_[token * rows_.maskStep];
  }

  const SampleCall<Element>& call_;
  const SampleSettings& settings_;
  const SoftmaxRows& rows_;
  SampleMemory<Element>& memory_;
  std::size_t start_;
  const std::uint8_t* mask_ = nullptr;
  /// Null where they are not such elements one after another.
  const Element* logits_ = nullptr;
  bool is_decoded_ = false;
};

#endif

}  // namespace
