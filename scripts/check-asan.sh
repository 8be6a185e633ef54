#!/usr/bin/env bash
# AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer: the kernels' tests, the corpus and the hazards, with an
# addon of clang, whose sanitizer sees masked loads and stores. Debian packages: clang-14, libclang-rt-14-dev, cmake. Needs
# `npm run build:ts` before.
#   bash scripts/check-asan.sh [--count RACES_OF_EACH_FUNCTION] [--workers N] [--seed N] [--only KIND,...]
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=clang++-14
out=build-asan
for tool in "$compiler" cmake; do
  command -v "$tool" >/dev/null || { echo "check-asan: $tool is missing (Debian: clang-14 libclang-rt-14-dev cmake)" >&2; exit 1; }
done
library=$("$compiler" -print-file-name=libclang_rt.asan-"$(uname -m)".so)
[ -f "$library" ] || { echo "check-asan: $library is missing (Debian: libclang-rt-14-dev)" >&2; exit 1; }

# pointer-overflow: kernels move pointers to rows also where an output is missing, and do not use them then.
flags="-fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined"
cmake -S . -B "$out" -Wno-dev -DCMAKE_CXX_COMPILER="$compiler" -DBUILD_TESTING=ON \
  -DCMAKE_CXX_FLAGS="$flags -shared-libasan -fno-omit-frame-pointer -g1" \
  -DCMAKE_JS_INC="$(node -p "require('node-api-headers').include_dir")" >"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
cmake --build "$out" -j 2 --target softmax_native kernels_test >>"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
rm "$out.log"

# Threads for any order of events, whatever CPUs this process may use.
export SOFTMAX_THREADS=4
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# intercept_tls_get_addr: clang 14 reads a length from before the thread-local memory of a loaded library, where the C
# library keeps none, and its search for leaks ends in a crash of its own.
export ASAN_OPTIONS=detect_leaks=1:intercept_tls_get_addr=0
LD_LIBRARY_PATH=$(dirname "$library") timeout 1200 "$out/kernels_test" 200000

stage=$out/package
node scripts/hazards/stage.mjs "$stage" --addon "$out/softmax_native.node"
# What is freed stays reserved for a while, to see who uses it: memory grows by so much.
export LD_PRELOAD=$library HAZARDS_MOST_GROWTH=400
timeout 600 node scripts/check-corpus.mjs "$stage" --without-longest
timeout 1800 node scripts/hazards/main.mjs --quick --package "$stage" "$@"
echo "asan: no report"
