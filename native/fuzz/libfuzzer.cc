// What libFuzzer runs: one family of kernels, named by --family.
#include <cstdio>
#include <cstdlib>

#include "families.h"

namespace {
softmax_fuzz::Family family = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  static constexpr char option[] = "--family=";
  char** given = *arguments;
  int kept = 0;
  for (int i = 0; i < *count; ++i) {
    if (std::strncmp(given[i], option, sizeof option - 1) == 0) {
      family = softmax_fuzz::familyNamed(given[i] + sizeof option - 1);
    } else {
      given[kept++] = given[i];
    }
  }
  *count = kept;
  if (family) return 0;
  std::fprintf(stderr, "kernels_fuzz: --family=NAME is missing or none of the families\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  family(data, size);
  return 0;
}
