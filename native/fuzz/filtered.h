// What the filters of sample leave of a row, by their definitions in double.
#pragma once

#include <algorithm>

#include "problem.h"

namespace softmax_fuzz {

/// kernels/sample_call.h
struct SampleSettings {
  double multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies, wantsKept;
  double typicalP, topNSigma, firstEdit, lastEdit, firstBias, lastBias, firstAllowed, isTopOfRaw, isShared;
};
static_assert(sizeof(SampleSettings) == softmaxSettings * sizeof(double));

class Filtered {
 public:
  struct Kept {
    std::size_t k;
    double logit, probability, log_probability, distance;
  };

  /// The finite logits of a row; none is NaN or +infinity, and not all are −infinity.
  void take(const double* logits, std::size_t length) {
    count = 0;
    margin_ = 1.0;
    for (std::size_t k = 0; k < length; ++k)
      if (logits[k] > -__builtin_inf()) kept_[count++] = {k, logits[k], 0.0, 0.0, 0.0};
  }

  void filter(const SampleSettings& s, bool is_double) {
    const bool is_temperature_last = s.isTemperatureLast != 0.0;
    const double first = is_temperature_last ? 1.0 : s.multiplier;
    least_ = static_cast<std::size_t>(s.minKeep);
    sortByLogit();
    // A factor that floats do not have is 0: an infinite temperature, which leaves no deviation.
    const double factor = is_double ? s.multiplier : static_cast<float>(s.multiplier * 0x1p64);
    const bool has_deviation = is_temperature_last || factor > 0.0;
    if (s.topNSigma > 0 && has_deviation) keepSigma(s.topNSigma);
    if (s.topK > 0) {
      std::size_t k = std::max(static_cast<std::size_t>(s.topK), least_);
      while (s.keepsTies != 0.0 && k < count && kept_[k].logit == kept_[k - 1].logit) ++k;
      count = std::min(k, count);
    }
    weigh(first);
    if (s.typicalP > 0 && is_temperature_last) keepTypical(s, first);
    if (s.topP < 1) {
      keepMass(s.topP);
      weigh(first);
    }
    if (s.minP > 0) {
      std::size_t some = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const double ratio = kept_[i].probability / (s.minP * kept_[0].probability);
        see(ratio - 1.0);
        some += ratio >= 1.0;
      }
      keepFirst(some);
      weigh(first);
    }
    if (s.typicalP > 0 && !is_temperature_last) keepTypical(s, first);
    std::sort(kept_, kept_ + count, [](const Kept& a, const Kept& b) { return a.k < b.k; });
    weigh(s.multiplier);
  }

  /// The class that a uniform number draws, and its log-probability.
  std::int32_t draw(double uniform, double& log_prob) {
    double sum = 0.0;
    std::size_t at = 0;
    for (; at < count; ++at) {
      sum += kept_[at].probability;
      see(sum - uniform);
      if (sum > uniform) break;
    }
    if (at == count) at = count - 1;
    log_prob = kept_[at].log_probability;
    return static_cast<std::int32_t>(kept_[at].k);
  }

  /// In descending order, equal ones by their classes.
  void sortByLogit() {
    std::sort(kept_, kept_ + count, [](const Kept& a, const Kept& b) {
      return a.logit != b.logit ? a.logit > b.logit : a.k < b.k;
    });
  }
  const Kept& operator[](std::size_t i) const { return kept_[i]; }

  /// Whether no decision hangs by less than what float32 exponentials are off.
  bool isSure() const { return margin_ > least_margin; }

  std::size_t count = 0;

 private:
  static constexpr double least_margin = 1e-5;

  void see(double difference) { margin_ = std::min(margin_, std::fabs(difference)); }
  void keepFirst(std::size_t some) { count = std::min(count, std::max(some, least_)); }

  void keepSigma(double n) {
    double mean = 0.0, squares = 0.0;
    const auto all = static_cast<double>(count);
    // Sums of such overflow.
    for (std::size_t i = 0; i < count; ++i)
      if (std::fabs(kept_[i].logit) > 1e150) margin_ = 0.0;
    for (std::size_t i = 0; i < count; ++i) mean += kept_[i].logit / all;
    for (std::size_t i = 0; i < count; ++i) {
      const double difference = kept_[i].logit - mean;
      squares += difference * difference / all;
    }
    const double bound = kept_[0].logit - n * std::sqrt(squares),
                 size = std::fabs(kept_[0].logit) + std::sqrt(squares);
    std::size_t some = 0;
    for (std::size_t i = 0; i < count; ++i) {
      see((kept_[i].logit - bound) / (size + 1e-30));
      some += kept_[i].logit >= bound;
    }
    keepFirst(some);
  }

  /// Of those in order.
  void keepMass(double mass) {
    std::size_t some = 0;
    for (double sum = 0.0; some < count && sum < mass;) {
      sum += kept_[some++].probability;
      see(sum - mass);
    }
    keepFirst(some);
  }

  void keepTypical(const SampleSettings& s, double multiplier) {
    double top = -__builtin_inf(), mean = 0.0;
    for (std::size_t i = 0; i < count; ++i) top = std::max(top, kept_[i].logit);
    for (std::size_t i = 0; i < count; ++i)
      mean += kept_[i].probability * scaledFrom(kept_[i].logit, top, multiplier);
    for (std::size_t i = 0; i < count; ++i)
      kept_[i].distance = std::fabs(mean - scaledFrom(kept_[i].logit, top, multiplier));
    std::sort(kept_, kept_ + count, [](const Kept& a, const Kept& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.k < b.k;
    });
    // Classes of other logits may be as near, on the other side.
    for (std::size_t i = 1; i < count; ++i)
      if (kept_[i].logit != kept_[i - 1].logit)
        see((kept_[i].distance - kept_[i - 1].distance) / (1.0 + std::fabs(mean)));
    std::size_t some = 0;
    for (double sum = 0.0; some < count && sum < s.typicalP;) {
      sum += kept_[some++].probability;
      see(sum - s.typicalP);
    }
    some = std::max(some, least_);
    while (s.keepsTies != 0.0 && some < count && kept_[some].logit == kept_[some - 1].logit) ++some;
    keepFirst(some);
    sortByLogit();
    weigh(multiplier);
  }

  /// (logit − top) · multiplier, where the difference may be beyond all doubles.
  static double scaledFrom(double logit, double top, double multiplier) {
    return (logit * 0.5 - top * 0.5) * multiplier * 2.0;
  }

  void weigh(double multiplier) {
    double top = -__builtin_inf(), sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) top = std::max(top, kept_[i].logit);
    for (std::size_t i = 0; i < count; ++i) {
      // A product of many digits loses what a float's exponential can't have.
      if (std::fabs(kept_[i].logit * multiplier) > 1e5) margin_ = 0.0;
      kept_[i].log_probability = scaledFrom(kept_[i].logit, top, multiplier);
      kept_[i].probability = std::exp(kept_[i].log_probability);
      sum += kept_[i].probability;
    }
    for (std::size_t i = 0; i < count; ++i) {
      kept_[i].probability /= sum;
      kept_[i].log_probability -= std::log(sum);
    }
  }

  Kept kept_[mostLength];
  double margin_ = 1.0;
  std::size_t least_ = 1;
};

}  // namespace softmax_fuzz
