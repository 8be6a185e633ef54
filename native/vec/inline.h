// Loops over vectors keep their constants in registers only where all that they call is inlined. A compiler
// that weighs sizes does not do that on its own: each kernel has many copies of the same few operations.
#pragma once

#define SOFTMAX_INLINE inline __attribute__((always_inline))
#define SOFTMAX_INLINE_LAMBDA __attribute__((always_inline))

// And a loop with many constants of its own is a function of its own: in a larger one, g++ keeps them, and
// what it computes, on the stack.
#define SOFTMAX_CALLED __attribute__((noinline))
