// sample: what is kept, drawn and reported, against the filters' definitions in double. Where a decision
// hangs by less than what float32 exponentials are off, only the bits of all instruction sets are compared.
#include <algorithm>

#include "alone.h"
#include "families.h"
#include "tokens.h"

namespace softmax_fuzz {
namespace {

/// kernels/sample_candidates.h
struct Settings {
  double multiplier, topK, topP, minP, minKeep, isTemperatureLast, keepsTies, wantsKept;
};
static_assert(sizeof(Settings) == softmaxSettings * sizeof(double));
constexpr std::int32_t left = -2;  // to JavaScript
constexpr double least_margin = 1e-5;

/// A row by the definitions.
class Filtered {
 public:
  /// Of the row's finite logits; none is NaN or +infinity, and not all are −infinity.
  void take(const SoftmaxElements& logits, std::size_t begin, std::size_t length) {
    count = 0;
    margin_ = 1.0;
    for (std::size_t k = 0; k < length; ++k) {
      const double logit = elementAt(logits, begin + k);
      if (logit > -__builtin_inf()) kept_[count++] = {k, logit, 0.0};
    }
  }
  void filter(const Settings& s) {
    const double first = s.isTemperatureLast != 0.0 ? 1.0 : s.multiplier;
    weigh(first);
    const auto minimum = static_cast<std::size_t>(s.minKeep);
    std::sort(kept_, kept_ + count, [](const Kept& a, const Kept& b) {
      return a.logit != b.logit ? a.logit > b.logit : a.k < b.k;
    });
    if (s.topK > 0) {
      std::size_t k = std::max(static_cast<std::size_t>(s.topK), minimum);
      while (s.keepsTies != 0.0 && k < count && kept_[k].logit == kept_[k - 1].logit) ++k;
      count = std::min(k, count);
      weigh(first);
    }
    if (s.topP < 1) {
      std::size_t some = 0;
      for (double sum = 0.0; some < count && sum < s.topP;) {
        sum += kept_[some++].probability;
        see(sum - s.topP);
      }
      count = std::min(count, std::max(some, minimum));
      weigh(first);
    }
    if (s.minP > 0) {
      std::size_t some = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const double ratio = kept_[i].probability / (s.minP * kept_[0].probability);
        see(ratio - 1.0);
        some += ratio >= 1.0;
      }
      count = std::min(count, std::max(some, minimum));
    }
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
    log_prob = std::log(kept_[at].probability);
    return static_cast<std::int32_t>(kept_[at].k);
  }
  bool isSure() const { return margin_ > least_margin; }

  std::size_t count;

 private:
  struct Kept {
    std::size_t k;
    double logit, probability;
  };

  void see(double difference) { margin_ = std::min(margin_, std::fabs(difference)); }
  void weigh(double multiplier) {
    double top = -__builtin_inf(), sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) top = std::max(top, kept_[i].logit);
    for (std::size_t i = 0; i < count; ++i) {
      // A product of many digits loses what a float's exponential can't have.
      if (std::fabs(kept_[i].logit * multiplier) > 1e5) margin_ = 0.0;
      kept_[i].probability = std::exp((kept_[i].logit - top) * multiplier);
      sum += kept_[i].probability;
    }
    for (std::size_t i = 0; i < count; ++i) kept_[i].probability /= sum;
  }

  Kept kept_[mostLength];
  double margin_;
};

Filtered filtered;

Settings drawSettings(Input& input, std::size_t length) {
  static constexpr double ps[] = {1.0, 1.0, 0.9, 0.5, 0.999, 0.01, 1e-6, 0.75};
  static constexpr double minima[] = {0.0, 0.0, 0.05, 0.5, 1.0, 1e-3, 1e-9, 0.1};
  Settings s{1, 0, 1, 0, 1, 0, 0, 1};
  const std::uint8_t bits = input.byte();
  if (bits & 1) s.multiplier = drawMultiplier(input, {softmaxFloat32, true});
  if (bits & 2) s.topK = static_cast<double>(drawPlaces(input, length + 5));
  if (bits & 4) s.topP = input.oneOf(ps);
  if (bits & 8) s.minP = input.oneOf(minima);
  if (input.chance(32)) s.minKeep = static_cast<double>(1 + input.below(8));
  s.isTemperatureLast = bits & 16 ? 1 : 0;
  s.keepsTies = bits & 32 ? 1 : 0;
  s.wantsKept = bits & 64 ? 0 : 1;
  return s;
}

bool hasDistribution(const SoftmaxElements& logits, std::size_t begin, std::size_t length, double& first_top,
                     double& top) {
  top = -__builtin_inf();
  for (std::size_t k = 0; k < length; ++k) {
    const double logit = elementAt(logits, begin + k);
    if (!(logit < __builtin_inf())) return false;
    if (logit <= top) continue;
    top = logit;
    first_top = static_cast<double>(k);
  }
  return top > -__builtin_inf();
}

struct Results {
  Outputs tokens, kept, log_probs, raw_log_probs;
};

void checkRow(const Problem& problem, const SoftmaxElements& logits, const Settings& s,
              const double* uniforms, std::size_t draws, const Results& results, bool has_log_probs) {
  const std::size_t row = problem.checked_row, length = problem.rows.length, begin = row * length;
  const auto* tokens = static_cast<const std::int32_t*>(resultsOf(results.tokens).data) + row * draws;
  const std::int32_t kept = static_cast<const std::int32_t*>(resultsOf(results.kept).data)[row];
  const auto logProbAt = [&](std::size_t i) {
    return elementAt(resultsOf(results.log_probs), row * draws + i);
  };
  double first_top = 0.0, top;
  if (!hasDistribution(logits, begin, length, first_top, top)) {
    if (kept != 0) fail(problem, "kept something of nothing");
    for (std::size_t i = 0; i < draws; ++i)
      if (tokens[i] != -1 || (has_log_probs && logProbAt(i) == logProbAt(i)))
        fail(problem, "drew from nothing");
    return;
  }
  if (!(std::fabs(s.multiplier) < formatOf(softmaxFloat32).largest)) {
    for (std::size_t i = 0; i < draws; ++i)
      if (tokens[i] != static_cast<std::int32_t>(first_top)) fail(problem, "not the first of the largest");
    if (kept != 1) fail(problem, "more than one at temperature 0");
    return;
  }
  filtered.take(logits, begin, length);
  filtered.filter(s);
  double wanted_log_prob;
  if (!filtered.isSure()) return;
  const bool is_filtered = s.topK > 0 || s.topP < 1 || s.minP > 0;
  if ((is_filtered || s.wantsKept != 0.0) && kept != static_cast<std::int32_t>(filtered.count)) {
    std::fprintf(stderr, "kept %d instead of %zu\n", kept, filtered.count);
    fail(problem, "not what the filters keep");
  }
  for (std::size_t i = 0; i < draws; ++i) {
    const std::int32_t wanted = filtered.draw(uniforms[i], wanted_log_prob);
    if (!filtered.isSure()) return;
    if (tokens[i] != wanted) {
      std::fprintf(stderr, "draw %zu: %d instead of %d\n", i, tokens[i], wanted);
      fail(problem, "not the token");
    }
    const double bound = 1e-5 * std::max(1.0, std::fabs(wanted_log_prob));
    if (has_log_probs && !(std::fabs(logProbAt(i) - wanted_log_prob) <= bound)) {
      std::fprintf(stderr, "draw %zu: %a instead of %a\n", i, logProbAt(i), wanted_log_prob);
      fail(problem, "not the log-probability");
    }
  }
}

/// Those of logSoftmax, to the bit.
void checkRaw(Input& input, const Problem& problem, const SoftmaxElements& raw, std::size_t draws,
              const Results& results) {
  const SoftmaxElements whole = takeElements(input, problem.count, softmaxFloat32);
  softmax_native::runCall(*isas.tables[isas.count - 1],
                          callOf(SoftmaxOperation::logSoftmax, problem.rows, {raw, whole}));
  const auto* tokens = static_cast<const std::int32_t*>(resultsOf(results.tokens).data);
  const auto* kept = static_cast<const std::int32_t*>(resultsOf(results.kept).data);
  const auto* log_probs = static_cast<const char*>(resultsOf(results.raw_log_probs).data);
  for (std::size_t i = 0; i < problem.row_count * draws; ++i) {
    const std::size_t row = i / draws;
    if (kept[row] <= 0) continue;
    const std::size_t at = row * problem.rows.length + static_cast<std::size_t>(tokens[i]);
    if (!areSame(log_probs + 4 * i, static_cast<char*>(whole.data) + 4 * at, 4))
      fail(problem, "not the bits of logSoftmax");
  }
}

}  // namespace

void fuzzSample(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  const DrawnLength lengths(input);
  Problem problem = drawProblem(input, {softmaxFloat32, true}, mostLength, false);
  problem.function = "sample";
  problem.rows.multiplier = 1.0;
  problem.rows.multipliers = nullptr;
  const std::size_t rows = problem.row_count,
                    draws = input.chance(16) ? 1 + input.below(40) : 1 + input.below(3);
  const SoftmaxElements x = takeValues(input, Values::logits, problem.count, softmaxFloat32);
  const std::uint8_t options = input.byte();
  const bool has_raw = options & 1, has_log_probs = options & 2, has_raw_log_probs = options & 4;
  const SoftmaxElements raw =
      has_raw ? takeValues(input, Values::logits, problem.count, softmaxFloat32) : SoftmaxElements{};
  auto* settings = static_cast<Settings*>(takeMemory(input, rows, sizeof(Settings)));
  auto* uniforms = static_cast<double*>(takeMemory(input, rows * draws, 8));
  const Settings all = drawSettings(input, problem.rows.length);
  for (std::size_t row = 0; row < rows; ++row)
    settings[row] =
        options & 8 && row != problem.checked_row ? drawSettings(input, problem.rows.length) : all;
  input.seed(input.byte());
  for (std::size_t i = 0; i < rows * draws; ++i)
    uniforms[i] = i % 5 == 4 ? 1.0 - 0x1p-53 : static_cast<double>(input.random() >> 11) * 0x1p-53;
  // A row that is left keeps what was there: the same for all.
  const SoftmaxElements blank = takeElements(input, rows * draws, softmaxInt32);
  std::memset(blank.data, 0x3A, rows * draws * 4);
  const Results results{takeOutputs(input, rows * draws, softmaxInt32, &blank),
                        takeOutputs(input, rows, softmaxInt32),
                        takeOutputs(input, rows * draws, softmaxFloat32, &blank),
                        takeOutputs(input, rows * draws, softmaxFloat32, &blank)};
  const auto callFor = [&](std::size_t i) {
    SoftmaxCall call = callOf(SoftmaxOperation::sample, problem.rows,
                              {x,
                               raw,
                               {settings, softmaxFloat64},
                               {uniforms, softmaxFloat64},
                               results.tokens.of[i],
                               results.kept.of[i],
                               results.log_probs.of[i],
                               results.raw_log_probs.of[i]});
    if (!has_log_probs) call.arrays[6].data = nullptr;
    if (!has_raw_log_probs) call.arrays[7].data = nullptr;
    call.numbers[0] = static_cast<double>(draws);
    return call;
  };
  runAll(problem, callFor);
  for (const Outputs* outputs : {&results.tokens, &results.kept, &results.log_probs, &results.raw_log_probs})
    compare(problem, *outputs);
  const std::size_t row = problem.checked_row;
  const std::int32_t kept = static_cast<const std::int32_t*>(resultsOf(results.kept).data)[row];
  // JavaScript has what minKeep wants beside what minP collects, and some of a row whose mass is in more
  // classes than are collected for topP.
  const bool is_relative = all.minP > 0 && all.minKeep > 1;
  const bool is_massive = all.topP < 1 && (draws > 16 || all.minKeep > 1 || all.minP > 0);
  const bool may_be_left = all.topK == 0 && (is_relative || is_massive);
  if (kept == left && !may_be_left) fail(problem, "left to JavaScript");
  if (kept == left) return;
  checkAlone(input, problem, callFor(isas.count - 1));
  checkRow(problem, x, all, uniforms + row * draws, draws, results, has_log_probs);
  if (has_raw_log_probs) checkRaw(input, problem, has_raw ? raw : x, draws, results);
}

}  // namespace softmax_fuzz
