// What libFuzzer runs: one family of kernels, named by --family.
#include <cstdio>
#include <cstdlib>

#include "families.h"

namespace {
softmax_fuzz::Family family = nullptr;
}

/// libFuzzer leaves options with two dashes alone, and gives them to the processes that it starts.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  static constexpr char option[] = "--family=";
  for (int i = 0; i < *count; ++i) {
    const char* given = (*arguments)[i];
    if (std::strncmp(given, option, sizeof option - 1) == 0)
      family = softmax_fuzz::familyNamed(given + sizeof option - 1);
  }
  if (family) return 0;
  std::fprintf(stderr, "kernels_fuzz: --family=NAME is missing or none of the families\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  family(data, size);
  return 0;
}
