#!/usr/bin/env bash
# The main job from a fresh copy of the tree, on every backend this CPU has: the same weights, over 90 % of the test
# images right; and without a compiler, where the JavaScript backend must serve and say why.
#   digits.sh [--quick]   --quick: with the repository's build of the addon in place of one that is made there
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do
  [ -e "$file" ] && printf '%s\0' "$file"
done | xargs -0 cp --parents -t "$copy"
ln -s "$root/node_modules" "$copy/node_modules"
cd "$copy"

value() { sed -n "s/^$1  *//p"; }
expected=""
start=(npm start --silent)
run() { # run NAME [VARIABLE=VALUE ...]
  local name=$1 output accuracy hash
  shift
  output=$(env "$@" "${start[@]}" 2>&1) || { echo "$output"; echo "digits: $name failed" >&2; exit 1; }
  accuracy=$(value "test accuracy" <<<"$output") hash=$(value "weights sha256" <<<"$output")
  echo "digits: $name: $accuracy right, weights $hash"
  [ "$(printf '%s\n90\n' "${accuracy% %}" | sort -g | head -1)" = 90 ] || { echo "digits: less than 90 %" >&2; exit 1; }
  [ "$hash" = "${expected:=$hash}" ] || { echo "digits: $name has other weights" >&2; exit 1; }
  last=$output
}

run "no compiler" CXX=/bin/false CC=/bin/false
grep -q "^native build: failed; the JavaScript backend" <<<"$last" || { echo "$last"; exit 1; }
grep -q "^backend  js: the native backend can't be used: there is no native build at" <<<"$last" || { echo "$last"; exit 1; }
example=(node_modules/.bin/tsx examples/digits/main.ts)
if [ "${1:-}" = --quick ]; then
  mkdir -p build/Release
  cp "$root/build/Release/softmax_native.node" build/Release/
  start=("${example[@]}")
fi
run "as it comes"
start=("${example[@]}") # all is built now
for isa in $(node -p "require('./build/Release/softmax_native.node').supported.join(' ')"); do
  run "SOFTMAX_ISA=$isa" SOFTMAX_ISA="$isa"
  grep -q "^backend  native, $isa" <<<"$last" || { echo "$last"; exit 1; }
done
run "SOFTMAX_BACKEND=js" SOFTMAX_BACKEND=js
