// Loops over vectors keep their constants in registers only where all that they call is inlined. A compiler
// that weighs sizes does not do that on its own: each kernel has many copies of the same few operations.
#pragma once

#define SOFTMAX_INLINE inline __attribute__((always_inline))
#define SOFTMAX_INLINE_LAMBDA __attribute__((always_inline))
