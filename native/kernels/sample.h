// sample: which class each draw gives, from logits used as they are.
//
// Filters and draws decide by sums of weights: a weight is the integer round(e · 2^s) of an exponential e, so
// that sums in double are exact in any order (src/backends/js/sampling/survivors.ts, which has all filters).
// Here a row is not copied. What can be kept is collected as candidates: logits of at least a bound, which
// the maxima of blocks give for the k largest, and which goes down until there is mass enough for topP.
// Bounds change no result. A row that has more candidates than there is room for is left to JavaScript, as
// are typicalP and topNSigma: it says so in `kept`.
//
//   types   float32, rows of the last axis, no mask
//   range   any logits; token −1 and kept 0 for a row with a NaN or +∞, or of nothing but −∞
#pragma once

#include "log_softmax.h"
#include "sample_flat.h"

namespace {

/// Kept: the row is for JavaScript.
constexpr std::int32_t sampleLeft = -2;

/// The arrays of a call, by name.
struct SampleCall {
  const float *logits, *raw;
  const SampleSettings* settings;
  const double* uniforms;
  std::int32_t *tokens, *kept;
  float *log_probs, *raw_log_probs;
  std::size_t draws;
};

template <class V>
class SampleRow {
  using L = Along<V>;

 public:
  SampleRow(const SampleCall& call, const SoftmaxRows& rows, std::size_t row)
      : settings_(call.settings[row]),
        length_(rows.length),
        logits_(call.logits + row * length_),
        raw_(call.raw + row * length_),
        uniforms_(call.uniforms + row * call.draws),
        tokens_(call.tokens + row * call.draws),
        log_probs_(call.log_probs ? call.log_probs + row * call.draws : nullptr),
        raw_log_probs_(call.raw_log_probs ? call.raw_log_probs + row * call.draws : nullptr),
        draws_(call.draws),
        memory_(static_cast<SampleMemory*>(rows.scratch)),
        final_(scalingOf<float>(settings_.multiplier)) {}

  std::int32_t compute() {
    if (!memory_) return sampleLeft;
    const bool wants_row = raw_log_probs_ != nullptr || log_probs_ != nullptr;
    if (wants_row && length_ > SampleMemory::longestRow) return sampleLeft;
    const double k =
        settings_.topK > 0 && settings_.topK < settings_.minKeep ? settings_.minKeep : settings_.topK;
    SampleSweeps<V> sweeps(logits_, length_, *memory_);
    if (!sweeps.measure(k)) return sampleLeft;
    std::int32_t kept = 0;
    if (!(sweeps.top > -Numbers<float>::infinity) || sweeps.top == Numbers<float>::infinity ||
        sweeps.has_nan) {
      drawNothing();
    } else if (final_.is_limit) {
      kept = 1;
      drawAll(sweeps.firstOfTop(), 0.0f);
    } else if (k > 0 || settings_.topP < 1 || settings_.minP > 0) {
      kept = filtered(sweeps, k);
    } else {
      kept = unfiltered(sweeps);
    }
    if (kept > 0 && raw_log_probs_) reportRaw();
    return kept;
  }

 private:
  static Scaling<float> one() { return scalingOf<float>(1.0); }
  Scaling<float> first() const { return settings_.isTemperatureLast != 0 ? one() : final_; }

  std::int32_t filtered(SampleSweeps<V>& sweeps, double k) {
    Candidates<V> candidates(length_, *memory_);
    const double least = settings_.minKeep;
    if (k > 0) {
      if (!sweeps.collect(sweeps.boundOfLargest(k), candidates)) return sampleLeft;
      candidates.keepLargest(k, settings_.keepsTies != 0);
      candidates.weigh(first());
    } else if (settings_.topP < 1) {
      const double total = sweeps.total(first()), target = settings_.topP * total;
      Reached reached;
      if (!collectMass(sweeps, candidates, target, least, reached))
        return flat(sweeps, target, total, reached);
      candidates.keepMass(target, least);
    } else {
      if (!sweeps.collect(sweeps.boundOf(first(), depthOf(settings_.minP)), candidates)) return sampleLeft;
      candidates.weigh(first());
    }
    if (k > 0 && settings_.topP < 1) candidates.keepMass(settings_.topP * candidates.total, least);
    if (settings_.minP > 0 && !candidates.keepRelative(settings_.minP, least, k > 0 || settings_.topP < 1))
      return sampleLeft;
    if (settings_.isTemperatureLast != 0) candidates.weigh(final_);
    if (draws_ > 1) candidates.accumulate();
    for (std::size_t i = 0; i < draws_; ++i) {
      const std::size_t at = draws_ > 1 ? candidates.positionAmong(uniforms_[i] * candidates.total)
                                        : candidates.positionOf(uniforms_[i] * candidates.total);
      tokens_[i] = static_cast<std::int32_t>(memory_->indices[at]);
    }
    if (log_probs_) {
      logSoftmaxOf(memory_->logits, candidates.count, settings_.multiplier);
      for (std::size_t i = 0; i < draws_; ++i)
        log_probs_[i] = memory_->row[candidates.positionOfIndex(static_cast<std::uint32_t>(tokens_[i]))];
    }
    return static_cast<std::int32_t>(candidates.count);
  }

  /// Until there is mass enough: e^-4, e^-9 and e^-20 of the largest.
  bool collectMass(SampleSweeps<V>& sweeps, Candidates<V>& candidates, double target, double least,
                   Reached& reached) {
    constexpr double depths[] = {4.0, 9.0, 20.0};
    for (const double depth : depths) {
      const float bound = sweeps.boundOf(first(), depth);
      if (!sweeps.collect(bound, candidates)) return false;
      candidates.weigh(first());
      if (candidates.total >= target && static_cast<double>(candidates.count) >= least) return true;
      reached = {bound, candidates.total};
    }
    return false;
  }

  /// topP of a row with too many candidates, where it is: its exponentials are kept instead, 0 where a logit
  /// is not.
  std::int32_t flat(SampleSweeps<V>& sweeps, double target, double total_of_all, const Reached& reached) {
    const bool is_rare = draws_ > 16 || settings_.minKeep > 1 || settings_.minP > 0;
    if (is_rare || length_ > SampleMemory::longestRow) return sampleLeft;
    const SampleWeights<V> first_weights(first(), sweeps.top, length_), weights(final_, sweeps.top, length_);
    sweeps.exponentials(first_weights);
    FlatRow<V> row(logits_, length_, first_weights, sweeps, *memory_);
    const Cut cut = row.cut(target, total_of_all, reached);
    if (!cut.is_found) return sampleLeft;
    if (settings_.isTemperatureLast != 0) sweeps.exponentials(weights);
    const double total = sweeps.totalKept(cut, weights);
    for (std::size_t i = 0; i < draws_; ++i)
      tokens_[i] = static_cast<std::int32_t>(sweeps.positionAmongKept(weights, uniforms_[i] * total));
    if (log_probs_) reportFlat(cut);
    return static_cast<std::int32_t>(cut.count);
  }

  void reportFlat(const Cut& cut) {
    std::size_t ties = 0, kept = 0, places[16] = {};
    const float lowest = ofOrderedBits(cut.bits);
    for (std::size_t i = 0; i < length_; ++i) {
      for (std::size_t j = 0; j < draws_; ++j)
        if (static_cast<std::size_t>(tokens_[j]) == i) places[j] = kept;
      if (logits_[i] > lowest || (logits_[i] == lowest && ties++ < cut.ties))
        memory_->row[kept++] = logits_[i];
    }
    logSoftmaxOf(memory_->row, kept, settings_.multiplier);
    for (std::size_t j = 0; j < draws_; ++j) log_probs_[j] = memory_->row[places[j]];
  }

  /// At least −log of a ratio in (0, 1].
  static double depthOf(double ratio) {
    double depth = 0.01;
    for (; ratio < 1.0; ratio *= 2) depth += 0.6932;
    return depth;
  }

  /// The block that a point lies in, and there the class.
  std::int32_t unfiltered(SampleSweeps<V>& sweeps) {
    const double total = sweeps.total(final_);
    for (std::size_t i = 0; i < draws_; ++i)
      tokens_[i] = static_cast<std::int32_t>(sweeps.positionOf(final_, uniforms_[i] * total));
    if (log_probs_) {
      logSoftmaxOf(logits_, length_, settings_.multiplier);
      for (std::size_t i = 0; i < draws_; ++i) log_probs_[i] = memory_->row[tokens_[i]];
    }
    return settings_.wantsKept != 0 ? static_cast<std::int32_t>(sweeps.finiteCount()) : 1;
  }

  void drawNothing() { drawAll(-1, Numbers<float>::nan); }
  void drawAll(std::int32_t token, float log_prob) {
    for (std::size_t i = 0; i < draws_; ++i) {
      tokens_[i] = token;
      if (log_probs_) log_probs_[i] = log_prob;
      if (raw_log_probs_) raw_log_probs_[i] = Numbers<float>::nan;
    }
  }

  void reportRaw() {
    logSoftmaxOf(raw_, length_, 1.0);
    for (std::size_t i = 0; i < draws_; ++i) raw_log_probs_[i] = memory_->row[tokens_[i]];
  }

  /// To memory_->row. Its bits are those of the operation.
  void logSoftmaxOf(const float* logits, std::size_t length, double multiplier) {
    SoftmaxCall call{};
    call.arrays[0] = {const_cast<float*>(logits), softmaxFloat32};
    call.arrays[1] = {memory_->row, softmaxFloat32};
    call.rows.outer = call.rows.inner = call.rows.stride = 1;
    call.rows.length = call.rows.elements = length;
    call.rows.multiplier = multiplier;
    calls::logSoftmax<V>(call, call.rows, nullptr);
  }

  const SampleSettings& settings_;
  std::size_t length_;
  const float *logits_, *raw_;
  const double* uniforms_;
  std::int32_t* tokens_;
  float *log_probs_, *raw_log_probs_;
  std::size_t draws_;
  SampleMemory* memory_;
  Scaling<float> final_;
};

namespace calls {

/// call(logits, raw, settings, uniforms, tokens, kept, logProbs, rawLogProbs); numbers: draws a row. Without
/// `raw` the logits are what was given.
template <class V>
void sample(const SoftmaxCall& call, const SoftmaxRows& rows, PartTask*) {
  const SoftmaxElements* a = call.arrays;
  const auto* logits = static_cast<const float*>(a[0].data);
  const SampleCall arrays{logits,
                          a[1].data ? static_cast<const float*>(a[1].data) : logits,
                          static_cast<const SampleSettings*>(a[2].data),
                          static_cast<const double*>(a[3].data),
                          static_cast<std::int32_t*>(a[4].data),
                          static_cast<std::int32_t*>(a[5].data),
                          static_cast<float*>(a[6].data),
                          static_cast<float*>(a[7].data),
                          static_cast<std::size_t>(call.numbers[0])};
  const bool is_direct = a[0].dtype == softmaxFloat32 && rows.inner == 1 && rows.stride == 1 && !rows.mask;
  for (std::size_t row = 0; row < rows.outer * rows.inner; ++row)
    arrays.kept[row] = is_direct ? SampleRow<V>(arrays, rows, row).compute() : sampleLeft;
}

}  // namespace calls

}  // namespace
