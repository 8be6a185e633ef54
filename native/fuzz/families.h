// One function a family of kernels: takes the bytes of a case, and aborts if a result is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace softmax_fuzz {

using Family = void (*)(const std::uint8_t* data, std::size_t size);

void fuzzForward(const std::uint8_t* data, std::size_t size);
void fuzzBackward(const std::uint8_t* data, std::size_t size);
void fuzzCrossEntropy(const std::uint8_t* data, std::size_t size);
void fuzzDivergence(const std::uint8_t* data, std::size_t size);
void fuzzHalves(const std::uint8_t* data, std::size_t size);
void fuzzOperations(const std::uint8_t* data, std::size_t size);
void fuzzTopK(const std::uint8_t* data, std::size_t size);
void fuzzTokenLogProbs(const std::uint8_t* data, std::size_t size);
void fuzzSample(const std::uint8_t* data, std::size_t size);
void fuzzParts(const std::uint8_t* data, std::size_t size);
void fuzzLong(const std::uint8_t* data, std::size_t size);
void fuzzTogether(const std::uint8_t* data, std::size_t size);

struct NamedFamily {
  const char* name;
  Family run;
  bool is_long;  // an execution takes a hundred times as long
};
constexpr NamedFamily families[] = {{"forward", fuzzForward, false},
                                    {"backward", fuzzBackward, false},
                                    {"cross-entropy", fuzzCrossEntropy, false},
                                    {"divergence", fuzzDivergence, false},
                                    {"halves", fuzzHalves, false},
                                    {"operations", fuzzOperations, false},
                                    {"top-k", fuzzTopK, false},
                                    {"token-log-probs", fuzzTokenLogProbs, false},
                                    {"sample", fuzzSample, false},
                                    {"parts", fuzzParts, true},
                                    {"long", fuzzLong, true},
                                    {"together", fuzzTogether, true}};

/// Null if there is none of the name.
inline Family familyNamed(const char* name) {
  for (const NamedFamily& family : families)
    if (std::strcmp(family.name, name) == 0) return family.run;
  return nullptr;
}

}  // namespace softmax_fuzz
