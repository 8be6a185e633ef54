// A defect in every task of a job, for the sanitizers' scripts to find (CMake's SOFTMAX_SEEDED_DEFECT): a
// detector that does not see it sees nothing.
#pragma once

#include <climits>
#include <cstddef>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace softmax_native {

/// Threads write it at the same time.
inline void race() {
  static std::size_t seeded_race = 0;
  ++seeded_race;
}

inline void signedOverflow() {
  volatile int largest = INT_MAX;
  largest = largest + 1;
}

/// Reads the first float after an array.
inline void overRead() {
  volatile std::size_t length = 4;
  const float* const array = new float[length]();
  volatile float beyond = array[length];
  static_cast<void>(beyond);
  delete[] array;
}

/// Does so with a load of some lanes, as kernels do at the end of a row.
#if defined(__x86_64__)
__attribute__((target("avx2"), noinline)) inline void maskedOverRead() {
  volatile int lanes = 5;
  const float* const array = new float[4]();
  const __m256i mask =
      _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  volatile float first = _mm256_cvtss_f32(_mm256_maskload_ps(array, mask));
  static_cast<void>(first);
  delete[] array;
}
#endif

inline void leak() {
  volatile char* memory = new char[7];
  memory[0] = 1;
}

}  // namespace softmax_native
