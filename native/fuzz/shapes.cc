// Shapes of their own, by the other families: rows of several blocks, of any type, masked or not, along any
// axis; and rows that are many enough to be taken together.
#include "families.h"
#include "problem.h"

namespace softmax_fuzz {
namespace {

/// The first byte says which function.
void fuzzShapes(Shapes wanted, const std::uint8_t* data, std::size_t size) {
  static constexpr Family functions[] = {fuzzForward, fuzzBackward, fuzzCrossEntropy, fuzzDivergence};
  if (size == 0) return;
  shapes = wanted;
  functions[data[0] % 4](data + 1, size - 1);
  shapes = Shapes::small;
}

}  // namespace

void fuzzLong(const std::uint8_t* data, std::size_t size) {
  fuzzShapes(Shapes::long_rows, data, size);
}
void fuzzTogether(const std::uint8_t* data, std::size_t size) {
  fuzzShapes(Shapes::many_rows, data, size);
}

}  // namespace softmax_fuzz
