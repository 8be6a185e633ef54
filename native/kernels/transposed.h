// Short rows that are transposed in registers on their way onto the stage and off it, while other rows are
// summed: what pipeline.h does along rows, across them.
#pragma once

#include "exponential_sum.h"
#include "staged.h"

namespace {

/// The rows of a whole unit: densely in memory, and on the stage. Single elements are those in memory, where
/// the stage does not have them yet, or no longer.
template <class L>
struct TransposedRows : StagedRows<L> {
  using V = typename L::V;
  using Element = typename L::Element;
  using Register = typename L::Register;

  Element* dense;

  /// Four columns, from element k on, from memory onto the stage.
  SOFTMAX_INLINE void enter(std::size_t k, Register* columns) const {
    V::loadRows(dense + k, this->rows->length, columns);
    for (std::size_t c = 0; c < 4; ++c) this->store(k + c, columns[c], V::width);
  }
  SOFTMAX_INLINE void leave(std::size_t k, const Register* columns) const {
    V::storeRows(dense + k, this->rows->length, columns);
  }
  Element element(std::size_t k, std::size_t lane) const { return *address(k, lane); }
  void storeElement(std::size_t k, std::size_t lane, Element value) const {
    StagedRows<L>::storeElement(k, lane, value);
    *address(k, lane) = value;
  }

 private:
  Element* address(std::size_t k, std::size_t lane) const { return dense + lane * this->rows->length + k; }
};

/// Longer rows have vectors of their own (batch.h).
constexpr std::size_t longestInRegisters = 127;

/// The sum of the exponentials of a unit's rows, without each row's `skipped` element if it `skips`. In the
/// same loop another unit, `entering`, comes onto the stage, whose maxima are `tops`, and result(k, lanes) of
/// a third goes to `out`, unless it is Nothing. Rows of 4 elements to longestInRegisters.
template <class L, bool plain, bool skips, class Rows, class Kept, class Result, class Out>
SOFTMAX_INLINE typename L::Double transposedSum(const Rows& entering, typename L::Register& tops,
                                                const Rows& logits, std::size_t length,
                                                const RowConstants<L>& constants,
                                                const typename L::Rows::Double* skipped, const Kept& kept,
                                                const Result& result, const Out& out) {
  using V = typename L::V;
  using Register = typename L::Register;
  using Element = typename L::Element;
  constexpr bool is_kept = !std::is_same_v<Kept, Nowhere>;
  alignas(64) Element own[is_kept ? 1 : longestInRegisters * V::width];
  StagedVectors<L> terms{own};
  if constexpr (is_kept) terms = kept;
  const auto takeTerm = [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
    terms.keep(k, exponential<L, plain>(V::once(logits.load(k, V::width)), constants), V::width);
  };
  tops = V::broadcast(-Numbers<Element>::infinity);
  std::size_t taken = 0;
  eachFourColumns(length, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
    Register columns[4];
    entering.enter(k, columns);
    for (std::size_t c = 0; c < 4; ++c) tops = V::maximum(columns[c], tops);
    if (taken == k) {
      for (std::size_t c = 0; c < 4; ++c) takeTerm(k + c);
    } else {
      // A term in the place of its logit is taken once.
#pragma GCC unroll 1
      for (; taken < k + 4; ++taken) takeTerm(taken);
    }
    taken = k + 4;
    if constexpr (!std::is_same_v<Result, Nothing>) {
      for (std::size_t c = 0; c < 4; ++c) columns[c] = result(k + c, V::width);
      out.leave(k, columns);
    }
  });
  if (length <= laneCount) return fewTermsSum<L, skips>(terms, 0, length, skipped);
  Register targets;
  if constexpr (skips) targets = V::narrow(*skipped);
  return laneSums<L, true, true>(0, length, Unit{0, V::width, 0},
                                 [&](std::size_t k, std::size_t lanes) SOFTMAX_INLINE_LAMBDA {
                                   const auto term = terms.load(k, lanes);
                                   if constexpr (!skips) return term;
                                   return withoutTarget<L>(term, k, targets);
                                 });
}

}  // namespace
