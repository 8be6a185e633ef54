#!/usr/bin/env bash
# What calls leave behind: the floating-point mode that another addon has set on the thread, and no memory, in ten million
# synchronous calls; and what short-lived objects calls make that have places for their results.
#   npm run check state [-- --quick]
# --quick: fewer cases, a hundred thousand calls; half a minute. Objects of JavaScript's calls are counted without it.
set -euo pipefail
cd "$(dirname "$0")/../.."

calls=10000000 cases=4
if [ "${1-}" = --quick ]; then calls=100000 cases=1; fi

out=build-check/state
mkdir -p "$out"
"${CC:-cc}" -std=c99 -O1 -Wall -Wextra -Werror -shared -fPIC \
  -I "$(node -p "require('node-api-headers').include_dir")" checks/state/mode.c -o "$out/mode.node"

# The allocators of the system and of the engine give back at once then, and what is left is what was lost.
leaks() {
  MALLOC_MMAP_THRESHOLD_=16384 MALLOC_ARENA_MAX=1 \
    timeout 1200 node --max-semi-space-size=1 checks/state/leaks.mjs --count "$calls" "$@"
}
modes() { timeout 600 node checks/state/modes.mjs --count "$cases" --seed 1; }

isas=$(node -p "require('./build/Release/softmax_native.node').supported.join(' ')")
for isa in $isas; do
  SOFTMAX_ISA=$isa modes
done
modes
SOFTMAX_BACKEND=wasm modes
SOFTMAX_BACKEND=js modes
leaks
SOFTMAX_BACKEND=wasm leaks
SOFTMAX_BACKEND=js leaks
# What short-lived objects each call makes. All of a round fits into the new space.
allocations() {
  node --expose-gc --max-semi-space-size=512 --min-semi-space-size=512 checks/state/allocations.mjs --count "$((calls / 10))"
}
allocations
[ "${1-}" = --quick ] || SOFTMAX_BACKEND=js allocations
if calls=100000 leaks --lost 64 >"$out/lost.txt" 2>&1; then
  echo "state: 64 bytes lost beside each call were not found" >&2
  exit 1
fi
grep '^leaks: resident memory grew' "$out/lost.txt" | sed 's/^leaks:/state: found what an addon loses on purpose:/'
