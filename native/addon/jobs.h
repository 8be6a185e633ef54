// Calls that the pool computes while JavaScript goes on.
#pragma once

#include <node_api.h>

#include <map>
#include <vector>

#include "../runtime/call_job.h"
#include "../runtime/lock.h"

namespace softmax_native {

/// The jobs of one environment, posted and ended on its thread. Their arrays are kept by JavaScript, where no
/// caller can reach them, until it is told that they have ended; or until the environment ends, which waits
/// for the tasks that are being computed.
class Jobs {
 public:
  /// callback(job, isCancelled) is called on the event loop. Null: a JavaScript error is pending.
  static Jobs* create(napi_env env, napi_value callback);

  /// False: there is no thread to compute it.
  bool post(double number, const SoftmaxKernels& kernels, const SoftmaxCall& call);
  /// What has not begun of a job is left out. The callback is told as ever.
  void cancel(double number);

 private:
  class PostedCall final : public CallJob {
   public:
    PostedCall(Jobs& jobs, double number_, const SoftmaxKernels& kernels, const SoftmaxCall& call);
    const double number;

   private:
    void finished() override;
    Jobs& jobs_;
  };

  explicit Jobs(napi_env env) : env_(env) {}
  /// On any thread.
  void finished(PostedCall& job);
  static void tell(napi_env env, napi_value callback, void* context, void* data);
  static void close(void* jobs);

  napi_env env_;
  napi_threadsafe_function told_ = nullptr;
  std::map<double, PostedCall*> open_;

  Mutex mutex_;
  // Guarded by the mutex.
  std::vector<PostedCall*> ended_;
  bool is_closed_ = false;
};

}  // namespace softmax_native
