// Rows of several blocks, of any type, masked or not, along any axis: by any of the other families.
#include "families.h"
#include "problem.h"

namespace softmax_fuzz {

void fuzzLong(const std::uint8_t* data, std::size_t size) {
  static constexpr Family functions[] = {fuzzForward, fuzzBackward, fuzzCrossEntropy, fuzzDivergence};
  if (size == 0) return;
  are_long = true;
  functions[data[0] % 4](data + 1, size - 1);
  are_long = false;
}

}  // namespace softmax_fuzz
