#!/usr/bin/env bash
# ThreadSanitizer: first a race that is put into the addon, which it must find, then the kernels' tests, the async races and the
# vitest suite on every instruction set, where it must find none.
#   npm run check tsan -- [--quick] [--count RACES_OF_EACH_FUNCTION] [--workers N] [--seed N] [--only KIND,...]
# --quick: of the kernels' tests those of threads, fewer races, and of the suite the best instruction set and the package.
set -euo pipefail
cd "$(dirname "$0")/../.."
. checks/sanitizers/common.sh

while [ $# -gt 0 ]; do
  case "$1" in
  --quick)
    few
    kernels_test+=(runtime)  # threads and jobs, and nothing that one thread does alone
    ;;
  *) races+=("$1") ;;
  esac
  shift
done

name=tsan
out=build-tsan
compiler=g++
flags=-fsanitize=thread
library=$("$compiler" -print-file-name=libtsan.so)
prepare

# Threads for any order of events, whatever CPUs this process may use.
export SOFTMAX_THREADS=4 ASYNC_RACES_MOST_GROWTH=400
# Node itself is not compiled for the sanitizer, and shows it races that are none.
export TSAN_OPTIONS=log_path=$reports/report:exitcode=66:ignore_noninstrumented_modules=1

finds race 'data race.*seeded_defect' suite --project scalar test/threads.test.ts
build
clean 3600 "$out/kernels_test" "${kernels_test[@]}"
clean 3600 env LD_PRELOAD="$library" node checks/async-races/main.mjs --package "$stage" "${races[@]}"
native_suite
echo "$name: no report"
