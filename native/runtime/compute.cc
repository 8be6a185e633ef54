#include "compute.h"

#include "call_job.h"
#include "floating_point.h"
#include "pool.h"

namespace softmax_native {
namespace {

/// Fewer elements are not worth a look at the pool.
constexpr std::size_t leastElements = 4096;
/// Nanoseconds of a task: many times what it costs to claim one.
constexpr double grain = 1500;

}  // namespace

void compute(const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  const std::size_t elements = elementCount(call.rows);
  if (elements < leastElements) return runCall(kernels, call);
  const DefaultFloatingPoint floating_point;  // what may be trapped, also where nothing but costs is computed
  Pool& pool = Pool::get();
  const double cost = static_cast<double>(elements) * elementCost(kernels, call);
  if (!pool.hasHelp(cost)) return runCall(kernels, call);
  const std::size_t threads = pool.threads();
  CallJob job(kernels, call, {grain, 8 * threads, threads});
  if (job.firstTasks() == 1) return runCall(kernels, call);
  pool.run(job, cost);
}

}  // namespace softmax_native
