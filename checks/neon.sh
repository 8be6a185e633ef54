#!/usr/bin/env bash
# NEON without an ARM machine: cross-compiles the addon and the kernels' tests, and runs both under qemu-aarch64, the
# addon in an arm64 Node from npm. Of the floats of checks/exhaustive one in 4096,
# and all around thresholds. With --quick kernels that are compiled faster (their bits are the same), fewer lengths and
# samples, and the addon with NEON alone.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build-neon
sysroot=/usr/aarch64-linux-gnu
emulator="qemu-aarch64 -L $sysroot"

problems=200000 sets="neon scalar" flags=""
if [[ ${1:-} == --quick ]]; then problems=20000 sets=neon flags=-O1; fi

cmake -S . -B "$out" -Wno-dev -DSOFTMAX_KERNEL_FLAGS="$flags" \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_JS_INC="$(node -p "require('node-api-headers').include_dir")" >"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
cmake --build "$out" -j 2 --target softmax_native kernels_test guard_pages exhaustive fuzz_replay >>"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
rm "$out.log"

$emulator "$out/kernels_test" "$problems"
$emulator "$out/guard_pages" --small
$emulator "$out/fuzz_replay" native/fuzz/cases
for sweep in steps exp "exp --multiplier 1.4285714285714286" exp-beside-0 exp-double log log-one-plus; do
  figures=$($emulator "$out/exhaustive" $sweep --every 4096)
  echo "exhaustive $sweep: $figures"
done

# A package as it would be installed there.
stage=$out/package
rm -rf "$stage"
mkdir -p "$stage/build/Release"
cp -r dist "$stage/"
cp "$out/softmax_native.node" "$stage/build/Release/"
node=$(bash tools/get-node.sh linux-arm64 22.23.3)
for isa in $sets; do
  SOFTMAX_ISA=$isa $emulator "$node" checks/corpus.mjs "$stage" --expect "$isa"
done
