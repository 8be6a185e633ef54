#!/usr/bin/env bash
# AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, of clang and of gcc: first defects that are put into the
# addon, which they must find, then the kernels' tests, the corpus, the async races and the vitest suite on every instruction
# set, where they must find none. Of loads and stores of some lanes only clang's sees which are outside.
#   npm run check asan -- [--compiler clang|gcc] [--quick] [--count RACES_OF_EACH_FUNCTION] [--workers N] [--seed N]
#     [--only KIND,...]
# --quick: fewer numbers and races, and of the suite the best instruction set and the package.
set -euo pipefail
cd "$(dirname "$0")/../.."
. checks/sanitizers/common.sh

compilers="clang gcc"
while [ $# -gt 0 ]; do
  case "$1" in
  --compiler) compilers=$2 && shift ;;
  --quick) few ;;
  *) races+=("$1") ;;
  esac
  shift
done

flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
# Threads for any order of events, whatever CPUs this process may use.
export SOFTMAX_THREADS=4
# What is freed stays reserved for a while, to see who uses it: memory grows by so much.
export ASYNC_RACES_MOST_GROWTH=400

check() { # check clang|gcc
  name="asan of $1"
  out=build-asan/$1
  case "$1" in
  clang)
    compiler=clang++-14
    flags+=" -shared-libasan"
    library=libclang_rt.asan-$(uname -m).so
    ;;
  gcc)
    compiler=g++
    # Else UndefinedBehaviorSanitizer's library tells AddressSanitizer's where to write, and does not write there itself.
    flags+=" -static-libubsan"
    # What it looks at is the same, but each look is a call: in place, kernels take it many minutes to compile.
    flags+=" --param asan-instrumentation-with-call-threshold=0"
    library=libasan.so
    ;;
  *) echo "asan: --compiler takes clang or gcc, got $1" >&2 && exit 2 ;;
  esac
  library=$("$compiler" -print-file-name="$library")
  prepare
  local common=log_path=$reports/report:exitcode=66
  export UBSAN_OPTIONS=$common:halt_on_error=1:print_stacktrace=1
  # intercept_tls_get_addr: clang 14 reads a length from before the thread-local memory of a loaded library, where the C
  # library keeps none, and its search for leaks ends in a crash of its own.
  local options=$common:intercept_tls_get_addr=0
  # No search for leaks in vitest, which ends its workers by a signal: they do not get as far as that.
  export ASAN_OPTIONS=$options:detect_leaks=0

  local some=(suite --project scalar test/threads.test.ts)
  finds overRead 'heap-buffer-overflow.*seeded_defect' "${some[@]}"
  finds signedOverflow 'seeded_defect.*signed integer overflow' "${some[@]}"
  if [ "$1" = clang ] && [ "$(uname -m)" = x86_64 ]; then
    finds maskedOverRead 'heap-buffer-overflow.*seeded_defect' "${some[@]}"
  fi
  export ASAN_OPTIONS=$options:detect_leaks=1
  local node=(env LD_PRELOAD="$library" node)
  finds leak 'leak.*seeded_defect' clean 600 "${node[@]}" checks/async-races/races.mjs --count 3 --package "$stage"

  build
  clean 3600 env LD_LIBRARY_PATH="$(dirname "$library")" "$out/kernels_test" "${kernels_test[@]}"
  clean 1200 "${node[@]}" checks/corpus.mjs "$stage" --without-longest
  clean 3600 "${node[@]}" checks/async-races/main.mjs --package "$stage" "${races[@]}"
  export ASAN_OPTIONS=$options:detect_leaks=0
  native_suite
  echo "$name: no report"
}

for each in $compilers; do (check "$each"); done
