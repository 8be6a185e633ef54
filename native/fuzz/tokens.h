// What the families of tokens share: rows that are long now and then, and numbers of places.
#pragma once

#include "problem.h"

namespace softmax_fuzz {

/// Rows are of several blocks now and then, while it lives.
class DrawnLength {
 public:
  explicit DrawnLength(Input& input) : before_(shapes) {
    if (input.chance(1)) shapes = Shapes::long_rows;
  }
  ~DrawnLength() { shapes = before_; }
  DrawnLength(const DrawnLength&) = delete;
  DrawnLength& operator=(const DrawnLength&) = delete;

 private:
  Shapes before_;
};

/// From 1 to `length`: mostly few.
inline std::size_t drawPlaces(Input& input, std::size_t length) {
  if (length == 0) return 0;
  const std::size_t few = input.byte();
  const std::size_t places = input.chance(32) ? 256 * few + input.byte() : few;
  return 1 + places % length;
}

}  // namespace softmax_fuzz
