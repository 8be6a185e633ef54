// The distribution of a row in double throughout: for losses whose gradients cancel. The largest logits are
// left out of the sum, so that nothing is lost as their probability goes to 1.
#pragma once

#include "../vec/pair.h"
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
  explicit Normalizers(const SoftmaxDistribution& known)
      : Normalizers(R::broadcast(known.largest), R::broadcast(known.below)) {}
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

/// Elements of each row that a loop takes before the next loop takes them: as few as the first cache holds,
/// as many as make loops worth their start. Whole groups.
template <class L>
constexpr std::size_t chunkSize = groupSize*(L::rows > 1 || L::V::width < 4 ? 1 : 4);

/// The largest signed logit of each row, and NaN for a row that has one beside an infinity, else 0.
template <class R>
struct RowTops {
  typename R::Double top, nans;

  RowTops(typename R::Double top_, typename R::Double nans_) : top(top_), nans(nans_) {}
  explicit RowTops(const SoftmaxDistribution& known)
      : RowTops(R::broadcast(known.top), R::broadcast(known.nans)) {}
};

template <class L, class Logits>
RowTops<typename L::Doubles::Rows> topsOf(const Logits& logits, std::size_t length, const Unit& unit,
                                          const RowScaling<L>& scaling) {
  using R = typename L::Doubles::Rows;
  const auto sign = L::spread(scaling.sign);
  auto best = L::V::broadcast(-Numbers<typename L::Element>::infinity);
  logits.eachLoad(0, length, unit, [&](std::size_t, auto x) SOFTMAX_INLINE_LAMBDA {
    best = L::V::maximum(L::V::multiply(x, sign), best);
  });
  const auto top = L::Rows::widen(L::maximum(best));
  return {top, areFinite<R>(top) ? R::broadcast(0.0) : nansOf<L>(logits, length, unit)};
}

/// A row in parts (split_row.h), of the call's i-th array: the largest logit of a part, or of all of them.
template <class L, class Logits>
void measureInParts(const PartTask& task, std::size_t i, const Logits& logits, std::size_t length,
                    const Unit& unit, const RowScaling<L>& scaling) {
  SoftmaxDistribution& known = task.part->of[i];
  if (!task.is_join) {
    known.top = topsOf<L>(logits, length, unit, scaling).top;
    return;
  }
  known.top = -infinity;
  for (std::size_t part = 0; part < task.count; ++part)
    if (task.parts[part].of[i].top > known.top) known.top = task.parts[part].of[i].top;
  known.nans = areFinite<Wide<Scalar>>(known.top) ? 0.0 : nansOf<L>(logits, length, unit);
}
/// The row's sums, from those of its parts.
inline void joinDistributions(const PartTask& task, std::size_t i) {
  SoftmaxDistribution& known = task.part->of[i];
  known.below = joined<double, Scalar::add>(task, [=](const SoftmaxPart& part) { return part.of[i].below; });
  known.largest =
      joined<double, Scalar::add>(task, [=](const SoftmaxPart& part) { return part.of[i].largest; });
}
inline void joinTerms(const PartTask& task, std::size_t i) {
  task.part->terms[i] =
      joined<double, Scalar::add>(task, [=](const SoftmaxPart& part) { return part.terms[i]; });
}

/// Memory for a unit's rows in double: a whole row if it fits, else a chunk at a time. Element k of all lanes
/// is at k · L::rows; vectors are complete.
template <class L>
class WideMemory {
 public:
  /// `arrays`: how many there will be, 5 at most. `in_parts`: never a whole row.
  WideMemory(double* memory, std::size_t length, std::size_t arrays, bool in_parts = false)
      : memory_(memory) {
    const std::size_t row = (length + L::step - 1) / L::step * L::V::width;
    is_whole = !in_parts && row <= wideMemorySize<typename L::V> / arrays;
    apart_ = is_whole ? row : chunkSize<L> * L::rows;
  }
  double* array(std::size_t i) { return memory_ + i * apart_; }

  bool is_whole;

 private:
  double* memory_;
  std::size_t apart_;
};

/// body(begin, count) for every chunk of a row.
template <class L, class Body>
SOFTMAX_INLINE void eachChunk(std::size_t length, const Body& body) {
#pragma GCC unroll 1
  for (std::size_t begin = 0; begin < length; begin += chunkSize<L>)
    body(begin, length - begin < chunkSize<L> ? length - begin : chunkSize<L>);
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

/// Of `count` logits from element `begin` on: d = (z − max z) · factor. −infinity stays that.
template <class L, class Logits>
SOFTMAX_CALLED void shift(const Logits& logits, std::size_t begin, std::size_t count, const Unit& unit,
                          typename L::Register sign,
                          const ScaledDifferences<typename L::Doubles::V>& difference, double* d) {
  using V = typename L::Doubles::V;
  const auto differences = difference;
  logits.eachLoad(begin, count, unit, [&](std::size_t i, auto x) SOFTMAX_INLINE_LAMBDA {
    const auto z = L::V::widen(L::V::multiply(x, sign));
    if constexpr (sizeof(typename L::Element) == sizeof(float)) {
      V::store(d + i * L::rows, differences.of(z));
    } else {
      V::store(d + i * L::rows, differences.ofLogit(z));
    }
  });
}

/// exp(d). In a loop of its own: in one chain with the above it would take as long again.
template <class L>
SOFTMAX_CALLED void exponentiate(const double* d, double* e, std::size_t count) {
  using V = typename L::V;
  const std::size_t end = count * L::rows;
  std::size_t i = 0;
  for (; i + 2 * V::width <= end; i += 2 * V::width) {
    const auto both = exponentialBelow<Pair<V>>({V::load(d + i), V::load(d + i + V::width)});
    V::store(e + i, both.first);
    V::store(e + i + V::width, both.second);
  }
  for (; i < end; i += V::width) V::store(e + i, exponentialBelow<V>(V::load(d + i)));
}

/// Adds numbers in memory to a sum.
template <class L>
SOFTMAX_CALLED void addInMemory(GroupSums<L>& sums, std::size_t count, const Unit& unit, const double* from) {
  sums.add(count, unit,
           [&](std::size_t k, std::size_t) SOFTMAX_INLINE_LAMBDA { return L::V::load(from + k * L::rows); });
}

/// Adds exponentials to a sum, but those that are 1: these are counted.
template <class L>
SOFTMAX_CALLED typename L::Double addBelow(GroupSums<L>& sums, std::size_t count, const Unit& unit,
                                           const double* e, typename L::Double largest) {
  using V = typename L::V;
  const auto zero = V::broadcast(0.0), one = V::broadcast(1.0);
  sums.add(count, unit, [&](std::size_t k, std::size_t) SOFTMAX_INLINE_LAMBDA {
    const auto value = V::load(e + k * L::rows);
    largest = V::add(largest, V::selectAtLeast(value, one, one, zero));
    return V::selectAtLeast(value, one, zero, value);
  });
  return largest;
}

/// A unit's logits in double, shifted by the largest of the row and scaled, d_c = (z_c − max z) · factor, and
/// their exponentials: in memory, and computed a chunk at a time. The largest are those whose exponential
/// is 1.
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
      : WideLogits(logits, unit, scaling, topsOf<L>(logits, length, unit, scaling), is_whole, depths,
                   exponentials) {}
  WideLogits(const Logits& logits, const Unit& unit, const RowScaling<L>& scaling, const RowTops<R>& tops,
             bool is_whole, double* depths, double* exponentials)
      : top(tops.top),
        nans(tops.nans),
        logits_(logits),
        unit_(unit),
        sign_(L::spread(scaling.sign)),
        is_whole_(is_whole),
        d_(depths),
        e_(exponentials),
        largest_(V::broadcast(0.0)) {
    auto factor = scaling.factor;
    // Nothing, but not 0: that times −infinity is NaN.
    if constexpr (sizeof(Element) == sizeof(float)) factor = R::maximum(factor, R::broadcast(0x1p-500));
    difference_ = ScaledDifferences<V>(D::spread(top), D::spread(factor));
  }

  /// Computes a chunk; all of them once, in their order.
  void take(std::size_t begin, std::size_t count) {
    compute(begin, count);
    largest_ = addBelow<D>(below_, count, unit_, e(begin), largest_);
  }
  /// After all chunks were taken: where a chunk is what was computed of it, again.
  void takeAgain(std::size_t begin, std::size_t count) {
    if (!is_whole_) compute(begin, count);
  }
  const double* d(std::size_t begin) const { return at(d_, begin); }
  double* e(std::size_t begin) const { return at(e_, begin); }

  /// After all chunks were taken.
  Normalizers<R> normalizers() { return {D::sum(largest_), below_.total()}; }
  /// The same of a part of a row.
  void putInto(SoftmaxDistribution& known) {
    known.below = below_.total();
    known.largest = D::sum(largest_);
  }

  /// d of logits of their own.
  Double of(typename L::Register logits) const {
    return difference_.ofLogit(L::V::widen(L::V::multiply(logits, sign_)));
  }
  typename R::Double top, nans;  // as in RowTops

 private:
  double* at(double* array, std::size_t begin) const { return is_whole_ ? array + begin * L::rows : array; }
  void compute(std::size_t begin, std::size_t count) {
    shift<L>(logits_, begin, count, unit_, sign_, difference_, at(d_, begin));
    exponentiate<D>(d(begin), e(begin), count);
  }

  const Logits& logits_;
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
