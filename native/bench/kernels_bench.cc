// Times the kernels alone, without Node: every instruction set that this CPU has.
//
//   kernels_bench [--csv] [FILTER [SHAPE...]]
//     FILTER   cases whose name contains it, e.g. "avx512  softmax "
//     SHAPE    outer x length x inner, e.g. 64x1000x1
//     --csv    a line a case: name, elements, ns a cycle, ns at the median and at best
//
// Nanoseconds and core cycles per element, over interleaved turns: the median, and the best, which other
// processes on the machine have no part in. The length of a cycle is measured: a chain of dependent additions
// takes one each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/scratch.h"
#include "../test/calls.h"

namespace {

using namespace softmax_native;

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(time).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Nanoseconds of one core cycle.
double cycleTime() {
  std::vector<double> times;
  for (int turn = 0; turn < 9; ++turn) {
    constexpr int steps = 1 << 20;
    std::uint64_t value = 1;
    const double begin = now();
    // The empty assembly keeps the compiler from computing the sum itself.
    for (int i = 0; i < steps; i += 8)
      for (int k = 0; k < 8; ++k) {
        value += 3;
        asm volatile("" : "+r"(value));
      }
    times.push_back((now() - begin) / steps);
  }
  return *std::min_element(times.begin(), times.end());
}

struct Shape {
  std::size_t outer, length, inner;
  std::size_t elements() const { return outer * length * inner; }
};

const std::vector<Shape> allShapes = {{64, 1000, 1},   {1, 32000, 1},   {1, 128256, 1},  {4096, 10, 1},
                                      {65536, 4, 1},   {1536, 128, 1},  {32, 128256, 1}, {1024, 1024, 1},
                                      {1, 1024, 1024}, {1, 1000, 1000}, {8, 128, 200}};
constexpr const char* dtypeNames[] = {"float32", "float64", "float16", "bfloat16"};
constexpr std::size_t dtypeSizes[] = {4, 8, 2, 2};

struct Arrays {
  std::vector<float> values;
  std::vector<std::uint8_t> x, y, out;
  std::vector<std::int32_t> classes;
  std::vector<float> sums;
  std::vector<double> losses, wide_sums;
};

void fill(std::vector<std::uint8_t>& bytes, SoftmaxDType dtype, std::size_t count, bool probability) {
  bytes.resize(count * dtypeSizes[dtype] + 64);
  for (std::size_t i = 0; i < count; ++i) {
    const double uniform = static_cast<double>(std::rand()) / RAND_MAX;
    const double value = probability ? uniform : (uniform - 0.5) * 12;
    if (dtype == softmaxFloat64) {
      std::memcpy(&bytes[i * 8], &value, 8);
    } else if (dtype == softmaxFloat32) {
      const float narrow = static_cast<float>(value);
      std::memcpy(&bytes[i * 4], &narrow, 4);
    } else if (dtype == softmaxBFloat16) {
      const float narrow = static_cast<float>(value);
      std::uint32_t bits;
      std::memcpy(&bits, &narrow, 4);
      bits >>= 16;
      std::memcpy(&bytes[i * 2], &bits, 2);
    } else {
      // 1.0 to 1.999 with either sign: which numbers does not matter to the time.
      const std::uint16_t bits = static_cast<std::uint16_t>(0x3C00 | (std::rand() & 0x83FF));
      std::memcpy(&bytes[i * 2], &bits, 2);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_csv = argc > 1 && std::strcmp(argv[1], "--csv") == 0;
  if (is_csv) --argc, ++argv;
  const std::string filter = argc > 1 ? argv[1] : "";
  const double cycle = cycleTime();
  if (!is_csv) std::printf("%.3f ns a cycle\n", cycle);
  const KernelList list = supportedKernels();
  std::vector<Shape> shapes;
  for (int i = 2; i < argc; ++i) {
    Shape shape{};
    if (std::sscanf(argv[i], "%zux%zux%zu", &shape.outer, &shape.length, &shape.inner) == 3)
      shapes.push_back(shape);
  }
  if (shapes.empty()) shapes = allShapes;
  for (const Shape& shape : shapes)
    for (int d = 0; d < 4; ++d) {
      const auto dtype = static_cast<SoftmaxDType>(d);
      const std::size_t count = shape.elements(), rows = shape.outer * shape.inner;
      Arrays arrays;
      struct Case {
        std::string name;
        std::function<void()> run;
        std::vector<double> times;
        int repeat = 1;
      };
      std::vector<Case> cases;
      SoftmaxElements x{}, y{}, out{};
      const SoftmaxRows problem{shape.outer,
                                shape.length,
                                shape.inner,
                                shape.inner,
                                count,
                                nullptr,
                                nullptr,
                                0,
                                nullptr,
                                1.0,
                                scratchMemory(scratchSize),
                                scratchSize};
      const auto addCase = [&](const char* isa, const char* operation, std::function<void()> run) {
        char name[160];
        std::snprintf(name, sizeof name, "%-7s %-18s %-8s %zux%zux%zu", isa, operation, dtypeNames[d],
                      shape.outer, shape.length, shape.inner);
        if (std::string(name).find(filter) == std::string::npos) return;
        cases.push_back({name, std::move(run), {}, 1});
      };
      addCase("-", "memcpy", [&] { std::memcpy(out.data, x.data, count * dtypeSizes[d]); });
      for (std::size_t i = 0; i < list.count; ++i) {
        const SoftmaxKernels& k = *list.tables[i];
        for (std::size_t number = 0; number < operationCount; ++number) {
          const OperationRow& row = operations[number];
          if (!isSimple(row) || row.layouts == Layouts::lastAxis) continue;
          addCase(k.isa, row.name, [&, number] {
            SoftmaxCall call = callOf(operationAt(number), problem, {x, y});
            call.arrays[arrayCount(operations[number]) - 1] = out;
            k.compute(&call);
          });
        }
        addCase(k.isa, "crossEntropy", [&] {
          SoftmaxCrossEntropy loss{};
          loss.logits = x;
          loss.classes = arrays.classes.data();
          loss.loss = arrays.losses.data();
          loss.logSumExp =
              dtype == softmaxFloat64 ? static_cast<void*>(arrays.wide_sums.data()) : arrays.sums.data();
          loss.grad = out;
          loss.gradLoss = 1.0 / static_cast<double>(rows);
          const SoftmaxCall call = callOf(loss, problem);
          k.compute(&call);
        });
      }
      if (cases.empty()) continue;
      {
        fill(arrays.x, dtype, count, false);
        fill(arrays.y, dtype, count, true);
        fill(arrays.out, dtype, count, true);
        arrays.classes.resize(rows);
        for (auto& c : arrays.classes) c = std::rand() % static_cast<int>(shape.length);
        arrays.losses.resize(rows), arrays.sums.resize(rows);
        arrays.wide_sums.resize(rows);
        x = {arrays.x.data(), dtype}, y = {arrays.y.data(), dtype}, out = {arrays.out.data(), dtype};
      }
      for (auto& c : cases) {
        c.run();
        const double begin = now();
        c.run();
        c.repeat = static_cast<int>(std::max(1.0, 2e6 / (now() - begin)));
      }
      for (int turn = 0; turn < 9; ++turn)
        for (auto& c : cases) {
          const double begin = now();
          for (int i = 0; i < c.repeat; ++i) c.run();
          c.times.push_back((now() - begin) / c.repeat);
        }
      for (auto& c : cases) {
        const double time = median(c.times), best = *std::min_element(c.times.begin(), c.times.end());
        const double each = best / static_cast<double>(count);
        if (is_csv) {
          std::printf("%s,%zu,%.4f,%.6f,%.6f\n", c.name.c_str(), count, cycle, time, best);
          continue;
        }
        std::printf("%-52s %10.2f us, at best %10.2f us, %8.3f ns, %7.2f cycles per element\n",
                    c.name.c_str(), time / 1e3, best / 1e3, each, each / cycle);
      }
      std::fflush(stdout);
    }
}
