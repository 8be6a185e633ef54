// sample: which class each draw gives, after penalties, a bias, masks and filters.
//
// Filters and draws decide by sums of weights: a weight is the integer round(e · 2^s) of an exponential e, so
// that sums in double are exact in any order (src/backends/js/sampling/survivors.ts). What can be kept is
// collected as candidates: logits of at least a bound, which the maxima of blocks give for the k largest, and
// which goes down until there is mass enough for topP. Bounds change no result. Rows that leave too many
// candidates, or of which minKeep wants more than a bound leaves, are left to JavaScript: `kept` says so. So
// are longer ones than there is memory for, where they are not used as they are.
//
//   types   float32, float64, float16, bfloat16; in WebAssembly float32
//   range   any logits; token −1 and kept 0 for a row with a NaN or +∞, or of nothing but −∞
#pragma once

#include "row_log_probs.h"
#include "sample_flat.h"
#include "sample_logits.h"
#include "sample_sigma.h"

namespace {

/// Kept: the row is for JavaScript.
constexpr std::int32_t sampleLeft = -2;

template <class V>
class SampleRow {
  using Element = typename V::Element;
  using Memory = SampleMemory<Element>;
  static constexpr std::int32_t noToken = -1;
  static constexpr Element lowest = -Numbers<Element>::infinity;
#if defined(SOFTMAX_SMALL)
  static constexpr bool reportsTop = false;
#else
  static constexpr bool reportsTop = true;
#endif

 public:
  SampleRow(const SampleCall<Element>& call, const SoftmaxRows& rows, std::size_t row)
      : settings_(call.settings[row]),
        length_(rows.length),
        uniforms_(call.uniforms + row * call.draws),
        tokens_(call.tokens + row * call.draws),
        log_probs_(call.log_probs ? call.log_probs + row * call.draws : nullptr),
        raw_log_probs_(call.raw_log_probs ? call.raw_log_probs + row * call.draws : nullptr),
        draws_(call.draws),
        top_tokens_(call.top_tokens ? call.top_tokens + row * call.top : nullptr),
        top_log_probs_(call.top_log_probs ? call.top_log_probs + row * call.top : nullptr),
        top_(call.top),
        memory_(static_cast<Memory*>(rows.scratch)),
        source_(call, rows, row, *memory_),
        final_(scalingOf<Element>(settings_.multiplier)) {}

  std::int32_t compute() {
    if (!source_.fits()) return sampleLeft;
    const bool wants_top_of_raw = reportsTop && top_ > 0 && settings_.isTopOfRaw != 0;
    if (raw_log_probs_ || wants_top_of_raw) raw_.measure(source_.raw(), length_, 1.0);
    if (wants_top_of_raw) reportTopOfRaw();
    logits_ = source_.adjusted();
    const double k =
        settings_.topK > 0 && settings_.topK < settings_.minKeep ? settings_.minKeep : settings_.topK;
    SampleSweeps<V> sweeps(logits_, length_, *memory_);
    if (!sweeps.measure(k)) return sampleLeft;
    std::int32_t kept = 0;
    if (!(sweeps.top > lowest) || sweeps.top == Numbers<Element>::infinity || sweeps.has_nan) {
      drawNothing();
    } else if (final_.is_limit) {
      kept = 1;
      drawLargest(sweeps.firstOfTop());
    } else if (isFiltered(k)) {
      kept = filtered(sweeps, k);
    } else {
      kept = unfiltered(sweeps);
    }
    if (kept > 0 && raw_log_probs_)
      report(raw_, raw_log_probs_, [&](std::size_t token) { return source_.rawOf(token); });
    return kept;
  }

 private:
  static Scaling<Element> one() {
    return scalingOf<Element>(1.0);
  }
  Scaling<Element> first() const {
    return settings_.isTemperatureLast != 0 ? one() : final_;
  }
  bool isFiltered(double k) const {
    return k > 0 || settings_.topP < 1 || settings_.minP > 0 || settings_.typicalP > 0 ||
           settings_.topNSigma > 0;
  }
  bool wantsTopOfOwn() const {
    return reportsTop && top_ > 0 && settings_.isTopOfRaw == 0;
  }

  std::int32_t filtered(SampleSweeps<V>& sweeps, double k) {
    Candidates<V> candidates(length_, *memory_);
    const double least = settings_.minKeep;
    const bool is_typical = settings_.typicalP > 0, is_temperature_last = settings_.isTemperatureLast != 0;
    // At an infinite temperature all are equal, and σ is 0.
    const bool has_sigma = settings_.topNSigma > 0 && (is_temperature_last || final_.factor() > 0);
    const bool is_first_of_all = k > 0 || has_sigma;
    const bool is_of_all =
        is_first_of_all || (is_typical && is_temperature_last) || !(settings_.topP < 1 || settings_.minP > 0);
    if (is_of_all) {
      Element bound = lowest;
#if !defined(SOFTMAX_SMALL)
      if (has_sigma)
        bound = boundOfSigma<V>(logits_, length_, sweeps.top, sweeps.finiteCount(), settings_.topNSigma);
#endif
      const Element largest = k > 0 ? sweeps.boundOfLargest(k) : lowest;
      if (largest > bound) bound = largest;
      const std::size_t room = is_first_of_all ? Memory::capacity : Memory::room;
      if (!sweeps.collect(bound, candidates, Numbers<Element>::infinity, room)) return sampleLeft;
      if (has_sigma && static_cast<double>(candidates.count) < least) return sampleLeft;
      if (k > 0) candidates.keepLargest(k, settings_.keepsTies != 0);
      candidates.weigh(first());
    } else if (settings_.topP < 1) {
      const double total = sweeps.total(first()), target = settings_.topP * total;
      Reached<Element> reached;
      if (!collectMass(sweeps, candidates, target, least, reached))
        return flat(sweeps, target, total, reached);
      candidates.keepMass(target, least);
    } else {
      if (!sweeps.collect(sweeps.boundOf(first(), depthOf(settings_.minP)), candidates)) return sampleLeft;
      candidates.weigh(first());
    }
    if (is_typical && is_temperature_last) keepTypical(candidates);
    if (is_of_all && settings_.topP < 1) candidates.keepMass(settings_.topP * candidates.total, least);
    if (settings_.minP > 0 &&
        !candidates.keepRelative(settings_.minP, least, is_of_all || settings_.topP < 1))
      return sampleLeft;
    if (is_typical && !is_temperature_last) keepTypical(candidates);
    if (is_temperature_last) candidates.weigh(final_);
    draw(candidates);
    return static_cast<std::int32_t>(candidates.count);
  }

  void keepTypical([[maybe_unused]] Candidates<V>& candidates) const {
#if !defined(SOFTMAX_SMALL)
    candidates.keepTypical(settings_.typicalP, settings_.minKeep, settings_.keepsTies != 0);
    if (settings_.isTemperatureLast != 0) candidates.weigh(one());
#endif
  }

  void draw(Candidates<V>& candidates) {
    if (draws_ > 1) candidates.accumulate();
    for (std::size_t i = 0; i < draws_; ++i) {
      const std::size_t at = draws_ > 1 ? candidates.positionAmong(uniforms_[i] * candidates.total)
                                        : candidates.positionOf(uniforms_[i] * candidates.total);
      tokens_[i] = static_cast<std::int32_t>(memory_->indices[at]);
    }
    if (!log_probs_ && !wantsTopOfOwn()) return;
    own_.measure(memory_->logits, candidates.count, settings_.multiplier);
    reportDrawn();
    if (!wantsTopOfOwn()) return;
    const std::size_t count = candidates.count < top_ ? candidates.count : top_;
    own_.largest(count, top_log_probs_, top_tokens_, memory_->row, sizeof memory_->row);
    for (std::size_t i = 0; i < count; ++i)
      top_tokens_[i] = static_cast<std::int32_t>(memory_->indices[within(top_tokens_[i], candidates.count)]);
    fillTop(count, lowest);
  }

  /// Until there is mass enough: e^-4, e^-9 and e^-20 of the largest.
  bool collectMass(SampleSweeps<V>& sweeps, Candidates<V>& candidates, double target, double least,
                   Reached<Element>& reached) {
    constexpr double depths[] = {4.0, 9.0, 20.0};
    for (const double depth : depths) {
      const Element bound = sweeps.boundOf(first(), depth);
      if (!sweeps.collect(bound, candidates)) return false;
      candidates.weigh(first());
      if (candidates.total >= target && static_cast<double>(candidates.count) >= least) return true;
      reached = {bound, candidates.total};
    }
    return false;
  }

  /// topP of a row with too many candidates, where it is: its exponentials are kept instead, 0 where a logit
  /// is not.
  std::int32_t flat(SampleSweeps<V>& sweeps, double target, double total_of_all,
                    const Reached<Element>& reached) {
    const bool is_rare = draws_ > 16 || settings_.minKeep > 1 || settings_.minP > 0 ||
                         settings_.typicalP > 0 || wantsTopOfOwn();
    if (is_rare || length_ > Memory::longestRow) return sampleLeft;
    const SampleWeights<V> first_weights(first(), sweeps.top, length_), weights(final_, sweeps.top, length_);
    sweeps.exponentials(first_weights);
    FlatRow<V> row(logits_, length_, first_weights, sweeps, *memory_);
    const CutOf<Element> cut = row.cut(target, total_of_all, reached);
    if (!cut.is_found) return sampleLeft;
    if (settings_.isTemperatureLast != 0) sweeps.exponentials(weights);
    const double total = sweeps.totalKept(cut, weights);
    for (std::size_t i = 0; i < draws_; ++i)
      tokens_[i] = static_cast<std::int32_t>(sweeps.positionAmongKept(weights, uniforms_[i] * total));
    if (log_probs_) reportFlat(cut);
    return static_cast<std::int32_t>(cut.count);
  }

  void reportFlat(const CutOf<Element>& cut) {
    std::size_t ties = 0, kept = 0;
    const Element least = ofOrderedBits(cut.bits);
    for (std::size_t i = 0; i < length_; ++i)
      if (logits_[i] > least || (logits_[i] == least && ties++ < cut.ties)) memory_->row[kept++] = logits_[i];
    own_.measure(memory_->row, kept, settings_.multiplier);
    reportDrawn();
  }

  /// The block that a point lies in, and there the class.
  std::int32_t unfiltered(SampleSweeps<V>& sweeps) {
    const double total = sweeps.total(final_);
    for (std::size_t i = 0; i < draws_; ++i)
      tokens_[i] = static_cast<std::int32_t>(sweeps.positionOf(final_, uniforms_[i] * total));
    if (log_probs_ || wantsTopOfOwn()) {
      own_.measure(logits_, length_, settings_.multiplier);
      reportDrawn();
    }
    if (wantsTopOfOwn()) {
      own_.largest(top_, top_log_probs_, top_tokens_, memory_->row, sizeof memory_->row);
      std::size_t count = top_;
      while (count > 0 && logits_[within(top_tokens_[count - 1], length_)] == lowest) --count;
      fillTop(count, lowest);
    }
    return settings_.wantsKept != 0 ? static_cast<std::int32_t>(sweeps.finiteCount()) : 1;
  }

  void drawNothing() {
    constexpr Element nan = Numbers<Element>::nan;
    for (std::size_t i = 0; i < draws_; ++i) {
      tokens_[i] = noToken;
      if (log_probs_) log_probs_[i] = nan;
      if (raw_log_probs_) raw_log_probs_[i] = nan;
    }
    if (wantsTopOfOwn()) fillTop(0, nan);
  }
  void drawLargest(std::int32_t token) {
    for (std::size_t i = 0; i < draws_; ++i) {
      tokens_[i] = token;
      if (log_probs_) log_probs_[i] = Element(0);
    }
    if (!wantsTopOfOwn()) return;
    top_tokens_[0] = token;
    top_log_probs_[0] = Element(0);
    fillTop(1, lowest);
  }

  /// A number that was written to a result. Another thread may have changed it since.
  static std::size_t within(std::int32_t number, std::size_t count) {
    const auto index = static_cast<std::size_t>(number);
    return index < count ? index : 0;
  }

  /// Places without a class.
  void fillTop(std::size_t begin, Element log_prob) {
    for (std::size_t i = begin; i < top_; ++i) {
      top_tokens_[i] = noToken;
      top_log_probs_[i] = log_prob;
    }
  }
  void reportTopOfRaw() {
    raw_.largest(top_, top_log_probs_, top_tokens_, memory_->row, sizeof memory_->row);
    // Of a row without a distribution.
    if (top_log_probs_[0] != top_log_probs_[0]) fillTop(0, Numbers<Element>::nan);
  }

  void reportDrawn() {
    if (log_probs_) report(own_, log_probs_, [&](std::size_t token) { return logits_[token]; });
  }
  template <class LogitOf>
  void report(const RowLogProbs<V>& row, Element* log_probs, const LogitOf& logitOf) const {
    for (std::size_t i = 0; i < draws_; ++i) log_probs[i] = logitOf(within(tokens_[i], length_));
    row.replace(log_probs, draws_);
  }

  const SampleSettings& settings_;
  std::size_t length_;
  const double* uniforms_;
  std::int32_t* tokens_;
  Element *log_probs_, *raw_log_probs_;
  std::size_t draws_;
  std::int32_t* top_tokens_;
  Element* top_log_probs_;
  std::size_t top_;
  Memory* memory_;
  SampleLogits<V> source_;
  const Element* logits_ = nullptr;
  Scaling<Element> final_;
  RowLogProbs<V> raw_, own_;
};

template <class V>
void sampleRows(const SoftmaxCall& call, const SoftmaxRows& rows) {
  using Element = typename V::Element;
  const auto arrays = sampleCallOf<Element>(call);
  const bool is_here =
      SampleLogits<V>::isFor(arrays, rows) && rows.scratchSize >= sizeof(SampleMemory<Element>);
  for (std::size_t row = 0; row < rows.outer * rows.inner; ++row)
    arrays.kept[row] = is_here ? SampleRow<V>(arrays, rows, row).compute() : sampleLeft;
}

namespace calls {

/// call(logits, settings, uniforms, tokens, kept, logProbs, rawLogProbs, bias, allowed, editTokens, edits,
/// topTokens, topLogProbs), in WebAssembly (…, rawLogProbs, raw); numbers: draws a row, and how many of the
/// most likely classes are wanted.
template <class V>
void sample(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
#if !defined(SOFTMAX_SMALL)
  if (isDouble(call.arrays[0].dtype)) return sampleRows<Wide<V>>(call, rows);
#endif
  sampleRows<V>(call, rows);
}

}  // namespace calls

}  // namespace
