// topK and tokenLogProbs: the classes that a sort by definition gives, ranks by counting, and the bits of
// softmax, logSoftmax and logSumExp.
#include "tokens.h"

#include <algorithm>

#include "alone.h"
#include "families.h"

namespace softmax_fuzz {
namespace {

/// A row's classes in their order: what the mask keeps first, NaN before numbers, larger before smaller,
/// first before next.
class Order {
 public:
  void set(const Problem& problem, const SoftmaxElements& logits, std::size_t row) {
    length = problem.rows.length;
    const double sign = __builtin_signbit(problem.multiplierOf(0)) ? -1.0 : 1.0;
    for (std::size_t k = 0; k < length; ++k) {
      values_[k] = sign * elementAt(logits, problem.indexOf(row, k));
      keeps[k] = problem.keeps(row, k);
      classes[k] = static_cast<std::int32_t>(k);
    }
    std::sort(classes, classes + length,
              [&](std::int32_t a, std::int32_t b) { return isAbove(a, b) || (!isAbove(b, a) && a < b); });
  }
  std::int32_t rankOf(std::int32_t token) const {
    std::int32_t count = 0;
    for (std::size_t k = 0; k < length; ++k) count += isAbove(static_cast<std::int32_t>(k), token);
    return count;
  }

  std::size_t length;
  std::int32_t classes[mostLength];
  bool keeps[mostLength];

 private:
  bool isAbove(std::int32_t a, std::int32_t b) const {
    if (keeps[a] != keeps[b]) return keeps[a];
    if (!keeps[a]) return false;
    const double x = values_[a], y = values_[b];
    return x == x ? x > y : y == y;
  }
  double values_[mostLength];
};

Order order;

/// Of places of an axis so long, that of a row.
std::size_t placeOf(const Problem& problem, std::size_t row, std::size_t length, std::size_t place) {
  const std::size_t inner = problem.rows.inner;
  return (row / inner * length + place) * inner + row % inner;
}

/// What another operation makes of the whole rows, as results of that type.
SoftmaxElements wholeOf(Input& input, const Problem& problem, SoftmaxOperation operation,
                        const SoftmaxElements& logits, SoftmaxDType dtype) {
  const bool is_of_rows = operation == SoftmaxOperation::logSumExp;
  const SoftmaxElements out = takeElements(input, is_of_rows ? problem.row_count : problem.count, dtype);
  softmax_native::runCall(*isas.tables[isas.count - 1], callOf(operation, problem.rows, {logits, out}));
  return out;
}

/// A result has the bits of an element of another array.
void expectBits(const Problem& problem, const SoftmaxElements& results, std::size_t index,
                const SoftmaxElements& whole, std::size_t at) {
  const std::size_t size = sizeOf(results.dtype);
  if (areSame(static_cast<char*>(results.data) + index * size, static_cast<char*>(whole.data) + at * size,
              size))
    return;
  std::fprintf(stderr, "[%zu]: %a, of the whole row [%zu]: %a\n", index, elementAt(results, index), at,
               elementAt(whole, at));
  fail(problem, "not the bits of the whole row");
}

/// The first places: their classes, and the bits of `whole`.
void checkPlaces(const Problem& problem, const SoftmaxElements& values, const SoftmaxElements& classes,
                 std::size_t count, const SoftmaxElements& whole) {
  const std::size_t row = problem.checked_row;
  const auto* numbers = static_cast<const std::int32_t*>(classes.data);
  for (std::size_t j = 0; j < count; ++j) {
    const std::size_t place = placeOf(problem, row, count, j);
    if (numbers[place] != order.classes[j]) {
      std::fprintf(stderr, "place %zu: %d instead of %d\n", j, numbers[place], order.classes[j]);
      fail(problem, "not the largest");
    }
    expectBits(problem, values, place, whole, problem.indexOf(row, static_cast<std::size_t>(numbers[place])));
  }
}

/// Logits as they are, as the type of the results: −infinity where the mask drops them.
SoftmaxElements plainOf(Input& input, const Problem& problem, const SoftmaxElements& logits,
                        SoftmaxDType dtype) {
  const SoftmaxElements out = takeElements(input, problem.count, dtype);
  for (std::size_t k = 0; k < problem.rows.length; ++k) {
    const std::size_t at = problem.indexOf(problem.checked_row, k);
    const double logit = elementAt(logits, at);
    const bool is_kept = problem.keeps(problem.checked_row, k);
    setElement(out, at, !is_kept ? -__builtin_inf() : logit == logit ? logit : __builtin_nan(""));
  }
  return out;
}

Problem drawTokens(Input& input, SoftmaxDType dtype, const char* function) {
  const DrawnLength lengths(input);
  Problem problem = drawProblem(input, {dtype, true});
  problem.function = function;
  return problem;
}

}  // namespace

void fuzzTopK(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  const SoftmaxDType dtype = drawDType(input);
  const Problem problem = drawTokens(input, dtype, "topK");
  const SoftmaxElements x = takeValues(input, Values::logits, problem.count, dtype);
  const std::size_t k = drawPlaces(input, problem.rows.length), which = input.below(3);
  const SoftmaxDType to = drawLike(input, dtype);
  const Outputs values = takeOutputs(input, problem.row_count * k, to),
                classes = takeOutputs(input, problem.row_count * k, softmaxInt32);
  const auto callFor = [&](std::size_t i) {
    SoftmaxCall call = callOf(SoftmaxOperation::topK, problem.rows, {x, values.of[i], classes.of[i]});
    call.numbers[0] = static_cast<double>(k);
    call.numbers[1] = static_cast<double>(which);
    return call;
  };
  runAll(problem, callFor);
  compare(problem, values);
  compare(problem, classes);
  checkAlone(input, problem, callFor(isas.count - 1));
  order.set(problem, x, problem.checked_row);
  const SoftmaxOperation operation = which == 1 ? SoftmaxOperation::softmax : SoftmaxOperation::logSoftmax;
  const SoftmaxElements whole =
      which == 0 ? plainOf(input, problem, x, to) : wholeOf(input, problem, operation, x, to);
  checkPlaces(problem, resultsOf(values), resultsOf(classes), k, whole);
}

void fuzzTokenLogProbs(const std::uint8_t* data, std::size_t size) {
  arena.reset();
  Input input(data, size);
  const SoftmaxDType dtype = drawDType(input);
  const Problem problem = drawTokens(input, dtype, "tokenLogProbs");
  const SoftmaxElements x = takeValues(input, Values::logits, problem.count, dtype);
  const std::size_t length = problem.rows.length, rows = problem.row_count;
  const std::size_t count = length == 0 ? 0 : input.chance(16) ? 65 + input.below(70) : 1 + input.below(4);
  const std::size_t top = input.chance(128) ? drawPlaces(input, length) : 0;
  if (rows * count > 65536 / 4) return;
  const SoftmaxElements tokens{takeMemory(input, rows * count, 4), softmaxInt32};
  input.seed(input.byte());
  for (std::size_t i = 0; i < rows * count; ++i)
    static_cast<std::int32_t*>(tokens.data)[i] = static_cast<std::int32_t>(input.random() % length);
  const SoftmaxDType to = drawLike(input, dtype);
  const SoftmaxDType of_rows = drawLike(input, dtype);
  const Outputs log_probs = takeOutputs(input, rows * count, to),
                ranks = takeOutputs(input, rows * count, softmaxInt32),
                sums = takeOutputs(input, rows, of_rows), top_log_probs = takeOutputs(input, rows * top, to),
                top_tokens = takeOutputs(input, rows * top, softmaxInt32);
  const auto callFor = [&](std::size_t i) {
    SoftmaxCall call =
        callOf(SoftmaxOperation::tokenLogProbs, problem.rows,
               {x, tokens, log_probs.of[i], ranks.of[i], sums.of[i], top_log_probs.of[i], top_tokens.of[i]});
    if (top == 0) call.arrays[5].data = call.arrays[6].data = nullptr;
    call.numbers[0] = static_cast<double>(count);
    call.numbers[1] = static_cast<double>(top);
    return call;
  };
  runAll(problem, callFor);
  for (const Outputs* outputs : {&log_probs, &ranks, &sums, &top_log_probs, &top_tokens})
    compare(problem, *outputs);
  checkAlone(input, problem, callFor(isas.count - 1));

  const std::size_t row = problem.checked_row;
  order.set(problem, x, row);
  const SoftmaxElements whole = wholeOf(input, problem, SoftmaxOperation::logSoftmax, x, to);
  checkPlaces(problem, resultsOf(top_log_probs), resultsOf(top_tokens), top, whole);
  for (std::size_t j = 0; j < count; ++j) {
    const std::size_t place = placeOf(problem, row, count, j);
    const std::int32_t token = static_cast<const std::int32_t*>(tokens.data)[place];
    const std::int32_t rank = static_cast<const std::int32_t*>(resultsOf(ranks).data)[place];
    expectBits(problem, resultsOf(log_probs), place, whole,
               problem.indexOf(row, static_cast<std::size_t>(token)));
    if (rank == order.rankOf(token)) continue;
    std::fprintf(stderr, "token %d: rank %d instead of %d\n", token, rank, order.rankOf(token));
    fail(problem, "not the rank");
  }
  const SoftmaxElements all = wholeOf(input, problem, SoftmaxOperation::logSumExp, x, of_rows);
  expectBits(problem, resultsOf(sums), row, all, row);
}

}  // namespace softmax_fuzz
