// sample: what is kept, drawn and reported, against the filters' definitions in double. Where a decision
// hangs by less than what float32 exponentials are off, only the bits of all instruction sets are compared.
#include "alone.h"
#include "families.h"
#include "filtered.h"
#include "tokens.h"

namespace softmax_fuzz {
namespace {

constexpr std::int32_t left = -2;  // to JavaScript
constexpr std::size_t mostEdits = 6;

Filtered filtered;

SampleSettings drawSettings(Input& input, std::size_t length) {
  static constexpr double ps[] = {1.0, 1.0, 0.9, 0.5, 0.999, 0.01, 1e-6, 0.75};
  static constexpr double minima[] = {0.0, 0.0, 0.05, 0.5, 1.0, 1e-3, 1e-9, 0.1};
  static constexpr double typicals[] = {0.9, 0.5, 0.1, 1e-6};
  static constexpr double sigmas[] = {1.0, 0.3, 2.5, 1e9};
  SampleSettings s{1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::uint8_t bits = input.byte();
  if (bits & 1) s.multiplier = drawMultiplier(input, {softmaxFloat32, true});
  if (bits & 2) s.topK = static_cast<double>(drawPlaces(input, length + 5));
  if (bits & 4) s.topP = input.oneOf(ps);
  if (bits & 8) s.minP = input.oneOf(minima);
  if (input.chance(32)) s.minKeep = static_cast<double>(1 + input.below(8));
  if (input.chance(48)) s.typicalP = input.oneOf(typicals);
  if (input.chance(48)) s.topNSigma = input.oneOf(sigmas);
  s.isTemperatureLast = bits & 16 ? 1 : 0;
  s.keepsTies = bits & 32 ? 1 : 0;
  s.wantsKept = bits & 64 ? 0 : 1;
  s.isTopOfRaw = bits & 128 ? 1 : 0;
  s.isShared = input.chance(32) ? 1 : 0;
  return s;
}

/// What changes the logits of a call.
struct Changes {
  SoftmaxElements bias{}, allowed{}, tokens{}, numbers{};

  void draw(Input& input, const Problem& problem, SampleSettings* settings) {
    static constexpr double repetitions[] = {1.0, 1.3, 0.5, 1e30};
    static constexpr double addends[] = {0.0, -0.4, 2.5, -__builtin_inf(), __builtin_inf()};
    static constexpr std::uint32_t words[] = {0xFFFFFFFF, 0, 0x0F00FF01, 1};
    const std::size_t length = problem.rows.length, rows = problem.row_count;
    const std::uint8_t bits = input.byte();
    if (bits & 1) {
      bias = takeValues(input, Values::logits, length, static_cast<SoftmaxDType>(input.below(4)));
      for (std::size_t k = 0; k < length; ++k)
        if (!(elementAt(bias, k) < __builtin_inf())) setElement(bias, k, 0.25);
    }
    if (bits & 2) {
      const std::size_t each = (length + 31) / 32, all = bits & 8 ? each * rows : each;
      allowed = takeElements(input, all, softmaxInt32);
      for (std::size_t i = 0; i < all; ++i) {
        const std::uint32_t word =
            input.chance(128) ? static_cast<std::uint32_t>(input.random()) : input.oneOf(words);
        std::memcpy(static_cast<char*>(allowed.data) + 4 * i, &word, sizeof word);
      }
      for (std::size_t row = 0; bits & 8 && row < rows; ++row)
        settings[row].firstAllowed = static_cast<double>(row * each);
    }
    if (!(bits & 4) || length == 0) return;
    tokens = takeElements(input, rows * mostEdits, softmaxInt32);
    numbers = takeElements(input, 2 * rows * mostEdits, softmaxFloat64);
    std::size_t end = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      settings[row].firstEdit = static_cast<double>(end);
      for (std::size_t left_over = input.below(mostEdits + 1); left_over > 0; --left_over, ++end) {
        const auto token = static_cast<std::int32_t>(input.random() % length);
        std::memcpy(static_cast<char*>(tokens.data) + 4 * end, &token, sizeof token);
        setElement(numbers, 2 * end, input.oneOf(repetitions));
        setElement(numbers, 2 * end + 1, input.oneOf(addends));
      }
      settings[row].lastEdit = static_cast<double>(end);
      // Those that are a bias come after those that are penalties.
      settings[row].firstBias = settings[row].firstEdit + static_cast<double>(input.below(mostEdits + 1));
      settings[row].firstBias = std::min(settings[row].firstBias, settings[row].lastEdit);
      settings[row].lastBias = settings[row].lastEdit;
      settings[row].lastEdit = settings[row].firstBias;
    }
  }

  /// The row as filters see it: edits, then the bias, then what is dropped; each step rounded.
  void apply(const Problem& problem, const SampleSettings& s, std::size_t row, bool is_double,
             double* logits) const {
    const auto rounded = [&](double value) {
      return is_double ? value : static_cast<double>(static_cast<float>(value));
    };
    const auto last = static_cast<std::size_t>(std::max(s.lastEdit, s.lastBias));
    for (auto i = static_cast<std::size_t>(s.firstEdit); i < last; ++i) {
      double& logit = logits[static_cast<std::size_t>(elementAt(tokens, i))];
      const double repetition = elementAt(numbers, 2 * i);
      logit = rounded(logit > 0 ? logit / repetition : logit * repetition);
      logit = rounded(logit + elementAt(numbers, 2 * i + 1));
    }
    for (std::size_t k = 0; k < problem.rows.length; ++k) {
      if (bias.data) logits[k] = rounded(logits[k] + elementAt(bias, k));
      const auto word = static_cast<std::size_t>(s.firstAllowed) + k / 32;
      const bool is_allowed =
          !allowed.data || (static_cast<std::int64_t>(elementAt(allowed, word)) >> k % 32 & 1) != 0;
      if (!is_allowed || !problem.keeps(row, k)) logits[k] = -__builtin_inf();
    }
  }
};

bool hasDistribution(const double* logits, std::size_t length, std::int32_t& first_top) {
  double top = -__builtin_inf();
  for (std::size_t k = 0; k < length; ++k) {
    if (!(logits[k] < __builtin_inf())) return false;
    if (logits[k] <= top) continue;
    top = logits[k];
    first_top = static_cast<std::int32_t>(k);
  }
  return top > -__builtin_inf();
}

struct Results {
  Outputs tokens, kept, log_probs, raw_log_probs, top_tokens, top_log_probs;
};

std::int32_t integerAt(const Outputs& results, std::size_t i) {
  return static_cast<const std::int32_t*>(resultsOf(results).data)[i];
}
double numberAt(const Outputs& results, std::size_t i) {
  return elementAt(resultsOf(results), i);
}
bool isNear(double value, double wanted) {
  return std::fabs(value - wanted) <= 1e-5 * std::max(1.0, std::fabs(wanted));
}

/// Of the row's own: as many as are kept, then places without one.
void checkTopOfOwn(const Problem& problem, const Results& results, std::size_t top) {
  filtered.sortByLogit();
  const std::size_t begin = problem.checked_row * top;
  for (std::size_t i = 0; i < top; ++i) {
    const std::int32_t token = integerAt(results.top_tokens, begin + i);
    const double log_prob = numberAt(results.top_log_probs, begin + i);
    const bool is_place = i < filtered.count;
    const bool is_token = token == (is_place ? static_cast<std::int32_t>(filtered[i].k) : -1);
    const double wanted = is_place ? filtered[i].log_probability : -__builtin_inf();
    if (!is_token || !(is_place ? isNear(log_prob, wanted) : log_prob == wanted))
      fail(problem, "not the most likely classes that are kept");
  }
}

void checkRow(const Problem& problem, const double* logits, SoftmaxDType type, const SampleSettings& s,
              const double* uniforms, std::size_t draws, const Results& results, bool has_log_probs,
              std::size_t top) {
  const std::size_t row = problem.checked_row, length = problem.rows.length, first = row * draws;
  const std::int32_t kept = integerAt(results.kept, row);
  std::int32_t first_top = 0;
  if (!hasDistribution(logits, length, first_top)) {
    if (kept != 0) fail(problem, "kept something of nothing");
    for (std::size_t i = first; i < first + draws; ++i) {
      const bool is_nan = !has_log_probs || numberAt(results.log_probs, i) != numberAt(results.log_probs, i);
      if (integerAt(results.tokens, i) != -1 || !is_nan) fail(problem, "drew from nothing");
    }
    return;
  }
  if (!(std::fabs(s.multiplier) < formatOf(type).largest)) {
    for (std::size_t i = first; i < first + draws; ++i)
      if (integerAt(results.tokens, i) != first_top) fail(problem, "not the first of the largest");
    if (kept != 1) fail(problem, "more than one at temperature 0");
    return;
  }
  filtered.take(logits, length);
  filtered.filter(s, type == softmaxFloat64);
  if (!filtered.isSure()) return;
  const bool is_filtered = s.topK > 0 || s.topP < 1 || s.minP > 0 || s.typicalP > 0 || s.topNSigma > 0;
  if ((is_filtered || s.wantsKept != 0.0) && kept != static_cast<std::int32_t>(filtered.count)) {
    std::fprintf(stderr, "kept %d instead of %zu\n", kept, filtered.count);
    fail(problem, "not what the filters keep");
  }
  for (std::size_t i = 0; i < draws; ++i) {
    double log_prob;
    const std::int32_t token = filtered.draw(uniforms[i], log_prob),
                       drawn = integerAt(results.tokens, first + i);
    if (!filtered.isSure()) return;
    if (drawn != token) {
      std::fprintf(stderr, "draw %zu: %d instead of %d\n", i, drawn, token);
      fail(problem, "not the token");
    }
    if (has_log_probs && !isNear(numberAt(results.log_probs, first + i), log_prob)) {
      std::fprintf(stderr, "draw %zu: %a instead of %a\n", i, numberAt(results.log_probs, first + i),
                   log_prob);
      fail(problem, "not the log-probability");
    }
  }
  if (top > 0 && s.isTopOfRaw == 0) checkTopOfOwn(problem, results, top);
}

/// Those of logSoftmax and topK of the logits as given, to the bit.
void checkRaw(Input& input, const Problem& problem, const SoftmaxElements& raw, std::size_t draws,
              const SampleSettings& s, const Results& results, bool has_raw_log_probs, std::size_t top) {
  const std::size_t row = problem.checked_row;
  SoftmaxRows rows = problem.rows;
  rows.mask = nullptr;
  const SoftmaxDType type = raw.dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  const std::size_t size = type == softmaxFloat64 ? 8 : 4;
  const SoftmaxElements whole = takeElements(input, problem.count, type);
  softmax_native::runCall(*isas.tables[isas.count - 1],
                          callOf(SoftmaxOperation::logSoftmax, rows, {raw, whole}));
  const auto isOf = [&](const Outputs& log_probs, std::size_t i, std::int32_t token) {
    const std::size_t at = problem.indexOf(row, static_cast<std::size_t>(token));
    return areSame(static_cast<const char*>(resultsOf(log_probs).data) + size * i,
                   static_cast<char*>(whole.data) + size * at, size);
  };
  if (has_raw_log_probs && integerAt(results.kept, row) > 0)
    for (std::size_t i = row * draws; i < (row + 1) * draws; ++i)
      if (!isOf(results.raw_log_probs, i, integerAt(results.tokens, i)))
        fail(problem, "not the bits of logSoftmax");
  if (top == 0 || s.isTopOfRaw == 0) return;
  double before = __builtin_inf();
  std::int32_t last = -1;
  for (std::size_t i = row * top; i < (row + 1) * top; ++i) {
    const std::int32_t token = integerAt(results.top_tokens, i);
    if (token < 0 && numberAt(results.top_log_probs, i) != numberAt(results.top_log_probs, i)) continue;
    if (token < 0 || !isOf(results.top_log_probs, i, token)) fail(problem, "not the bits of logSoftmax");
    const double logit = elementAt(raw, problem.indexOf(row, static_cast<std::size_t>(token)));
    std::size_t above = 0;
    for (std::size_t k = 0; k < problem.rows.length; ++k)
      above += elementAt(raw, problem.indexOf(row, k)) > logit;
    const bool is_next = logit < before || (logit == before && token > last);
    if (above > i - row * top || !is_next) fail(problem, "not the most likely classes");
    before = logit;
    last = token;
  }
}

}  // namespace

void fuzzSample(const std::uint8_t* data, std::size_t size) {
  static constexpr SoftmaxDType dtypes[] = {softmaxFloat32, softmaxFloat64, softmaxFloat16, softmaxBFloat16};
  arena.reset();
  Input input(data, size);
  const DrawnLength lengths(input);
  Problem problem = drawProblem(input, {softmaxFloat32, true});
  problem.function = "sample";
  problem.rows.multiplier = 1.0;
  problem.rows.multipliers = nullptr;
  const std::size_t rows = problem.row_count, length = problem.rows.length,
                    draws = input.chance(16) ? 1 + input.below(40) : 1 + input.below(3);
  const SoftmaxDType dtype = input.oneOf(dtypes),
                     type = dtype == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  const SoftmaxElements x = takeValues(input, Values::logits, problem.count, dtype);
  const std::uint8_t options = input.byte();
  const bool has_log_probs = options & 2, has_raw_log_probs = options & 4;
  const std::size_t top = options & 16 ? drawPlaces(input, length) : 0;
  auto* settings = static_cast<SampleSettings*>(takeMemory(input, rows, sizeof(SampleSettings)));
  auto* uniforms = static_cast<double*>(takeMemory(input, rows * draws, 8));
  const SampleSettings all = drawSettings(input, length);
  for (std::size_t row = 0; row < rows; ++row)
    settings[row] = options & 8 && row != problem.checked_row ? drawSettings(input, length) : all;
  Changes changes;
  if (options & 32) changes.draw(input, problem, settings);
  input.seed(input.byte());
  for (std::size_t i = 0; i < rows * draws; ++i)
    uniforms[i] = i % 5 == 4 ? 1.0 - 0x1p-53 : static_cast<double>(input.random() >> 11) * 0x1p-53;
  // A row that is left keeps what was there: the same for all.
  const SoftmaxElements blank = takeElements(input, rows * (draws > top ? draws : top), softmaxFloat64);
  std::memset(blank.data, 0x3A, rows * (draws > top ? draws : top) * 8);
  const auto outputsOf = [&](std::size_t each, SoftmaxDType type) {
    return takeOutputs(input, rows * each, type, &blank);
  };
  const Results results{outputsOf(draws, softmaxInt32), takeOutputs(input, rows, softmaxInt32),
                        outputsOf(draws, type),         outputsOf(draws, type),
                        outputsOf(top, softmaxInt32),   outputsOf(top, type)};
  const auto callFor = [&](std::size_t i) {
    SoftmaxCall call = callOf(SoftmaxOperation::sample, problem.rows,
                              {x,
                               {settings, softmaxFloat64},
                               {uniforms, softmaxFloat64},
                               results.tokens.of[i],
                               results.kept.of[i],
                               results.log_probs.of[i],
                               results.raw_log_probs.of[i],
                               changes.bias,
                               changes.allowed,
                               changes.tokens,
                               changes.numbers,
                               results.top_tokens.of[i],
                               results.top_log_probs.of[i]});
    if (!has_log_probs) call.arrays[5].data = nullptr;
    if (!has_raw_log_probs) call.arrays[6].data = nullptr;
    if (top == 0) call.arrays[11].data = call.arrays[12].data = nullptr;
    call.numbers[0] = static_cast<double>(draws);
    call.numbers[1] = static_cast<double>(top);
    return call;
  };
  runAll(problem, callFor);
  for (const Outputs* outputs : {&results.tokens, &results.kept, &results.log_probs, &results.raw_log_probs,
                                 &results.top_tokens, &results.top_log_probs})
    compare(problem, *outputs);
  const std::size_t row = problem.checked_row;
  // JavaScript has what minKeep wants beside what a bound leaves, and some of a row whose mass is in more
  // classes than are collected for topP.
  const bool is_of_all = all.topK > 0 || (all.typicalP > 0 && all.isTemperatureLast != 0.0);
  const bool is_massive = all.topP < 1 && (draws > 16 || all.minKeep > 1 || all.minP > 0 ||
                                           all.typicalP > 0 || (top > 0 && all.isTopOfRaw == 0));
  const bool may_be_left =
      (all.minKeep > 1 && (all.minP > 0 || all.topNSigma > 0)) || (!is_of_all && is_massive);
  const std::int32_t kept = integerAt(results.kept, row);
  if (kept == left && !may_be_left) fail(problem, "left to JavaScript");
  if (kept == left || length == 0) return;
  checkAlone(input, problem, callFor(isas.count - 1));
  static double logits[mostLength];
  for (std::size_t k = 0; k < length; ++k) logits[k] = elementAt(x, problem.indexOf(row, k));
  changes.apply(problem, settings[row], row, dtype == softmaxFloat64, logits);
  checkRow(problem, logits, type, all, uniforms + row * draws, draws, results, has_log_probs, top);
  checkRaw(input, problem, x, draws, all, results, has_raw_log_probs, top);
}

}  // namespace softmax_fuzz
