// The one order in which a row is summed, whatever the vector width and the layout.
//
// A row is cut into blocks of 4096, a block into groups of 256, a group into 8 lines of 32 lanes. Per lane,
// the lines of a group are added pairwise, then the groups one after another, then the 32 lanes (i with i +
// 16, i + 8, .., i + 1), then the blocks as a binary tree. What is missing at the end counts as 0, which adds
// nothing.
//
// It is in double, but for the first level of sums of float exponentials: two lines are added in float, which
// saves half of the conversions. That level costs an error of 2^-24 at most, and a second one would break the
// promise of 4 ULP (docs/numerics.md).
#pragma once

#include <type_traits>

#include "memory.h"

namespace {

constexpr std::size_t laneCount = 32;
constexpr std::size_t groupLines = 8;
constexpr std::size_t groupSize = laneCount * groupLines;
constexpr std::size_t blockSize = softmaxBlockSize;

/// Whether loops over lines are written out, which makes their code many times as long. It pays for floats in
/// vectors; not for doubles, whose exponentials keep all units busy on their own.
template <class L>
#if defined(SOFTMAX_SMALL)
constexpr bool writesOut = false;
#else
constexpr bool writesOut = L::V::width > 1 && sizeof(typename L::Element) == sizeof(float);
#endif

/// A term, or the sum of two, in double: terms are of either type.
template <class L, class Term>
SOFTMAX_INLINE typename L::Double inDouble(Term term) {
  if constexpr (std::is_same_v<Term, typename L::Double>)
    return term;
  else
    return L::V::widen(term);
}

/// The n lines of a group from element k on, added pairwise: term(k) + term(k + 32), and so on.
template <class L, std::size_t n, class Term>
SOFTMAX_INLINE typename L::Double wholeLines(std::size_t k, const Term& term) {
  if constexpr (n == 2) {
    const auto first = term(k);
    return inDouble<L>(L::V::add(first, term(k + laneCount)));
  } else {
    const auto first = wholeLines<L, n / 2>(k, term);
    return L::V::add(first, wholeLines<L, n / 2>(k + n / 2 * laneCount, term));
  }
}

/// A whole group by a loop.
template <class L, class Term>
SOFTMAX_INLINE typename L::Double groupInTurn(std::size_t k, const Term& term) {
  using V = typename L::V;
  typename L::Double lines[groupLines / 2];
#pragma GCC unroll 1
  for (std::size_t i = 0; i < groupLines / 2; ++i) lines[i] = wholeLines<L, 2>(k + 2 * i * laneCount, term);
  for (std::size_t half = groupLines / 4; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lines[i] = V::add(lines[2 * i], lines[2 * i + 1]);
  return lines[0];
}

/// The 1 to 8 lines of a group from element k on. What is missing would add 0 to a number that is not −0:
/// nothing.
template <class L, class Term>
SOFTMAX_INLINE typename L::Double someLines(std::size_t k, std::size_t end, const Unit& unit,
                                            const Term& term) {
  using V = typename L::V;
  typename L::Double lines[groupLines / 2];
  std::size_t count = 0;
#pragma GCC unroll 1
  do {
    const auto first = term(k, lanesOf<L>(end - k, unit));
    const std::size_t next = k + laneCount;
    lines[count++] = next < end ? inDouble<L>(V::add(first, term(next, lanesOf<L>(end - next, unit))))
                                : inDouble<L>(first);
    k += 2 * laneCount;
  } while (count < groupLines / 2 && k < end);
  for (; count > 1; count = (count + 1) / 2) {
    for (std::size_t i = 0; i < count / 2; ++i) lines[i] = V::add(lines[2 * i], lines[2 * i + 1]);
    if (count % 2) lines[count / 2] = lines[count - 1];
  }
  return lines[0];
}

/// The same, written out: four lines, two and one as far as there are more after them, and the last.
template <class L, class Term, class WholeTerm>
SOFTMAX_INLINE typename L::Double lastLines(std::size_t k, std::size_t end, const Unit& unit,
                                            const Term& term, const WholeTerm& wholeTerm) {
  using V = typename L::V;
  auto four = V::broadcast(0.0), two = four;
  const bool has_four = end - k > 4 * laneCount;
  if (has_four) {
    four = wholeLines<L, 4>(k, wholeTerm);
    k += 4 * laneCount;
  }
  const bool has_two = end - k > 2 * laneCount;
  if (has_two) {
    two = wholeLines<L, 2>(k, wholeTerm);
    k += 2 * laneCount;
  }
  auto sum = four;
  if (end - k > laneCount) {
    const auto first = wholeTerm(k);
    k += laneCount;
    sum = inDouble<L>(V::add(first, term(k, lanesOf<L>(end - k, unit))));
  } else {
    sum = inDouble<L>(term(k, lanesOf<L>(end - k, unit)));
  }
  if (has_two) sum = V::add(two, sum);
  return has_four ? V::add(four, sum) : sum;
}

/// The columns of lanes that elements are added to: how many of them a block of `count` elements has. An
/// empty row has a sum, too.
template <class L>
constexpr std::size_t laneColumns = laneCount / L::step;
template <class L>
std::size_t usedColumns(std::size_t count) {
  return count < laneCount ? (count + (count == 0) + L::step - 1) / L::step : laneColumns<L>;
}

/// The columns of a block added, lane by lane of a vector.
template <class L>
SOFTMAX_INLINE typename L::Double joinedColumns(typename L::Double* lanes, std::size_t used) {
  std::size_t left = used;
#pragma GCC unroll 1
  for (std::size_t half = laneColumns<L> / 2; half > 0; half /= 2) {
    for (std::size_t c = 0; c + half < left; ++c) lanes[c] = L::V::add(lanes[c], lanes[c + half]);
    if (left > half) left = half;
  }
  return lanes[0];
}

/// Sums over elements [begin, begin + count), at most a block, of a unit's rows, lane by lane of a vector.
/// term(k, lanes) is the terms of the vector from element k on, as L::Double or L::Register; 0 in lanes that
/// are not in use but belong to a row. `is_short`: at most a group.
template <class L, bool written_out, bool is_short = false, class Term>
SOFTMAX_INLINE typename L::Double laneSums(std::size_t begin, std::size_t count, const Unit& unit,
                                           const Term& term) {
  using V = typename L::V;
  constexpr std::size_t columns = laneColumns<L>;
  const std::size_t used = usedColumns<L>(count);
  typename L::Double lanes[columns];
  lanes[0] = V::broadcast(0.0);
  for (std::size_t c = 1; c < used; ++c) lanes[c] = lanes[0];
  const std::size_t end = begin + count;
  std::size_t group = begin;
  const std::size_t whole = L::rows == 1 ? V::width : unit.lanes;
  const auto wholeTerm = [&](std::size_t k) SOFTMAX_INLINE_LAMBDA { return term(k, whole); };
  if constexpr (written_out && !is_short) {
    for (; end - group >= groupSize; group += groupSize) {
#pragma GCC unroll 1
      for (std::size_t c = 0; c < columns; ++c) {
        const std::size_t k = group + c * L::step;
        if constexpr (writesOut<L>) {
          lanes[c] = V::add(lanes[c], wholeLines<L, groupLines>(k, wholeTerm));
        } else {
          lanes[c] = V::add(lanes[c], groupInTurn<L>(k, wholeTerm));
        }
      }
    }
  }
  if constexpr (written_out && writesOut<L>) {
#pragma GCC unroll 1
    for (std::size_t c = 0, k = group; k < end && c < columns; ++c, k += L::step)
      lanes[c] = V::add(lanes[c], lastLines<L>(k, end, unit, term, wholeTerm));
  } else {
#pragma GCC unroll 1
    for (; group < end; group += groupSize) {
#pragma GCC unroll 1
      for (std::size_t c = 0, k = group; k < end && c < columns; ++c, k += L::step)
        lanes[c] = V::add(lanes[c], someLines<L>(k, end, unit, term));
    }
  }
  return joinedColumns<L>(lanes, used);
}

/// The same: one sum per row.
template <class L, bool written_out, class Term>
SOFTMAX_INLINE typename L::Rows::Double blockSum(std::size_t begin, std::size_t count, const Unit& unit,
                                                 const Term& term) {
  return L::sum(laneSums<L, written_out>(begin, count, unit, term));
}

/// The sum of 1 to 32 terms, one of each lane, in the order of the same tree: term(i).
template <class L, std::size_t half = 1, class Term>
SOFTMAX_INLINE typename L::Double joinedTerms(std::size_t count, const Term& term, std::size_t i = 0) {
  if constexpr (half == laneCount) {
    return inDouble<L>(term(i));
  } else {
    const auto sum = joinedTerms<L, 2 * half>(count, term, i);
    return i + half < count ? L::V::add(sum, joinedTerms<L, 2 * half>(count, term, i + half)) : sum;
  }
}

/// Adds the blocks of a row as they come, in the order of the same tree: a binary counter. `add(a, b)` joins
/// two.
template <class Value, Value (*add)(Value, Value)>
class BlockTree {
 public:
  BlockTree() { stack_[0] = Value(); }  // compilers do not see that something is pushed before total()
  void push(Value value) {
    for (std::size_t level = count_; level & 1; level >>= 1) value = add(stack_[--depth_], value);
    stack_[depth_++] = value;
    ++count_;
  }
  /// At least one block must have been pushed.
  Value total() {
    while (depth_ > 1) {
      --depth_;
      stack_[depth_ - 1] = add(stack_[depth_ - 1], stack_[depth_]);
    }
    return stack_[0];
  }

 private:
  Value stack_[52];  // 2^52 blocks
  std::size_t depth_ = 0, count_ = 0;
};

/// Σ term over whole rows: one sum per row.
template <class L, bool written_out = false, class Term>
typename L::Rows::Double termSum(std::size_t length, const Unit& unit, Term term) {
  using R = typename L::Rows;
  if (length <= blockSize) return blockSum<L, written_out>(0, length, unit, term);
  BlockTree<typename R::Double, R::add> tree;
  for (std::size_t begin = 0; begin < length; begin += blockSize) {
    const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
    tree.push(blockSum<L, false>(begin, count, unit, term));
  }
  return tree.total();
}

/// The same sum of elements that come a group at a time, so that several sums of them take one sweep.
template <class L>
class GroupSums {
  using V = typename L::V;
  using R = typename L::Rows;

 public:
  /// Adds the next `count` elements: whole groups, but for what the row ends with. term(k, lanes) is the
  /// terms of the vector from the k-th of them on, with 0 where the row has no more.
  template <class Term>
  SOFTMAX_INLINE void add(std::size_t count, const Unit& unit, const Term& term) {
    for (std::size_t begin = 0; begin < count; begin += groupSize) addGroup(begin, count, unit, term);
  }
  typename R::Double total() {
    if (groups_ > 0) endBlock();
    return has_blocks_ ? tree_.total() : R::broadcast(0.0);
  }

 private:
  template <class Term>
  SOFTMAX_INLINE void addGroup(std::size_t begin, std::size_t end, const Unit& unit, const Term& term) {
    if (groups_ == 0) {
      used_ = usedColumns<L>(end - begin);
      for (std::size_t c = 0; c < used_; ++c) lanes_[c] = V::broadcast(0.0);
    }
    const auto wholeTerm = [&](std::size_t k) SOFTMAX_INLINE_LAMBDA { return term(k, V::width); };
    if (end - begin >= groupSize) {
#pragma GCC unroll 1
      for (std::size_t c = 0; c < laneColumns<L>; ++c)
        lanes_[c] = V::add(lanes_[c], wholeLines<L, groupLines>(begin + c * L::step, wholeTerm));
    } else {
#pragma GCC unroll 1
      for (std::size_t c = 0, k = begin; k < end && c < laneColumns<L>; ++c, k += L::step)
        lanes_[c] = V::add(lanes_[c], lastLines<L>(k, end, unit, term, wholeTerm));
    }
    if (++groups_ == blockSize / groupSize) endBlock();
  }
  void endBlock() {
    tree_.push(L::sum(joinedColumns<L>(lanes_, used_)));
    groups_ = 0;
    has_blocks_ = true;
  }

  typename L::Double lanes_[laneColumns<L>];
  std::size_t used_ = 0, groups_ = 0;
  bool has_blocks_ = false;
  BlockTree<typename R::Double, R::add> tree_;
};

}  // namespace
