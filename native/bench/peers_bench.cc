// Times softmax of float32 rows beside oneDNN and XNNPACK, on the same buffers, in one thread.
//
//   peers_bench     a line a case: contestant, rows x length, ns at best, ULP at worst
//
// The contestants take turns, and the best of many turns counts. Errors are those of the first rows, against
// long double. Debian has both libraries: libdnnl-dev, libxnnpack-dev.
#include <xnnpack.h>
#include <dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/scratch.h"
#include "../test/calls.h"

namespace {

using namespace softmax_native;

struct Shape {
  std::size_t rows, length;
};
constexpr Shape shapes[] = {{64, 1000},   {1, 32000},  {1, 128256}, {32, 128256},
                            {1024, 1024}, {1536, 128}, {4096, 10}};

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(time).count();
}

float normal() {
  const double radius = std::sqrt(-2 * std::log((std::rand() + 1.0) / (RAND_MAX + 2.0)));
  return static_cast<float>(3 * radius * std::cos(6.283185307179586 * std::rand() / RAND_MAX));
}

/// Where Node's large arrays begin: 16 bytes after a multiple of 64.
struct Floats {
  std::vector<float> memory;
  float* data;
  explicit Floats(std::size_t count) : memory(count + 32) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    data = memory.data() + (64 - address % 64) % 64 / sizeof(float) + 4;
  }
};

double worstError(const Shape& shape, const float* x, const float* out) {
  double worst = 0;
  for (std::size_t row = 0; row < std::min<std::size_t>(shape.rows, 64); ++row) {
    const float *logits = x + row * shape.length, *results = out + row * shape.length;
    const float top = *std::max_element(logits, logits + shape.length);
    long double sum = 0;
    for (std::size_t k = 0; k < shape.length; ++k) sum += std::exp(static_cast<long double>(logits[k]) - top);
    for (std::size_t k = 0; k < shape.length; ++k) {
      const long double exact = std::exp(static_cast<long double>(logits[k]) - top) / sum;
      const double unit = std::ldexp(1.0, std::max(std::ilogb(static_cast<double>(exact)), -126) - 23);
      worst = std::max(worst, static_cast<double>(std::fabs(results[k] - exact)) / unit);
    }
  }
  return worst;
}

struct Contestant {
  const char* name;
  std::function<void()> run;
  double best = HUGE_VAL;
};

void race(const Shape& shape) {
  const std::size_t count = shape.rows * shape.length, bytes = count * sizeof(float);
  Floats x(count), out(count);
  for (std::size_t i = 0; i < count; ++i) x.data[i] = normal();
  std::vector<Contestant> contestants;

  const SoftmaxRows rows{
      shape.rows, shape.length, 1, 1, count, nullptr, nullptr, 0, nullptr, 1.0, scratchMemory(scratchSize),
      scratchSize};
  const SoftmaxKernels& kernels = *supportedKernels().tables[0];
  const SoftmaxCall call =
      callOf(SoftmaxOperation::softmax, rows, {{x.data, softmaxFloat32}, {out.data, softmaxFloat32}});
  contestants.push_back({"softmax-native", [&] { kernels.compute(&call); }});

  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const dnnl::memory::desc format(
      {static_cast<dnnl::memory::dim>(shape.rows), static_cast<dnnl::memory::dim>(shape.length)},
      dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
  const dnnl::softmax_forward::desc descriptor(dnnl::prop_kind::forward_inference, format, 1);
  const dnnl::softmax_forward softmax(dnnl::softmax_forward::primitive_desc(descriptor, engine));
  const dnnl::memory from(format, engine, x.data), to(format, engine, out.data);
  contestants.push_back({"oneDNN", [&] {
                           softmax.execute(stream, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
                           stream.wait();
                         }});

  xnn_operator_t xnnpack = nullptr;
  const bool has_xnnpack =
      xnn_initialize(nullptr) == xnn_status_success &&
      xnn_create_softmax_nc_f32(shape.length, shape.length, shape.length, 0, &xnnpack) == xnn_status_success;
  if (has_xnnpack)
    contestants.push_back({"XNNPACK", [&] {
                             xnn_setup_softmax_nc_f32(xnnpack, shape.rows, x.data, out.data, nullptr);
                             xnn_run_operator(xnnpack, nullptr);
                           }});
  contestants.push_back({"memcpy", [&] { std::memcpy(out.data, x.data, bytes); }});

  std::vector<double> errors;
  for (Contestant& contestant : contestants) {
    std::fill(out.data, out.data + count, 0.0f);
    contestant.run();
    errors.push_back(std::strcmp(contestant.name, "memcpy") == 0 ? 0 : worstError(shape, x.data, out.data));
  }
  const int turns = static_cast<int>(std::clamp(3e8 / static_cast<double>(count), 30.0, 3000.0));
  for (int turn = 0; turn < turns; ++turn)
    for (Contestant& contestant : contestants) {
      const double begin = now();
      contestant.run();
      contestant.best = std::min(contestant.best, now() - begin);
    }
  for (std::size_t i = 0; i < contestants.size(); ++i)
    std::printf("%s,%zux%zu,%.0f,%.2f\n", contestants[i].name, shape.rows, shape.length, contestants[i].best,
                errors[i]);
  std::fflush(stdout);
  if (has_xnnpack) xnn_delete_operator(xnnpack);
}

}  // namespace

int main() {
  // Before oneDNN asks OpenMP for threads.
  setenv("OMP_NUM_THREADS", "1", 1);
  for (const Shape& shape : shapes) race(shape);
}
