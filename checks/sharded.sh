#!/usr/bin/env bash
# The example of an output layer in shards: the bits of one process with 1 to 4 processes, on both backends, also when these
# are killed; that the demonstration and its figures run. Installs what it needs into examples/sharded (2 MB) when it is
# missing or of other versions.
set -euo pipefail
cd "$(dirname "$0")/../examples/sharded"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then npm run --silent setup; fi
node check.mjs

output=$(npm start --silent -- --steps 8)
echo "$output"
grep -q "^The same bits: " <<<"$output" || { echo "sharded: the demonstration has no result" >&2; exit 1; }

output=$(npm start --silent -- measure --quick)
echo "$output"
[ "$(grep -cE "^ +[124] .* ms .* % .* KiB$" <<<"$output")" = 3 ] || { echo "sharded: no figures" >&2; exit 1; }
