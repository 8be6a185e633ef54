// The distribution of a row in double throughout: for losses whose gradients cancel. The largest logits are
// left out of the sum, so that nothing is lost as their probability goes to 1.
#pragma once

#include "forward.h"

namespace {

/// Σ exp(d) of each row, which is `below` + the number of logits that are largest. R: numbers, or vectors of
/// them.
template <class R>
struct Normalizers {
  using Double = typename R::Double;
  Double others;  // the sum without one of the largest logits
  Double sum;
  Double log;

  /// `largest`: how many logits are the largest; `below`: Σ exp(d) of the others.
  Normalizers(Double largest, Double below)
      : others(R::add(below, R::subtract(largest, R::broadcast(1.0)))), sum(R::add(below, largest)) {
    const auto one = R::broadcast(1.0);
    const auto near_one = logOnePlusRatio<R>(others);
    const auto far = logArguments<R>(sum, R::broadcast(0.0)).log();
    log = R::selectAtLeast(one, others, near_one, far);
  }
  Normalizers() = default;
};

/// value where a row whose largest logit is `top` has a distribution, else `otherwise`. A NaN beside numbers
/// shows in the sums.
template <class R>
typename R::Double whereProper(typename R::Double top, typename R::Double value,
                               typename R::Double otherwise) {
  const auto below = R::selectAtLeast(R::broadcast(largestDouble), top, value, otherwise);
  return R::selectAtLeast(top, R::broadcast(-largestDouble), below, otherwise);
}

/// Doubles in a WideMemory: of 5 arrays a group of each lane's row.
template <class W>
constexpr std::size_t wideMemorySize = 5 * groupSize* W::width;

template <class W, class Run>
SOFTMAX_CALLED void inMemoryOfStack(const SoftmaxRows& rows, const Run& run) {
  alignas(64) double memory[wideMemorySize<W>];
  run(rows, memory);
}

/// run(rows, memory) with so much memory: of the call's scratch memory, which `rows` has the rest of. It is
/// more than may be left of a stack: V8 lets JavaScript come within 192 KB of the end of a worker's.
template <class W, class Run>
void inWideMemory(const SoftmaxRows& rows, const Run& run) {
  constexpr std::size_t bytes = wideMemorySize<W> * sizeof(double);
  if (rows.scratchSize < bytes) return inMemoryOfStack<W>(rows, run);
  SoftmaxRows rest = rows;
  rest.scratchSize -= bytes;
  run(rest, reinterpret_cast<double*>(static_cast<char*>(rows.scratch) + rest.scratchSize));
}

/// Memory for a unit's rows in double: a whole row if it fits, else a group at a time. Element k of all lanes
/// is at k · L::rows; vectors are complete.
template <class L>
class WideMemory {
 public:
  /// `arrays`: how many there will be, 5 at most.
  WideMemory(double* memory, std::size_t length, std::size_t arrays) : memory_(memory) {
    const std::size_t row = (length + L::step - 1) / L::step * L::V::width;
    is_whole = row <= wideMemorySize<typename L::V> / arrays;
    apart_ = is_whole ? row : groupSize * L::rows;
  }
  double* array(std::size_t i) { return memory_ + i * apart_; }

  bool is_whole;

 private:
  double* memory_;
  std::size_t apart_;
};

/// body(begin, count) for every group of a row.
template <class Body>
SOFTMAX_INLINE void eachGroup(std::size_t length, const Body& body) {
#pragma GCC unroll 1
  for (std::size_t begin = 0; begin < length; begin += groupSize)
    body(begin, length - begin < groupSize ? length - begin : groupSize);
}

/// body(i) for the place of every vector of `count` elements in such memory.
template <class L, class Body>
SOFTMAX_INLINE void eachPlace(std::size_t count, const Body& body) {
  for (std::size_t i = 0; i < count * L::rows; i += L::V::width) body(i);
}

/// Elements of rows, times `sign`, in double.
template <class L, class Rows>
SOFTMAX_CALLED void readWide(const Rows& rows, std::size_t begin, std::size_t count, const Unit& unit,
                             typename L::Register sign, double* to) {
  using V = typename L::V;
  rows.eachLoad(begin, count, unit, [&](std::size_t i, auto x) SOFTMAX_INLINE_LAMBDA {
    V::store(to + i * L::rows, V::widen(V::multiply(x, sign)));
  });
}
/// Rounds to the type of the elements, every NaN canonical. L: of the rows that are written.
template <class L, class Rows>
SOFTMAX_CALLED void writeWide(const Rows& rows, std::size_t begin, std::size_t count, const Unit& unit,
                              const double* from) {
  using V = typename L::V;
  rows.eachStore(begin, count, unit, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
    return V::canonicalNan(V::narrow(V::load(from + i * L::rows)));
  });
}

/// The largest of `best` and the numbers in memory.
template <class L>
SOFTMAX_CALLED typename L::Double largestOf(const double* from, std::size_t count, typename L::Double best) {
  using V = typename L::V;
  auto other = best;
  const std::size_t end = count * L::rows;
  for (std::size_t i = 0; i < end; i += 2 * V::width) {
    best = V::maximum(V::load(from + i), best);
    if (i + V::width < end) other = V::maximum(V::load(from + i + V::width), other);
  }
  return V::maximum(other, best);
}

/// z to d = (z − max z) · factor. −infinity stays that, whatever the factor. Returns `largest` and how many
/// of them are the largest.
template <class L>
SOFTMAX_CALLED typename L::Double shiftInPlace(double* d, std::size_t count,
                                               const ScaledDifferences<typename L::V>& difference,
                                               typename L::Double largest) {
  using V = typename L::V;
  constexpr double denormal = 0x0.fffffffffffffp-1022;  // the largest number below the smallest normal one
  const auto differences = difference;
  eachPlace<L>(count, [&](std::size_t i) SOFTMAX_INLINE_LAMBDA {
    const auto z = V::load(d + i);
    const auto shifted = V::selectAtLeast(z, V::broadcast(-largestDouble), differences.of(z), z);
    V::store(d + i, shifted);
    largest = V::add(largest, V::keepUnlessBelow(V::broadcast(1.0), shifted, V::broadcast(-denormal)));
  });
  return largest;
}

/// exp(d). In a loop of its own: in one chain with the above it would take as long again.
template <class L>
SOFTMAX_CALLED void exponentiate(const double* d, double* e, std::size_t count) {
  using V = typename L::V;
  eachPlace<L>(count, [&](std::size_t i)
                          SOFTMAX_INLINE_LAMBDA { V::store(e + i, exponentialBelow<V>(V::load(d + i))); });
}

/// Adds numbers in memory to a sum.
template <class L>
SOFTMAX_CALLED void addInMemory(GroupSums<L>& sums, std::size_t count, const Unit& unit, const double* from) {
  sums.add(count, unit, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA { return L::V::load(from + k * L::rows); });
}

/// Adds exp(d) to a sum, but those of the largest.
template <class L>
SOFTMAX_CALLED void addBelow(GroupSums<L>& sums, std::size_t count, const Unit& unit, const double* d,
                             const double* e) {
  using V = typename L::V;
  const auto zero = V::broadcast(0.0), smallest = V::broadcast(smallestNormal);
  sums.add(count, unit, [&](std::size_t k) SOFTMAX_INLINE_LAMBDA {
    const auto depth = V::subtract(zero, V::load(d + k * L::rows));
    return V::keepUnlessBelow(V::load(e + k * L::rows), depth, smallest);
  });
}

/// A unit's logits in double, shifted by the largest of the row and scaled, d_c = (z_c − max z) · factor, and
/// their exponentials: in memory, and computed a group at a time.
template <class L, class Logits>
class WideLogits {
  using D = typename L::Doubles;
  using V = typename D::V;
  using R = typename D::Rows;
  using Element = typename L::Element;
  using Double = typename D::Double;

 public:
  WideLogits(const Logits& logits, std::size_t length, const Unit& unit, const RowScaling<L>& scaling,
             bool is_whole, double* depths, double* exponentials)
      : logits_(logits),
        length_(length),
        unit_(unit),
        sign_(L::spread(scaling.sign)),
        is_whole_(is_whole),
        d_(depths),
        e_(exponentials),
        largest_(V::broadcast(0.0)) {
    auto best = V::broadcast(-infinity);
    eachGroup(length, [&](std::size_t begin, std::size_t count) {
      readWide<L>(logits_, begin, count, unit, sign_, at(d_, begin));
      best = largestOf<D>(at(d_, begin), count, best);
    });
    top = D::maximum(best);
    nans = areFinite<R>(top) ? R::broadcast(0.0) : nansOf<L>(logits_, length, unit);
    difference_ = ScaledDifferences<V>(D::spread(top), D::spread(scaling.factor));
  }

  /// Computes a group; all of them once, in their order.
  void take(std::size_t begin, std::size_t count) {
    compute(begin, count);
    addBelow<D>(below_, count, unit_, d(begin), e(begin));
  }
  /// After all groups were taken: where a group is what was computed of it, again.
  void takeAgain(std::size_t begin, std::size_t count) {
    if (!is_whole_) compute(begin, count);
  }
  const double* d(std::size_t begin) const { return at(d_, begin); }
  double* e(std::size_t begin) const { return at(e_, begin); }

  /// After all groups were taken.
  Normalizers<R> normalizers() { return {D::sum(largest_), below_.total()}; }

  /// d of one element per row.
  template <class ElementOf>
  Double ofEach(ElementOf elementOf) const {
    const auto logits = L::each(
        [&](std::size_t i) { return i < unit_.lanes ? logits_.element(elementOf(i), i) : Element(0); });
    const auto z = L::V::widen(L::V::multiply(logits, sign_));
    return V::selectAtLeast(z, V::broadcast(-largestDouble), difference_.of(z), z);
  }
  typename R::Double top;
  typename R::Double nans;  // NaN for a row that has one, beside an infinity; else 0

 private:
  double* at(double* array, std::size_t begin) const { return is_whole_ ? array + begin * L::rows : array; }
  void compute(std::size_t begin, std::size_t count) {
    double* z = at(d_, begin);
    if (!is_whole_) readWide<L>(logits_, begin, count, unit_, sign_, z);
    largest_ = shiftInPlace<D>(z, count, difference_, largest_);
    exponentiate<D>(z, e(begin), count);
  }

  const Logits& logits_;
  std::size_t length_;
  Unit unit_;
  typename L::Register sign_;
  bool is_whole_;
  double *d_, *e_;
  ScaledDifferences<V> difference_;
  Double largest_;  // how many logits are, lane by lane
  GroupSums<D> below_;
};

/// q · m, where 0 · infinity is 0.
template <class V>
SOFTMAX_INLINE typename V::Double product(typename V::Double q, typename V::Double m) {
  return V::clearWhereEqual(V::multiply(q, m), q, V::broadcast(0.0));
}

}  // namespace
