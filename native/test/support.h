// What the kernels' tests share: reporting, seeded random numbers.
#pragma once

#include <cstdint>
#include <cstdio>

#include "bits.h"

namespace {

int failures = 0;

void check(bool ok, const char* what) {
  if (!ok) ++failures;
  std::printf("%s %s\n", ok ? "ok    " : "FAILED", what);
}

std::uint64_t randomState = 20261122;

std::uint64_t randomBits() {  // splitmix64
  std::uint64_t z = (randomState += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float uniform(float low, float high) {
  return low + (high - low) * (static_cast<float>(randomBits() >> 40) * 0x1p-24f);
}

}  // namespace
