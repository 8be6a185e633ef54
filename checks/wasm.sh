#!/usr/bin/env bash
# The suite on the WebAssembly backend: all of it on this Node, which takes the module that its engine is served by best, and
# the pinned bits on each Node there is, on both modules.
#   bash checks/wasm.sh [--quick] [FILE…]
set -euo pipefail
cd "$(dirname "$0")/.."

files=()
quick=
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    *) files+=("$argument") ;;
  esac
done
if [ "$quick" ] && [ ${#files[@]} -eq 0 ]; then
  files=(test/same-bits test/sample-backends test/overlap test/async-results test/near-zero.test.ts test/numbers)
fi

vitest run --project wasm ${files[@]+"${files[@]}"}
vitest run --project package test/package/wasm.test.ts

for node in $(bash tools/get-nodes.sh); do
  for isa in simd128 relaxed-simd; do
    echo "--- $("$node" --version), $isa"
    SOFTMAX_BACKEND=wasm SOFTMAX_ISA=$isa "$node" checks/wasm-bits.mjs
  done
done
