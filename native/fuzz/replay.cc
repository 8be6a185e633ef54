// Runs cases again, as a test: those that the fuzzer found, from cases/<family>.txt, a case a line in
// hexadecimal. And random changes of them.
//   fuzz_replay DIRECTORY [CHANGES_OF_EACH]
//   fuzz_replay FAMILY HEXADECIMAL
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "double_double.h"
#include "families.h"

namespace {

using softmax_fuzz::NamedFamily;
using Bytes = std::vector<std::uint8_t>;

Bytes bytesOf(const char* hexadecimal) {
  Bytes bytes;
  for (unsigned byte; std::sscanf(hexadecimal, "%2x", &byte) == 1; hexadecimal += 2) {
    bytes.push_back(static_cast<std::uint8_t>(byte));
    if (hexadecimal[1] == '\0') break;
  }
  return bytes;
}

std::uint64_t random_state = 20261125;
std::uint64_t randomBits() {  // splitmix64
  std::uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Some bytes are others.
Bytes changed(Bytes bytes) {
  if (bytes.empty()) return bytes;
  for (std::uint64_t left = 1 + randomBits() % 4; left > 0; --left)
    bytes[randomBits() % bytes.size()] = static_cast<std::uint8_t>(randomBits());
  return bytes;
}

/// The case that runs.
const char* family_name = "";
const Bytes* running = nullptr;

void runOne(const NamedFamily& family, const Bytes& bytes) {
  family_name = family.name;
  running = &bytes;
  family.run(bytes.data(), bytes.size());
}

void showCase(int) {
  std::fprintf(stderr, "fuzz_replay %s ", family_name);
  for (const std::uint8_t byte : *running) std::fprintf(stderr, "%02x", byte);
  std::fprintf(stderr, "\n");
  std::_Exit(1);
}

/// The reference itself: e, exp(x) exp(−x) = 1 and log(1 + (exp(x) − 1)) = x, to 94 bits.
bool isExact() {
  using namespace softmax_fuzz;
  constexpr double bound = 0x1p-94;
  const auto isNear = [](DoubleDouble a, DoubleDouble b) {
    const DoubleDouble error = a - b;
    return std::fabs(error.high) <= bound * std::fabs(b.high);
  };
  bool exact = isNear(exp(number(1.0)), {2.718281828459045, 1.4456468917292502e-16});
  for (int i = 0; i < 20000; ++i) {
    const double size = static_cast<double>(randomBits() >> 11) * 0x1p-53;
    const DoubleDouble x = number(i % 2 ? 600.0 * size : size * powerOfTwo(-(i % 300)));
    exact &= isNear(exp(x) * exp(-x), number(1.0)) && isNear(logOnePlus(expMinusOne(x)), x);
  }
  std::printf("%s the reference's exp and log\n", exact ? "ok    " : "FAILED");
  return exact;
}

int run(const std::string& directory, long changes) {
  long cases = 0, total = 0;
  for (const NamedFamily& family : softmax_fuzz::families) {
    const std::string path = directory + "/" + family.name + ".txt";
    std::FILE* file = std::fopen(path.c_str(), "r");
    if (!file) {
      std::printf("FAILED %s can't be read\n", path.c_str());
      return 1;
    }
    const long of_each = family.is_long ? changes / 20 : changes;
    long of_family = 0;
    static char line[4096];
    while (std::fgets(line, sizeof line, file)) {
      if (line[0] == '#' || line[0] == '\n') continue;
      const Bytes bytes = bytesOf(line);
      runOne(family, bytes);
      ++of_family;
      for (long i = 0; i < of_each; ++i, ++total) runOne(family, changed(bytes));
    }
    std::fclose(file);
    std::printf("%s %s: %ld cases\n", of_family > 0 ? "ok    " : "FAILED", family.name, of_family);
    if (of_family == 0) return 1;
    cases += of_family;
  }
  total += cases;
  std::printf("%ld cases, %ld executions\n", cases, total);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: fuzz_replay DIRECTORY [CHANGES_OF_EACH] | fuzz_replay FAMILY HEXADECIMAL\n");
    return 2;
  }
  if (const softmax_fuzz::Family family = softmax_fuzz::familyNamed(arguments[1])) {
    const Bytes bytes = bytesOf(count > 2 ? arguments[2] : "");
    family(bytes.data(), bytes.size());
    std::printf("ok\n");
    return 0;
  }
  if (!isExact()) return 1;
  std::signal(SIGABRT, showCase);
  return run(arguments[1], count > 2 ? std::atol(arguments[2]) : 0);
}
