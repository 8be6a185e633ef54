#!/usr/bin/env bash
# ThreadSanitizer: first a race that is put into the addon, which it must find, then the kernels' tests and the hazards,
# where it must find none. Needs `npm run build:ts` before, g++ with its libtsan, and cmake.
#   bash scripts/check-tsan.sh [--count RACES_OF_EACH_FUNCTION] [--workers N] [--seed N] [--only KIND,...]
set -euo pipefail
cd "$(dirname "$0")/.."

out=build-tsan
for tool in g++ cmake; do
  command -v "$tool" >/dev/null || { echo "check-tsan: $tool is missing (Debian: g++ cmake)" >&2; exit 1; }
done
library=$(g++ -print-file-name=libtsan.so)

build() { # build ON|OFF: with or without the race
  cmake -S . -B "$out" -Wno-dev -DCMAKE_CXX_COMPILER=g++ -DBUILD_TESTING=ON -DSOFTMAX_SEED_RACE="$1" \
    -DCMAKE_CXX_FLAGS="-fsanitize=thread -fno-omit-frame-pointer -g1" \
    -DCMAKE_JS_INC="$(node -p "require('node-api-headers').include_dir")" >"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
  cmake --build "$out" -j 2 --target softmax_native kernels_test >>"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
  rm "$out.log"
  node scripts/hazards/stage.mjs "$stage" --addon "$out/softmax_native.node"
}

# Threads for any order of events, whatever CPUs this process may use.
export SOFTMAX_THREADS=4
# Node itself is not compiled for the sanitizer, and shows it races that are none.
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=66
stage=$out/package

build ON
status=0
found=$(LD_PRELOAD=$library timeout 600 node scripts/hazards/races.mjs --count 20 --package "$stage" 2>&1) || status=$?
if [ "$status" != 66 ] || ! grep -q "data race.*runOne" <<<"$found"; then
  echo "$found" | tail -40
  echo "tsan: the race that was put in was not reported (exit code $status)" >&2
  exit 1
fi
echo "tsan: the race that was put in is reported"

build OFF
timeout 1200 "$out/kernels_test" 100000
export HAZARDS_MOST_GROWTH=400
LD_PRELOAD=$library timeout 1800 node scripts/hazards/main.mjs --quick --package "$stage" "$@"
echo "tsan: no report"
