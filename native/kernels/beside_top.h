// Sums of exponentials beside the largest, which they are small beside where it outweighs them together:
// added to it they lose digits, all of them at 2^-53. The log-probability of the largest logit, −log(1 +
// others / top), and a log-sum-exp near 0 are made of them alone.
#pragma once

#include "near_zero.h"

namespace {

constexpr double smallestNormal = 0x1p-1022;

/// The exponentials of the rows' largest logits.
template <class L>
typename L::Rows::Double topExponentials(const RowSums<L>& rows, const RowScaling<L>& scaling) {
  const RowConstants<L> row(scaling, rows.references);
  return singleExponentials<L>(L::Rows::multiply(rows.top, scaling.inverse_sign), row);
}

/// log(1 + others / top): of a sum relative to its largest term.
template <class R>
typename R::Double logRelativeToTop(typename R::Double top, typename R::Double others) {
  const auto q = R::divide(others, top), one = R::broadcast(1.0);
  const auto of_more = logArguments<R>(R::add(one, q), R::broadcast(0.0));
  const auto of_less = logArgumentsOnePlus<R>(q);
  return LogArguments<R>{R::selectAtLeast(one, q, of_less.f, of_more.f),
                         R::selectAtLeast(one, q, of_less.k, of_more.k)}
      .log();
}

/// The exponentials of a unit's rows as double: from those that were kept, or from the logits.
template <class L>
struct AnyExponentials {
  using Double = typename L::Double;
  const void* array;
  const RowConstants<L>* row;
  Double (*load)(const void* array, const RowConstants<L>& row, std::size_t k, std::size_t count);

  template <class Logits>
  static Double ofLogits(const void* array, const RowConstants<L>& row, std::size_t k, std::size_t count) {
    return L::V::widen(exponential<L, false>(static_cast<const Logits*>(array)->load(k, count), row));
  }
  template <class Kept>
  static Double ofKept(const void* array, const RowConstants<L>&, std::size_t k, std::size_t count) {
    return L::V::widen(static_cast<const Kept*>(array)->kept(k, count));
  }
};

/// Their sums without those that are `tops`. This code is there once, not once for each kind of array.
template <class L>
[[gnu::noinline]] typename L::Rows::Double sumsBeside(typename L::Rows::Double tops,
                                                      const AnyExponentials<L>& exponentials,
                                                      std::size_t length, const Unit& unit) {
  using V = typename L::V;
  const auto largest = L::spread(tops);
  return termSum<L>(length, unit, [&](std::size_t k, std::size_t count) {
    const auto e = lanesInUse<L>(exponentials.load(exponentials.array, *exponentials.row, k, count), count);
    return V::clearWhereEqual(e, e, largest);
  });
}

/// besideTops of rows some of which are `near` 0: 1 or 0.
template <class L, class Logits, class Kept>
[[gnu::noinline]] typename L::Rows::Double someBesideTops(
    const Logits& logits, const Kept& kept, std::size_t length, const Unit& unit,
    const RowScaling<L>& scaling, const RowSums<L>& rows, typename L::Rows::Double sums,
    typename L::Rows::Double values, typename L::Rows::Double near) {
  using R = typename L::Rows;
  const auto zero = R::broadcast(0.0), one = R::broadcast(1.0);
  // Others that are as large as the top are no others: its exponential is there once.
  const auto tops = topExponentials<L>(rows, scaling);
  near = R::selectAtLeast(sums, R::add(tops, tops), zero, near);
  if (R::allAtLeast(zero, near)) return values;
  const RowConstants<L> row(scaling, rows.references);
  AnyExponentials<L> exponentials{&logits, &row, AnyExponentials<L>::template ofLogits<Logits>};
  if constexpr (!std::is_same_v<Kept, Nowhere>)
    if (rows.is_kept) exponentials = {&kept, &row, AnyExponentials<L>::template ofKept<Kept>};
  const auto others = sumsBeside<L>(tops, exponentials, length, unit);
  const auto offset = R::multiply(R::widen(rows.top), scaling.factor);
  const auto precise = R::add(offset, logOnePlusRatio<R>(R::divide(others, tops)));
  return R::selectAtLeast(near, one, precise, values);
}

/// Log-sum-exps: `values`, or where these are near 0 and the largest exponential outweighs the others, those
/// from a sum of the others alone. `sums` are of whole rows. A float has fewer digits to lose.
template <class L, class Logits, class Kept>
SOFTMAX_INLINE typename L::Rows::Double besideTops(const Logits& logits, const Kept& kept, std::size_t length,
                                                   const Unit& unit, const RowScaling<L>& scaling,
                                                   const RowSums<L>& rows, typename L::Rows::Double sums,
                                                   typename L::Rows::Double values) {
  using R = typename L::Rows;
  constexpr double bound = sizeof(typename L::Element) == sizeof(double) ? nearZeroResult : 0x1p-24;
  const auto zero = R::broadcast(0.0), distance = R::maximum(values, R::subtract(zero, values));
  const auto near = R::selectAtLeast(R::broadcast(bound), distance, R::broadcast(1.0), zero);
  if (R::allAtLeast(zero, near)) return values;
  return someBesideTops<L>(logits, kept, length, unit, scaling, rows, sums, values, near);
}

/// As ScaledSums, of others + top. Nothing summed: both are 0.
template <class R>
struct SumsWithTops {
  using Double = typename R::Double;
  Double others, top;
  Measure<R> measure;
  Double factor;
  Double sum() const { return R::add(others, top); }

  static SumsWithTops of(const SoftmaxPart& part, Double factor) {
    return {part.sum, part.topExponential, {part.offset, part.exponent}, factor};
  }
  void putInto(SoftmaxPart& part) const {
    part.sum = others;
    part.topExponential = top;
    part.offset = measure.offset;
    part.exponent = measure.exponent;
  }
};

/// Of two, the smaller top is one of the others.
template <class R>
SumsWithTops<R> mergeWithTops(SumsWithTops<R> a, SumsWithTops<R> b) {
  const Measure<R> measure = commonMeasure<R>(a.measure, b.measure);
  const auto of_a = weightIn<R>(measure, a.measure, a.factor);
  const auto of_b = weightIn<R>(measure, b.measure, a.factor);
  const auto top_a = R::multiply(a.top, of_a), top_b = R::multiply(b.top, of_b);
  const auto others = R::add(R::multiply(a.others, of_a), R::multiply(b.others, of_b));
  return {R::add(others, R::minimum(top_a, top_b)), R::maximum(top_a, top_b), measure, a.factor};
}

/// The number of each row's last logit that is `top`, in [begin, end); −1 where that is not finite.
template <class L, class Logits>
typename L::Rows::Double lastTops(const Logits& logits, std::size_t begin, std::size_t end, const Unit& unit,
                                  const RowScaling<L>& scaling, typename L::Rows::Register top) {
  using V = typename L::V;
  using R = typename L::Rows;
  constexpr double largest = Numbers<typename L::Element>::largest;
  const auto sign = L::spread(scaling.sign), tops = L::spread(top);
  const auto signedLogit = [&](std::size_t k, std::size_t count)
                               SOFTMAX_INLINE_LAMBDA { return V::multiply(logits.load(k, count), sign); };
  auto found = R::broadcast(-1.0);
  if constexpr (L::is_across) {
    for (std::size_t k = begin; k < end; ++k)
      found = V::selectAtLeast(signedLogit(k, unit.lanes), tops, elementNumbers<L>(k), found);
  } else {
    // From the end on: a few vectors at once, until one of them has it, or NaN.
    constexpr std::size_t at_once = 4 * L::step;
    const auto least = V::broadcast(0x1p-1074), none = V::broadcast(-1.0);
    const auto last = [&](std::size_t k, std::size_t count, auto before) SOFTMAX_INLINE_LAMBDA {
      return V::selectAtLeast(signedLogit(k, count), tops, elementNumbers<L>(k), before);
    };
    std::size_t k = end - (end - begin) % L::step;
    if (k < end) {
      // What fills the vector may be as large as a top of −infinity.
      const auto numbers = last(k, end - k, none);
      found =
          V::laneMaximum(V::selectAtLeast(numbers, V::broadcast(static_cast<double>(end)), none, numbers));
    }
    while (found < 0.0 && k - begin >= at_once) {
      k -= at_once;
      auto best = signedLogit(k, L::step);
      for (std::size_t i = 1; i < 4; ++i) best = V::maximum(signedLogit(k + i * L::step, L::step), best);
      if (V::allAtLeast(V::subtract(tops, best), least)) continue;
      auto numbers = none;
      for (std::size_t i = 0; i < 4; ++i) numbers = last(k + i * L::step, L::step, numbers);
      found = V::laneMaximum(numbers);
    }
    while (found < 0.0 && k > begin) {
      k -= L::step;
      found = V::laneMaximum(last(k, L::step, none));
    }
  }
  return R::selectAtLeast(R::broadcast(largest), top, found, R::broadcast(-1.0));
}

/// As RowSums, of double logits: the last of each row's largest exponentials is left out. A row of several
/// blocks has each block's largest left out until they are merged, so that blocks do not depend on others.
template <class L>
class SumsBesideTop {
  using R = typename L::Rows;

 public:
  using Blocks = SumsWithTops<R>;
  static constexpr auto merged = mergeWithTops<R>;
  typename R::Register top;
  References<L> references;
  Blocks blocks;  // of a row, whatever its length
  typename R::Double nans;
  bool is_plain, is_kept = false;

  template <class Logits, class Kept>
  void measure(const Logits& logits, const Kept&, std::size_t length, const Unit& unit,
               const RowScaling<L>& scaling) {
    if (length > blockSize) return;
    top = rowMaxima<L>(logits, 0, length, unit, scaling);
    setReferences(scaling);
    last_ = lastTops<L>(logits, 0, length, unit, scaling, top);
  }
  template <class Logits, class Kept>
  void sum(const Logits& logits, const Kept&, std::size_t length, const Unit& unit,
           const RowScaling<L>& scaling, const typename R::Double*) {
    if (length <= blockSize) {
      blocks = blockSum(logits, 0, length, unit, scaling, top, last_, references);
      return;
    }
    sumOwnBlocks(logits, length, unit, scaling, nullptr);
    setReferences(scaling);
  }

  // As those of RowSums, which leave out what the caller says.
  template <class Logits>
  void measured(const Logits&, std::size_t, const Unit&, const RowScaling<L>& scaling) {
    nans = R::broadcast(0.0);
    setReferences(scaling);
  }
  void setReferences(const RowScaling<L>& scaling) {
    references = referencesOf<L>(top, scaling);
    is_plain = isPlain(scaling, references);
  }
  template <class Logits>
  void sumOwnBlocks(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
                    const typename R::Double*) {
    top = R::broadcast(-Numbers<typename L::Element>::infinity);
    blocks = totalOf(length, [&](std::size_t begin, std::size_t count) {
      const auto block_top = rowMaxima<L>(logits, begin, begin + count, unit, scaling);
      top = R::maximum(block_top, top);
      const auto own = referencesOf<L>(block_top, scaling);
      return blockSum(logits, begin, count, unit, scaling, block_top,
                      lastTops<L>(logits, begin, begin + count, unit, scaling, block_top), own);
    });
  }
  /// Their ratio is the same in any measure.
  void setTotal() {}

 private:
  typename R::Double last_;
  template <class Logits>
  static Blocks blockSum(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
                         const RowScaling<L>& scaling, typename R::Register block_top,
                         typename R::Double last, const References<L>& measure) {
    const auto others = blockSums<L>(logits, begin, count, unit, scaling, measure, &last, Nowhere{});
    const RowConstants<L> row(scaling, measure);
    const auto of_top = singleExponentials<L>(R::multiply(block_top, scaling.inverse_sign), row);
    const auto zero = R::broadcast(0.0);
    return {others, R::selectAtLeast(last, zero, of_top, zero), measureOf<L>(measure, block_top),
            offsetFactor<L>(scaling)};
  }
  template <class BlockSum>
  static Blocks totalOf(std::size_t length, BlockSum blockSumOf) {
    BlockTree<Blocks, mergeWithTops<R>> tree;
    for (std::size_t begin = 0; begin < length; begin += blockSize)
      tree.push(blockSumOf(begin, length - begin < blockSize ? length - begin : blockSize));
    return tree.total();
  }
};

}  // namespace
