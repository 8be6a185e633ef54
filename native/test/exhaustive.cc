// Every float32 as an argument of the functions that results are made of: all bits of every ISA against the
// scalar kernels', and the errors of those (exhaustive_errors.h). checks/exhaustive runs this, then the same
// in JavaScript, and compares.
//
//   exhaustive SWEEP [--multiplier M] [--every N] [--threads T] [--hashes FILE] [--progress]
//   exhaustive SWEEP --row R [--multiplier M]      the scalar results of row R, as bytes
//
// Sweeps:
//   exp          2 c exp(M x) / 2^N of all 2^32 patterns. A row is 65,536 neighbours, measured as a row of a
//                softmax is: by the largest of them, which is subtracted where it is huge.
//   exp-beside-0 the same of all that are not positive, in rows whose largest logit is 0: down to where
//                results become exactly 0, and everything below that
//   exp-double   exp in double, of all patterns as doubles
//   log          of all positive normal numbers, as doubles
//   log-one-plus log(1 + q) of all numbers in [0, 1], as doubles
//   steps        the steps that are a fused multiply-add in vector code and double arithmetic elsewhere, over
//                all arguments that the kernels meet
//
// --every N (a power of two): one of N patterns, other ones in each row, and all of the rows where something
// happens. Prints one line of JSON. The exit code is 1 if ISAs differ, or a special result is not the stated
// one.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "exhaustive_sweep.h"

namespace {

struct Options : SweepOptions {
  unsigned threads = 2;
  const char* hashes = nullptr;
  bool shows_progress = false;
  long row = -1;
};

bool readOptions(int argc, char** argv, Options& options) {
  if (argc < 2) return false;
  options.sweep = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--progress") {
      options.shows_progress = true;
      continue;
    }
    if (++i == argc) return false;
    if (name == "--multiplier")
      options.multiplier = std::atof(argv[i]);
    else if (name == "--every")
      options.every = static_cast<std::uint32_t>(std::atoi(argv[i]));
    else if (name == "--threads")
      options.threads = static_cast<unsigned>(std::atoi(argv[i]));
    else if (name == "--hashes")
      options.hashes = argv[i];
    else if (name == "--row")
      options.row = std::atol(argv[i]);
    else
      return false;
  }
  const bool is_power = (options.every & (options.every - 1)) == 0;
  return options.every >= 1 && options.every <= 4096 && is_power && options.threads >= 1;
}

/// First row and the one after the last.
bool rowsOf(const std::string& sweep, std::uint32_t& first, std::uint32_t& end) {
  first = 0, end = 65536;
  if (sweep == "exp" || sweep == "exp-double" || sweep == "steps") return true;
  if (sweep == "exp-beside-0")
    first = 0x8000;
  else if (sweep == "log")
    first = 0x0080, end = 0x7F80;
  else if (sweep == "log-one-plus")
    end = 0x3F81;
  else
    return false;
  return true;
}

/// Rows are taken one by one by whichever thread is free.
Findings runAll(const Options& options, std::uint32_t first, std::uint32_t end,
                std::vector<std::uint32_t>& hashes) {
  Findings findings;
  std::atomic<std::uint32_t> next{first};
  std::mutex mutex;
  const auto work = [&] {
    Sweep sweep(options);
    for (std::uint32_t row; (row = next.fetch_add(1)) < end;) {
      hashes[row - first] = sweep.run(row);
      if (options.shows_progress && (row - first) % 512 == 511)
        std::fprintf(stderr, "progress %.4f\n", static_cast<double>(row + 1 - first) / (end - first));
    }
    const std::lock_guard<std::mutex> lock(mutex);
    findings.add(sweep.findings);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return findings;
}

void printSteps(const char* name, const ExhaustiveSteps& s) {
  const auto print = [](const char* key, std::uint64_t count) {
    std::printf(",\"%s\":%llu", key, static_cast<unsigned long long>(count));
  };
  std::printf(",\"%s\":{\"inputs\":%llu", name, static_cast<unsigned long long>(s.inputs));
  if (std::strcmp(name, "arguments") == 0) {
    print("rounding", s.rounding), print("roundingJs", s.roundingJs), print("high", s.high);
    print("highInexact", s.highInexact), print("low", s.low), print("lowJs", s.lowJs);
  } else if (std::strcmp(name, "series") == 0) {
    print("series", s.series), print("square", s.square), print("result", s.result);
  } else {
    print("error", s.error), print("rest", s.rest);
  }
  std::printf("}");
}

/// Whether ISAs agree, and all results are numbers where they should be.
bool print(const Options& options, const Findings& findings) {
  std::printf("{\"inputs\":%llu", static_cast<unsigned long long>(findings.inputs));
  if (options.sweep == "steps") {
    printSteps("arguments", findings.arguments);
    printSteps("series", findings.series);
    printSteps("products", findings.products);
    std::printf("}\n");
    return true;
  }
  std::printf(",\"worst\":{\"error\":%.6g,\"pattern\":%u},\"isas\":[\"scalar\"",
              findings.worst.error < wrong ? findings.worst.error : -1.0, findings.worst.pattern);
  const auto isas = supported();
  for (const auto* isa : isas) std::printf(",\"%s\"", nameOf(*isa));
  std::printf("],\"differences\":[");
  bool is_first = true;
  for (std::size_t i = 0; i < isas.size(); ++i) {
    const Findings::Difference& difference = findings.differences[i];
    if (difference.count == 0) continue;
    std::printf("%s{\"isa\":\"%s\",\"count\":%llu,\"first\":%u}", is_first ? "" : ",", nameOf(*isas[i]),
                static_cast<unsigned long long>(difference.count), difference.first);
    is_first = false;
  }
  std::printf("]}\n");
  return is_first && findings.worst.error < wrong;
}

bool write(const char* file, const std::vector<std::uint32_t>& hashes) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file, "wb"), std::fclose);
  return out && std::fwrite(hashes.data(), sizeof hashes[0], hashes.size(), out.get()) == hashes.size();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::uint32_t first = 0, end = 0;
  if (!readOptions(argc, argv, options) || !rowsOf(options.sweep, first, end)) {
    std::fprintf(stderr, "usage: see the beginning of native/test/exhaustive.cc\n");
    return 2;
  }
  if (options.row >= 0) {
    Sweep sweep(options);
    sweep.run(static_cast<std::uint32_t>(options.row));
    return std::fwrite(sweep.results(), sweep.resultSize(), 1, stdout) == 1 ? 0 : 2;
  }
  std::vector<std::uint32_t> hashes(end - first);
  const Findings findings = runAll(options, first, end, hashes);
  if (options.hashes && !write(options.hashes, hashes)) {
    std::perror(options.hashes);
    return 2;
  }
  return print(options, findings) ? 0 : 1;
}
