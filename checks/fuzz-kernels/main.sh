#!/usr/bin/env bash
# libFuzzer, with AddressSanitizer and UndefinedBehaviorSanitizer, on each family of kernels: no instruction set of this
# CPU gives other bits than the scalar kernels, reads or writes beyond an array, or misses the exact result by more than is
# promised. First the cases of native/fuzz/cases, then new ones.
#   npm run check fuzz-kernels -- [--quick | --runs N] [--only FAMILY] [--seed N] [--collect]
# --runs: executions of all families together, 10^8 unless it is said; --quick: half a minute of them. --collect: what has
# found new paths becomes a case.
set -euo pipefail
cd "$(dirname "$0")/../.."

runs=100000000 quick= only= seed=1 collect=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=1 runs=600000 ;;
    --runs) runs=$2; shift ;;
    --only) only=$2; shift ;;
    --seed) seed=$2; shift ;;
    --collect) collect=1 ;;
    *) echo "fuzz-kernels: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

compiler=clang++-14
out=build-fuzz
mkdir -p "$out"
rm -f "$out"/crash-*

# What takes longest to compile comes first. The reference of the results needs no sanitizer. Paths are counted in the
# kernels of the widest vectors alone, which have all of them: counting takes as long as computing.
variants=$(node -p "Object.entries(require('./native/variants.json').variants)
  .filter(([, { arch }]) => ['any', process.arch].includes(arch)).map(([name]) => name).join(' ')")
widest=$(node -p "require('./build/Release/softmax_native.node').supported[0]")
common="-std=c++17 -O1 -g1 -Wall -Wextra -Werror -ffp-contract=off -fno-exceptions -fno-rtti -fvisibility=hidden"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
# What knows operations, but no kernel.
table=(native/operations.h native/kernels/kernel-abi.h native/kernels/problems.h)
paths="-fsanitize-coverage=inline-8bit-counters,pc-table"
# stale OBJECT SOURCE...: whether one of the sources, or what is in these directories, is newer.
stale() {
  local object=$1
  shift
  [ ! -f "$object" ] || [ -n "$(find "$@" checks/fuzz-kernels/main.sh -type f ! -name '*.txt' -newer "$object" -print -quit)" ]
}
# The compiler's arguments for every object that is to be made.
commands() {
  local isa name object flags
  for isa in $variants; do
    object=$out/$isa.o
    stale "$object" native/operations.h native/kernels native/vec "native/isa/$isa.cc" native/variants.json || continue
    flags=$(node -p "require('./native/variants.json').variants.$isa.flags.join(' ')")
    [ "$isa" != "$widest" ] || flags="$flags $paths"
    echo "$common $sanitizers $flags -c native/isa/$isa.cc -o $object"
  done
  for name in call dispatch cpu scratch; do
    object=$out/$name.o
    stale "$object" native/runtime "${table[@]}" || continue
    echo "$common $sanitizers -c native/runtime/$name.cc -o $object"
  done
  for name in problem alone exact_row forward backward cross_entropy divergence halves operations tokens sample parts shapes libfuzzer; do
    object=$out/fuzz-$name.o
    stale "$object" native/fuzz native/test/calls.h native/runtime "${table[@]}" || continue
    echo "$common -O2 -march=native -DSOFTMAX_FUZZ_ASAN -c native/fuzz/$name.cc -o $object"
  done
}
commands | xargs -r -P 2 -d '\n' -I '{}' bash -c "$compiler {}"
"$compiler" -fsanitize=address,undefined,fuzzer "$out"/*.o -o "$out/kernels_fuzz"

export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
total=0
# Of a thousand executions.
share() {
  case $1 in forward) echo 230 ;; backward) echo 200 ;; cross-entropy) echo 140 ;; divergence) echo 75 ;; halves) echo 181 ;; operations) echo 90 ;;
    top-k) echo 30 ;; token-log-probs) echo 20 ;; sample) echo 30 ;; parts) echo 3 ;; long | together) echo 1 ;; esac
}
# fuzz FAMILY EXECUTIONS SEED: adds to the total. What has found new paths stays in the family's corpus.
fuzz() {
  local log=$out/$1.log longest=256 status=0 executed
  case $1 in parts | long | together) longest=64 ;; esac
  # Without entropic and hit counts: their bookkeeping takes longer than the kernels.
  "$out/kernels_fuzz" "--family=$1" "-runs=$2" "-seed=$3" "-max_len=$longest" -len_control=0 -entropic=0 -use_counters=0 \
    -verbosity=0 -print_final_stats=1 "-artifact_prefix=$out/crash-$1-" "$out/corpus/$1" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    grep -v '^stat::' "$log" | tail -60
    for crash in "$out"/crash-"$1"-*; do
      [ ! -f "$crash" ] || echo "fuzz-kernels: fuzz_replay $1 $(od -An -v -tx1 "$crash" | tr -d ' \n')"
    done
    echo "fuzz-kernels: $1 failed" >&2
    exit 1
  fi
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  total=$((total + executed))
}

for family in forward backward cross-entropy divergence halves operations top-k token-log-probs sample parts long together; do
  [ -z "$only" ] || [ "$only" = "$family" ] || continue
  node checks/fuzz-kernels/cases.mjs unpack "native/fuzz/cases/$family.txt" "$out/corpus/$family"
  wanted=$((runs / 1000 * $(share "$family"))) before=$total begun=$(date +%s)
  [ -z "$only" ] || wanted=$runs
  chunk=$((wanted < 2000000 ? wanted : 2000000))
  while [ $((total - before)) -lt "$wanted" ]; do
    fuzz "$family" "$chunk" "$seed"
    seed=$((seed + 1))
    [ -n "$quick" ] || echo "$family: $((total - before)) of $wanted executions, $(((total - before) / ($(date +%s) - begun + 1))) a second"
  done
  echo "$family: $((total - before)) executions, $(ls "$out/corpus/$family" | wc -l) cases"
  if [ -n "$collect" ]; then
    rm -rf "$out/merged" && mkdir -p "$out/merged"
    "$out/kernels_fuzz" "--family=$family" -merge=1 -use_counters=0 "$out/merged" "$out/corpus/$family" >"$out/merge.log" 2>&1
    node checks/fuzz-kernels/cases.mjs pack "$out/merged" "native/fuzz/cases/$family.txt"
  fi
done
[ "$total" -gt 0 ] || { echo "fuzz-kernels: there is no family $only" >&2; exit 2; }
echo "fuzz-kernels: $total executions, no report"
