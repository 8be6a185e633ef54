// The one order in which a row is summed, whatever the vector width and the layout.
//
// A row is cut into blocks of 4096, a block into groups of 256, a group into 8 lines of 32 lanes. Per lane,
// the lines of a group are added pairwise, then the groups one after another, then the 32 lanes (i with i +
// 16, i + 8, .., i + 1), then the blocks as a binary tree. What is missing at the end counts as 0, which adds
// nothing.
//
// All of it is in double. A first level in float would save 7 % of the loop's instructions, and cost 0.2 ULP
// of softmax on random rows; but on rows of equal logits, whose partial sums all round the same way, 4.4 in
// place of 3.3.
#pragma once

#include "memory.h"
#include "reference.h"

namespace {

constexpr std::size_t laneCount = 32;
constexpr std::size_t groupLines = 8;
constexpr std::size_t groupSize = laneCount * groupLines;
constexpr std::size_t blockSize = 4096;

/// Sums over elements [begin, begin + count), at most a block, of a unit's rows: one sum a row. term(k,
/// lanes) is the terms, as L::Double, of the vector from element k on; 0 in lanes that are not in use but
/// belong to a row.
template <class L, class Term>
void blockSum(std::size_t begin, std::size_t count, const Unit& unit, Term term, double* sums) {
  using V = typename L::V;
  constexpr std::size_t columns = laneCount / L::step;
  const std::size_t whole = L::rows == 1 ? V::width : unit.lanes;
  typename L::Double lanes[columns];
  for (auto& column : lanes) column = V::broadcast(0.0);
  for (std::size_t group = 0; group < count; group += groupSize) {
    const bool is_whole = count - group >= groupSize;
    for (std::size_t c = 0; c < columns; ++c) {
      typename L::Double line[groupLines];
      const std::size_t column = group + c * L::step;
      if (is_whole) {
        for (std::size_t k = 0; k < groupLines; ++k) line[k] = term(begin + column + k * laneCount, whole);
      } else {
        if (column >= count) break;
        const std::size_t lines = (count - column + laneCount - 1) / laneCount;
        for (std::size_t k = 0; k < groupLines; ++k) {
          const std::size_t offset = column + k * laneCount;
          line[k] = k < lines ? term(begin + offset, lanesOf<L>(count - offset, unit)) : V::broadcast(0.0);
        }
        // Short rows: the zeros add nothing.
        if (lines == 1) {
          lanes[c] = V::add(lanes[c], line[0]);
          continue;
        }
      }
      const auto first = V::add(V::add(line[0], line[1]), V::add(line[2], line[3]));
      const auto second = V::add(V::add(line[4], line[5]), V::add(line[6], line[7]));
      lanes[c] = V::add(lanes[c], V::add(first, second));
    }
  }
  for (std::size_t half = columns / 2; half > 0; half /= 2)
    for (std::size_t c = 0; c < half; ++c) lanes[c] = V::add(lanes[c], lanes[c + half]);
  L::sum(lanes[0], sums);
}

/// Adds the blocks of a row as they come, in the order of the same tree: a binary counter. `add(a, b)` joins
/// two.
template <class Value, Value (*add)(Value, Value)>
class BlockTree {
 public:
  BlockTree() { stack_[0] = {}; }  // compilers do not see that something is pushed before total()
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

/// Σ term over whole rows: one sum a row.
template <class L, class Term>
void termSum(std::size_t length, const Unit& unit, Term term, double* sums) {
  if (length <= blockSize) {
    blockSum<L>(0, length, unit, term, sums);
    return;
  }
  BlockTree<double, add> trees[L::rows];
  for (std::size_t begin = 0; begin < length; begin += blockSize) {
    const std::size_t count = length - begin < blockSize ? length - begin : blockSize;
    double block[L::V::width];
    blockSum<L>(begin, count, unit, term, block);
    for (std::size_t i = 0; i < L::rows; ++i) trees[i].push(block[i]);
  }
  for (std::size_t i = 0; i < L::rows; ++i) sums[i] = trees[i].total();
}

/// The vector's element numbers, from k on.
template <class L>
typename L::Double elementNumbers(std::size_t k) {
  using V = typename L::V;
  static constexpr double numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  static_assert(V::width <= 16);
  const auto first = V::broadcast(static_cast<double>(k));
  if constexpr (L::rows == 1) return V::add(V::load(numbers), first);
  return first;
}

/// value, and 0 where the two numbers are equal.
template <class V>
typename V::Double clearWhereEqual(typename V::Double value, typename V::Double a, typename V::Double b) {
  const auto zero = V::broadcast(0.0);
  return V::selectAtLeast(a, b, V::selectAtLeast(b, a, zero, value), value);
}

/// value in the lanes in use, 0 in the others: what blockSum asks of a term.
template <class L>
typename L::Double lanesInUse(typename L::Double value, std::size_t count) {
  using V = typename L::V;
  if (L::rows > 1 || count == V::width) return value;
  const auto end = V::broadcast(static_cast<double>(count));
  return V::selectAtLeast(elementNumbers<L>(0), end, V::broadcast(0.0), value);
}

}  // namespace
