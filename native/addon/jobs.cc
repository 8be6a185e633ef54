#include "jobs.h"

#include <new>
#include <utility>

#include "../runtime/pool.h"

namespace softmax_native {
namespace {

/// Nanoseconds of a task. A short job waits for one of a long job at most, and so does an abort.
constexpr double grain = 100'000;

}  // namespace

Jobs::PostedCall::PostedCall(Jobs& jobs, double number_, const SoftmaxKernels& kernels,
                             const SoftmaxCall& call)
    : CallJob(kernels, call, {grain, mostTasks, Pool::get().threads()}), number(number_), jobs_(jobs) {}

void Jobs::PostedCall::finished() {
  jobs_.finished(*this);
}

Jobs* Jobs::create(napi_env env, napi_value callback) {
  auto* jobs = new Jobs(env);
  napi_value name;
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Jobs*>(data); };
  const bool is_created =
      napi_create_string_utf8(env, "softmax-native", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, jobs, destroy, jobs, tell,
                                      &jobs->told_) == napi_ok;
  if (!is_created) {
    delete jobs;
    napi_throw_type_error(env, "ERR_BACKEND", "the native backend can't tell of jobs");
    return nullptr;
  }
  // Only open jobs keep the event loop going.
  napi_unref_threadsafe_function(env, jobs->told_);
  // Hooks run in reverse: this one before that of the function, which may not be used after its own.
  napi_add_env_cleanup_hook(env, close, jobs);
  return jobs;
}

bool Jobs::post(double number, const SoftmaxKernels& kernels, const SoftmaxCall& call) {
  if (elementCount(call.rows) == 0) return false;
  auto* job = new (std::nothrow) PostedCall(*this, number, kernels, call);
  if (job == nullptr) return false;
  // Known before it can end.
  open_[number] = job;
  if (!Pool::get().post(*job)) {
    open_.erase(number);
    delete job;
    return false;
  }
  if (open_.size() == 1) napi_ref_threadsafe_function(env_, told_);
  return true;
}

void Jobs::cancel(double number) {
  const auto found = open_.find(number);
  if (found != open_.end()) found->second->cancel();
}

void Jobs::finished(PostedCall& job) {
  const Lock lock(mutex_);
  if (is_closed_) return;
  ended_.push_back(&job);
  // One call for all that end until it comes.
  if (ended_.size() == 1) napi_call_threadsafe_function(told_, nullptr, napi_tsfn_nonblocking);
}

void Jobs::tell(napi_env env, napi_value callback, void* context, void*) {
  if (env == nullptr) return;  // the environment ends: `context` is gone
  auto& jobs = *static_cast<Jobs*>(context);
  std::vector<PostedCall*> ended;
  {
    const Lock lock(jobs.mutex_);
    std::swap(ended, jobs.ended_);
  }
  napi_value undefined;
  if (napi_get_undefined(env, &undefined) != napi_ok) return;
  for (PostedCall* job : ended) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    napi_value arguments[2];
    const bool is_told = napi_create_double(env, job->number, &arguments[0]) == napi_ok &&
                         napi_get_boolean(env, job->isCancelled(), &arguments[1]) == napi_ok;
    jobs.open_.erase(job->number);
    delete job;
    if (jobs.open_.empty()) napi_unref_threadsafe_function(env, jobs.told_);
    if (is_told) napi_call_function(env, undefined, callback, 2, arguments, nullptr);
    napi_close_handle_scope(env, scope);
  }
}

void Jobs::close(void* data) {
  auto& jobs = *static_cast<Jobs*>(data);
  {
    const Lock lock(jobs.mutex_);
    jobs.is_closed_ = true;
    jobs.ended_.clear();
  }
  for (const auto& [number, job] : jobs.open_) {
    Pool::get().withdraw(*job);
    delete job;
  }
  jobs.open_.clear();
  napi_release_threadsafe_function(jobs.told_, napi_tsfn_release);
}

}  // namespace softmax_native
